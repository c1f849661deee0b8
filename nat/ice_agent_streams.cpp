// TCP candidates and their connections (RFC 6544).
#include <algorithm>

#include "base/machine.h"
#include "nat/ice_agent.h"

namespace linnet::nat::ice {
namespace {

StreamName plain(StreamName name) {
  name.remote.socket = 0;  // the base says it
  name.remote.transport = Transport::tcp;
  if (!name.remote.ip.is_link_local()) name.remote.ip.scope = 0;
  return name;
}

}  // namespace

void Agent::add_tcp(Time now, Base base, const Endpoint& endpoint, TcpType tcp, std::uint16_t preference) {
  Candidate made{Type::host, endpoint, endpoint, base, 0, tcp_priority(Type::host, tcp, preference), {}, tcp};
  made.endpoint.transport = made.related.transport = Transport::tcp;
  add_local(now, std::move(made), std::nullopt);
}

void Agent::add_active(Time now, Base base, const IpAddress& address, std::uint16_t preference) {
  add_tcp(now, base, {address, kActivePort}, TcpType::active, preference);
}

void Agent::add_passive(Time now, Base base, const Endpoint& listening, std::uint16_t preference) {
  add_tcp(now, base, listening, TcpType::passive, preference);
}

Outgoing Agent::outgoing(Base base, const Endpoint& to, Bytes bytes) const {
  return {base, to, streams_.find({base, to}) != nullptr ? write_frame(bytes) : std::move(bytes)};
}

// False: its check waits for the connection, or never comes.
bool Agent::stream_is_open(Time now, Pair& pair) {
  const auto& local = local_[pair.local];
  const StreamName name{local.base, list_.destination(pair)};
  if (const auto* stream = streams_.find(name)) return stream->open;
  if (local.tcp == TcpType::active && streams_.connect(now, name)) {
    events_.push_back(event::Connect{name});
  } else {
    pair.state = State::failed;
  }
  return false;
}

void Agent::connected(Time now, const StreamName& stream) {
  const auto name = plain(stream);
  auto* known = streams_.find(name);
  if (known == nullptr) return events_.push_back(event::Close{name});
  if (known->open) return;
  known->open = true;
  known->until = kNever;
  auto* pair = list_.find(name.base, name.remote, 0);
  if (pair != nullptr && pair->state == State::in_progress && theirs_) send_check(now, *pair, Purpose::check);
  settle(now);
}

void Agent::accepted(Time now, const StreamName& stream) {
  const auto name = plain(stream);
  const auto& all = local_.all();
  const bool listens = std::any_of(
      all.begin(), all.end(), [&](const Candidate& c) { return c.base == name.base && c.tcp == TcpType::passive; });
  const bool over = concluded_ && selected_;
  if (!listens || over || streams_.find(name) != nullptr) return events_.push_back(event::Close{name});
  if (const auto put_out = streams_.accept(now, name)) events_.push_back(event::Close{*put_out});
  settle(now);
}

void Agent::closed(Time now, const StreamName& stream) {
  const auto name = plain(stream);
  if (streams_.find(name) == nullptr) return;
  streams_.remove(name);
  forget(now, name);
  settle(now);
}

void Agent::receive(Time now, const StreamName& stream, ByteView bytes) {
  const auto name = plain(stream);
  while (auto* known = streams_.find(name)) {
    if (!known->open) return;
    const auto frame = known->reader.next(bytes, known->proven ? kMaxFrame : kMaxDatagram);
    if (frame && !*frame) return;
    const Bytes packet = frame ? copy(**frame) : Bytes{};  // what it does may end the connection
    if (!frame || !on_frame(now, name, packet)) give_up(now, name);
    settle(now);
  }
}

// False: whoever is there does not speak ICE with us.
bool Agent::on_frame(Time now, const StreamName& name, ByteView frame) {
  const bool proven = streams_.find(name)->proven;
  if (!stun::is_stun(frame)) {
    if (proven && packets_.size() < kMaxPackets) packets_.push_back({name, copy(frame)});
    return proven;
  }
  const auto message = stun::Message::parse(frame);
  if (!message || !owns(*message)) return proven;
  handle(now, name.base, name.remote, *message);
  return true;
}

std::optional<StreamPacket> Agent::poll_packet() {
  if (packets_.empty()) return std::nullopt;
  return packets_.take();
}

void Agent::close(const StreamName& name) {
  streams_.remove(name);
  events_.push_back(event::Close{name});
}

void Agent::give_up(Time now, const StreamName& name) {
  if (streams_.find(name) == nullptr) return;
  close(name);
  forget(now, name);
}

// A connection is over: what rested on it is too.
void Agent::forget(Time now, const StreamName& name) {
  std::erase_if(early_, [&](const Early& e) { return e.base == name.base && e.from == name.remote; });
  if (previous_ && previous_->way.base == name.base && previous_->way.remote == name.remote) {
    events_.push_back(event::Lost{previous_->way});
    previous_.reset();
  }
  auto* pair = list_.find(name.base, name.remote, 0);
  if (pair == nullptr) return;
  checks_.drop(pair->id);
  if (!pair->valid()) {
    pair->state = State::failed;
    return;
  }
  lose(*pair);
  fall_back(now);
}

Agent::Use Agent::use_of(const Stream& stream) const {
  if (!stream.outgoing && !stream.proven) return Use::waits;
  const auto& name = stream.name;
  if (previous_ && previous_->way.base == name.base && previous_->way.remote == name.remote) return Use::stands;
  if (std::any_of(early_.begin(), early_.end(),
                  [&](const Early& e) { return e.base == name.base && e.from == name.remote; }))
    return Use::stands;
  const auto& pairs = list_.pairs();
  const auto pair = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& p) {
    return local_[p.local].base == name.base && list_.destination(p) == name.remote;
  });
  // Who came in may have been told to change his role, and asks again; but not after it was of use.
  if (pair == pairs.end()) return stream.outgoing || stream.until == kNever ? Use::none : Use::waits;
  if (pair->state == State::failed || (concluded_ && selected_ && selected_ != pair->id)) return Use::none;
  return Use::stands;
}

void Agent::sweep_streams(Time now) {
  if (losers_until_ <= now) {
    losers_until_ = kNever;
    concluded_ = true;
  }
  std::vector<StreamName> over;
  for (const auto& s : streams_.all()) {
    const auto use = use_of(s);
    if (use == Use::none) over.push_back(s.name);
    if (use == Use::stands && s.open) streams_.keep(s.name);
  }
  for (const auto& name : over) give_up(now, name);
}

}  // namespace linnet::nat::ice
