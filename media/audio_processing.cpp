#include "media/audio_processing.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/echo_automatic.h"
#include "media/echo_canceller.h"
#include "media/echo_delay.h"

namespace linnet::media {
namespace {

constexpr std::int64_t kHistory = 1 << 16;  // samples of the loudspeaker, 1.3 s
constexpr std::int64_t kFrameSize = static_cast<std::int64_t>(AudioProcessing::kFrame);
constexpr std::int64_t kLead = std::int64_t{EchoCanceller::kLeadMs} * kSamplesPerMs;
// The echo stands well in the filter from here ... to here against where the alignment aims.
constexpr std::int64_t kEarly = -12 * kSamplesPerMs, kLate = 30 * kSamplesPerMs;
constexpr std::size_t kHints = 51;                                    // half a second of hints; their median counts
constexpr std::int64_t kHintMoved = std::int64_t{8} * kSamplesPerMs;  // more than the median ever wavers
constexpr int kSlackFrames = 100;
constexpr std::int64_t kSlack = std::int64_t{100} * kSamplesPerMs;
constexpr double kSpeaks = 100.0 * 100;
constexpr double kMemory = 0.99;  // of the echo reduction: a second

double energy(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const auto s : samples) sum += static_cast<double>(s) * s;
  return sum / static_cast<double>(samples.size());
}

// What the loudspeaker was given, by the number of the sample.
class Played {
 public:
  void add(std::span<const std::int16_t> samples) {
    for (const auto s : samples) ring_[static_cast<std::size_t>(end_++ & (kHistory - 1))] = s;
  }
  // Silence where there is nothing, or nothing any more.
  void read(std::int64_t from, std::span<std::int16_t> out) const {
    for (auto& s : out) {
      s = from >= 0 && from < end_ && end_ - from <= kHistory ? ring_[static_cast<std::size_t>(from & (kHistory - 1))]
                                                              : std::int16_t{0};
      ++from;
    }
  }
  std::int64_t end() const { return end_; }

 private:
  std::vector<std::int16_t> ring_ = std::vector<std::int16_t>(static_cast<std::size_t>(kHistory));
  std::int64_t end_ = 0;
};

// Both streams are counted in samples. Their devices run at one pace, or nearly, so the number of a captured sample
// minus that of the played one whose echo it holds hardly changes: that is the lag. When the caller is late with either
// stream the count does not notice.
class Alignment {
 public:
  // What the lag would be if the devices knew their delays.
  void hint(std::int64_t lag) {
    hints_[hint_count_++ % kHints] = lag;
    const auto n = std::min(hint_count_, kHints);
    std::array<std::int64_t, kHints> sorted;
    std::copy_n(hints_.begin(), n, sorted.begin());
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(n / 2),
                     sorted.begin() + static_cast<std::ptrdiff_t>(n));
    const auto median = sorted[n / 2];
    // Samples were lost on their way to or from a device: everything has moved, the filter stays right.
    if (!spoken_ || std::abs(median - hinted_) > kHintMoved) {
      lag_ += median - hinted_;
      hinted_ = median;
    }
  }
  void speaks() { spoken_ = true; }
  // What the streams themselves say. True when the filter stands wrong and was moved.
  bool found(std::int64_t lag) {
    const auto off = lag - lag_;
    const bool moved = off < kEarly || off > kLate;
    if (moved) lag_ = lag;
    return moved;
  }
  std::int64_t lag() const { return lag_; }

 private:
  std::array<std::int64_t, kHints> hints_{};
  std::size_t hint_count_ = 0;
  std::int64_t hinted_ = 0;
  std::int64_t lag_ = 0;
  bool spoken_ = false;
};

}  // namespace

std::string_view to_string(EchoChoice choice) {
  switch (choice) {
    case EchoChoice::off: return "off";
    case EchoChoice::webrtc: return "webrtc";
    case EchoChoice::speex: return "speex";
    case EchoChoice::automatic: return "auto";
  }
  return "off";
}

std::optional<EchoChoice> parse_echo_choice(std::string_view text) {
  for (const auto choice : {EchoChoice::off, EchoChoice::webrtc, EchoChoice::speex, EchoChoice::automatic})
    if (text == to_string(choice)) return choice;
  return std::nullopt;
}

