// Session: packets out, and the clock.
#include <algorithm>
#include <array>

#include "overlay/session.h"

namespace linnet::overlay {

namespace {

constexpr std::size_t kMaxQueued = 1024 * 1024;  // of one session
// Then it asks with the least there is: a queue that lets nothing large in would be kept full by it. Data goes again
// with the first acknowledgement. So in every session: what fills a queue first is what a line is not known to be
// narrow by yet, and it costs the others a round trip when their path is back (RFC 9002, section 6.2.4 lets a probe be
// either).
constexpr int kDataProbes = 2;
constexpr Duration kSlowRtt = std::chrono::milliseconds(350);  // at least, where answers may wait in a queue
constexpr Duration kMaxProbeSpacing = std::chrono::seconds(1);
constexpr std::size_t kUsualPacket = 128;  // most are no longer
constexpr std::size_t kMinPiece = 32;      // shorter rests of a packet are left empty
constexpr Duration kMaxMessage3Spacing = std::chrono::seconds(1);

}  // namespace

Status Session::send(Time, Channel channel, ByteView message) {
  if (state_ != State::open) return fail(Fault::refused);
  if (message.size() > kMaxMessage) return fail(Fault::too_big);
  std::size_t queued = message.size() + 4;
  for (const auto* one = channels_.get(); one != nullptr; one = one->next.get()) queued += one->tx.queued();
  if (queued > kMaxQueued) return fail(Fault::full);
  tx(static_cast<std::uint8_t>(channel)).push(message);
  return {};
}

bool Session::has_data() const {
  const auto* one = channels_.get();
  while (one != nullptr && !one->tx.has_piece()) one = one->next.get();
  return one != nullptr;
}

Bytes Session::start_packet() {
  Bytes packet;
  packet.reserve(kUsualPacket);
  write_data_header(packet, {remote_index_, keys_.current().epoch, next_number_});
  return packet;
}

void Session::finish_packet(SessionContext& context, PathState& path, Bytes packet) {
  packet.resize(std::max(packet.size(), kMinDataPacket - crypto::kTagBytes));
  const DataHeader header{remote_index_, keys_.current().epoch, next_number_++};
  const MutableBytes all(packet);
  const auto tag = context.suite.seal_in_place(keys_.current().send, header.nonce(), all.first(kDataHeaderBytes),
                                               all.subspan(kDataHeaderBytes));
  append(packet, tag);
  path.sent += packet.size();
  context.out.push_back({path.path, std::move(packet)});
}

void Session::build(SessionContext& context, Time now) {
  if (state_ == State::gone) return;
  if (state_ == State::closing) return build_close(context, now);
  if (unconfirmed_ && unconfirmed_->next <= now) {
    context.out.push_back({paths_.current_path(), unconfirmed_->message3});
    unconfirmed_->next = now + unconfirmed_->spacing;
    unconfirmed_->spacing = std::min(2 * unconfirmed_->spacing, kMaxMessage3Spacing);
  }
  build_probes(context, now);
  while (build_packet(context, now)) {
  }
}

void Session::build_close(SessionContext& context, Time now) {
  if (closing_->next > now) return;
  if (closing_->left > 0) {
    --closing_->left;
    auto& path = paths_.current();
    if (path.budget() >= kMinDataPacket) {
      auto packet = start_packet();
      frame::write(packet, frame::Close{closing_->reason});
      finish_packet(context, path, std::move(packet));
    }
    closing_->next = now + 2 * rtt_.timeout();
  }
  if (closing_->left == 0) state_ = State::gone;
}

// Challenges and responses, each on the path it is about.
void Session::build_probes(SessionContext& context, Time now) {
  for (auto& path : paths_.all()) {
    const bool answer = path.answers && path.budget() >= kMinDataPacket;
    path.answers = false;
    const bool both = path.says_both && path.proven;
    path.says_both = false;
    const std::size_t size = kMinDataPacket + (answer ? 9 : 0);
    const auto challenge =
        paths_.challenge(now, path, std::max(rtt_.smoothed(), context.config.slow ? kSlowRtt : Duration{}), size);
    if (!answer && !challenge && !both) continue;
    auto packet = start_packet();
    if (both) frame::write(packet, *both_);
    if (answer && path.answer_alive) frame::write(packet, frame::Alive{path.answer});
    if (answer && !path.answer_alive) frame::write(packet, frame::Response{path.answer});
    if (challenge) {
      frame::write(packet, frame::Challenge{*challenge});
      // A full-sized challenge lets the other side answer and challenge at once.
      if (path.budget() >= kChallengePacket) packet.resize(kChallengePacket - crypto::kTagBytes);
    }
    finish_packet(context, path, std::move(packet));
  }
}

bool Session::build_packet(SessionContext& context, Time now) {
  const bool room = flight_.bytes() < window_.bytes() || probe_credit_;
  const bool data = has_data() && room;
  if (acks_.due() > now && !data && !ping_due_) return false;
  auto& path = paths_.current();
  const auto limit = static_cast<std::size_t>(std::min<std::uint64_t>(kMaxInner, path.budget()));
  if (limit < kChallengePacket) return false;

  auto packet = start_packet();
  SentPacket record;
  record.number = next_number_;
  if (acks_.pending()) {
    const auto ack = acks_.take(now);
    // A path that is not proven yet may be too narrow for many ranges.
    frame::Ack fits = ack;
    while (fits.count > 1 && packet.size() + frame::bytes_of(fits) + crypto::kTagBytes > limit) --fits.count;
    frame::write(packet, fits);
  }
  if (data) add_fragments(packet, limit - crypto::kTagBytes, record);
  const bool ping = ping_due_ && record.fragments.empty() && packet.size() + crypto::kTagBytes < limit;
  if (ping) frame::write(packet, frame::Ping{});
  ping_due_ = false;
  if (packet.size() == kDataHeaderBytes) return false;
  const bool wants_ack = ping || !record.fragments.empty();
  finish_packet(context, path, std::move(packet));
  if (wants_ack) {
    probe_credit_ = false;
    record.sent_at = now;
    record.size = static_cast<std::uint16_t>(context.out.back().bytes.size());
    if (waiting_since_ == kNever) waiting_since_ = now;
    flight_.sent(std::move(record));
  }
  return true;
}

// Control before SIP before candidates before chat; the renewal of keys before all.
void Session::add_fragments(Bytes& packet, std::size_t limit, SentPacket& record) {
  static constexpr std::array<std::uint8_t, kChannels> kOrder{kRekeyChannel, 0, 1, 6, 2, 5, 3};
  for (const auto channel : kOrder) {
    auto* known = find_ends(channel);
    if (known == nullptr) continue;
    while (packet.size() + frame::kDataOverhead + kMinPiece <= limit) {
      const auto piece = known->tx.next(limit - packet.size() - frame::kDataOverhead);
      if (!piece) break;
      frame::write(packet, frame::Data{channel, piece->offset, piece->bytes});
      record.fragments.push_back({channel, static_cast<std::uint16_t>(piece->bytes.size()), piece->offset});
    }
  }
}

// Acknowledgements are not held back for long. Sooner than a probe is sent again: somebody else is asked meanwhile, and
// that costs a question.
Duration Session::answer_within(const SessionsConfig& config) const {
  constexpr Duration kSlack = std::chrono::milliseconds(10);
  return rtt_.smoothed() * 9 / 8 + kSlack + (config.slow ? 2 * kSlowRtt : Duration{});
}

void Session::ask_whether_there(Time now) {
  constexpr Duration kJustNow = std::chrono::seconds(1);
  if (state_ == State::open && waiting_since_ == kNever && now - heard_ > kJustNow) ping_due_ = true;
}

Time Session::probe_at(const SessionsConfig& config) const {
  // On a path that is not proven, and may carry no more, it is a packet that is waited for.
  if (flight_.empty() || paths_.current().budget() < kChallengePacket) return kNever;
  const auto timeout = std::max(rtt_.timeout(), config.slow ? 2 * kSlowRtt : Duration{});
  const auto spacing = timeout * (1 << std::min<int>(probes_, 6));
  return flight_.last_sent() + std::min(spacing, std::max(kMaxProbeSpacing, timeout));
}

Time Session::ping_at(const SessionsConfig& config) const {
  if (ping_due_ || !flight_.empty() || waiting_since_ != kNever) return kNever;
  // The initiator asks first; often only it sits behind a NAT.
  return heard_ + (initiator_ ? keepalive(config) : keepalive(config) * 3 / 2);
}

Time Session::dead_at(const SessionsConfig& config) const {
  return waiting_since_ == kNever ? kNever : waiting_since_ + config.dead_after;
}

Time Session::renew_at(const SessionsConfig& config) const {
  return initiator_ && !keys_.renewing() ? keys_.current().since + config.rekey_after - renew_early_ : kNever;
}

Time Session::next_timeout(const SessionsConfig& config) const {
  if (state_ == State::gone) return kNever;
  if (state_ == State::closing) return closing_->next;
  // On a path that is not proven an acknowledgement may have to wait for a packet rather than for the clock.
  const auto ack_at = paths_.current().budget() < kChallengePacket ? kNever : acks_.due();
  return std::min({ack_at, flight_.late_at(rtt_), probe_at(config), ping_at(config), dead_at(config), renew_at(config),
                   keys_.current().since + config.refuse_after, keys_.next_timeout(),
                   paths_.next_timeout(keepalive(config)), unconfirmed_ ? unconfirmed_->next : kNever});
}

void Session::on_timeout(SessionContext& context, Time now) {
  if (!open()) return;
  if (dead_at(context.config) <= now) {
    return down(context, DownReason::timed_out, {frame::CloseReason::silent, 1, now});
  }
  check_keys(context, now);
  if (!open()) return;
  path_timeouts(context, now);
  if (flight_.late_at(rtt_) <= now) {
    const auto late = flight_.take_late(now, rtt_);
    for (const auto& packet : late) window_.lost(now, packet.sent_at);
    context.counters.retransmitted += late.size();
    resend(late);
  }
  if (probe_at(context.config) <= now) on_probe_timeout(context, now);
  if (ping_at(context.config) <= now) ping_due_ = true;
}

// Nothing is acknowledged: the oldest data goes again, past the window (RFC 9002, section 6.2).
void Session::on_probe_timeout(SessionContext& context, Time now) {
  if (probes_ < 0xff) ++probes_;
  const bool asks_only = probes_ > kDataProbes;
  if (!asks_only) {
    const auto oldest = flight_.take_oldest(2);
    context.counters.retransmitted += oldest.size();
    resend(oldest);
  }
  probe_credit_ = true;
  if (asks_only || !has_data()) ping_due_ = true;
  if (probes_ == 2) context.events.push_back(Unanswered{id_});
  if (probes_ >= 2) suspect(context, now);
}

void Session::check_keys(SessionContext& context, Time now) {
  keys_.forget_old(now);
  if (now >= keys_.current().since + context.config.refuse_after) {
    return close(context, now, frame::CloseReason::expired, DownReason::expired);
  }
  if (renew_at(context.config) > now) return;
  if (const auto first = keys_.begin(key_setup(context), remote_)) {
    tx(kRekeyChannel).push(*first);
  } else {
    close(context, now, frame::CloseReason::broken, DownReason::closed);
  }
}

}  // namespace linnet::overlay
