// What a device says of itself to a conference, signed by it: so nobody is elected by what another says of him.
#pragma once

#include <optional>

#include "crypto/address.h"
#include "crypto/identity.h"

namespace linnet::node::conference {

using RoomId = ByteArray<16>;  // drawn by whoever starts it

struct Claim {
  RoomId room{};
  crypto::DeviceCertificate certificate;
  crypto::Address address;        // as it is called
  std::uint32_t version = 0;      // grows with each claim of that device for that room
  std::uint32_t mixes = 0;        // members that the device could mix for, measured (media/mix_benchmark.h) x idle CPU
  std::uint32_t uplink_kbps = 0;  // measured; 0: unknown
  bool reachable = false;         // anybody's datagrams come in
  bool mains = false;             // not on battery
  bool keeps = false;             // it may publish the room's address (node/room_book.h)

  const crypto::DeviceKey& device() const { return certificate.device; }
};

struct SignedClaim {
  Claim claim;
  crypto::Signature signature{};
};

inline constexpr std::size_t kMaxClaim = 700;  // octets as written

SignedClaim sign(const crypto::Suite& suite, const crypto::Identity& identity, Claim claim);
// Faults: bad_signature where the device did not sign it, or the certificate's own.
Status verify(const crypto::Suite& suite, const SignedClaim& claim, const RoomId& room, Wall now);

void write(Writer& out, const SignedClaim& claim);
Result<SignedClaim> read_claim(Reader& in);

}  // namespace linnet::node::conference
