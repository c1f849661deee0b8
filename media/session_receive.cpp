#include <algorithm>

#include "media/quality.h"
#include "media/session_impl.h"

namespace linnet::media {
namespace {

constexpr auto kFirstReport = std::chrono::milliseconds(45);

}  // namespace

const PayloadType* Session::Impl::find_type(std::uint8_t number) const {
  const auto it = std::find_if(config.receive.begin(), config.receive.end(),
                               [number](const PayloadType& t) { return t.number == number; });
  return it == config.receive.end() ? nullptr : &*it;
}

Result<MutableBytes> Session::Impl::open(MutableBytes packet, bool rtcp) {
  if (plain()) return packet;
  if (!in_srtp) return fail(Fault::bad_key);
  return rtcp ? in_srtp->open_rtcp(packet) : in_srtp->open_rtp(packet);
}

Result<PacketKind> Session::Impl::receive(Time now, MutableBytes packet) {
  if (closed) return fail(Fault::refused);
  const auto from = sender_ssrc(packet);
  if (!from) return fail(Fault::truncated);
  if (packet[0] >> 6 != 2) return fail(Fault::malformed);
  if (*from == ssrc || (remote_ssrc && *from != *remote_ssrc)) return fail(Fault::mismatch);
  if (source && *from != *source && sources >= kMaxSources) return fail(Fault::refused);
  const bool rtcp = is_rtcp(packet);
  // Before it is opened: by two ways at once every other packet is one that came already.
  if (!rtcp && !plain() && source == *from && packet.size() >= kRtpHeader &&
      reception.seen(reception.extend(static_cast<std::uint16_t>(packet[2] << 8 | packet[3]))))
    return fail(Fault::replayed);
  auto plain_packet = open(packet, rtcp);
  if (!plain_packet) return fail(plain_packet.error());
  const auto status = rtcp ? receive_rtcp(now, *plain_packet) : receive_rtp(now, *plain_packet);
  if (!status) return fail(status.error());
  begin(now);
  // The first word of the peer's stream goes soon: what the path's delay is without a queue is known by it.
  if (!rtcp && reception.received() == 1 && timers.running(Deadline::report))
    timers.set(Deadline::report, std::min(timers.at(Deadline::report), now + kFirstReport));
  if (!rtcp && timers.running(Deadline::report) &&
      timing.urgent(now, reception.lateness_ms(), static_cast<double>(reception.lost_since_report()),
                    static_cast<double>(reception.expected_since_report()),
                    timing.mean(report_octets, wire_rate(rate.plan(), 56)))) {
    timers.set(Deadline::report, now);
  }
  return rtcp ? PacketKind::rtcp : PacketKind::rtp;
}

// The peer's stream has another source than before (another device, a mixer's change): its numbers start anew.
void Session::Impl::new_source(std::uint32_t from) {
  if (source == from) return;
  if (source) {
    playout.restart();
    reception = Reception{};
    events = DigitReceiver{};
    client_level.reset();
    contributor_count = 0;
  }
  source = from;
  ++sources;
}

Status Session::Impl::receive_rtp(Time now, ByteView bytes) {
  const auto packet = parse_rtp(bytes);
  if (!packet) return fail(packet.error());
  const auto number = packet->header.payload_type;
  if (config.auxiliary.red == number) return receive_red(now, *packet);
  for (const auto& type : config.auxiliary.events) {
    if (type.number == number) return receive_event(now, *packet, type);
  }
  const PayloadType* type = find_type(number);
  if (type == nullptr) return fail(Fault::unsupported);
  return receive_voice(now, *packet, *type);
}

// A malformed extension is as good as none; the packet's voice stands for itself.
void Session::Impl::note_levels(Time now, const RtpPacket& packet) {
  ExtensionElements elements;
  if (packet.extension_profile) {
    if (const auto parsed = parse_elements(*packet.extension_profile, packet.extension)) elements = *parsed;
  }
  const auto find = [&elements](std::optional<std::uint8_t> id) { return id ? elements.find(*id) : std::nullopt; };
  if (auto level = parse_client_level(find(config.client_level).value_or(ByteView{}))) {
    level->voice = level->voice && config.level_use.vad;
    client_level = HeardLevel{*level, now};
  }
  // One octet for each CSRC, in their order (RFC 6465).
  const ByteView levels = find(config.mixer_level).value_or(ByteView{});
  contributor_count = packet.header.csrc_count;
  for (std::size_t i = 0; i < contributor_count; ++i) {
    contributors[i] = {packet.header.csrc[i], {}};
    if (i < levels.size()) contributors[i].level.dbov = levels[i] & 0x7f;
  }
}

// False: a duplicate.
bool Session::Impl::count(Time now, const RtpPacket& packet, int clock, bool timed) {
  new_source(packet.header.ssrc);
  if (!counted.first_received) counted.first_received = now;
  const auto sequence = reception.extend(packet.header.sequence);
  if (reception.seen(sequence)) {
    ++counted.packets_duplicate;
    return false;
  }
  if (reception.is_newest(sequence)) note_levels(now, packet);
  reception.on_packet(now, packet.header, clock, timed);
  return true;
}

void Session::Impl::insert(Time now, const RtpHeader& header, std::int64_t sequence, ByteView payload, Codec& codec) {
  if (!receiving || payload.empty()) return;
  if (playout.insert(now, sequence, header.timestamp, payload, codec) == Admission::late)
    reception.on_discard(sequence);
}

Status Session::Impl::receive_voice(Time now, const RtpPacket& packet, const PayloadType& type) {
  new_source(packet.header.ssrc);
  const auto sequence = reception.extend(packet.header.sequence);
  if (!count(now, packet, rtp_clock(type.codec), true)) return {};
  insert(now, packet.header, sequence, packet.payload, codecs.get(type.codec));
  return {};
}

// The copies first: what they bring is then no gap before the frame they travel with.
Status Session::Impl::receive_red(Time now, const RtpPacket& packet) {
  const auto red = parse_red(packet.payload);
  if (!red) return fail(red.error());
  const auto opus = [this](std::uint8_t number) {
    const auto* type = find_type(number);
    return type != nullptr && type->codec == CodecKind::opus;
  };
  const auto& primary = red->primary();
  if (!opus(primary.payload_type)) return fail(Fault::unsupported);
  new_source(packet.header.ssrc);
  const auto sequence = reception.extend(packet.header.sequence);
  if (!count(now, packet, rtp_clock(CodecKind::opus), true)) return {};
  auto& codec = codecs.get(CodecKind::opus);
  for (const auto& copy : red->copies()) {
    // Numbers are counted back in frames of one length: our sender keeps to that, others are not guessed at.
    const auto length = static_cast<std::uint32_t>(codec.duration(copy.payload));
    if (!receiving || !opus(copy.payload_type) || length == 0 || copy.offset == 0 || copy.offset % length != 0)
      continue;
    playout.insert_copy(now, sequence - copy.offset / length, packet.header.timestamp - copy.offset, copy.offset,
                        copy.payload, codec);
  }
  insert(now, packet.header, sequence, primary.payload, codec);
  return {};
}

Status Session::Impl::receive_event(Time now, const RtpPacket& packet, const EventType& type) {
  if (!count(now, packet, type.clock, false)) return {};
  playout.pause();  // the voice that is missing is no gap
  const auto digit = events.on_packet(packet.header.timestamp, packet.payload);
  if (digit && receiving && digits.size() < kMaxDigits) digits.push_back(*digit);
  return {};
}

void Session::Impl::on_report(Time now, const Report& report, const ReportBlock& block) {
  if (block.ssrc != ssrc) return;
  last_block = block;
  counted.remote_loss_pct = 100.0 * block.fraction_lost / 256;
  const auto round = round_trip(now, block);
  if (round) rtt = rtt ? (*rtt * 7 + *round) / 8 : *round;
  PathReport path{block.highest_sequence, block.cumulative_lost, std::nullopt, round};
  if (report.sender) path.made = ntp_duration(report.sender->ntp);
  rate.on_report(now, path);
  CircuitBreaker::Sample sample;
  sample.highest = block.highest_sequence;
  sample.loss = block.fraction_lost / 256.0;
  sample.round_trip = rtt;
  sample.frame = std::chrono::milliseconds(rate.plan().frame_ms);
  sample.rate = wire_rate(rate.plan(), 56) / 8.0;
  sample.packet_octets = sample.rate * rate.plan().frame_ms / 1000;
  breaker.on_report(now, sample, timing.mean(report_octets, sample.rate * 8));
}

Status Session::Impl::receive_rtcp(Time now, ByteView bytes) {
  const auto rtcp = parse_rtcp(bytes);
  if (!rtcp) return fail(rtcp.error());
  for (const auto& report : rtcp->reports) {
    if (report.sender && (!source || report.ssrc == *source)) reception.on_sender_report(now, report.sender->ntp);
    for (const auto& block : report.blocks) on_report(now, report, block);
  }
  if (rtcp->voip && rtcp->voip->ssrc == ssrc) {
    counted.remote_metrics = rtcp->voip;
    rate.set_outage(outage_ms(*rtcp->voip));
  }
  if (source && std::find(rtcp->bye.begin(), rtcp->bye.end(), *source) != rtcp->bye.end()) playout.pause();
  return {};
}

std::optional<double> Session::Impl::rate_quality(const PlayoutStats& played) const {
  if (!rtt || !played.delay_ms || reception.expected() == 0) return std::nullopt;
  QualityInput in;
  in.codec = config.send.codec;
  // What the ear missed: neither decoded nor recovered, be it lost or late.
  const double frame = static_cast<double>(playout.frame());
  const double missed = static_cast<double>(played.concealed) / frame;
  const double heard = static_cast<double>(played.decoded + played.recovered);
  if (heard + missed == 0) return std::nullopt;  // nobody listened
  in.loss_pct = 100 * missed / (heard + missed);
  in.one_way_ms = millis(*rtt) / 2 + *played.delay_ms + frame / kSamplesPerMs;
  return mos(rating(in));
}

}  // namespace linnet::media
