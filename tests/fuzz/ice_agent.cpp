// A whole ICE agent and a hostile peer who knows the credentials: the input says what the peer does and how time
// passes. Tables stay bounded, an agent asks for no time that has passed, and what it sends unasked stays bounded too.
#include "nat/ice_agent.h"
#include "base/machine.h"
#include "nat/stun_builder.h"
#include "require.h"

using namespace linnet;
using namespace linnet::nat;
using namespace linnet::nat::ice;

namespace {

constexpr Base kBases = 11;

struct Model {
  explicit Model(std::uint8_t flags) : rng(1), agent(config_of(flags), rng), theirs(make_credentials(rng)) {
    agent.add_host(now, 0, {IpAddress::v4(10, 0, 0, 1), 4400});
    agent.add_host(now, 1, {*IpAddress::parse("2001:db8::1"), 4400});
    // With so many, 24 candidates of the other side make more than the hundred pairs that may be.
    for (Base base = 3; base < kBases; ++base)
      agent.add_host(now, base, {IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(base)), 4400});
    if ((flags & 4) != 0) agent.add_circuit(now, 2, 77);
    if ((flags & 8) != 0) agent.gather(now, 0, {IpAddress::v4(198, 51, 100, 1), 3478});
    agent.end_of_local(now);
    if ((flags & 16) == 0) (void)agent.set_remote(now, theirs);
  }
  static AgentConfig config_of(std::uint8_t flags) {
    AgentConfig config;
    config.role = (flags & 1) != 0 ? Role::controlling : Role::controlled;
    config.policy = (flags & 2) != 0 ? Policy::once : Policy::move;
    return config;
  }

  SeededRng rng;
  Time now{std::chrono::hours(1)};
  Agent agent;
  Credentials theirs;
  std::vector<Outgoing> asked;  // its latest requests
  std::size_t heard = 0;
  std::size_t answers = 0;

  Endpoint endpoint(std::uint8_t n) {
    if (n % 4 == 3) return {*IpAddress::parse("2001:db8::66"), static_cast<std::uint16_t>(n)};
    return {IpAddress::v4(192, 0, 2, n / 16), static_cast<std::uint16_t>(n % 16)};
  }
  void hear(std::uint8_t at, ByteView bytes) {
    const auto m = stun::Message::parse(bytes);
    if (!m) return;
    ++heard;
    const Base base = at % kBases;
    agent.handle(now, base, base == 2 ? circuit_endpoint(77) : endpoint(at), *m);
  }
  void collect() {
    while (auto out = agent.poll_transmit()) {
      const auto m = stun::Message::parse(out->bytes);
      fuzz::require(m.has_value() && out->bytes.size() <= kMaxDatagram);
      if (m->message_class() != stun::Class::request) {
        ++answers;
        continue;
      }
      if (asked.size() >= 32) asked.erase(asked.begin());
      asked.push_back(std::move(*out));
    }
    while (agent.poll_event()) {
    }
    fuzz::require(answers <= heard);
    fuzz::require(agent.local().size() <= kMaxCandidates && agent.remote().size() <= kMaxCandidates);
    for (const auto* side : {&agent.local(), &agent.remote()}) {
      std::size_t learned = 0;
      for (const auto& c : side->all()) learned += c.type == Type::peer_reflexive ? 1 : 0;
      fuzz::require(learned <= kMaxLearned);
    }
    fuzz::require(agent.pairs().pairs().size() <= kMaxPairs);
    for (const auto& p : agent.pairs().pairs())
      fuzz::require(p.local < agent.local().size() && p.remote < agent.remote().size());
  }
  void pass(Duration time) {
    const auto end = now + time;
    for (int i = 0; agent.next_timeout() <= end; ++i) {
      fuzz::require(i < 5000);  // it rests
      now = std::max(now, agent.next_timeout());
      agent.handle_timeout(now);
      collect();
    }
    now = end;
  }
};

void check(Model& model, Reader& in) {
  const auto at = in.u8();
  const auto how = in.u8();
  Check c{(how & 1) != 0 ? Role::controlling : Role::controlled, in.u8() * 0x0101010101010101U, in.u32(),
          (how & 2) != 0};
  auto bytes = write_check(model.rng.array<12>(), c, model.theirs, model.agent.credentials());
  if ((how & 4) != 0) bytes[in.u8() % bytes.size()] ^= in.u8();
  model.hear(at, bytes);
}

void answer(Model& model, Reader& in) {
  if (model.asked.empty()) return;
  const auto& request = model.asked[in.u8() % model.asked.size()];
  const auto how = in.u8();
  const auto m = *stun::Message::parse(request.bytes);
  auto bytes = (how & 1) != 0
                   ? write_error(m, (how & 2) != 0 ? stun::ErrorCode::role_conflict : stun::ErrorCode::bad_request,
                                 &model.theirs)
                   : write_success(m, model.endpoint(in.u8()), model.theirs);
  if ((how & 4) != 0) bytes[in.u8() % bytes.size()] ^= in.u8();
  if (const auto parsed = stun::Message::parse(bytes)) {
    ++model.heard;
    model.agent.handle(model.now, request.base, (how & 8) != 0 ? model.endpoint(in.u8()) : request.to, *parsed);
  }
}

void name(Model& model, Reader& in) {
  Candidate c;
  c.type = static_cast<Type>(in.u8() % 5);
  c.endpoint = model.endpoint(in.u8());
  c.priority = in.u32();
  c.foundation = std::to_string(in.u8() % 4);
  if (in.u8() % 8 == 0) c.circuit = 77;
  (void)model.agent.add_remote(model.now, c);
}

}  // namespace

// The input: a byte of flags, then steps.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Reader in(ByteView(data, size));
  Model model(in.u8());
  model.collect();
  for (int step = 0; step < 200 && in.remaining() > 0; ++step) {
    switch (in.u8() % 10) {
      case 0:
      case 1: check(model, in); break;
      case 2:
      case 3: answer(model, in); break;
      case 4: name(model, in); break;
      case 5: model.pass(std::chrono::milliseconds(in.u8())); break;
      case 6: model.pass(std::chrono::seconds(in.u8() % 64)); break;
      case 7: model.hear(in.u8(), in.bytes(std::min<std::size_t>(in.u8(), in.remaining()))); break;
      case 8: model.agent.suspect(model.now); break;
      default:
        if (const auto what = in.u8(); what < 64) {
          model.agent.restart(model.now);
          (void)model.agent.set_remote(model.now, model.theirs);
          model.agent.add_host(model.now, 0, {IpAddress::v4(10, 0, 0, 1), 4400});
        } else if (what < 128) {
          (void)model.agent.set_remote(model.now, model.theirs);
        } else {
          model.agent.end_of_remote(model.now);
        }
    }
    model.collect();
  }
  model.pass(std::chrono::minutes(2));
  return 0;
}
