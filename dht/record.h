// What the DHT holds for a name: at most 900 bytes, signed outside, sealed inside (protocol.md section 2).
//
// Outside, fixed binary: version 1, network id, user key, device certificate (AK, DK, validity, epoch, signature by
// AK), sequence, not-before, expiry (<= 2 h), length, sealed inside, signature by DK over "linnet-1 record" ||
// everything before it. Inside, msgpack sealed under crypto::record_key(name): SK, device id, homes and anchor,
// capabilities; of a room, the key name of its keeper on that device.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.h"
#include "crypto/identity.h"
#include "dht/id.h"

namespace linnet::dht {

inline constexpr std::size_t kMaxRecord = 900;
inline constexpr std::chrono::seconds kMaxRecordLife{2 * 3600};
inline constexpr std::size_t kMaxHomes = 4;  // three homes and the anchor

// A supernode that answers for the leaf. `tag` names the leaf there (FORWARD); it says nothing about the leaf's
// address.
struct Home {
  Endpoint endpoint;
  crypto::SessionKey session;
  std::uint64_t tag = 0;

  bool operator==(const Home&) const = default;
};

// The outside: all that a supernode that stores it can read.
struct SignedRecord {
  crypto::NetworkId network;
  crypto::UserKey user;
  crypto::DeviceCertificate certificate;
  std::uint64_t sequence = 0;
  Wall not_before{};
  Wall expiry{};
  Bytes wire;  // the whole record as it travels; signatures are over these bytes

  const crypto::AccountKey& account() const { return certificate.account; }
  const crypto::DeviceKey& device() const { return certificate.device; }
};

// The inside: for who knows the name. Of a room: by whom one comes in, who is in it on that device.
struct RecordBody {
  crypto::SessionKey session;
  std::vector<Home> homes;
  std::uint64_t capabilities = 0;
  std::optional<crypto::Address> keeper;  // a key name
};

// Form, certificate and signature. Signatures are checked before anything inside is parsed. Time is not judged here.
Result<SignedRecord> read_record(const crypto::Suite& suite, const crypto::NetworkId& network, ByteView wire);
// Not before, not after, and at most two hours of life.
Status check_time(const SignedRecord& record, Wall now);
// Unseals the inside; the address must hash to the record's user key.
Result<RecordBody> open_record(const crypto::Suite& suite, const SignedRecord& record, const crypto::Address& address);

// Builds and signs. Fault::too_big when it would pass 900 bytes.
Result<SignedRecord> make_record(const crypto::Suite& suite, const crypto::Identity& identity,
                                 const crypto::NetworkId& network, const crypto::Address& address,
                                 const RecordBody& body, std::uint64_t sequence, Wall now, std::chrono::seconds life);
// The same under a certificate of another account than the device's own: a room's.
Result<SignedRecord> make_record(const crypto::Suite& suite, const crypto::SigningPair& device,
                                 const crypto::DeviceCertificate& certificate, const crypto::NetworkId& network,
                                 const crypto::Address& address, const RecordBody& body, std::uint64_t sequence,
                                 Wall now, std::chrono::seconds life);

}  // namespace linnet::dht
