#include "media/mix_benchmark.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/sdes.h"

namespace linnet::media {
namespace {

constexpr std::uint8_t kOpusType = 96;
constexpr std::uint8_t kLevelId = 1;
constexpr std::uint8_t kTalks = 25, kListens = 80;  // dB below full scale
constexpr Duration kFrameTime = std::chrono::milliseconds(20);

// A vowel of some 120 Hz that swells and fades like syllables do.
std::int16_t voice_at(std::size_t sample) {
  const double t = static_cast<double>(sample) / kRate;
  double sum = 0;
  for (int harmonic = 1; harmonic <= 12; ++harmonic)
    sum += std::sin(2 * std::numbers::pi * 120 * harmonic * t) / harmonic;
  return static_cast<std::int16_t>(4000 * sum * (0.6 + 0.4 * std::sin(2 * std::numbers::pi * 4 * t)));
}

std::size_t owner_of(Seat seat) { return static_cast<std::size_t>(seat); }

}  // namespace

Result<MixBenchmark> MixBenchmark::make(std::size_t members, const CodecSettings& settings, Rng& rng) {
  if (!Srtp::prepare() || members < kTalkers) return fail(Fault::unsupported);
  MixBenchmark out;
  for (std::size_t i = 0; i < members; ++i)
    if (!out.add_line(rng)) return fail(Fault::bad_key);
  out.shared_ = make_codec(CodecKind::opus, settings);
  for (std::size_t i = 0; i < kTalkers; ++i) out.talkers_.push_back({make_codec(CodecKind::opus, settings), {}});
  out.own_.resize(kTalkers);
  out.outgoing_.resize(members);
  out.payloads_.resize(kTalkers);
  out.speak(settings);
  return out;
}

bool MixBenchmark::add_line(Rng& rng) {
  const auto theirs = SrtpKey::random(kSrtpSuites.front(), rng), ours = SrtpKey::random(kSrtpSuites.front(), rng);
  auto spoken = Srtp::outbound(theirs), in = Srtp::inbound(theirs), out = Srtp::outbound(ours);
  if (!spoken || !in || !out) return false;
  Line line{
      Seat{static_cast<std::uint32_t>(lines_.size())}, std::move(*spoken), std::move(*in), std::move(*out), {}, {}, {}};
  line.said.payload_type = line.sent.payload_type = kOpusType;
  line.said.ssrc = rng.u32();
  line.sent.ssrc = rng.u32();
  mixer_.add(line.seat);
  lines_.push_back(std::move(line));
  return true;
}

void MixBenchmark::speak(const CodecSettings& settings) {
  const auto codec = make_codec(CodecKind::opus, settings);
  std::array<std::int16_t, Mixer::kFrame> frame{};
  for (std::size_t n = 0; n < kSpoken; ++n) {
    for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = voice_at(n * frame.size() + i);
    spoken_.emplace_back();
    (void)codec->encode(frame, spoken_.back());
  }
}

void MixBenchmark::prepare() {
  now_ += kFrameTime;
  ++frames_;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    auto& line = lines_[i];
    const bool talks = i < kTalkers;
    const std::uint8_t level = client_level_octet({talks ? kTalks : kListens, talks});
    const ExtensionElement element{kLevelId, {&level, 1}};
    line.incoming.clear();
    ++line.said.sequence;
    line.said.timestamp += Mixer::kFrame;
    write_rtp(line.incoming, line.said, {&element, 1}, ExtensionForm::one_octet, spoken_[(frames_ + i) % kSpoken]);
    if (!line.theirs.protect_rtp(line.incoming)) ++failed_;
  }
}

void MixBenchmark::receive() {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    auto& line = lines_[i];
    const auto plain = line.in.open_rtp(line.incoming);
    const auto packet = plain ? parse_rtp(*plain) : Result<RtpPacket>(fail(Fault::bad_mac));
    const auto elements = packet && packet->extension_profile
                              ? parse_elements(*packet->extension_profile, packet->extension)
                              : Result<ExtensionElements>(fail(Fault::malformed));
    const auto data = elements ? elements->find(kLevelId) : std::nullopt;
    const auto level = data ? parse_client_level(*data) : std::nullopt;
    if (!level) {
      ++failed_;
      continue;
    }
    mixer_.hear(line.seat, *level);
    if (i < kTalkers) payloads_[i] = packet->payload;
  }
}

void MixBenchmark::mix() {
  mixer_.choose(now_);
  decoded_ = 0;
  for (const auto seat : mixer_.wanted()) {
    const auto owner = owner_of(seat);
    if (owner >= talkers_.size()) continue;
    auto& talker = talkers_[owner];
    if (talker.codec->decode(payloads_[owner], talker.frame) == talker.frame.size()) ++decoded_;
    mixer_.put(now_, seat, talker.frame);
  }
  mixer_.mix(now_);
  payload_.clear();
  (void)shared_->encode(mixer_.common(), payload_);
  for (std::size_t i = 0; i < talkers_.size(); ++i) {
    own_[i].clear();
    if (mixer_.owns(lines_[i].seat)) (void)talkers_[i].codec->encode(mixer_.without(lines_[i].seat), own_[i]);
  }
}

const std::vector<Bytes>& MixBenchmark::send() {
  const std::uint8_t level = client_level_octet(mixer_.level());
  const ExtensionElement element{kLevelId, {&level, 1}};
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    auto& line = lines_[i];
    const bool own = i < own_.size() && !own_[i].empty();
    ++line.sent.sequence;
    line.sent.timestamp += Mixer::kFrame;
    outgoing_[i].clear();
    write_rtp(outgoing_[i], line.sent, {&element, 1}, ExtensionForm::one_octet, own ? own_[i] : payload_);
    if (!line.out.protect_rtp(outgoing_[i])) ++failed_;
  }
  return outgoing_;
}

}  // namespace linnet::media
