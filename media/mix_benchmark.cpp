#include "media/mix_benchmark.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/srtp.h"

namespace linnet::media {
namespace {

constexpr std::uint8_t kOpusType = 96;
constexpr std::uint8_t kTalks = 25, kListens = 80;  // dB below full scale
constexpr int kFilling = 10;                        // frames, until all that waits for a first packet has had it
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

SessionConfig line_config(const CodecSettings& settings, std::uint32_t own, std::uint32_t other, SrtpKeys keys) {
  SessionConfig out;
  out.ssrc = own;
  out.remote_ssrc = other;
  out.send.number = kOpusType;
  out.receive = {out.send};
  out.security = std::move(keys);
  out.bitrate = settings.bitrate;
  out.complexity = settings.complexity;
  out.fec = settings.fec;
  out.reduced_size = true;
  out.client_level = 1;
  out.mixer_level = 2;
  return out;
}

}  // namespace

Result<MixBenchmark> MixBenchmark::make(std::size_t members, const CodecSettings& settings, Rng& rng) {
  if (!Srtp::prepare() || members < kTalkers) return fail(Fault::unsupported);
  MixBenchmark out;
  for (std::size_t i = 0; i < members; ++i) out.add_line(settings, rng);
  out.shared_ = make_codec(CodecKind::opus, settings);
  out.speak(settings);
  for (int frame = 0; frame < kFilling; ++frame) {
    out.prepare();
    out.receive();
    out.mix();
    (void)out.send();
  }
  return out;
}

void MixBenchmark::add_line(const CodecSettings& settings, Rng& rng) {
  const auto ours = SrtpKey::random(kSrtpSuites.front(), rng), theirs = SrtpKey::random(kSrtpSuites.front(), rng);
  const auto number = static_cast<std::uint32_t>(lines_.size());
  const std::uint32_t here = 2 * number + 1, there = here + 1;
  lines_.push_back({Seat{number},
                    Session(line_config(settings, here, there, {ours, theirs}), rng),
                    Session(line_config(settings, there, here, {theirs, ours}), rng),
                    {}});
  mixer_.add(Seat{number});
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
  for (std::size_t i = 0; i < lines_.size(); ++i) say(lines_[i], i < kTalkers);
}

// What the member heard of us the last time, and what it says now.
void MixBenchmark::say(Line& line, bool talks) {
  for (std::size_t i = 0; i < line.sent; ++i) (void)line.there.handle_packet(now_, outgoing_[line.first_sent + i]);
  line.there.skim(now_, Mixer::kFrame);
  const auto& payload = spoken_[(frames_ + owner_of(line.seat)) % kSpoken];
  (void)line.there.send_encoded(now_, {CodecKind::opus, payload, Mixer::kFrame, {talks ? kTalks : kListens, talks}});
  if (now_ >= line.there.next_timeout()) line.there.handle_timeout(now_);
  line.incoming.clear();
  while (auto packet = line.there.poll_packet()) line.incoming.push_back(std::move(*packet));
}

void MixBenchmark::receive() {
  for (auto& line : lines_) {
    for (auto& packet : line.incoming)
      if (!line.here.handle_packet(now_, packet)) ++failed_;
    const auto level = line.here.heard_level();
    if (level && level->at == now_)
      mixer_.hear(line.seat, level->level);
    else
      ++failed_;
  }
}

void MixBenchmark::mix() {
  mixer_.choose(now_);
  decoded_ = 0;
  contributors_.clear();
  for (auto& line : lines_) line.played = false;
  for (const auto seat : mixer_.wanted()) {
    auto& line = lines_[owner_of(seat)];
    if (line.here.play(now_, line.frame) < line.frame.size()) ++decoded_;
    line.played = true;
    mixer_.put(now_, seat, line.frame);
    contributors_.push_back({line.there.ssrc(), mixer_.level(seat)});
  }
  mixer_.mix(now_);
  payload_.clear();
  (void)shared_->encode(mixer_.common(), payload_);
  for (const auto seat : mixer_.wanted())
    if (mixer_.owns(seat)) lines_[owner_of(seat)].here.capture(now_, mixer_.without(seat));
}

std::span<const Bytes> MixBenchmark::send() {
  sent_ = 0;
  for (auto& line : lines_) {
    line.here.set_contributors(contributors_);
    if (!line.played) {
      line.here.skim(now_, Mixer::kFrame);
      (void)line.here.send_encoded(now_, {CodecKind::opus, payload_, Mixer::kFrame, mixer_.level()});
    }
    if (!leave(line)) ++failed_;
  }
  return std::span(outgoing_).first(sent_);
}

bool MixBenchmark::leave(Line& line) {
  if (now_ >= line.here.next_timeout()) line.here.handle_timeout(now_);
  line.first_sent = sent_;
  for (;; ++sent_) {
    if (sent_ == outgoing_.size()) outgoing_.emplace_back();
    if (!line.here.poll_packet(outgoing_[sent_])) break;
  }
  line.sent = sent_ - line.first_sent;
  return line.sent > 0;
}

}  // namespace linnet::media
