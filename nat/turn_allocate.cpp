// Allocate (RFC 8656, section 7.2): what is asked for, whether there is room, and the answer once the sockets stand.
#include <algorithm>

#include "nat/turn_server.h"

namespace linnet::nat::turn {

using stun::Attr;
using stun::Class;
using stun::ErrorCode;
using stun::Method;

namespace {

constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kReserveNext = 0x80;

// Attributes that contradict one another, or themselves (section 7.2, items 5 to 9).
bool well_formed(const stun::Message& m) {
  const bool token = m.has(Attr::reservation_token), even = m.has(Attr::even_port);
  const bool family = m.has(Attr::requested_address_family), additional = m.has(Attr::additional_address_family);
  const bool next = m.u8(Attr::even_port).value_or(0) & kReserveNext;
  if (token && (even || family || additional)) return false;
  if (additional && (family || next)) return false;
  if (additional && m.u8(Attr::additional_address_family) != kFamilyV6) return false;
  return (!token || m.u64(Attr::reservation_token)) && (!even || m.u8(Attr::even_port)) &&
         (!family || m.u8(Attr::requested_address_family)) && (!m.has(Attr::lifetime) || m.u32(Attr::lifetime));
}

}  // namespace

tl::expected<Server::Wanted, ErrorCode> Server::wanted(const stun::Message& m) const {
  const auto transport = m.u8(Attr::requested_transport);
  if (!transport || !well_formed(m)) return tl::unexpected(ErrorCode::bad_request);
  if (*transport != kUdp) return tl::unexpected(ErrorCode::unsupported_transport);
  Wanted out;
  out.even = m.has(Attr::even_port);
  out.and_next = out.even && (*m.u8(Attr::even_port) & kReserveNext) != 0;
  if (m.has(Attr::reservation_token)) {
    out.token = *m.u64(Attr::reservation_token);
    return out;
  }
  const auto family = m.u8(Attr::requested_address_family).value_or(kFamilyV4);
  out.v4 = family == kFamilyV4;
  out.v6 = family == kFamilyV6;
  if ((!out.v4 && !out.v6) || (out.v6 && !config_.v6)) return tl::unexpected(ErrorCode::address_family_not_supported);
  if (m.has(Attr::additional_address_family)) {
    out.v6 = config_.v6;
    if (!out.v6) out.no_v6 = ErrorCode::address_family_not_supported;
  }
  if (out.v4 && !config_.v4) {
    if (!out.v6) return tl::unexpected(ErrorCode::address_family_not_supported);
    out.v4 = false;
  }
  return out;
}

// Counted when asked: of a user nothing is kept but his allocations, however many names there are.
std::optional<ErrorCode> Server::no_room(const Endpoint& client, std::uint64_t user) const {
  const auto his = std::count_if(allocations_.begin(), allocations_.end(),
                                 [user](const auto& one) { return one.second->owner.user == user; });
  if (static_cast<std::size_t>(his) >= config_.limits.per_user) return ErrorCode::allocation_quota_reached;
  if (!client.ip.is_loopback()) {
    const auto prefix = client.ip.prefix();
    const auto near = std::count_if(allocations_.begin(), allocations_.end(),
                                    [&](const auto& one) { return one.first.ip.prefix() == prefix; });
    if (static_cast<std::size_t>(near) >= config_.limits.per_prefix) return ErrorCode::allocation_quota_reached;
  }
  const bool spent = config_.allowance != nullptr && config_.allowance->spent();
  if (spent || allocations_.size() >= config_.limits.total) return ErrorCode::insufficient_capacity;
  return std::nullopt;
}

void Server::on_allocate(const Asked& asked) {
  if (auto* standing = asked.allocation; standing != nullptr) {
    if (standing->asked != asked.message.id()) return refuse(asked, ErrorCode::allocation_mismatch);
    // Its answer was lost, or it is being opened.
    if (standing->open()) answer_allocate(*standing);
    return;
  }
  const auto want = wanted(asked.message);
  if (!want) return refuse(asked, want.error());
  if (const auto full = no_room(asked.client, asked.who.user)) {
    ++counters_.refused_allocations;
    return refuse(asked, *full);
  }
  if (want->token) return take_reserved(asked, *want->token);
  begin(asked, *want);
}

Allocation& Server::add(const Asked& asked) {
  auto made = std::make_unique<Allocation>();
  auto& out = *made;
  out.id = ++last_id_;
  out.client = asked.client;
  out.owner = asked.who;
  out.asked = asked.message.id();
  out.lifetime = lifetime(asked.message);
  out.until = asked.now + out.lifetime;
  if (allocations_.empty() && reservations_.empty()) swept_ = asked.now;
  allocations_.emplace(asked.client, std::move(made));
  return out;
}

void Server::begin(const Asked& asked, const Wanted& wanted) {
  auto& allocation = add(asked);
  allocation.no_v6 = wanted.no_v6;
  if (wanted.v4 && wanted.v6) allocation.no_v6 = ErrorCode::insufficient_capacity;  // until it stands
  events_.push_back(event::Open{allocation.id, asked.client, wanted.v4, wanted.v6, wanted.even,
                                wanted.and_next && reservations_.size() < config_.limits.reservations});
}

void Server::settle_relay(Allocation& allocation, const Relay& relay) {
  if (relay.id == 0) return;
  if (by_relay_.size() <= relay.id) by_relay_.resize(relay.id + 1);
  by_relay_[relay.id] = &allocation;
  (relay.at.ip.is_v4() ? allocation.v4 : allocation.v6) = relay;
}

void Server::take_reserved(const Asked& asked, std::uint64_t token) {
  const auto kept = std::find_if(reservations_.begin(), reservations_.end(), [&](const Reservation& r) {
    return r.token == token && r.user == asked.who.user && r.until > asked.now;
  });
  if (kept == reservations_.end()) return refuse(asked, ErrorCode::insufficient_capacity);
  const auto relay = kept->relay;
  auto& allocation = add(asked);
  reservations_.erase(kept);
  settle_relay(allocation, relay);
  answer_allocate(allocation);
}

void Server::opened(Time now, std::uint32_t id, const Opened& what) {
  const auto found =
      std::find_if(allocations_.begin(), allocations_.end(), [id](const auto& one) { return one.second->id == id; });
  if (found == allocations_.end() || found->second->open()) {
    for (auto relay : {what.v4, what.v6, what.next}) close(relay);
    return;
  }
  auto& allocation = *found->second;
  settle_relay(allocation, what.v4);
  settle_relay(allocation, what.v6);
  if (what.v6.id != 0) allocation.no_v6.reset();
  if (what.next.id != 0) {
    allocation.reserved = rng_.u64();
    reservations_.push_back({*allocation.reserved, what.next, allocation.owner.user, now + kReservationLife});
  }
  if (allocation.open()) return answer_allocate(allocation);
  ++counters_.refused_allocations;
  stun::Builder out(Class::error, Method::allocate, allocation.asked);
  out.error(ErrorCode::insufficient_capacity);
  credentials_.sign(allocation.owner, out);
  send_to(allocation.client, out.take());
  remove(allocation.client);
}

void Server::answer_allocate(Allocation& allocation) {
  stun::Builder out(Class::success, Method::allocate, allocation.asked);
  for (const auto* relay : {&allocation.v4, &allocation.v6}) {
    if (relay->id != 0) out.endpoint(Attr::xor_relayed_address, relay->at);
  }
  if (allocation.no_v6) {
    // Section 18.12: the family, reserved bits, the class and the number.
    const auto code = static_cast<unsigned>(*allocation.no_v6);
    out.u32(Attr::address_error_code, std::uint32_t{kFamilyV6} << 24 | code / 100 << 8 | code % 100);
  }
  out.u32(Attr::lifetime, static_cast<std::uint32_t>(allocation.lifetime.count()));
  if (allocation.reserved) out.u64(Attr::reservation_token, *allocation.reserved);
  out.endpoint(Attr::xor_mapped_address, allocation.client);
  credentials_.sign(allocation.owner, out);
  send_to(allocation.client, out.take());
}

}  // namespace linnet::nat::turn
