#include "node/io/net/turn_streams.h"

#include <algorithm>
#include <array>

#include "nat/turn_message.h"
#include "node/io/clock.h"

namespace linnet::io {
namespace {

constexpr std::size_t kChunk = 32 * 1024;
constexpr int kTurnReadsAtOnce = 4;  // then others get their turn
constexpr Duration kTurnSweep = std::chrono::seconds(1);
constexpr Duration kTurnFairTime = std::chrono::seconds(2);  // then one without an allocation may have to make room

}  // namespace

TurnStreams::TurnStreams(Loop& loop, Limits limits, Ears ears)
    : loop_(loop), limits_(limits), ears_(std::move(ears)), alarm_(loop.alarm([this] { sweep(); })) {}

bool TurnStreams::make_room(const Endpoint& newcomer) {
  std::size_t neighbours = 0;
  const Client* oldest = nullptr;
  const auto time = now();
  for (const auto& [remote, client] : clients_) {
    if (!newcomer.ip.is_loopback() && remote.ip.prefix() == newcomer.ip.prefix()) ++neighbours;
    if (time - client->since < kTurnFairTime || ears_.serves(remote)) continue;
    if (oldest == nullptr || client->since < oldest->since) oldest = client.get();
  }
  if (neighbours >= limits_.per_prefix) return false;
  if (clients_.size() < limits_.total) return true;
  if (oldest == nullptr) return false;
  ++counters_.closed_slow;
  drop(Endpoint(oldest->remote));
  return true;
}

void TurnStreams::take(StreamGuest guest) {
  if (!make_room(guest.remote)) {
    ++counters_.refused;
    return;
  }
  ++counters_.accepted;
  drop(guest.remote);  // a former one of that name
  auto made = std::make_unique<Client>();
  auto& client = *made;
  client.remote = guest.remote;
  client.local = guest.local;
  client.stream = std::move(guest.stream);
  client.since = client.last_whole = client.last_taken = client.last_served = now();
  clients_.emplace(guest.remote, std::move(made));
  if (clients_.size() == 1) alarm_->set(now() + kTurnSweep);
  client.stream->start(
      loop_, [this, remote = guest.remote] { on_readable(remote); },
      [this, remote = guest.remote] {
        const auto found = clients_.find(remote);
        if (found == clients_.end()) return;
        found->second->stream->on_writable();
        if (!flush(*found->second)) drop(remote);
      });
  if (!cut(client, guest.first)) return drop(guest.remote);
  ears_.drained();
  // What stands in a decrypted buffer already wakes nobody.
  loop_.post([this, remote = guest.remote] { on_readable(remote); });
}

// Hands out whole messages; keeps the rest. False: no TURN is spoken here.
bool TurnStreams::cut(Client& client, MutableBytes bytes) {
  const auto time = now();
  const auto remote = client.remote;
  while (!bytes.empty()) {
    const auto size = nat::turn::stream_frame(bytes);
    if (!size || *size > kMaxFrame) {
      ++counters_.malformed;
      return false;
    }
    if (*size == 0 || *size > bytes.size()) break;
    client.last_whole = time;
    ears_.receive(time, remote, bytes.first(*size));
    bytes = bytes.subspan(*size);
  }
  client.rest.assign(bytes.begin(), bytes.end());
  return true;
}

void TurnStreams::on_readable(const Endpoint& remote) {
  static thread_local std::array<std::uint8_t, kMaxFrame + kChunk> buffer;
  for (int round = 0; round < kTurnReadsAtOnce; ++round) {
    const auto found = clients_.find(remote);
    if (found == clients_.end()) return;
    auto& client = *found->second;
    const auto before = client.rest.size();
    std::copy(client.rest.begin(), client.rest.end(), buffer.begin());
    const auto n = client.stream->read(MutableBytes(buffer).subspan(before, kChunk));
    if (!n) return drop(remote);
    if (*n == 0) break;
    if (!cut(client, MutableBytes(buffer).first(before + *n))) return drop(remote);
    ears_.drained();
    if (*n < kChunk) break;
  }
  // A handshake goes on, or what was asked is answered.
  const auto found = clients_.find(remote);
  if (found != clients_.end() && !found->second->stream->waits() && !flush(*found->second)) drop(remote);
}

void TurnStreams::send(const Endpoint& remote, ByteView bytes) {
  const auto found = clients_.find(remote);
  if (found == clients_.end() || found->second->outbox.size() + found->second->stream->unsent() > kMaxUnsent) {
    ++counters_.dropped;
    return;
  }
  auto& client = *found->second;
  if (client.outbox.empty()) waiting_.push_back(remote);
  append(client.outbox, bytes);
}

void TurnStreams::flush() {
  for (const auto& remote : std::exchange(waiting_, {})) {
    const auto found = clients_.find(remote);
    if (found != clients_.end() && !found->second->stream->waits() && !flush(*found->second)) drop(remote);
  }
}

bool TurnStreams::flush(Client& client) {
  const auto before = client.stream->unsent();
  if (!client.outbox.empty() && client.stream->ready()) {
    client.stream->write(client.outbox);
    client.outbox.clear();
  }
  if (!client.stream->flush()) return false;
  if (client.stream->unsent() == 0 || client.stream->unsent() < before) client.last_taken = now();
  return true;
}

void TurnStreams::drop(const Endpoint& remote) {
  const auto found = clients_.find(remote);
  if (found == clients_.end()) return;
  const auto name = found->first;
  const auto gone = std::move(found->second);
  clients_.erase(found);
  ears_.gone(name);
}

void TurnStreams::sweep() {
  const auto time = now();
  std::vector<Endpoint> slow;
  for (const auto& [remote, client] : clients_) {
    if (ears_.serves(remote)) client->last_served = time;
    const bool idle = time - client->last_served >= kSlow;
    const bool holds_back = !client->rest.empty() && time - client->last_whole >= kSlow;
    const bool takes_nothing = client->stream->unsent() > 0 && time - client->last_taken >= kSlow;
    if (idle || holds_back || takes_nothing) slow.push_back(remote);
  }
  for (const auto& remote : slow) {
    ++counters_.closed_slow;
    drop(remote);
  }
  alarm_->set(clients_.empty() ? kNever : time + kTurnSweep);
}

std::size_t TurnStreams::unsent() const {
  std::size_t out = 0;
  for (const auto& [remote, client] : clients_) out += client->outbox.size() + client->stream->unsent();
  return out;
}

std::optional<Endpoint> TurnStreams::local(const Endpoint& remote) const {
  const auto found = clients_.find(remote);
  return found == clients_.end() ? std::nullopt : std::optional(found->second->local);
}

}  // namespace linnet::io
