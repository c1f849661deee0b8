// SRTP with the ciphers that were put in against libsrtp2 with its own: contexts that were made before.
#include "media/srtp_ciphers.h"

#include <gtest/gtest.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "media/rtp.h"
#include "media/srtp.h"

// What a new context would be made with; libsrtp2 exports them, and has them in no header that is installed.
extern "C" {
const srtp_cipher_type_t* srtp_crypto_kernel_get_cipher_type(srtp_cipher_type_id_t id);
const srtp_auth_type_t* srtp_crypto_kernel_get_auth_type(srtp_auth_type_id_t id);
}

namespace linnet::media {
namespace {

// The library as it is without us, a way each.
class PlainLibrary {
 public:
  explicit PlainLibrary(SrtpSuite suite) : key(SrtpKey::random(suite, rng_)), out_(make(false)), in_(make(true)) {}
  PlainLibrary(const PlainLibrary&) = delete;
  PlainLibrary& operator=(const PlainLibrary&) = delete;
  ~PlainLibrary() {
    srtp_dealloc(out_);
    srtp_dealloc(in_);
  }

  Bytes sealed(Bytes bytes, bool rtcp) {
    int length = static_cast<int>(bytes.size());
    bytes.resize(bytes.size() + SRTP_MAX_TRAILER_LEN + 4);
    const auto status = (rtcp ? srtp_protect_rtcp : srtp_protect)(out_, bytes.data(), &length);
    EXPECT_EQ(status, srtp_err_status_ok);
    bytes.resize(static_cast<std::size_t>(length));
    return bytes;
  }
  std::optional<Bytes> opened(Bytes bytes, bool rtcp) {
    int length = static_cast<int>(bytes.size());
    if ((rtcp ? srtp_unprotect_rtcp : srtp_unprotect)(in_, bytes.data(), &length) != srtp_err_status_ok)
      return std::nullopt;
    bytes.resize(static_cast<std::size_t>(length));
    return bytes;
  }

 private:
  SeededRng rng_{11};

 public:
  const SrtpKey key;

 private:
  srtp_t make(bool inbound) const {
    srtp_policy_t policy{};
    const auto set = key.suite() == SrtpSuite::aead_aes_256_gcm ? srtp_crypto_policy_set_aes_gcm_256_16_auth
                                                                : srtp_crypto_policy_set_rtp_default;
    set(&policy.rtp);
    set(&policy.rtcp);
    ByteArray<64> master{};
    std::copy(key.inline_key().begin(), key.inline_key().end(), master.begin());
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    policy.key = master.data();
    policy.window_size = kSrtpReplayWindow;
    srtp_t made = nullptr;
    return srtp_create(&made, &policy) == srtp_err_status_ok ? made : nullptr;
  }

  srtp_t out_, in_;
};

// Before main, so that nothing has put in ours yet; a context keeps the ciphers it was made with.
struct MadeBefore {
  bool began = srtp_init() == srtp_err_status_ok;
  PlainLibrary gcm{SrtpSuite::aead_aes_256_gcm}, counter{SrtpSuite::aes_cm_128_hmac_sha1_80};
} made_before;

class SrtpTwins : public testing::TestWithParam<SrtpSuite> {
 protected:
  SrtpTwins()
      : library(GetParam() == SrtpSuite::aead_aes_256_gcm ? made_before.gcm : made_before.counter),
        out(*Srtp::outbound(library.key)),
        in(*Srtp::inbound(library.key)) {}

