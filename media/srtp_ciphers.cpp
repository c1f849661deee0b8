#include "media/srtp_ciphers.h"

#include <srtp2/auth.h>
#include <srtp2/cipher.h>

#include <algorithm>
#include <new>

#include "crypto/kept_cipher.h"

namespace linnet::media {
namespace {

using crypto::KeptAes;
using crypto::KeptHmacSha1;

constexpr std::size_t kSaltOfGcm = 12, kSaltOfCounter = 14;  // RFC 7714 section 8.1, RFC 3711 section 4.1.1

struct Replacement {
  srtp_cipher_type_id_t id;
  std::size_t key;  // octets, without the salt
  KeptAes::Mode mode;
  const srtp_cipher_type_t* type;
};
const Replacement* replacement_of(srtp_cipher_type_id_t id);

// What libsrtp2 holds of a key: its head, and ours behind it.
struct KeptCipher : srtp_cipher_t {
  const Replacement* kind = nullptr;
  std::optional<KeptAes> aes;
  std::size_t tag = 0;
  ByteArray<16> offset{};  // the salt; counter mode
  ByteArray<12> nonce{};   // of this packet; gcm
  ~KeptCipher() { explicit_bzero(offset.data(), offset.size()); }
  KeptCipher() : srtp_cipher_t{} {}
  KeptCipher(const KeptCipher&) = delete;
  KeptCipher& operator=(const KeptCipher&) = delete;
};

KeptCipher& kept(void* state) { return *static_cast<KeptCipher*>(state); }

srtp_err_status_t said(bool done) { return done ? srtp_err_status_ok : srtp_err_status_cipher_fail; }

template <srtp_cipher_type_id_t id>
srtp_err_status_t make_cipher(srtp_cipher_t** out, int key_size, int tag_size) {
  const auto* kind = replacement_of(id);
  const bool gcm = kind->mode == KeptAes::Mode::gcm;
  if (static_cast<std::size_t>(key_size) != kind->key + (gcm ? kSaltOfGcm : kSaltOfCounter) ||
      (gcm && tag_size != 16 && tag_size != 8))
    return srtp_err_status_bad_param;
  auto* made = new (std::nothrow) KeptCipher;
  if (made == nullptr) return srtp_err_status_alloc_fail;
  made->type = kind->type;
  made->state = made;
  made->key_len = key_size;
  made->algorithm = static_cast<int>(id);
  made->kind = kind;
  made->tag = static_cast<std::size_t>(tag_size);
  *out = made;
  return srtp_err_status_ok;
}

srtp_err_status_t free_cipher(srtp_cipher_t* cipher) {
  delete static_cast<KeptCipher*>(cipher);
  return srtp_err_status_ok;
}

// Key, and in counter mode the salt behind it.
srtp_err_status_t set_key(void* state, const std::uint8_t* key) {
  auto& c = kept(state);
  c.aes = KeptAes::make(c.kind->mode, {key, c.kind->key});
  if (c.kind->mode == KeptAes::Mode::counter) std::copy_n(key + c.kind->key, kSaltOfCounter, c.offset.begin());
  return said(c.aes.has_value());
}

srtp_err_status_t begin_gcm(void* state, std::uint8_t* iv, srtp_cipher_direction_t direction) {
  auto& c = kept(state);
  if (direction == srtp_direction_any) return srtp_err_status_bad_param;
  std::copy_n(iv, c.nonce.size(), c.nonce.begin());
  return said(c.aes &&
              c.aes->begin(c.nonce, direction == srtp_direction_encrypt ? KeptAes::Way::seal : KeptAes::Way::open));
}

// RFC 3711 section 4.1.1.
srtp_err_status_t begin_counter(void* state, std::uint8_t* iv, srtp_cipher_direction_t) {
  auto& c = kept(state);
  ByteArray<16> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i) counter[i] = static_cast<std::uint8_t>(c.offset[i] ^ iv[i]);
  return said(c.aes && c.aes->begin(counter, KeptAes::Way::seal));
}

srtp_err_status_t authenticate(void* state, const std::uint8_t* part, std::uint32_t size) {
  auto& c = kept(state);
  return said(c.aes && c.aes->authenticate({part, size}));
}

srtp_err_status_t apply_cipher(void* state, std::uint8_t* text, unsigned int* size) {
  auto& c = kept(state);
  return said(c.aes && c.aes->apply({text, *size}));
}

srtp_err_status_t take_tag(void* state, std::uint8_t* tag, std::uint32_t* size) {
  auto& c = kept(state);
  *size = static_cast<std::uint32_t>(c.tag);
  return said(c.aes && c.aes->tag({tag, c.tag}));
}

// Text with its tag behind it. What is not authentic is left as it came.
srtp_err_status_t open_gcm(void* state, std::uint8_t* text, unsigned int* size) {
  auto& c = kept(state);
  if (!c.aes || *size < c.tag) return srtp_err_status_auth_fail;
  const MutableBytes plain(text, *size - c.tag);
  if (!c.aes->apply(plain)) return srtp_err_status_cipher_fail;
  if (!c.aes->check({text + plain.size(), c.tag})) {
    const bool restored = c.aes->begin(c.nonce, KeptAes::Way::seal) && c.aes->apply(plain);
    return restored ? srtp_err_status_auth_fail : srtp_err_status_cipher_fail;
  }
  *size = static_cast<unsigned int>(plain.size());
  return srtp_err_status_ok;
}

struct KeptAuth : srtp_auth_t {
  std::optional<KeptHmacSha1> mac;
  KeptAuth() : srtp_auth_t{} {}
};

KeptHmacSha1* mac_of(void* state) {
  auto& mac = static_cast<KeptAuth*>(state)->mac;
  return mac ? &*mac : nullptr;
}

srtp_err_status_t done_by(bool done) { return done ? srtp_err_status_ok : srtp_err_status_auth_fail; }

extern const srtp_auth_type_t kHmac;

srtp_err_status_t make_auth(srtp_auth_t** out, int key_size, int tag_size) {
  if (key_size < 0 || tag_size < 0 || static_cast<std::size_t>(tag_size) > KeptHmacSha1::kSize)
    return srtp_err_status_bad_param;
  auto* made = new (std::nothrow) KeptAuth;
  if (made == nullptr) return srtp_err_status_alloc_fail;
  made->type = &kHmac;
  made->state = made;
  made->out_len = tag_size;
  made->key_len = key_size;
  *out = made;
  return srtp_err_status_ok;
}

srtp_err_status_t free_auth(srtp_auth_t* auth) {
  delete static_cast<KeptAuth*>(auth);
  return srtp_err_status_ok;
}

srtp_err_status_t set_auth_key(void* state, const std::uint8_t* key, int size) {
  auto& mac = static_cast<KeptAuth*>(state)->mac;
  mac = KeptHmacSha1::make({key, static_cast<std::size_t>(size)});
  return done_by(mac.has_value());
}

srtp_err_status_t begin_auth(void* state) {
  auto* mac = mac_of(state);
  return done_by(mac != nullptr && mac->begin());
}

srtp_err_status_t add_to_auth(void* state, const std::uint8_t* part, int size) {
  auto* mac = mac_of(state);
  return done_by(mac != nullptr && mac->add({part, static_cast<std::size_t>(size)}));
}

srtp_err_status_t end_auth(void* state, const std::uint8_t* part, int size, int tag_size, std::uint8_t* tag) {
  auto* mac = mac_of(state);
  return done_by(mac != nullptr && mac->add({part, static_cast<std::size_t>(size)}) &&
                 mac->tag({tag, static_cast<std::size_t>(tag_size)}));
}

// Test case 16 of the GCM specification (McGrew and Viega, appendix B).
constexpr std::uint8_t kGcmKey[] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                    0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                    0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08, 0,
                                    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0};
