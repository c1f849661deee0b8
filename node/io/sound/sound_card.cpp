#include "node/io/sound/sound_card.h"

#include <portaudio.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <vector>

#include "media/codec_kind.h"
#include "media/resampler.h"
#include "node/io/sound/ring.h"

namespace linnet::io {
namespace {

constexpr std::size_t kRing = 16384;  // samples, a third of a second at 48 kHz
constexpr double kLatency =
    0.04;  // s. With 10 ms the loudspeaker behind a sound server stands still after each underrun
constexpr int kCardAhead = media::kRate / 50;  // 20 ms wait for the loudspeaker, more when it takes larger blocks
constexpr int kTick = media::kRate / 100;      // the loop writes every 10 ms

Duration duration(double seconds) { return Duration(std::llround(seconds * 1e6)); }

// One direction. Microphone and loudspeaker have a stream each: they may be different devices with clocks of their own,
// and a stream over both stands still on sound servers reached through ALSA.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { close(); }
  double latency(double PaStreamInfo::*which) const {
    const auto* info = stream_ != nullptr ? Pa_GetStreamInfo(stream_) : nullptr;
    return info != nullptr ? info->*which : 0;
  }
  bool active() const { return stream_ != nullptr && Pa_IsStreamActive(stream_) == 1; }
  // Joins the callback's thread.
  void close() {
    if (stream_ != nullptr) Pa_CloseStream(stream_);
    stream_ = nullptr;
  }

  PaError start(const PaStreamParameters* input, const PaStreamParameters* output, int rate, PaStreamCallback* callback,
                void* user) {
    const PaError opened =
        Pa_OpenStream(&stream_, input, output, rate, paFramesPerBufferUnspecified, paNoFlag, callback, user);
    if (opened != paNoError) {
      stream_ = nullptr;
      return opened;
    }
    return Pa_StartStream(stream_);
  }

 private:
  PaStream* stream_ = nullptr;
};

class PortAudioCard final : public SoundCard {
 public:
  PortAudioCard(const SoundPair& devices, int microphone_rate, int speaker_rate)
      : microphone_rate_(microphone_rate),
        speaker_rate_(speaker_rate),
        in_(microphone_rate, media::kRate),
        out_(media::kRate, speaker_rate),
        facts_{devices.microphone.name, devices.loudspeaker.name, microphone_rate, speaker_rate, {}, {}} {}
  ~PortAudioCard() override {
    listening_.close();
    speaking_.close();
  }

  PaError start(const PaStreamParameters& input, const PaStreamParameters& output) {
    if (const PaError failed = listening_.start(&input, nullptr, microphone_rate_, &hear, this); failed != paNoError)
      return failed;
    if (const PaError failed = speaking_.start(nullptr, &output, speaker_rate_, &speak, this); failed != paNoError)
      return failed;
    facts_.microphone_latency = duration(listening_.latency(&PaStreamInfo::inputLatency));
    facts_.loudspeaker_latency = duration(speaking_.latency(&PaStreamInfo::outputLatency));
    return paNoError;
  }

  std::size_t capture(std::span<std::int16_t> out) override {
    std::array<std::int16_t, 2048> chunk;
    while (heard_.size() < out.size()) {
      const std::size_t n = microphone_.read(chunk);
      if (n == 0) break;
      in_.process(std::span<const std::int16_t>(chunk).first(n), heard_);
    }
    const std::size_t n = std::min(out.size(), heard_.size());
    std::copy_n(heard_.begin(), n, out.begin());
    heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(n));
    return n;
  }

  std::size_t wanted() const override {
    const auto ahead = std::max<std::ptrdiff_t>(kCardAhead, ours(block_.load(std::memory_order_relaxed)) + kTick);
    const auto waits = ours(speaker_.size());
    return waits >= ahead ? 0 : static_cast<std::size_t>(ahead - waits);
  }

  std::size_t waiting() const override {
    return heard_.size() +
           microphone_.size() * static_cast<std::size_t>(media::kRate) / static_cast<std::size_t>(microphone_rate_);
  }

