// SRTP key material as SDES carries it inside the sealed SDP (RFC 4568, RFC 7714).
// Here the inline key is bytes; base64 and the a=crypto line belong to sip/sdp.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/rng.h"

namespace linnet::media {

enum class SrtpSuite : std::uint8_t { aead_aes_256_gcm, aes_cm_128_hmac_sha1_80 };

// In order of preference.
inline constexpr std::array<SrtpSuite, 2> kSrtpSuites{SrtpSuite::aead_aes_256_gcm, SrtpSuite::aes_cm_128_hmac_sha1_80};

// "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80".
std::string_view suite_name(SrtpSuite suite);
std::optional<SrtpSuite> suite_from_name(std::string_view name);
// Master key and master salt together, the length of the inline key: 32+12 or 16+14 bytes.
std::size_t inline_key_size(SrtpSuite suite);
// Bytes SRTP adds to an RTP packet.
std::size_t srtp_overhead(SrtpSuite suite);

// Master key || master salt for one direction. Wiped when it goes. Empty when default-constructed: SRTP refuses it.
class SrtpKey {
 public:
  SrtpKey() = default;
  SrtpKey(const SrtpKey&) = default;
  SrtpKey(SrtpKey&&) = default;
  SrtpKey& operator=(const SrtpKey&) = default;
  SrtpKey& operator=(SrtpKey&&) = default;
  ~SrtpKey();

  static SrtpKey random(SrtpSuite suite, Rng& rng);
  // Nothing when the length is not the suite's.
  static std::optional<SrtpKey> from_inline(SrtpSuite suite, ByteView inline_key);

  SrtpSuite suite() const { return suite_; }
  ByteView inline_key() const { return {bytes_.data(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  static constexpr std::size_t kMax = 44;

  SrtpSuite suite_ = SrtpSuite::aead_aes_256_gcm;
  ByteArray<kMax> bytes_{};
  std::size_t size_ = 0;
};

struct SrtpKeys {
  SrtpKey local;   // what we send is protected with it (our a=crypto)
  SrtpKey remote;  // what we receive (theirs)
};

}  // namespace linnet::media
