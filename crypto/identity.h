// Who a node is: account key AK, device key DK certified by AK, session key SK signed by DK (protocol.md section 1).
#pragma once

#include <chrono>
#include <string>

#include "base/rng.h"
#include "base/time.h"
#include "crypto/address.h"
#include "crypto/safety_number.h"
#include "crypto/suite.h"

namespace linnet::crypto {

inline constexpr std::chrono::hours kMaxCertificateLife{30 * 24};

// AK says: this device is mine. Fixed binary, 32+32+8+8+4+64 bytes, all fields under the signature ("linnet-1 device"
// || fields).
struct DeviceCertificate {
  AccountKey account;
  DeviceKey device;
  Wall not_before{};
  Wall not_after{};
  std::uint32_t epoch = 0;  // revocation epoch: stores refuse a lower one
  Signature signature{};
};
inline constexpr std::size_t kDeviceCertificateBytes = 32 + 32 + 8 + 8 + 4 + 64;

// What AK signs: "linnet-1 device" || every field before the signature.
Bytes certificate_statement(const DeviceCertificate& certificate);
void write(Writer& out, const DeviceCertificate& certificate);
Result<DeviceCertificate> read_device_certificate(Reader& in);
// Signature, validity at `now` (5 minutes of clock error forgiven), and at most 30 days of life.
Status verify(const Suite& suite, const DeviceCertificate& certificate, Wall now);
// Of that, the validity at `now` alone.
Status check_time(const DeviceCertificate& certificate, Wall now);

// DK says: this is my session key. Signature over "linnet-1 session" || network id || SK.
Signature sign_session_key(const Suite& suite, const SigningPair& device, const NetworkId& network,
                           const SessionKey& session);
bool verify_session_key(const Suite& suite, const DeviceKey& device, const NetworkId& network,
                        const SessionKey& session, const Signature& signature);

// Everything secret that a node owns.
struct Identity {
  Address address;  // the plain or certified name, or the key name when no other was chosen
  SigningPair account;
  SigningPair device;
  DhPair session;
  DeviceCertificate certificate;

  AccountKey account_key() const { return AccountKey{account.public_key}; }
  DeviceKey device_key() const { return DeviceKey{device.public_key}; }
  SessionKey session_key() const { return session.public_key; }
  Address key_name() const { return Address::key_name(address.user(), account_key()); }
};

// Draws three seeds of 32 bytes: account, device, session. An empty address becomes the key name me@....linnet.alt.
Identity make_identity(const Suite& suite, Rng& rng, Address address, Wall now);
// Of an account's device, or of a room's keeper (room_key.h): for as long as a certificate may last.
DeviceCertificate certify(const Suite& suite, const SigningPair& account, const DeviceKey& device, std::uint32_t epoch,
                          Wall now);
// A fresh certificate for the same device, when the old one nears its end (half its life).
bool needs_renewal(const DeviceCertificate& certificate, Wall now);
void renew_certificate(const Suite& suite, Identity& identity, Wall now);

// The same person on a new device: device and session keys are drawn, so that no sequence and no nonce of another
// device can come again. Draws two seeds of 32 bytes.
Identity restore_identity(const Suite& suite, Rng& rng, const SigningPair& account, const Address& address,
                          std::uint32_t epoch, Wall now);
// The next revocation epoch: what AK certified before this device is void wherever that becomes known. Fault::full
// after the last epoch.
inline constexpr std::uint32_t kLastEpoch = 0xffffffff;
Status revoke_others(const Suite& suite, Identity& identity, Wall now);

// The key file (written 0600 by node/io): magic "linnet-key-1\n", fields, BLAKE2b checksum. Everything is checked on
// reading; a corrupt file is a Fault, and nobody writes over it.
Bytes save_identity(const Suite& suite, const Identity& identity);
Result<Identity> load_identity(const Suite& suite, ByteView file);

}  // namespace linnet::crypto
