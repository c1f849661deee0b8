// SRTP and SRTCP (RFC 3711, AES-GCM by RFC 7714) through libsrtp2. Packets are changed in place.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "media/sdes.h"

struct srtp_ctx_t_;

namespace linnet::media {

inline constexpr std::size_t kSrtpReplayWindow = 1024;  // packets

// One direction of one stream.
class Srtp {
 public:
  // Makes the library ready, which takes 20 ms or more: who does it before the first call does not wait for it at the
  // answer. False: it does not work here.
  static bool prepare();
  // Once it is ready: the ciphers of libcrypto took the place of its own (srtp_ciphers.h). Else all works, but slower.
  static bool fast();

  // Outbound protects any SSRC of ours, inbound opens any SSRC of theirs; the session checks the SSRC before.
  // Fault: bad_key.
  static Result<Srtp> outbound(const SrtpKey& key);
  static Result<Srtp> inbound(const SrtpKey& key);

  // `bytes` grows by the trailer. Fault: malformed, refused (the key has protected 2^48 packets, or libcrypto did not
  // do it).
  Status protect_rtp(Bytes& bytes);
  Status protect_rtcp(Bytes& bytes);

  // The plain packet is the front of `bytes`. Faults: bad_mac, replayed, malformed.
  Result<MutableBytes> open_rtp(MutableBytes bytes);
  Result<MutableBytes> open_rtcp(MutableBytes bytes);

 private:
  struct Free {
    void operator()(srtp_ctx_t_* context) const;
  };
  static Result<Srtp> make(const SrtpKey& key, bool inbound);

  std::unique_ptr<srtp_ctx_t_, Free> context_;
  std::size_t tag_ = 0;
};

}  // namespace linnet::media
