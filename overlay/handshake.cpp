#include "overlay/handshake.h"

#include <algorithm>

namespace linnet::overlay {

namespace {

constexpr Duration kHeadStart = std::chrono::milliseconds(50);
// RFC 8305, section 5: between the attempts to connect.
constexpr Duration kStreamStagger = std::chrono::milliseconds(250);
// Between messages on a stream: TCP itself sends again what was lost.
constexpr Duration kStreamSpacing = std::chrono::milliseconds(1500);
constexpr Duration kFirstSpacing = std::chrono::milliseconds(250);
constexpr Duration kMaxSpacing = std::chrono::milliseconds(1500);
constexpr int kMaxCookies = 4;

Bytes responder_key(const SessionContext& context, const std::optional<crypto::SessionKey>& remote) {
  return remote ? copy(*remote) : copy(context.config.network);
}

crypto::noise::Handshake noise(SessionContext& context, Pattern pattern,
                               const std::optional<crypto::SessionKey>& remote, Transport transport) {
  const auto bound = prologue(context.config.version, context.config.network, transport);
  crypto::noise::Setup setup;
  setup.pattern = noise_name(pattern);
  setup.role = crypto::noise::Role::initiator;
  setup.prologue = bound;
  setup.static_pair = context.identity.session;
  setup.ephemeral_pair = context.suite.ephemeral_pair(crypto::Secret(context.rng.array<32>()));
  setup.remote_static = remote;
  setup.psk = context.config.psk;
  return crypto::noise::Handshake(context.suite, std::move(setup));
}

}  // namespace

Outgoing::Outgoing(SessionContext& context, Time now, SessionId id, std::uint32_t index, ConnectTo to)
    : id_(id),
      index_(index),
      pattern_(pattern_for(to.remote.has_value(), context.config.psk.has_value())),
      responder_key_(responder_key(context, to.remote)),
      mac1_(context.suite, responder_key_),
      remote_(to.remote),
      hello_(std::move(to.hello)),
      probe_(to.probe),
      give_up_(now + to.give_up) {
  Duration head_start{};
  for (const bool streams : {false, true}) {
    if (streams && !attempts_.empty()) head_start = std::max(head_start, to.streams_after);
    for (const auto& path : to.paths) {
      if (attempts_.size() >= kMaxPaths) break;
      if (on_stream(path) != streams || find(path) != nullptr) continue;
      Attempt attempt;
      attempt.path = path;
      attempt.next = now + head_start;
      attempt.spacing = streams ? kStreamSpacing : kFirstSpacing;
      attempts_.push_back(attempt);
      head_start += streams ? kStreamStagger : kHeadStart;
    }
  }
}

Result<Outgoing> Outgoing::start(SessionContext& context, Time now, SessionId id, std::uint32_t index, ConnectTo to) {
  if (to.paths.empty()) return fail(Fault::not_found);
  if (to.hello.size() > kMaxHello) return fail(Fault::too_big);
  if (to.remote == context.identity.session_key()) return fail(Fault::refused);
  Outgoing out(context, now, id, index, std::move(to));
  for (const auto& attempt : out.attempts_) {
    if (out.flow_of(attempt.path) != nullptr) continue;
    if (auto ok = out.add_flow(context, transport_of(attempt.path)); !ok) return fail(ok.error());
  }
  return out;
}

Status Outgoing::add_flow(SessionContext& context, Transport transport) {
  Flow flow{transport, noise(context, pattern_, remote_, transport), start_handshake(kMessage1, pattern_, index_, 0)};
  const Bytes padding(message1_padding(pattern_));
  if (auto ok = flow.noise.write(padding, flow.message1); !ok) return ok;
  append_macs(flow.message1, mac1_);
  flows_.push_back(std::move(flow));
  return {};
}

Outgoing::Flow* Outgoing::flow_of(const Path& path) {
  const auto at =
      std::find_if(flows_.begin(), flows_.end(), [&](const Flow& f) { return f.transport == transport_of(path); });
  return at == flows_.end() ? nullptr : &*at;
}

std::size_t Outgoing::memory_bytes() const {
  std::size_t out = sizeof *this + hello_.capacity();
  for (const auto& flow : flows_) out += sizeof flow + flow.message1.capacity();
  return out;
}

Outgoing::Attempt* Outgoing::find(const Path& path) {
  const auto at = std::find_if(attempts_.begin(), attempts_.end(), [&](const Attempt& a) { return a.path == path; });
  return at == attempts_.end() ? nullptr : &*at;
}

void Outgoing::build(SessionContext& context, Time now) {
  for (auto& attempt : attempts_) {
    if (attempt.next > now) continue;
    auto packet = flow_of(attempt.path)->message1;
    if (attempt.cookie) set_mac2(context.suite, *attempt.cookie, packet);
    context.out.push_back({attempt.path, std::move(packet)});
    if (attempt.sends++ > 0) ++context.counters.retransmitted;
    attempt.sent_at = now;
    // A quarter of jitter: nodes that start together do not retry together.
    const auto jitter = context.rng.below(static_cast<std::uint64_t>(micros(attempt.spacing)) / 4 + 1);
    attempt.next = now + attempt.spacing + Duration(static_cast<std::int64_t>(jitter));
    attempt.spacing = std::min(2 * attempt.spacing, kMaxSpacing);
  }
}

void Outgoing::on_cookie(SessionContext& context, Time now, const Path& path, ByteView packet) {
  auto* attempt = find(path);
  if (attempt == nullptr || attempt->sends == 0 || attempt->cookies >= kMaxCookies) return;
  const auto cookie = read_cookie(context.suite, responder_key_, mac1_of(flow_of(path)->message1), packet);
  if (!cookie) {
    ++context.counters.bad_mac;
    return;
  }
  ++attempt->cookies;
  attempt->cookie = *cookie;
  attempt->next = now;
  attempt->sends = 0;
}

Result<Outgoing::Answer> Outgoing::on_message2(Time now, const Path& path, const HandshakePacket& packet) {
  const auto* attempt = find(path);
  if (attempt == nullptr || attempt->sends == 0 || packet.pattern != pattern_) return fail(Fault::mismatch);
  if (!mac1_.check(packet.under_mac1, packet.mac1)) return fail(Fault::bad_mac);
  auto& noise = flow_of(path)->noise;
  auto greeting = noise.read(packet.noise);
  if (!greeting) return fail(greeting.error());
  if (greeting->size() < kResetTokenBytes) return fail(Fault::truncated);

  Answer answer;
  answer.greeting.assign(greeting->begin() + kResetTokenBytes, greeting->end());
  auto& start = answer.start;
  start.reset.emplace();
  std::copy_n(greeting->begin(), kResetTokenBytes, start.reset->begin());
  start.message3 = start_handshake(kMessage3, pattern_, index_, packet.sender);
  if (auto ok = noise.write(hello_, start.message3); !ok) return fail(ok.error());
  append_macs(start.message3, mac1_);
  start.id = id_;
  start.initiator = true;
  start.local_index = index_;
  start.remote_index = packet.sender;
  start.remote = *noise.remote_static();
  start.split = noise.split();
  start.binding = noise.handshake_hash();
  start.path = path;
  // Of a packet that went twice it is not known which one was answered (Karn).
  if (attempt->sends == 1) start.rtt = std::max(now - attempt->sent_at, Duration(1));
  return answer;
}

bool Outgoing::tries(const Endpoint& endpoint) const {
  return std::any_of(attempts_.begin(), attempts_.end(),
                     [&](const Attempt& a) { return a.sends > 0 && a.path.endpoint == endpoint; });
}

Time Outgoing::next_timeout() const {
  Time at = give_up_;
  for (const auto& attempt : attempts_) at = std::min(at, attempt.next);
  return at;
}

}  // namespace linnet::overlay
