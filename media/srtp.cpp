#include "media/srtp.h"

#include <srtp2/srtp.h>

#include "media/srtp_ciphers.h"

namespace linnet::media {
namespace {

Fault to_fault(srtp_err_status_t status) {
  switch (status) {
    case srtp_err_status_auth_fail:
    case srtp_err_status_cipher_fail: return Fault::bad_mac;  // of what came
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old: return Fault::replayed;
    case srtp_err_status_key_expired: return Fault::refused;
    default: return Fault::malformed;
  }
}

// Nothing of ours is forged: the same words mean that libcrypto did not do it.
Fault of_sealing(srtp_err_status_t status) {
  const bool cipher = status == srtp_err_status_auth_fail || status == srtp_err_status_cipher_fail;
  return cipher ? Fault::refused : to_fault(status);
}

void set_policies(SrtpSuite suite, srtp_policy_t& policy) {
  if (suite == SrtpSuite::aead_aes_256_gcm) {
    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
  } else {
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
  }
}

// Where libsrtp kept its own ciphers, on NSS: it loads and tests the whole of NSS for its first context, and unloads it
// with its last. One that is kept spares every call that.
srtp_t keep_one() {
  srtp_policy_t policy{};
  set_policies(SrtpSuite::aead_aes_256_gcm, policy);
  ByteArray<64> no_key{};
  policy.ssrc.type = ssrc_any_outbound;
  policy.key = no_key.data();
  srtp_t out = nullptr;
  return srtp_create(&out, &policy) == srtp_err_status_ok ? out : nullptr;
}

struct Library {
  srtp_t kept = nullptr;
  bool replaced = false;  // else its own ciphers work too, if more slowly
};

Library begin_library() {
  // So it says when somebody else in this process began it.
  const auto begun = srtp_init();
  if (begun != srtp_err_status_ok && begun != srtp_err_status_bad_param) return {};
  const bool replaced = replace_srtp_ciphers();
  return {keep_one(), replaced};
}

const Library& library() {
  static const Library begun = begin_library();
  return begun;
}

using Operation = srtp_err_status_t (*)(srtp_t, void*, int*);

Status protect(srtp_t context, Bytes& bytes, Operation operation) {
  const std::size_t plain = bytes.size();
  // libsrtp asks for this much room behind the packet, whatever the suite.
  bytes.resize(plain + SRTP_MAX_TRAILER_LEN + 4);
  int length = static_cast<int>(plain);
  const auto status = operation(context, bytes.data(), &length);
  if (status != srtp_err_status_ok) {
    bytes.clear();
    return fail(of_sealing(status));
  }
  bytes.resize(static_cast<std::size_t>(length));
  return {};
}

Result<MutableBytes> open(srtp_t context, MutableBytes bytes, Operation operation) {
  int length = static_cast<int>(bytes.size());
  const auto status = operation(context, bytes.data(), &length);
  if (status != srtp_err_status_ok) return fail(to_fault(status));
  return bytes.first(static_cast<std::size_t>(length));
}

// Fixed header, CSRC list and extension lie before the tag. Checked here so that safety does not hang on the library's.
bool rtp_header_fits(ByteView bytes, std::size_t tag) {
  if (bytes.size() < 12 + tag || bytes.size() > 65535) return false;
  std::size_t need = 12 + std::size_t{4} * (bytes[0] & 0x0fU);
  const std::size_t have = bytes.size() - tag;
  if ((bytes[0] & 0x10U) != 0) {
    if (have < need + 4) return false;
    need += 4 + std::size_t{4} * Reader(bytes.subspan(need + 2, 2)).u16();
  }
  return have >= need;
}

bool rtcp_header_fits(ByteView bytes, std::size_t tag) { return bytes.size() >= 8 + 4 + tag && bytes.size() <= 65535; }

}  // namespace

void Srtp::Free::operator()(srtp_ctx_t_* context) const { srtp_dealloc(context); }

bool Srtp::prepare() { return library().kept != nullptr; }
bool Srtp::fast() { return library().replaced; }

Result<Srtp> Srtp::make(const SrtpKey& key, bool inbound) {
  if (!prepare() || key.empty()) return fail(Fault::bad_key);
  ByteArray<64> master{};
  const auto material = key.inline_key();
  std::copy(material.begin(), material.end(), master.begin());
  srtp_policy_t policy{};
  set_policies(key.suite(), policy);
  policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
  policy.key = master.data();
  policy.window_size = kSrtpReplayWindow;
  policy.allow_repeat_tx = 0;
  srtp_t raw = nullptr;
  const auto status = srtp_create(&raw, &policy);
  explicit_bzero(master.data(), master.size());
  if (status != srtp_err_status_ok) return fail(Fault::bad_key);
  Srtp out;
  out.context_.reset(raw);
  out.tag_ = srtp_overhead(key.suite());
  return out;
}

Result<Srtp> Srtp::outbound(const SrtpKey& key) { return make(key, false); }
Result<Srtp> Srtp::inbound(const SrtpKey& key) { return make(key, true); }

Status Srtp::protect_rtp(Bytes& bytes) { return protect(context_.get(), bytes, srtp_protect); }
Status Srtp::protect_rtcp(Bytes& bytes) { return protect(context_.get(), bytes, srtp_protect_rtcp); }

Result<MutableBytes> Srtp::open_rtp(MutableBytes bytes) {
  if (!rtp_header_fits(bytes, tag_)) return fail(Fault::malformed);
  return open(context_.get(), bytes, srtp_unprotect);
}

Result<MutableBytes> Srtp::open_rtcp(MutableBytes bytes) {
  if (!rtcp_header_fits(bytes, tag_)) return fail(Fault::malformed);
  return open(context_.get(), bytes, srtp_unprotect_rtcp);
}

}  // namespace linnet::media
