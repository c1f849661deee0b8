// The parsers of what stands inside SRTP: RTP with its extension elements, RTCP with extended reports, RFC 2198,
// telephone events. No session, so that a second tries a hundred thousand inputs; the rtp target plays whole
// conversations. And what a sender makes of the same octets, read back.
#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "media/redundancy.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/telephone_event.h"
#include "tests/fuzz/require.h"

namespace {

using namespace linnet;
using namespace linnet::media;
using linnet::fuzz::require;

// The elements of an extension lie in it, and those that can be written read back in their order.
void elements(std::uint16_t profile, ByteView bytes) {
  const auto read = parse_elements(profile, bytes);
  if (!read) return;
  const auto all = std::span(read->elements).first(read->count);
  for (const auto& e : all)
    require(e.id != 0 && e.data.data() >= bytes.data() && e.data.data() + e.data.size() <= bytes.data() + bytes.size());
  for (const auto form : {ExtensionForm::one_octet, ExtensionForm::two_octets}) {
    Bytes again;
    write_rtp(again, {}, all, form, {});
    const auto packet = parse_rtp(again);
    require(packet && again.size() == kRtpHeader + extension_size(all, form));
    if (!packet->extension_profile) continue;
    const auto same = parse_elements(*packet->extension_profile, packet->extension);
    require(same.has_value());
    std::size_t at = 0;
    for (const auto& e : all) {
      if (!fits(e, form)) continue;
      require(at < same->count && same->elements[at].id == e.id && equal(same->elements[at].data, e.data));
      ++at;
    }
    require(at == same->count);
  }
}

void rtp(ByteView bytes) {
  const auto packet = parse_rtp(bytes);
  if (!packet) return;
  Bytes again;
  write_rtp(again, packet->header, packet->payload);
  const auto same = parse_rtp(again);
  require(same && equal(same->payload, packet->payload));
  if (packet->extension_profile) elements(*packet->extension_profile, packet->extension);
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

// Frames of these octets with copies of earlier ones: what the receiver reads is what was sent.
void redundancy(ByteView bytes) {
  Reader in(bytes);
  SentFrames sent;
  std::map<std::uint32_t, ByteView> frames;
  std::uint32_t at = 0;
  for (int i = 0; i < 64 && in.remaining() > 4; ++i) {
    const std::uint32_t length = in.u8() % 4 == 0 ? 480 : 960;
    const std::array distances{in.u8(), static_cast<std::uint8_t>(in.u8() % 4)};
    const auto payload = in.bytes(std::min<std::size_t>(in.u8() * 8U, in.remaining()));
    Bytes packet;
    sent.write(packet, 111, at, length, payload, distances);
    const auto read = parse_red(packet);
    require(read && equal(read->primary().payload, payload));
    for (const auto& copy : read->copies())
      require(frames.contains(at - copy.offset) && equal(frames[at - copy.offset], copy.payload));
    sent.add(at, length, payload);
    frames[at] = payload;
    at += length;
  }
}

// The digits among these octets, keyed; the receiver tells the same.
void digits(ByteView bytes) {
  DigitSender sender;
  DigitReceiver receiver;
  std::string keyed;
  std::string told;
  for (const auto c : bytes.first(std::min<std::size_t>(bytes.size(), 128)))
    if (sender.push(static_cast<char>(c))) keyed += *digit_of(*event_of(static_cast<char>(c)));
  require(keyed.size() <= DigitSender::kMaxWaiting);
  std::uint32_t at = 0;
  for (int i = 0; sender.busy(); ++i, at += 960) {
    require(i < 64 * 20);
    const auto out = sender.next(at, 20, 48);
    if (!out) continue;
    Bytes packet;
    write_event(packet, out->event);
    for (int n = 0; n < out->copies; ++n)
      if (const auto digit = receiver.on_packet(out->timestamp, packet)) told += *digit;
  }
  require(told == keyed);
}

// Packets that came, were lost or came too late: rates and densities of at most one, and a report that reads the same.
void bursts(ByteView bytes) {
  BurstMeter meter;
  for (const auto b : bytes)
    for (int bit = 0; bit < 8; bit += 2) meter.add(static_cast<BurstMeter::Fate>(std::min(2, b >> bit & 3)));
  VoipMetrics metrics;
  meter.fill(metrics, 20);
  require(meter.packets() == 4 * bytes.size() && outage_ms(metrics) <= 400);
  Writer out;
  write_voip_metrics(out, metrics);
  const auto read = read_xr_blocks(out.written());
  require(read && *read && **read == metrics);
}

void times(ByteView bytes) {
  Reader in(bytes);
  const Time now{Duration(static_cast<std::int64_t>(in.u32()) << 8)};
  const auto ntp = ntp_time(now);
  const auto back = ntp_duration(ntp) - now.time_since_epoch();
  require(back <= Duration(0) && back >= Duration(-1));
  ReportBlock block;
  block.last_sr = in.u32();
  block.delay_since_last_sr = in.u32();
  if (const auto trip = round_trip(now, block)) require(*trip >= Duration(0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  rtp(bytes);
  elements(kOneOctetProfile, bytes);
  elements(kTwoOctetProfile, bytes);
  rtcp(bytes);
  red(bytes);
  event(bytes);
  if (size > 2048) return 0;
  redundancy(bytes);
  digits(bytes);
  bursts(bytes);
  times(bytes);
  return 0;
}
