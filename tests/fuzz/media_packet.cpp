// The parsers of what stands inside SRTP: RTP, RTCP with extended reports, RFC 2198, telephone events. No session, so
// that a second tries a hundred thousand inputs; the rtp target plays whole conversations.
#include <cstdint>

#include "media/redundancy.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/telephone_event.h"
#include "tests/fuzz/require.h"

namespace {

using namespace linnet;
using namespace linnet::media;
using linnet::fuzz::require;

void rtp(ByteView bytes) {
  const auto packet = parse_rtp(bytes);
  if (!packet) return;
  Bytes again;
  write_rtp(again, packet->header, packet->payload);
  const auto same = parse_rtp(again);
  require(same && equal(same->payload, packet->payload));
}

void rtcp(ByteView bytes) {
  const auto packet = parse_rtcp(bytes);
  if (!packet) return;
  const VoipMetrics* const voip = packet->voip ? &*packet->voip : nullptr;
  for (const auto& report : packet->reports) {
    const auto again = parse_rtcp(write_rtcp(report, packet->cname, !packet->bye.empty(), voip));
    require(again.has_value() && again->voip == packet->voip);
  }
}

void red(ByteView bytes) {
  const auto payload = parse_red(bytes);
  if (!payload) return;
  Bytes again;
  write_red(again, std::span(payload->blocks).first(payload->count));
  const auto same = parse_red(again);
  require(same && same->count == payload->count && equal(same->primary().payload, payload->primary().payload));
}

void event(ByteView bytes) {
  DigitReceiver digits;
  (void)digits.on_packet(1, bytes);
  if (const auto event = parse_event(bytes)) {
    Bytes again;
    write_event(again, *event);
    require(parse_event(again)->duration == event->duration);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  rtp(bytes);
  rtcp(bytes);
  red(bytes);
  event(bytes);
  return 0;
}
