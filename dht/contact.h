// A supernode as others know it: one endpoint, its keys, and the place that follows from both (protocol.md section 2).
//
// One that serves its own link alone sends no address (the unspecified one): it is where it is heard.
#pragma once

#include "base/endpoint.h"
#include "crypto/identity.h"
#include "dht/id.h"

namespace linnet::dht {

struct Contact {
  Endpoint endpoint;  // link-local ones with their scope; they never travel
  crypto::DeviceKey device;
  crypto::SessionKey session;
  crypto::Signature signature{};  // DK over SK (crypto::sign_session_key)
  Id position;                    // derived, never sent

  bool serves_its_link() const { return endpoint.ip.is_unspecified(); }

  bool operator==(const Contact& other) const {
    return device == other.device && endpoint == other.endpoint && session == other.session;
  }
};

// The address of one that serves its own link alone, as it travels: there is none. Other addresses of 0.0.0.0/8 are no
// host's.
inline bool no_address(const IpAddress& ip) { return ip == IpAddress{} || ip == IpAddress::v4(0); }

// The leading kPlaceBits (place.h) from the network prefix, /24 of IPv4 or /32 of IPv6; the rest from hash(DK). So one
// prefix is one place, however many addresses and keys somebody has there (docs/decisions/034). On loopback, link-local
// and private addresses the prefix part is off: the position is hash(DK) alone.
Id position(const IpAddress& ip, const crypto::DeviceKey& device);

inline constexpr std::size_t kMaxContactBytes = kMaxEndpointBytes + 32 + 32 + 64;
void write(Writer& out, const Contact& contact);
// The bytes that writes.
std::size_t contact_size(const Contact& contact);
// Checks form only and derives the position; verify() checks the signature.
Result<Contact> read_contact(Reader& in);
Status verify(const crypto::Suite& suite, const crypto::NetworkId& network, const Contact& contact);

// Whether an address makes sense across this link: nobody on the Internet is told of (or believed about) a loopback,
// link-local or private address, so that nobody aims us at our own network.
bool may_tell(const IpAddress& subject, const IpAddress& listener);

}  // namespace linnet::dht