  // Each packet of another length, with CSRCs and extension now and then; numbers wrap.
  static Bytes packet(int i) {
    RtpHeader header;
    header.ssrc = source_;
    header.sequence = static_cast<std::uint16_t>(0xfff0 + i);
    header.timestamp = static_cast<std::uint32_t>(i) * 960;
    header.payload_type = 111;
    header.csrc_count = static_cast<std::uint8_t>(i % 4);
    const std::uint8_t level = 0x9f;
    const ExtensionElement element{1, ByteView(&level, 1)};
    Bytes out;
    const Bytes payload(static_cast<std::size_t>(i * 7 % 300), static_cast<std::uint8_t>(i));
    if (i % 2 == 0) {
      write_rtp(out, header, payload);
    } else {
      write_rtp(out, header, {&element, 1}, ExtensionForm::one_octet, payload);
    }
    return out;
  }
  static Bytes report(int i) {
    Bytes out = *from_hex("80c90001000000");
    out.push_back(static_cast<std::uint8_t>(source_));
    out.resize(out.size() + static_cast<std::size_t>(i) * 4, 0x33);
    return out;
  }
  static Bytes ours(Srtp& srtp, Bytes bytes, bool rtcp) {
    EXPECT_TRUE(rtcp ? srtp.protect_rtcp(bytes) : srtp.protect_rtp(bytes));
    return bytes;
  }

  static inline std::uint32_t source_ = 1;  // a new one for each test: the library's contexts outlive it
  void TearDown() override { ++source_; }

  PlainLibrary& library;
  Srtp out, in;
};

INSTANTIATE_TEST_SUITE_P(Both, SrtpTwins, testing::ValuesIn(kSrtpSuites),
                         [](const auto& each) { return std::string(suite_name(each.param)); });

TEST_P(SrtpTwins, TheLibraryBeganBeforeUs) { EXPECT_TRUE(made_before.began); }

// It tries its own vectors on them before. Without this the twins below could be the library twice.
TEST(SrtpCiphers, AreAllTakenOnceTheLibraryIsReady) {
  ASSERT_TRUE(Srtp::prepare());
  for (const auto id : {SRTP_AES_GCM_256, SRTP_AES_ICM_128, SRTP_AES_ICM_256})
    EXPECT_NE(std::string(srtp_crypto_kernel_get_cipher_type(id)->description).find("key kept"), std::string::npos)
        << id;
  EXPECT_NE(std::string(srtp_crypto_kernel_get_auth_type(SRTP_HMAC_SHA1)->description).find("key kept"),
            std::string::npos);
  EXPECT_TRUE(replace_srtp_ciphers());
  EXPECT_TRUE(Srtp::fast()) << "or the daemon says that they were not";
}

TEST_P(SrtpTwins, ProtectToTheSameOctets) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(to_hex(ours(out, packet(i), false)), to_hex(library.sealed(packet(i), false))) << i;
    EXPECT_EQ(to_hex(ours(out, report(i), true)), to_hex(library.sealed(report(i), true))) << i;
  }
}

TEST_P(SrtpTwins, OpenWhatTheOtherProtected) {
  for (int i = 0; i < 100; ++i) {
    for (const bool rtcp : {false, true}) {
      const Bytes plain = rtcp ? report(i) : packet(i);
      Bytes from_library = library.sealed(plain, rtcp);
      const auto opened = rtcp ? in.open_rtcp(from_library) : in.open_rtp(from_library);
      ASSERT_TRUE(opened) << i << to_string(opened.error());
      EXPECT_TRUE(equal(*opened, plain)) << i;
      EXPECT_EQ(library.opened(ours(out, plain, rtcp), rtcp), plain) << i;
    }
  }
}

// Several calls may look at one packet, one after the other.
TEST_P(SrtpTwins, LeaveAPacketThatIsNotAuthenticAsItCame) {
  for (const bool rtcp : {false, true}) {
    Bytes forged = ours(out, rtcp ? report(3) : packet(9), rtcp);
    forged[forged.size() - (rtcp ? 7 : 1)] ^= 1;
    const Bytes before = forged;
    EXPECT_FALSE(rtcp ? in.open_rtcp(forged) : in.open_rtp(forged));
    EXPECT_EQ(to_hex(forged), to_hex(before));
  }
}

}  // namespace
}  // namespace linnet::media
