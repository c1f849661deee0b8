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

}  // namespace linnet::crypto
