#include "crypto/room_key.h"

#include "crypto/sodium.h"

namespace linnet::crypto {

SigningPair room_account(const Suite& suite, const SigningPair& founder, const Address& room) {
  Bytes over = copy(view("linnet-1 room"));
  append(over, view(room.text()));
  Secret seed;
  const auto& key = founder.seed.bytes();
  crypto_generichash(seed.bytes().data(), seed.bytes().size(), over.data(), over.size(), key.data(), key.size());
  return suite.signing_pair(seed);
}

DeviceCertificate certify_keeper(const Suite& suite, const SigningPair& room, const DeviceKey& device,
                                 std::uint32_t epoch, Wall now) {
  DeviceCertificate out;
  out.account = AccountKey{room.public_key};
  out.device = device;
  out.not_before = now;
  out.not_after = now + kMaxCertificateLife;
  out.epoch = epoch;
  out.signature = suite.sign(room, certificate_statement(out));
  return out;
}

}  // namespace linnet::crypto
