// AES and HMAC-SHA1 of one key for many packets, for protocols of others (SRTP): the key schedule is made once and
// kept, so that a packet costs what its octets cost. Ours use `Suite`.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

namespace linnet::crypto {

// One packet after the other: begin, then what the mode has. False: libcrypto refused, and nothing of that packet
// counts.
class KeptAes {
 public:
  enum class Mode : std::uint8_t { gcm, counter };  // NIST SP 800-38D and 800-38A section 6.5
  enum class Way : std::uint8_t { seal, open };

  // Keys of 16 or 32 octets; none where the length is another one or libcrypto has no such cipher.
  static std::optional<KeptAes> make(Mode mode, ByteView key);

  // Nonce of 12 octets (gcm), or the first counter block, 16 octets.
  bool begin(ByteView iv, Way way);
  // Additional data, in as many parts as there are, before the first octet of the text. gcm only.
  bool authenticate(ByteView part);
  // In place. Opened octets are worth nothing before check() said so.
  bool apply(MutableBytes text);
  // The end of a sealed packet; `tag` has up to 16 octets. gcm only.
  bool tag(MutableBytes tag);
  // The end of an opened one: whether it is authentic. gcm only.
  bool check(ByteView tag);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
  std::size_t iv_size_ = 0;
};

// RFC 2104, one message after the other.
class KeptHmacSha1 {
 public:
  static constexpr std::size_t kSize = 20;  // octets of a whole tag

  // None where libcrypto has no such MAC, or none that can begin anew with the key it has.
  static std::optional<KeptHmacSha1> make(ByteView key);

  bool begin();
  bool add(ByteView part);
  // The first octets of it, as many as `tag` has.
  bool tag(MutableBytes tag);

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

}  // namespace linnet::crypto
