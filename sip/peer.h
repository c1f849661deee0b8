// Who is at the other end of a session, and the local handles of a call and a subscription.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>

#include "base/bytes.h"

namespace linnet::sip {

// The authenticated device key of the session a message came in by. Opaque here: equal or not is all that SIP asks.
struct PeerId {
  ByteArray<32> bytes{};
  auto operator<=>(const PeerId&) const = default;
};

// Names one call of this user agent for as long as the process lives; never on the wire. Zero is no call.
enum class CallId : std::uint64_t {};
inline constexpr CallId kNoCall{0};

// Names one event subscription likewise, of ours or of a peer (RFC 6665).
enum class SubscriptionId : std::uint64_t {};
inline constexpr SubscriptionId kNoSubscription{0};

}  // namespace linnet::sip

template <>
struct std::hash<linnet::sip::PeerId> {
  std::size_t operator()(const linnet::sip::PeerId& peer) const noexcept {
    std::size_t out = 0;  // a key is uniform already
    std::memcpy(&out, peer.bytes.data(), sizeof out);
    return out;
  }
};