std::uint8_t gcm_nonce[] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
constexpr std::uint8_t kGcmText[] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5,
                                     0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda,
                                     0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95,
                                     0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25,
                                     0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
constexpr std::uint8_t kGcmAad[] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                    0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
constexpr std::uint8_t kGcmSealed[] = {
    0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c,
    0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d,
    0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc,
    0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};
const srtp_cipher_test_case_t kGcmCase = {
    44, kGcmKey, gcm_nonce, sizeof kGcmText, kGcmText, sizeof kGcmSealed, kGcmSealed, 20, kGcmAad, 16, nullptr};

// Keystream of RFC 3711 appendix B.2 and of RFC 6188 section 7.1.
std::uint8_t counter_nonce[16] = {};
constexpr std::uint8_t kZeros[32] = {};
constexpr std::uint8_t kCounterKey128[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
                                           0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, 0xf0, 0xf1, 0xf2, 0xf3,
                                           0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
constexpr std::uint8_t kCounterStream128[] = {0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1,
                                              0x6d, 0xd9, 0x2b, 0x4e, 0xb4, 0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02,
                                              0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab};
constexpr std::uint8_t kCounterKey256[] = {0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c,
                                           0x40, 0xb1, 0xf0, 0x92, 0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82,
                                           0x72, 0x14, 0x7c, 0xc4, 0x38, 0x94, 0x4a, 0x98, 0xf0, 0xf1, 0xf2, 0xf3,
                                           0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
constexpr std::uint8_t kCounterStream256[] = {0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77,
                                              0xd0, 0x8b, 0x55, 0x15, 0xa4, 0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8,
                                              0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac};
const srtp_cipher_test_case_t kCounterCase128 = {
    30, kCounterKey128, counter_nonce, 32, kZeros, 32, kCounterStream128, 0, nullptr, 0, nullptr};
const srtp_cipher_test_case_t kCounterCase256 = {
    46, kCounterKey256, counter_nonce, 32, kZeros, 32, kCounterStream256, 0, nullptr, 0, nullptr};

// Case 1 of RFC 2202.
constexpr std::uint8_t kHmacKey[] = {0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                     0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
constexpr std::uint8_t kHmacText[] = {'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
constexpr std::uint8_t kHmacTag[] = {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
                                     0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00};
const srtp_auth_test_case_t kHmacCase = {20, kHmacKey, 8, kHmacText, 20, kHmacTag, nullptr};

const srtp_cipher_type_t kGcm256 = {make_cipher<SRTP_AES_GCM_256>,
                                    free_cipher,
                                    set_key,
                                    authenticate,
                                    apply_cipher,
                                    open_gcm,
                                    begin_gcm,
                                    take_tag,
                                    "AES-256 GCM, key kept",
                                    &kGcmCase,
                                    SRTP_AES_GCM_256};
const srtp_cipher_type_t kCounter128 = {make_cipher<SRTP_AES_ICM_128>,
                                        free_cipher,
                                        set_key,
                                        nullptr,
                                        apply_cipher,
                                        apply_cipher,
                                        begin_counter,
                                        nullptr,
                                        "AES-128 counter mode, key kept",
                                        &kCounterCase128,
                                        SRTP_AES_ICM_128};
const srtp_cipher_type_t kCounter256 = {make_cipher<SRTP_AES_ICM_256>,
                                        free_cipher,
                                        set_key,
                                        nullptr,
                                        apply_cipher,
                                        apply_cipher,
                                        begin_counter,
                                        nullptr,
                                        "AES-256 counter mode, key kept",
                                        &kCounterCase256,
                                        SRTP_AES_ICM_256};
const srtp_auth_type_t kHmac = {make_auth,     free_auth,  set_auth_key,          end_auth,
                                add_to_auth,   begin_auth, "HMAC-SHA1, key kept", &kHmacCase,
                                SRTP_HMAC_SHA1};

constexpr Replacement kReplacements[] = {{SRTP_AES_GCM_256, 32, KeptAes::Mode::gcm, &kGcm256},
                                         {SRTP_AES_ICM_128, 16, KeptAes::Mode::counter, &kCounter128},
                                         {SRTP_AES_ICM_256, 32, KeptAes::Mode::counter, &kCounter256}};

const Replacement* replacement_of(srtp_cipher_type_id_t id) {
  return std::find_if(std::begin(kReplacements), std::end(kReplacements), [id](const auto& r) { return r.id == id; });
}

}  // namespace

bool replace_srtp_ciphers() {
  bool all = srtp_replace_auth_type(&kHmac, SRTP_HMAC_SHA1) == srtp_err_status_ok;
  for (const auto& each : kReplacements) all &= srtp_replace_cipher_type(each.type, each.id) == srtp_err_status_ok;
  return all;
}

}  // namespace linnet::media
