// sip: any text as a session description. What is accepted is written and read back the same; what is taken as audio
// is encrypted, and an answer to it can be read.
#include "sip/sdp.h"

#include "require.h"
#include "sip/offer_answer.h"

namespace {

using namespace linnet;
using namespace linnet::sip;
using linnet::fuzz::require;

AudioOffer ours() {
  AudioOffer out;
  out.codecs = {{96, "opus", 48000, 2, ""}, {0, "PCMU", 8000, 1, ""}};
  out.crypto = {{1, "AEAD_AES_256_GCM", Bytes(44, 1)}, {2, "AES_CM_128_HMAC_SHA1_80", Bytes(30, 1)}};
  out.extensions = {{0, "urn:a", Direction::sendrecv, "vad=on"}, {0, "urn:b", Direction::recvonly, ""}};
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = linnet::text(ByteView(data, size));
  if (const auto sdp = parse_sdp(text)) {
    const auto written = serialise(*sdp);
    if (written.size() <= kMaxSdp) {
      const auto back = parse_sdp(written);
      require(back.has_value() && *back == *sdp);
    }
  }
  const auto offer = read_audio(text);
  if (!offer) return 0;
  require(!offer->crypto.empty() && !offer->codecs.empty());
  const auto answer = make_answer(*offer, ours());
  if (!answer) return 0;
  const auto written = to_sdp(*answer);
  if (written.size() > kMaxSdp) return 0;
  const auto read = read_audio(written);
  require(read.has_value());
  require(read->crypto == answer->crypto && read->codecs == answer->codecs && read->extensions == answer->extensions);
  return 0;
}