  Duration delay() const override {
    const auto queued = ours(speaker_.size()) + static_cast<std::ptrdiff_t>(waiting());
    return facts_.microphone_latency + facts_.loudspeaker_latency + Duration(queued * 1000 / media::kSamplesPerMs);
  }

  Pulse pulse() const override {
    return {hears_.load(std::memory_order_relaxed), speaks_.load(std::memory_order_relaxed)};
  }
  bool alive() const override { return listening_.active() && speaking_.active(); }
  const Facts& facts() const override { return facts_; }

  void play(std::span<const std::int16_t> samples) override {
    said_.clear();
    out_.process(samples, said_);
    speaker_.write(said_);
  }

 private:
  std::ptrdiff_t ours(std::size_t samples) const {
    return static_cast<std::ptrdiff_t>(samples) * media::kRate / speaker_rate_;
  }

  static int hear(const void* input, void*, unsigned long frames, const PaStreamCallbackTimeInfo*,
                  PaStreamCallbackFlags, void* user) {
    auto& self = *static_cast<PortAudioCard*>(user);
    self.hears_.fetch_add(1, std::memory_order_relaxed);
    if (input != nullptr) self.microphone_.write({static_cast<const std::int16_t*>(input), frames});
    return paContinue;
  }

  static int speak(const void*, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                   PaStreamCallbackFlags, void* user) {
    auto& self = *static_cast<PortAudioCard*>(user);
    const std::span<std::int16_t> out(static_cast<std::int16_t*>(output), frames);
    self.speaks_.fetch_add(1, std::memory_order_relaxed);
    if (frames > self.block_.load(std::memory_order_relaxed)) self.block_.store(frames, std::memory_order_relaxed);
    const std::size_t n = self.speaker_.read(out);
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), std::int16_t{0});
    return paContinue;
  }

  int microphone_rate_;
  int speaker_rate_;
  Ring<std::int16_t, kRing> microphone_;
  Ring<std::int16_t, kRing> speaker_;
  std::atomic<std::size_t> block_{0};  // largest the loudspeaker ever asked for
  media::Resampler in_;
  media::Resampler out_;
  std::vector<std::int16_t> heard_;
  std::vector<std::int16_t> said_;
  std::atomic<std::uint64_t> hears_{0}, speaks_{0};  // callbacks that came
  Facts facts_;
  SoundInUse in_use_;
  Stream listening_;
  Stream speaking_;
};

Outcome<SoundPair> chosen(const SoundChoice& choice) {
  const auto devices = sound_devices();
  if (!devices) return tl::unexpected(devices.error());
  return pick_devices(*devices, choice);
}

// Ours when the device takes it, else its own.
int rate_of(const PaStreamParameters* input, const PaStreamParameters* output) {
  if (Pa_IsFormatSupported(input, output, media::kRate) == paFormatIsSupported) return media::kRate;
  const auto* device = Pa_GetDeviceInfo(input != nullptr ? input->device : output->device);
  return static_cast<int>(std::lround(device->defaultSampleRate));
}

}  // namespace

Done SoundCard::present(const SoundChoice& choice) {
  const auto devices = chosen(choice);
  if (!devices) return tl::unexpected(devices.error());
  return {};
}

Outcome<std::unique_ptr<SoundCard>> SoundCard::open(const SoundChoice& choice) {
  const auto devices = chosen(choice);
  if (!devices) return tl::unexpected(devices.error());
  const PaStreamParameters input{devices->microphone.index, 1, paInt16, kLatency, nullptr};
  const PaStreamParameters output{devices->loudspeaker.index, 1, paInt16, kLatency, nullptr};
  auto card = std::make_unique<PortAudioCard>(*devices, rate_of(&input, nullptr), rate_of(nullptr, &output));
  if (const PaError failed = card->start(input, output); failed != paNoError)
    return trouble("The sound device cannot be opened (" + devices->microphone.name + ", " + devices->loudspeaker.name +
                   "): " + Pa_GetErrorText(failed) + ".");
  return std::unique_ptr<SoundCard>(std::move(card));
}

}  // namespace linnet::io
