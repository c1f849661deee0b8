#include "dht/rpc.h"

#include <algorithm>

namespace linnet::dht {
namespace {

constexpr std::size_t kMaxTransmits = 8192;
constexpr std::size_t kPrefixesRemembered = 512;
constexpr std::uint8_t kMaxSends = 3;
constexpr std::uint8_t kMaxCookies = 2;
constexpr Duration kMaxWait = std::chrono::seconds(4);
// The longest answer: status, 7 contacts with IPv6 endpoints, cookie, time, all within the msgpack map, sealed.
constexpr std::size_t kLongestAnswer =
    kAnswerOverhead + 1 + 2 + (1 + 3 + kMaxContactsInAnswer * (128 + kMaxEndpointBytes)) + 2 + 19 + 10;

}  // namespace

Rpc::Rpc(const Config& config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity,
         Counters& counters)
    : rng_(&rng),
      identity_(&identity),
      counters_(&counters),
      sealer_(suite, config.network, config.psk),
      own_codec_(config.codec == nullptr ? std::make_unique<NoiseCodec>(sealer_) : nullptr),
      codec_(config.codec == nullptr ? own_codec_.get() : config.codec),
      mac1_(suite, identity.session_key()),
      jar_(suite, rng),
      proven_(config.requests_per_prefix, 2 * config.requests_per_prefix, kPrefixesRemembered),
      strangers_per_second_(config.stranger_requests),
      strangers_left_(config.stranger_requests),
      transmits_(kMaxTransmits) {}

std::size_t Rpc::padding(Kind kind, bool proven) const {
  if (proven || kind == Kind::ping || kind == Kind::store) return 0;  // their answers are short
  return kLongestAnswer - kRequestOverhead;
}

Status Rpc::ask(Time now, const Contact& to, const Request& request, const Purpose& purpose, Duration timeout,
                const std::optional<crypto::Mac>& cookie) {
  if (transactions_.size() >= kMaxPending) {
    ++counters_->refused;
    return fail(Fault::full);
  }
  const auto id = rng_->u64();
  if (id == 0 || transactions_.contains(id)) return fail(Fault::full);  // one in 2^64
  const crypto::Secret ephemeral(rng_->array<32>());
  auto sealed = codec_->seal_request(id, to, ephemeral, request, padding(request.kind, cookie.has_value()));
  if (!sealed) return fail(sealed.error());
  if (sealed->frame.size() > kMaxDatagram) return fail(Fault::too_big);
  if (cookie) sealer_.set_mac2(sealed->frame, *cookie);
  ++counters_->requests_out;
  send(to.endpoint, sealed->frame);
  auto& made = transactions_[id];
  made.reset(new Transaction{to, purpose, std::move(sealed->state), std::move(sealed->frame), now,
                             std::min(timeout, kMaxWait / 4), 1, 0, DeadlineHeap::kNone});
  deadlines_.set(made->heap_slot, id, now + made->timeout);
  return {};
}

std::unique_ptr<Rpc::Transaction> Rpc::finish(TransactionId id) {
  auto out = std::move(*transactions_.find(id));
  deadlines_.remove(out->heap_slot);
  transactions_.erase(id);
  return out;
}

void Rpc::send(const Endpoint& to, Bytes bytes) {
  if (!transmits_.push({to, std::move(bytes)})) ++counters_->refused;
}

std::optional<RpcEvent> Rpc::handle_timeout(Time now) {
  if (next_timeout() > now) return std::nullopt;
  const TransactionId id = deadlines_.top().id;
  auto& t = **transactions_.find(id);
  if (t.sends == kMaxSends) {
    ++counters_->timeouts;
    const auto gone = finish(id);
    return Failed{std::move(gone->to), gone->purpose, gone->sent};
  }
  ++t.sends;
  send(t.to.endpoint, t.frame);
  deadlines_.set(t.heap_slot, id, now + (t.sends == kMaxSends ? 2 * t.timeout : t.timeout));
  return Late{t.purpose};
}

std::optional<RpcEvent> Rpc::handle_datagram(Time now, const Datagram& datagram) {
  if (!datagram.bytes.empty() && datagram.bytes[0] == kRequestType) return handle_request(now, datagram);
  return handle_answer(now, datagram);
}

std::optional<RpcEvent> Rpc::handle_request(Time now, const Datagram& datagram) {
  const auto request = split_request(datagram.bytes);
  if (!request || request->header.pattern != sealer_.pattern() || !mac1_.check(request->before_mac1, request->mac1)) {
    ++counters_->malformed;
    return std::nullopt;
  }
  const bool proven = request->has_mac2() && jar_.check_mac2(now, datagram.from, request->before_mac2, request->mac2);
  if (!admit(now, datagram.from, *request, proven)) return std::nullopt;
  auto opened = codec_->open_request(*request, identity_->session, crypto::Secret(rng_->array<32>()));
  if (!opened) {
    ++counters_->malformed;
    return std::nullopt;
  }
  if (opened->request.kind == Kind::store && !proven) {  // writers are counted by prefix, so it has to be their own
    ++counters_->cookies_out;
    send(datagram.from, sealer_.cookie_reply(*request, identity_->session_key(), jar_.cookie_for(now, datagram.from)));
    return std::nullopt;
  }
  ++counters_->requests_in;
  const auto room = (proven ? kMaxDatagram : datagram.bytes.size()) - kAnswerOverhead;
  return Incoming{std::move(opened->request),  datagram.from,           proven, room,
                  request->header.transaction, std::move(opened->state)};
}

bool Rpc::admit(Time now, const Endpoint& from, const RequestView& request, bool proven) {
  if (proven) {
    if (proven_.allow(now, from.ip)) return true;
    ++counters_->refused;
    return false;
  }
  if (now > strangers_at_) {
    const double elapsed = std::chrono::duration<double>(now - strangers_at_).count();
    strangers_left_ = std::min(strangers_per_second_, strangers_left_ + elapsed * strangers_per_second_);
    strangers_at_ = now;
  }
  // A cookie that is out of date is renewed, for its request may be too short for the answer.
  if (!request.has_mac2() && strangers_left_ >= 1) {
    strangers_left_ -= 1;
    return true;
  }
  ++counters_->cookies_out;
  send(from, sealer_.cookie_reply(request, identity_->session_key(), jar_.cookie_for(now, from)));
  return false;
}

void Rpc::answer(Time now, Incoming incoming, Answer answer) {
  answer.cookie = jar_.cookie_for(now, incoming.from);
  auto frame = codec_->seal_answer(incoming.id, incoming.state, answer, incoming.room);
  if (frame) send(incoming.from, std::move(*frame));
}

std::optional<RpcEvent> Rpc::handle_answer(Time now, const Datagram& datagram) {
  const auto header = read_header(datagram.bytes);
  const auto* at = header ? transactions_.find(header->transaction) : nullptr;
  if (at == nullptr || (*at)->to.endpoint != datagram.from) {
    ++(header ? counters_->unexpected : counters_->malformed);
    return std::nullopt;
  }
  if (header->pattern == Pattern::cookie) return handle_cookie(now, **at, datagram.bytes);
  auto opened = codec_->open_answer((*at)->state, datagram.bytes);
  if (!opened) {
    ++counters_->malformed;  // the genuine one may still come
    return std::nullopt;
  }
  const auto done = finish(header->transaction);
  auto& answer = *opened;
  if (!answer) {  // sealed by the contact itself: it is no use to anybody
    ++counters_->malformed;
    return Failed{std::move(done->to), done->purpose, done->sent};
  }
  ++counters_->answers_in;
  std::optional<Duration> rtt;
  if (done->sends == 1) rtt = now - done->sent;
  return Answered{std::move(done->to), done->purpose, std::move(*answer), rtt};
}

std::optional<RpcEvent> Rpc::handle_cookie(Time now, Transaction& t, ByteView frame) {
  const auto cookie = sealer_.open_cookie_reply(frame, t.frame, t.to.session);
  if (!cookie || t.cookies == kMaxCookies) {
    ++counters_->malformed;
    return std::nullopt;
  }
  ++t.cookies;
  sealer_.set_mac2(t.frame, *cookie);
  t.sent = now;
  // The answer is a round trip away from here on, not from the first send.
  deadlines_.set(t.heap_slot, read_header(frame)->transaction,
                 now + (t.sends == kMaxSends ? 2 * t.timeout : t.timeout));
  send(t.to.endpoint, t.frame);
  return std::nullopt;
}

std::size_t Rpc::memory_bytes() const {
  std::size_t out = proven_.size() * 96 + transactions_.memory_bytes() + deadlines_.memory_bytes();
  transactions_.each([&](TransactionId, const auto& t) { out += sizeof(Transaction) + t->frame.capacity(); });
  return out;
}

}  // namespace linnet::dht