std::unique_ptr<EchoCanceller> make_echo_canceller(const AudioProcessingConfig& config) {
  switch (config.echo) {
    case EchoChoice::webrtc: return std::make_unique<WebrtcCanceller>(config);
    case EchoChoice::automatic: return std::make_unique<AutomaticCanceller>(config);
    case EchoChoice::speex:
    case EchoChoice::off: break;
  }
  return std::make_unique<SpeexCanceller>(config);
}

struct AudioProcessing::Impl {
  explicit Impl(const AudioProcessingConfig& c)
      : config(c), canceller(c.nothing() ? nullptr : make_echo_canceller(c)) {}

  void process(std::span<std::int16_t, kFrame> frame, Duration delay) {
    if (!canceller) return;
    if (config.echo == EchoChoice::off) return canceller->process(frame, silence);
    anchor_streams();
    alignment.hint(captured + kFrameSize - played.end() + delay.count() * kRate / 1'000'000);
    look(frame);
    std::array<std::int16_t, kFrame> reference;
    played.read(captured - alignment.lag() + kLead, reference);
    const double before = energy(frame);
    canceller->process(frame, reference);
    if (energy(reference) > kSpeaks) {
      alignment.speaks();
      taken_up = kMemory * taken_up + before;
      left = kMemory * left + energy(frame);
    }
    captured += kFrameSize;
  }

  // The search pairs each frame with the newest played one, so that no echo can be earlier. The pairs must move when
  // one stream falls behind the other.
  void anchor_streams() {
    const auto newest = captured + kFrameSize - played.end();
    const auto slack = anchor - newest;  // samples that were played already and are not paired yet
    least_slack = std::min(least_slack, slack);
    const bool checked = ++slack_frames == kSlackFrames;
    if (!anchored || slack < 0) pair(newest);
    if (checked && least_slack > kSlack) pair(anchor - least_slack);
    if (!checked) return;
    slack_frames = 0;
    least_slack = INT64_MAX;
  }

  void pair(std::int64_t lag) {
    anchor = lag;
    anchored = true;
    search.reset();
  }

  void look(std::span<const std::int16_t, kFrame> frame) {
    std::array<std::int16_t, kFrame> newest;
    played.read(captured - anchor, newest);
    const auto delay = search.push(frame, newest);
    if (!delay) return;
    found = anchor + *delay - (captured + kFrameSize - played.end());
    if (alignment.found(anchor + *delay)) canceller->realign();
  }

  AudioProcessingConfig config;
  std::unique_ptr<EchoCanceller> canceller;
  Played played;
  Alignment alignment;
  EchoDelay search;
  std::array<std::int16_t, kFrame> silence{};
  std::int64_t captured = 0;
  std::int64_t anchor = 0;
  bool anchored = false;
  int slack_frames = 0;
  std::int64_t least_slack = INT64_MAX;
  std::optional<std::int64_t> found;  // delay in samples
  double taken_up = 0;
  double left = 0;
};

AudioProcessing::AudioProcessing(const AudioProcessingConfig& config) : impl_(std::make_unique<Impl>(config)) {}
AudioProcessing::~AudioProcessing() = default;
AudioProcessing::AudioProcessing(AudioProcessing&&) noexcept = default;
AudioProcessing& AudioProcessing::operator=(AudioProcessing&&) noexcept = default;

void AudioProcessing::played(std::span<const std::int16_t> samples) { impl_->played.add(samples); }

void AudioProcessing::process(std::span<std::int16_t, kFrame> frame, Duration delay) { impl_->process(frame, delay); }

AudioProcessing::Report AudioProcessing::report() const {
  Report out;
  if (!impl_->canceller || impl_->config.echo == EchoChoice::off) return out;
  out.active = impl_->canceller->active();
  if (impl_->found) out.delay = Duration(*impl_->found * 1000 / kSamplesPerMs);
  if (impl_->taken_up > 0) out.echo_reduction_db = 10 * std::log10(impl_->taken_up / std::max(impl_->left, 1e-9));
  return out;
}

Duration AudioProcessing::latency() const {
  return std::chrono::milliseconds(impl_->canceller ? impl_->canceller->latency_ms() : 0);
}

}  // namespace linnet::media
