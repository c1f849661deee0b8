// The allocation of a TURN client: how it is had, kept, lost and asked for again.
#include "nat/turn_client.h"

#include <algorithm>

namespace linnet::nat::turn {
namespace {

using stun::Attr;
using stun::Builder;
using stun::Class;
using stun::ErrorCode;
using stun::Method;

constexpr std::uint8_t kRequestedUdp = 17;  // REQUESTED-TRANSPORT
constexpr int kMostChallenges = 2;
constexpr Duration kLongRetry = std::chrono::minutes(5);  // what only a person can put right
constexpr Duration kShortestLife = std::chrono::seconds(10);
constexpr Duration kLongestLife = std::chrono::hours(1);
// Ti of RFC 8489, section 6.2.2: what is sent once on a stream waits so long.
constexpr stun::RetransmitPlan kOnStream{std::chrono::milliseconds(39'500), 1, 1};

// Of those that a success of a request of ours may have.
constexpr Attr kClientUnderstands[] = {Attr::username,
                                       Attr::message_integrity,
                                       Attr::message_integrity_sha256,
                                       Attr::realm,
                                       Attr::nonce,
                                       Attr::xor_mapped_address,
                                       Attr::mapped_address,
                                       Attr::lifetime,
                                       Attr::xor_relayed_address,
                                       Attr::xor_peer_address,
                                       Attr::channel_number,
                                       Attr::reservation_token,
                                       Attr::password_algorithm,
                                       Attr::userhash,
                                       Attr::error_code};

Method method_for(std::uint8_t kind) {
  constexpr Method kMethods[] = {Method::allocate, Method::refresh, Method::create_permission, Method::channel_bind};
  return kMethods[kind];
}

std::string said_no(ErrorCode code) {
  return "the TURN server says: " + std::string(stun::reason_of(code)) + " (" +
         std::to_string(static_cast<unsigned>(code)) + ")";
}

// Without a tag of its own: the server could not make one, or would not (RFC 8489, section 9.2.4).
bool may_be_bare(ErrorCode code) {
  return code == ErrorCode::unauthenticated || code == ErrorCode::stale_nonce || code == ErrorCode::bad_request ||
         code == ErrorCode::unknown_attribute || code == ErrorCode::server_error;
}

}  // namespace

std::string_view to_string(ClientState state) {
  switch (state) {
    case ClientState::off: return "off";
    case ClientState::connecting: return "connecting";
    case ClientState::allocating: return "allocating";
    case ClientState::ready: return "ready";
    case ClientState::waiting: break;
  }
  return "waiting";
}

AllocationClient::AllocationClient(const ClientConfig& config, Rng& rng)
    : config_(config), rng_(rng), login_(config.user, config.password) {}

void AllocationClient::start(Time) {
  if (state_ != ClientState::off) return;
  state_ = ClientState::connecting;
  events_.push_back(client_event::Open{});
}

// Said once: a server that does not hear it ends the allocation by itself.
void AllocationClient::stop() {
  if (state_ == ClientState::ready) {
    Request last{rng_.array<12>(), Kind::refresh, {}, 0, true, 0, {}, {}};
    given_.reset();  // write() says a lifetime of 0 then
    out_.push_back(write(last));
    events_.push_back(client_event::Lost{});
  }
  // Where it is being opened there is something to close as well.
  const bool was_open = state_ != ClientState::off && state_ != ClientState::waiting;
  release();
  if (was_open) events_.push_back(client_event::Close{});
  state_ = ClientState::off;
  retry_ = kNever;
}

void AllocationClient::opened(Time now, const Endpoint& server) {
  if (state_ != ClientState::connecting) return;
  server_ = server;
  allocate(now);
}

void AllocationClient::closed(Time now, std::string why) {
  if (state_ == ClientState::off || state_ == ClientState::waiting) return;
  fail(now, why.empty() ? "the TURN server cannot be reached" : std::move(why), Duration{});
}

void AllocationClient::allocate(Time now) {
  state_ = ClientState::allocating;
  keepalive_ = kNever;
  login_.forget();
  ask(now, Kind::allocate, {});
}

void AllocationClient::ask(Time now, Kind kind, const Endpoint& about, std::uint16_t number, int challenges) {
  Request request{rng_.array<12>(), kind, about, number, login_.ready(), challenges, {}, {}};
  request.bytes = write(request);
  request.when = stun::Retransmission(now, on_stream() ? kOnStream : stun::RetransmitPlan{});
  if (request.when.due(now)) out_.push_back(request.bytes);
  requests_.push_back(std::move(request));
}

Bytes AllocationClient::write(const Request& request) const {
  Builder out(Class::request, method_for(static_cast<std::uint8_t>(request.kind)), request.id);
  switch (request.kind) {
    case Kind::allocate:
      out.u8(Attr::requested_transport, kRequestedUdp);
      // Whoever does not know the second ignores it, and gives IPv4 alone.
      out.u8(v6_only_ ? Attr::requested_address_family : Attr::additional_address_family, kFamilyV6);
      break;
    case Kind::refresh:
      if (!given_) out.u32(Attr::lifetime, 0);
      break;
    case Kind::permission: out.endpoint(Attr::xor_peer_address, {request.about.ip, 0}); break;
    case Kind::channel:
      out.u16(Attr::channel_number, request.number).endpoint(Attr::xor_peer_address, request.about);
      break;
  }
  if (request.is_signed) login_.sign(out);
  return out.take();
}

std::optional<AllocationClient::FromPeer> AllocationClient::handle(Time now, MutableBytes packet) {
  if (state_ != ClientState::allocating && state_ != ClientState::ready) return std::nullopt;
  if (is_channel_data(packet)) return on_channel_data(now, packet);
  const auto message = stun::Message::parse(packet);
  if (!message) {
    ++dropped_;
    return std::nullopt;
  }
  switch (message->message_class()) {
    case Class::indication: return on_indication(now, *message, packet);
    case Class::success:
    case Class::error: on_answer(now, *message); break;
    case Class::request: ++dropped_; break;
  }
  return std::nullopt;
}

void AllocationClient::on_answer(Time now, const stun::Message& message) {
  const auto at = std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) {
    return r.id == message.id() && method_for(static_cast<std::uint8_t>(r.kind)) == message.method();
  });
  if (at == requests_.end()) {
    ++dropped_;
    return;
  }
  if (!counts(*at, message)) {
    ++forged_;
    return;
  }
  const auto request = std::move(*at);
  requests_.erase(at);
  if (message.message_class() == Class::success) {
    on_success(now, request, message);
  } else {
    on_error(now, request, message);
  }
}

// What was signed is answered with a tag, but for the few things that are said to who has none yet.
bool AllocationClient::counts(const Request& request, const stun::Message& message) {
  if (message.message_class() == Class::success) return request.is_signed && login_.authentic(message);
  const auto error = message.error();
  if (!error) return false;
  return !request.is_signed || may_be_bare(error->code) || login_.authentic(message);
}

void AllocationClient::on_success(Time now, const Request& request, const stun::Message& message) {
  if (!message.unknown_required(kClientUnderstands).empty()) return on_unanswered(now, request);
  switch (request.kind) {
    case Kind::allocate: return on_allocated(now, message);
    case Kind::refresh: return take_lifetime(now, message);
    case Kind::permission: return on_permitted(now, request.about.ip);
    case Kind::channel: return on_bound(now, request.about);
  }
}

void AllocationClient::on_allocated(Time now, const stun::Message& message) {
  Given given;
  for (const auto& attribute : message.attributes()) {
    if (attribute.type != Attr::xor_relayed_address) continue;
    const auto at = read_place(message, attribute);
    if (!at || at->port == 0 || at->ip.is_unspecified() || at->ip.is_multicast()) continue;
    if (at->ip.is_loopback() && !server_.ip.is_loopback()) continue;
    (at->ip.is_v4() ? given.v4 : given.v6) = at;
  }
  if (!given.v4 && !given.v6) return fail(now, "the TURN server gave no address", kLongRetry);
  if (const auto mapped = message.endpoint(Attr::xor_mapped_address)) given.mapped = *mapped;
  given_ = given;
  state_ = ClientState::ready;
  pause_ = kFirstRetry;
  trouble_.clear();
  if (!on_stream()) keepalive_ = now + kKeepalive;
  take_lifetime(now, message);
  if (state_ == ClientState::ready) events_.push_back(client_event::Ready{given});
}

void AllocationClient::take_lifetime(Time now, const stun::Message& message) {
  const auto seconds = message.u32(Attr::lifetime);
  if (!seconds || *seconds == 0) return fail(now, "the TURN server ended the allocation", Duration{});
  const auto life = std::clamp<Duration>(std::chrono::seconds(*seconds), kShortestLife, kLongestLife);
  refresh_ = now + std::max<Duration>(life / 2, life - kBefore);
}

void AllocationClient::on_error(Time now, const Request& request, const stun::Message& message) {
  const auto code = message.error()->code;
  if (code == ErrorCode::unauthenticated || code == ErrorCode::stale_nonce)
    return on_challenge(now, request, message, code);
  switch (request.kind) {
    case Kind::allocate: return on_refusal(now, code);
    case Kind::refresh: return fail(now, said_no(code), Duration{});
    case Kind::permission:
    case Kind::channel: break;
  }
  if (code == ErrorCode::allocation_mismatch) return fail(now, said_no(code), Duration{});
  on_peer_refused(now, request.kind, request.about);
}

// 401 to what was signed: the password is another. 438: only the nonce has grown old.
void AllocationClient::on_challenge(Time now, const Request& request, const stun::Message& message, ErrorCode code) {
  if (code == ErrorCode::unauthenticated && request.is_signed)
    return fail(now, "the TURN server does not know this user and password", kLongRetry);
  if (!login_.challenged(message) || request.challenges >= kMostChallenges)
    return fail(now, "the TURN server asks for what this node cannot answer", kLongRetry);
  ask(now, request.kind, request.about, request.number, request.challenges + 1);
}

void AllocationClient::on_refusal(Time now, ErrorCode code) {
  if (code == ErrorCode::address_family_not_supported && !v6_only_) {
    v6_only_ = true;
    ask(now, Kind::allocate, {});
    return;
  }
  v6_only_ = false;
  // 437: an allocation of before stands on this port, or the server takes it for one. The next try has another port.
  Duration least{};
  if (code == ErrorCode::allocation_quota_reached || code == ErrorCode::insufficient_capacity) least = kFullRetry;
  const bool for_a_person = code == ErrorCode::forbidden || code == ErrorCode::wrong_credentials ||
                            code == ErrorCode::unsupported_transport || code == ErrorCode::unknown_attribute ||
                            code == ErrorCode::bad_request || code == ErrorCode::try_alternate ||
                            code == ErrorCode::address_family_not_supported;
  // ALTERNATE-SERVER is not followed: nobody but the one that a person named is written to.
  fail(now, said_no(code), for_a_person ? kLongRetry : least);
}

void AllocationClient::on_unanswered(Time now, const Request& request) {
  switch (request.kind) {
    case Kind::allocate:
    case Kind::refresh: return fail(now, "the TURN server does not answer", Duration{});
    case Kind::permission:
    case Kind::channel: return forget_peer(request.kind, request.about);
  }
}

void AllocationClient::fail(Time now, std::string why, Duration least) {
  const bool had = given_.has_value();
  release();
  trouble_ = std::move(why);
  state_ = ClientState::waiting;
  const auto pause = std::max(least, pause_);
  const auto spread = static_cast<double>(pause.count()) * (0.8 + 0.4 * rng_.unit());
  retry_ = now + std::max(least, Duration(static_cast<Duration::rep>(spread)));
  pause_ = std::min<Duration>(2 * pause_, kMostRetry);
  if (had) events_.push_back(client_event::Lost{});
  events_.push_back(client_event::Close{});
}

void AllocationClient::release() {
  given_.reset();
  login_.forget();
  requests_.clear();
  permissions_.clear();
  channels_.clear();
  held_.clear();
  refresh_ = keepalive_ = kNever;
}

void AllocationClient::handle_timeout(Time now) {
  if (state_ == ClientState::waiting && retry_ <= now) {
    retry_ = kNever;
    state_ = ClientState::connecting;
    events_.push_back(client_event::Open{});
    return;
  }
  std::vector<Request> unanswered;
  for (std::size_t i = 0; i < requests_.size();) {
    auto& request = requests_[i];
    if (request.when.over(now)) {
      unanswered.push_back(std::move(request));
      requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (request.when.due(now) && out_.size() < kMaxOut) out_.push_back(request.bytes);
    ++i;
  }
  for (const auto& request : unanswered) {
    if (state_ == ClientState::allocating || state_ == ClientState::ready) on_unanswered(now, request);
  }
  if (state_ != ClientState::ready) return;
  if (refresh_ <= now) {
    refresh_ = kNever;
    ask(now, Kind::refresh, {});
  }
  if (keepalive_ <= now) {
    keepalive_ = now + kKeepalive;
    out_.push_back(Builder(Class::indication, Method::binding, rng_.array<12>()).take());
  }
  renew_peers(now);
}

Time AllocationClient::next_timeout() const {
  Time next = std::min({refresh_, keepalive_, retry_, next_peer_timeout()});
  for (const auto& request : requests_) next = std::min(next, request.when.next());
  return next;
}

std::optional<Bytes> AllocationClient::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

std::optional<ClientEvent> AllocationClient::poll_event() {
  if (events_.empty()) return std::nullopt;
  return events_.take();
}

ClientStatus AllocationClient::status() const {
  const auto standing = [](const auto& one) { return one.stage == Stage::standing; };
  ClientStatus out;
  out.state = state_;
  out.given = given_;
  out.trouble = trouble_;
  out.permissions = static_cast<std::size_t>(std::count_if(permissions_.begin(), permissions_.end(), standing));
  out.channels = static_cast<std::size_t>(std::count_if(channels_.begin(), channels_.end(), standing));
  out.sent = sent_;
  out.heard = heard_;
  out.dropped = dropped_;
  out.forged = forged_;
  return out;
}

std::size_t AllocationClient::memory_bytes() const {
  std::size_t out = sizeof *this + requests_.capacity() * sizeof(Request) +
                    permissions_.capacity() * sizeof(Permission) + channels_.capacity() * sizeof(Channel) +
                    held_.memory_bytes() + out_.memory_bytes();
  for (const auto& request : requests_) out += request.bytes.capacity();
  for (const auto& one : held_) out += one.data.capacity();
  for (const auto& one : out_) out += one.capacity();
  return out;
}

}  // namespace linnet::nat::turn
