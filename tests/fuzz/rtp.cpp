// RTP, RTCP and everything behind them: each input is a conversation of packets, two octets of length before each.
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
  config.receive = {{111, CodecKind::opus}, {0, CodecKind::pcmu}, {8, CodecKind::pcma}};
  return config;
}

void parse(ByteView bytes) {
  if (const auto packet = parse_rtp(bytes)) {
    Bytes again;
    write_rtp(again, packet->header, packet->payload);
    const auto same = parse_rtp(again);
    if (!same || !equal(same->payload, packet->payload)) __builtin_trap();
  }
  if (const auto rtcp = parse_rtcp(bytes)) {
    for (const auto& report : rtcp->reports) {
      if (!parse_rtcp(write_rtcp(report, rtcp->cname, !rtcp->bye.empty()))) __builtin_trap();
    }
  }
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
  auto srtp = Srtp::inbound(SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng));
  std::vector<std::int16_t> block(480);
  Time now{};
  Reader in({data, size});
  for (int packets = 0; packets < 64 && in.remaining() >= 2; ++packets) {
    const std::size_t length = in.u16() % 1500;
    Bytes packet = copy(in.bytes(std::min(length, in.remaining())));
    parse(packet);
    forge(*srtp, packet);
    (void)session.handle_packet(now, packet);
    now += std::chrono::milliseconds(10);
    session.play(now, block);
    if (session.next_timeout() <= now) session.handle_timeout(now);
    while (session.poll_packet()) {
    }
  }
  (void)session.stats(now);
  return 0;
}
