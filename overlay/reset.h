// Telling who sends us packets of a session we do not know (any more) that it is gone, without keeping anything about it
// (the idea of RFC 9000, section 10.3). A responder's token for a session is derived from SK and the receiver index, and
// said in message 2; so a responder that was started anew still knows it, and nobody else can.
//
//   7 | 1 | index, epoch, number of the packet that came (12) | tag (16), keyed by the token over what stands before
#pragma once

#include "crypto/guard.h"
#include "crypto/identity.h"
#include "overlay/frame.h"

namespace linnet::overlay {

// The high bits of an index are the number of the run of the process that drew it. A supernode answers for earlier runs
// only, whose sessions are gone: a reset that was asked for beforehand ends none of a session to come.
inline constexpr unsigned kRunBits = 12;
inline constexpr std::uint32_t kRuns = 1U << kRunBits;
constexpr std::uint32_t index_in_run(std::uint32_t run, std::uint32_t random) {
  return run % kRuns << (32 - kRunBits) | random >> kRunBits;
}
constexpr bool of_earlier_run(std::uint32_t index, std::uint32_t run) {
  const auto behind = (run - (index >> (32 - kRunBits))) % kRuns;
  return behind != 0 && behind < kRuns / 2;
}

inline constexpr std::uint8_t kResetKind = 1;  // second byte of a packet of type 7; 0 is a cookie
inline constexpr std::size_t kResetBytes = 2 + (kDataHeaderBytes - 1) + crypto::kTagBytes;
static_assert(kResetBytes < kMinDataPacket, "never longer than what caused it");

class Resetter {
 public:
  Resetter(const crypto::Suite& suite, const crypto::Identity& identity);

  crypto::Mac token(std::uint32_t index) const;
  // The answer to a data packet that belongs to nobody; nothing when enough were given to this prefix or in all.
  std::optional<Bytes> answer(Time now, const IpAddress& from, const DataHeader& header);

 private:
  const crypto::Suite* suite_;
  crypto::Secret key_;
  crypto::PrefixLimiter each_;
  crypto::PrefixLimiter all_;
};

// Which packet of ours it answers; nothing when it is none. Its tag is still to be checked.
std::optional<DataHeader> read_reset(ByteView packet);
bool reset_good(const crypto::Suite& suite, const crypto::Mac& token, ByteView packet);

}  // namespace linnet::overlay
