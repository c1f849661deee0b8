// A suite that believes every signature and opens every seal, which it leaves as plain text: a fuzzer that can forge
// neither still meets what stands behind them. Keys, hashes and mac() are the stand-ins'; what a seal protects is for
// other tests.
#pragma once

#include "crypto/suite.h"

namespace linnet::fuzz {

class OpenSuite final : public crypto::Suite {
 public:
  crypto::DhPair ephemeral_pair(const crypto::Secret& seed) const override { return base_.ephemeral_pair(seed); }
  crypto::Signature sign(const crypto::SigningPair&, ByteView) const override { return {}; }
  bool verify(ByteView, ByteView, const crypto::Signature&) const override { return true; }
  Result<crypto::Secret> dh(const crypto::DhPair& mine, const crypto::SessionKey& theirs) const override {
    return base_.dh(mine, theirs);
  }
  crypto::Mac seal_in_place(const crypto::Secret&, std::uint64_t, ByteView, MutableBytes) const override { return {}; }
  Result<MutableBytes> open_in_place(const crypto::Secret&, std::uint64_t, ByteView,
                                     MutableBytes sealed) const override {
    if (sealed.size() < crypto::kTagBytes) return fail(Fault::bad_mac);
    return sealed.first(sealed.size() - crypto::kTagBytes);
  }
  crypto::Hash512 hash512(std::initializer_list<ByteView> parts) const override { return base_.hash512(parts); }
  void hkdf(ByteView chaining_key, ByteView input, std::span<crypto::Hash512> outputs) const override {
    base_.hkdf(chaining_key, input, outputs);
  }
  crypto::Mac mac(ByteView key, std::initializer_list<ByteView> parts) const override { return base_.mac(key, parts); }

 private:
  const crypto::Suite& base_ = crypto::typed_suite();
};

inline const crypto::Suite& open_suite() {
  static const OpenSuite suite;
  return suite;
}

}  // namespace linnet::fuzz
