// Session: packets in.
#include "overlay/session.h"

#include "overlay/reset.h"

#include <algorithm>

namespace linnet::overlay {

namespace {

constexpr std::size_t kMaxHeld = 16 * 1024;               // before the owner accepts
constexpr std::uint64_t kStrangerWindow = 8 * 1024;       // likewise
constexpr std::size_t kMaxReassembly = 32 * 1024 * 1024;  // of all sessions; beyond it windows shrink
constexpr std::uint64_t kTightWindow = 2 * kMaxInner;
constexpr Duration kFirstMessage3Spacing = std::chrono::milliseconds(250);
constexpr int kCloses = 3;
constexpr std::uint64_t kResetNumbers = 64;  // a reset answers one of the latest packets

DownReason reason_of(frame::CloseReason reason) {
  switch (reason) {
    case frame::CloseReason::refused: return DownReason::refused;
    case frame::CloseReason::expired: return DownReason::expired;
    case frame::CloseReason::silent: return DownReason::timed_out;
    case frame::CloseReason::closed:
    case frame::CloseReason::broken: break;
  }
  return DownReason::peer_closed;
}

}  // namespace

Session::Session(SessionContext& context, Time now, Start start, SessionUp up)
    : id_(start.id),
      remote_(start.remote),
      local_index_(start.local_index),
      remote_index_(start.remote_index),
      initiator_(start.initiator),
      returned_(start.returned),
      state_(start.initiator ? State::open : State::unaccepted),
      heard_(now),
      waiting_since_(now),
      message3_mac_(start.message3_mac),
      reset_(start.reset),
      keys_(start.split, start.binding, now) {
  ++context.open;
  if (start.rtt) rtt_.sample(*start.rtt);
  const auto early = static_cast<std::uint64_t>(micros(context.config.rekey_after)) / 20 + 1;
  renew_early_ = Duration(static_cast<std::int64_t>(context.rng.below(early)));
  auto& path = *paths_.add(start.path);
  paths_.set_current(start.path);
  path.heard = now;
  path.rtt = start.rtt.value_or(PathState::kUnknown);
  path.received = start.received;
  path.sent = start.sent;
  if (initiator_) {
    // Message 2 came back on it.
    path.proven = true;
    paths_.ask(path);
    const auto spacing = rtt_.known() ? std::max(rtt_.timeout(), RttEstimator::kMinTimeout) : kFirstMessage3Spacing;
    unconfirmed_.reset(new Unconfirmed{std::move(start.message3), now, spacing, std::nullopt});
    if (context.config.psk) {
      unconfirmed_->up = std::move(up);
    } else {
      announce(context, std::move(up));
    }
  } else {
    context.events.emplace_back(std::move(up));
    path.peer_number = 1;  // the first that the initiator asked for
    // The challenge is also what tells the initiator that message 3 arrived.
    paths_.probe(now, path, context.rng);
  }
}

void Session::announce(SessionContext& context, SessionUp up) {
  context.paths.add(up.path, id_);
  const PathProven proven{id_, up.path, rtt_.smoothed()};
  context.events.emplace_back(std::move(up));
  context.events.emplace_back(proven);
}

void Session::confirmed(SessionContext& context) {
  const auto was = std::move(unconfirmed_);
  if (was && was->up) announce(context, std::move(*was->up));
}

void Session::receive(SessionContext& context, Time now, const Path& came_by, const DataHeader& header,
                      MutableBytes packet) {
  const auto path = as_known(came_by);
  if (hidden_ && bare(path) && paths_.find(path) == nullptr) {
    ++context.counters.refused;
    return;
  }
  const auto* key = keys_.receiving(now, header.epoch);
  if (state_ == State::gone || key == nullptr || now >= keys_.current().since + context.config.refuse_after) {
    ++context.counters.malformed;
    return;
  }
  if (!replay_.would_accept(header.number)) {
    ++context.counters.replayed;
    return;
  }
  const auto plain = context.suite.open_in_place(*key, header.nonce(), packet.first(kDataHeaderBytes),
                                                 packet.subspan(kDataHeaderBytes));
  if (!plain) {
    ++context.counters.bad_mac;
    return;
  }
  if (!replay_.accept(header.number)) {
    ++context.counters.replayed;
    return;
  }
  keys_.opened(now, header.epoch);
  auto* state = paths_.find(path);
  if (state == nullptr) state = paths_.add(path);
  if (state == nullptr) return;  // twelve paths are enough for anybody
  state->received += packet.size();
  state->heard = now;
  process(context, now, path, *plain, header.number);
}

void Session::process(SessionContext& context, Time now, const Path& path, ByteView plain, std::uint64_t number) {
  heard_ = now;
  waiting_since_ = kNever;
  confirmed(context);
  const auto received = read_frames(context, now, path, plain);
  if (received.peer_closed) return on_close(context, now, received.reason);
  if (!open()) return;
  if (received.broken) return close(context, now, frame::CloseReason::broken, DownReason::closed);
  // Probes are about their own path: one that overtakes a frame does not make it old (RFC 9000, section 9.3).
  const bool newest = !received.probe_only && number >= newest_;
  if (newest) newest_ = number;
  if (!received.no_room) acks_.arrived(now, number, received.wants_ack, !received.data);
  heard_on(context, now, path, newest);
}

Session::Received Session::read_frames(SessionContext& context, Time now, const Path& path, ByteView plain) {
  Received received;
  frame::FrameReader reader(plain);
  for (;;) {
    const auto next = reader.next();
    if (!next) {
      ++context.counters.malformed;
      received.no_room = true;
      return received;
    }
    if (!*next) return received;
    const auto& any = **next;
    if (const auto* close_frame = std::get_if<frame::Close>(&any)) {
      received.peer_closed = true;
      received.reason = close_frame->reason;
      return received;
    }
    if (!open()) continue;
    if (const auto* challenge = std::get_if<frame::Challenge>(&any)) {
      on_challenge(now, path, *challenge);
      continue;
    }
    if (const auto* response = std::get_if<frame::Response>(&any)) {
      on_response(context, now, path, response->token);
      continue;
    }
    if (const auto* alive = std::get_if<frame::Alive>(&any)) {
      paths_.confirmed(now, alive->token);
      continue;
    }
    if (const auto* both = std::get_if<frame::Both>(&any)) {
      if (state_ == State::open) context.events.push_back(BothWanted{id_, both->lease, both->urgent});
      continue;
    }
    received.probe_only = false;
    if (const auto* ack = std::get_if<frame::Ack>(&any)) {
      on_ack(context, now, *ack);
      continue;
    }
    received.wants_ack = true;
    if (const auto* data = std::get_if<frame::Data>(&any)) {
      received.data = true;
      on_data(context, now, *data, received);
    }
    if (received.broken) return received;
  }
}

std::uint64_t Session::receive_window(const SessionContext& context) const {
  if (context.reassembly > kMaxReassembly) return kTightWindow;
  return state_ == State::unaccepted ? kStrangerWindow : kStreamWindow;
}

void Session::on_data(SessionContext& context, Time now, const frame::Data& data, Received& received) {
  if (data.channel >= kChannels) {
    received.broken = true;
    return;
  }
  if (state_ == State::unaccepted && (held_ ? held_->bytes : 0) + buffered_ + data.bytes.size() > kMaxHeld) {
    received.no_room = true;
    return;
  }
  auto& channel = ends_of(data.channel).rx;
  std::vector<Bytes> messages;
  const auto before = channel.buffered();
  const auto verdict = channel.receive(data.offset, data.bytes, receive_window(context), messages);
  buffered_ += channel.buffered() - before;
  context.reassembly += channel.buffered() - before;
  if (verdict == ChannelRx::Verdict::no_room) received.no_room = true;
  if (verdict == ChannelRx::Verdict::broken) received.broken = true;
  if (!received.broken) deliver(context, now, data.channel, std::move(messages), received);
}

void Session::deliver(SessionContext& context, Time now, std::uint8_t channel, std::vector<Bytes> messages,
                      Received& received) {
  for (auto& message : messages) {
    if (channel == kRekeyChannel) {
      on_rekey_message(context, now, message, received);
      continue;
    }
    MessageIn in{id_, static_cast<Channel>(channel), std::move(message)};
    if (state_ == State::open) {
      context.events.emplace_back(std::move(in));
    } else {
      if (!held_) held_ = std::make_unique<Held>();
      held_->bytes += in.bytes.size() + sizeof in;
      held_->messages.push_back(std::move(in));
    }
  }
}

void Session::on_ack(SessionContext& context, Time now, const frame::Ack& ack) {
  if (ack.largest() >= next_number_) return;  // of a packet that was never sent
  const auto outcome = flight_.on_ack(now, ack, rtt_);
  if (outcome.rtt) {
    rtt_.sample(*outcome.rtt);
    paths_.current().rtt = rtt_.smoothed();
  }
  for (const auto& packet : outcome.acked) {
    probes_ = 0;
    window_.acked(packet.size, packet.sent_at);
    for (const auto& f : packet.fragments) tx(f.channel).acked(f.offset, f.length);
  }
  context.counters.retransmitted += outcome.lost.size();
  for (const auto& packet : outcome.lost) window_.lost(now, packet.sent_at);
  resend(outcome.lost);
}

void Session::resend(const std::vector<SentPacket>& packets) {
  for (const auto& packet : packets) {
    for (const auto& f : packet.fragments) tx(f.channel).lost(f.offset, f.length);
  }
}

KeyRing::Setup Session::key_setup(SessionContext& context) const {
  return {context.suite, context.rng, context.identity, context.config.psk};
}

void Session::on_rekey_message(SessionContext& context, Time now, ByteView message, Received& received) {
  const auto answer = keys_.on_message(now, key_setup(context), initiator_, remote_, message);
  if (!answer) {
    received.broken = true;
    return;
  }
  if (*answer) tx(kRekeyChannel).push(**answer);
}

Session::ChannelEnds& Session::ends_of(std::uint8_t channel) {
  auto* at = &channels_;
  while (*at && (*at)->number != channel) at = &(*at)->next;
  if (!*at) {
    *at = std::make_unique<ChannelEnds>();
    (*at)->number = channel;
  }
  return **at;
}

Session::ChannelEnds* Session::find_ends(std::uint8_t channel) const {
  auto* one = channels_.get();
  while (one != nullptr && one->number != channel) one = one->next.get();
  return one;
}

void Session::accept(SessionContext& context) {
  if (state_ != State::unaccepted) return;
  state_ = State::open;
  const auto held = std::move(held_);
  if (!held) return;
  for (auto& message : held->messages) context.events.emplace_back(std::move(message));
}

void Session::close(SessionContext& context, Time now, frame::CloseReason reason, DownReason why) {
  if (open()) down(context, why, {reason, kCloses, now});
}

void Session::on_close(SessionContext& context, Time now, frame::CloseReason reason) {
  if (open()) {
    down(context, reason_of(reason), {frame::CloseReason::closed, 1, now});
  } else {
    state_ = State::gone;  // both ends know
  }
}

bool Session::forgotten(SessionContext& context, Time now, const Path& path, const DataHeader& header,
                        ByteView packet) {
  const bool recent = header.number < next_number_ && next_number_ - header.number <= kResetNumbers &&
                      header.epoch == keys_.current().epoch;
  const bool ours = open() && reset_ && waiting_since_ != kNever && recent && paths_.find(path) != nullptr;
  if (!ours || !reset_good(context.suite, *reset_, packet)) return false;
  down(context, DownReason::forgotten, {frame::CloseReason::closed, 0, now});
  return true;
}

void Session::down(SessionContext& context, DownReason reason, Closing closing) {
  for (const auto& path : paths_.all()) context.paths.remove(path.path, id_);
  context.events.push_back(SessionDown{id_, reason});
  --context.open;
  context.reassembly -= buffered_;
  buffered_ = 0;
  channels_.reset();
  held_.reset();
  flight_ = Flight();
  unconfirmed_.reset();
  closing_ = std::make_unique<Closing>(closing);
  state_ = State::closing;
}

void Session::message3_again(Time now, const crypto::Mac& mac, std::size_t size) {
  auto& path = paths_.current();
  if (!open() || initiator_ || path.proven || !crypto::same(mac, message3_mac_)) return;
  path.received += size;
  if (path.probing && path.challenges == kMaxChallenges) {
    path.probing = false;
    path.challenges = 0;
  }
  path.probing = true;
  path.next_at = now;
}

std::optional<Duration> Session::rtt() const {
  if (!rtt_.known()) return std::nullopt;
  return rtt_.smoothed();
}

std::size_t Session::memory_bytes() const {
  std::size_t bytes = sizeof *this + paths_.all().capacity() * sizeof(PathState) + (held_ ? held_->bytes : 0);
  bytes += replay_.memory_bytes() - sizeof replay_;
  for (const auto* one = channels_.get(); one != nullptr; one = one->next.get())
    bytes += sizeof one->number + sizeof one->next + one->tx.memory_bytes() + one->rx.memory_bytes();
  if (unconfirmed_) bytes += sizeof *unconfirmed_ + unconfirmed_->message3.capacity();
  return bytes;
}

}  // namespace linnet::overlay
