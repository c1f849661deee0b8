// A session that is sent anything: each input is a conversation of packets, two octets of length before each. The
// parsers alone have a target of their own, media_packet.
#include <cstdint>

#include "base/rng.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/session.h"
#include "media/srtp.h"

namespace {

using namespace linnet;
using namespace linnet::media;

SessionConfig plain() {
  SessionConfig config;
  config.security = PlainRtp{};
  config.ssrc = 1;
  config.auxiliary = {63, {{101, 48000}, {102, 8000}}};
  config.reduced_size = config.metrics = true;
  config.client_level = 1;
  config.mixer_level = 2;
  config.receive = {{111, CodecKind::opus}, {0, CodecKind::pcmu}, {8, CodecKind::pcma}, {96, CodecKind::l16}};
  return config;
}

// Nothing here knows the key, so nothing may open.
void forge(Srtp& srtp, ByteView bytes) {
  Bytes copy = linnet::copy(bytes);
  if (srtp.open_rtp(copy)) __builtin_trap();
  copy = linnet::copy(bytes);
  if (srtp.open_rtcp(copy)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SeededRng rng(1);
  Session session(plain(), rng);
  static auto srtp = Srtp::inbound(SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng));
  std::vector<std::int16_t> block(480);
  Time now{};
  Reader in({data, size});
  for (int packets = 0; packets < 32 && in.remaining() >= 2; ++packets) {
    const std::size_t length = in.u16() % 1500;
    Bytes packet = copy(in.bytes(std::min(length, in.remaining())));
    forge(*srtp, packet);
    (void)session.handle_packet(now, packet);
    now += std::chrono::milliseconds(10);
    session.set_contributors(session.contributors());
    if (packets % 4 == 3)
      session.skim(now, block.size());
    else
      session.play(now, block);
    session.capture(now, block);
    if (session.next_timeout() <= now) session.handle_timeout(now);
    while (session.poll_packet()) {
    }
  }
  (void)session.stats(now);
  return 0;
}
