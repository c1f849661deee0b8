// A whole ICE agent and a hostile peer who knows the credentials: the input says what the peer does and how time
// passes. Tables stay bounded, an agent asks for no time that has passed, and what it sends unasked stays bounded too.
// Where the flags say so it has TCP as well, and the peer, or anybody, opens and ends connections.
#include "nat/ice_agent.h"
#include "base/machine.h"
#include "nat/stun_builder.h"
#include "require.h"

using namespace linnet;
using namespace linnet::nat;
using namespace linnet::nat::ice;

namespace {

constexpr Base kBases = 11;
constexpr Base kConnects = 20;
constexpr Base kListens = 21;

bool by_tcp(Base base) { return base == kConnects || base == kListens; }

struct Model {
  explicit Model(std::uint8_t flags)
      : tcp((flags & 32) != 0), rng(1), agent(config_of(flags), rng), theirs(make_credentials(rng)) {
    if (tcp) offer_tcp();
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

  void offer_tcp() {
    agent.add_active(now, kConnects, IpAddress::v4(10, 0, 0, 1));
    agent.add_passive(now, kListens, {IpAddress::v4(10, 0, 0, 1), 4400});
  }

  bool tcp;
  SeededRng rng;
  Time now{std::chrono::hours(1)};
  Agent agent;
  Credentials theirs;
  std::vector<Outgoing> asked;      // its latest requests
  std::vector<StreamName> streams;  // as the owner has them
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
      if (by_tcp(out->base)) {
        fuzz::require(out->bytes.size() ==
                      std::size_t{2} + static_cast<std::size_t>(out->bytes[0] << 8 | out->bytes[1]));
        out->bytes.erase(out->bytes.begin(), out->bytes.begin() + 2);
      }
      const auto m = stun::Message::parse(out->bytes);
      fuzz::require(m.has_value() && out->bytes.size() <= kMaxDatagram);
      if (m->message_class() != stun::Class::request) {
        ++answers;
        continue;
      }
      if (asked.size() >= 32) asked.erase(asked.begin());
      asked.push_back(std::move(*out));
    }
    while (const auto e = agent.poll_event()) {
      if (const auto* c = std::get_if<event::Connect>(&*e)) streams.push_back(c->stream);
      if (const auto* c = std::get_if<event::Close>(&*e)) std::erase(streams, c->stream);
    }
    while (agent.poll_packet()) {
    }
    // Of each connection the owner knows, and it is told of those that it need not keep.
    fuzz::require(agent.streams().all().size() <= Streams::kMaxKnown + Streams::kMaxUnknown);
    fuzz::require(streams.size() == agent.streams().all().size());
    for (const auto& s : streams) {
      const auto* known = agent.streams().find(s);
      fuzz::require(known != nullptr && known->reader.held() <= kMaxFrame + 2);
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
  if (by_tcp(request.base)) {
    ++model.heard;
    model.agent.receive(model.now, {request.base, request.to}, write_frame(bytes));
  } else if (const auto parsed = stun::Message::parse(bytes)) {
    ++model.heard;
    model.agent.handle(model.now, request.base, (how & 8) != 0 ? model.endpoint(in.u8()) : request.to, *parsed);
  }
}

StreamName stream(Model& model, Reader& in) {
  const auto which = in.u8();
  if (which % 2 == 0 && !model.streams.empty()) return model.streams[which / 2 % model.streams.size()];
  auto remote = model.endpoint(which);
  remote.transport = Transport::tcp;
  return {kListens, remote};
}

// Somebody connects, a connection stands or ends, or brings bytes.
void connection(Model& model, Reader& in, int what) {
  const auto at = stream(model, in);
  const bool known = model.agent.streams().find(at) != nullptr;
  if (what == 0 && !known) {
    model.streams.push_back(at);
    model.agent.accepted(model.now, at);
  } else if (what == 1) {
    model.agent.connected(model.now, at);
  } else if (what == 2) {
    model.agent.closed(model.now, at);
    std::erase(model.streams, at);
  } else if (what == 3) {
    model.heard += 64;  // requests in so many bytes are fewer
    model.agent.receive(model.now, at, in.bytes(std::min<std::size_t>(in.u8(), in.remaining())));
  } else if (what == 4) {
    const auto how = in.u8();
    const Check c{(how & 1) != 0 ? Role::controlling : Role::controlled, 7, 1000, (how & 2) != 0};
    auto bytes = write_frame(write_check(model.rng.array<12>(), c, model.theirs, model.agent.credentials()));
    if ((how & 4) != 0) bytes[in.u8() % bytes.size()] ^= in.u8();
    const auto cut = (how & 8) != 0 ? in.u8() % bytes.size() : 0;
    ++model.heard;
    model.agent.receive(model.now, at, ByteView(bytes).subspan(0, cut));
    model.agent.receive(model.now, at, ByteView(bytes).subspan(cut));
  }
}

void name(Model& model, Reader& in) {
  Candidate c;
  c.type = static_cast<Type>(in.u8() % 5);
  c.endpoint = model.endpoint(in.u8());
  c.priority = in.u32();
  c.foundation = std::to_string(in.u8() % 4);
  const auto kind = in.u8();
  if (kind % 8 == 0) c.circuit = 77;
  if (model.tcp && kind >= 128) {
    c.tcp = static_cast<TcpType>(1 + kind % 3);
    c.endpoint.transport = Transport::tcp;
  }
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
    const int kind = in.u8() % (model.tcp ? 15 : 10);
    switch (kind) {
      case 0:
      case 1: check(model, in); break;
      case 2:
      case 3: answer(model, in); break;
      case 4: name(model, in); break;
      case 5: model.pass(std::chrono::milliseconds(in.u8())); break;
      case 6: model.pass(std::chrono::seconds(in.u8() % 64)); break;
      case 7: model.hear(in.u8(), in.bytes(std::min<std::size_t>(in.u8(), in.remaining()))); break;
      case 8: model.agent.suspect(model.now); break;
      case 10:
      case 11:
      case 12:
      case 13:
      case 14: connection(model, in, kind - 10); break;
      default:
        if (const auto what = in.u8(); what < 64) {
          model.agent.restart(model.now);
          (void)model.agent.set_remote(model.now, model.theirs);
          model.agent.add_host(model.now, 0, {IpAddress::v4(10, 0, 0, 1), 4400});
          if (model.tcp) model.offer_tcp();
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
