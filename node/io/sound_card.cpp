#include "node/io/sound_card.h"

#include <portaudio.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <vector>

#include "media/codec_kind.h"
#include "media/resampler.h"
#include "node/io/ring.h"

namespace linnet::io {
namespace {

constexpr std::size_t kRing = 16384;  // samples, a third of a second at 48 kHz
constexpr double kLatency =
    0.04;  // s. With 10 ms the loudspeaker behind a sound server stands still after each underrun
constexpr int kAhead = media::kRate / 50;  // 20 ms wait for the loudspeaker, more when it takes larger blocks
constexpr int kTick = media::kRate / 100;  // the loop writes every 10 ms

// Pa_Initialize is slow and noisy: once, at first use, and left standing until the process ends.
PaError initialise() {
  static const PaError once = Pa_Initialize();
  return once;
}

// One direction. Microphone and loudspeaker have a stream each: they may be different devices with clocks of their own,
// and a stream over both stands still on sound servers reached through ALSA.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { close(); }
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
  PortAudioCard(int microphone_rate, int speaker_rate)
      : microphone_rate_(microphone_rate),
        speaker_rate_(speaker_rate),
        in_(microphone_rate, media::kRate),
        out_(media::kRate, speaker_rate) {}
  ~PortAudioCard() override {
    listening_.close();
    speaking_.close();
  }

  PaError start(const PaStreamParameters& input, const PaStreamParameters& output) {
    if (const PaError failed = listening_.start(&input, nullptr, microphone_rate_, &hear, this); failed != paNoError)
      return failed;
    return speaking_.start(nullptr, &output, speaker_rate_, &speak, this);
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
    const auto ours = [this](std::size_t samples) {
      return static_cast<std::ptrdiff_t>(samples) * media::kRate / speaker_rate_;
    };
    const auto ahead = std::max<std::ptrdiff_t>(kAhead, ours(block_.load(std::memory_order_relaxed)) + kTick);
    const auto waiting = ours(speaker_.size());
    return waiting >= ahead ? 0 : static_cast<std::size_t>(ahead - waiting);
  }

  void play(std::span<const std::int16_t> samples) override {
    said_.clear();
    out_.process(samples, said_);
    speaker_.write(said_);
  }

 private:
  static int hear(const void* input, void*, unsigned long frames, const PaStreamCallbackTimeInfo*,
                  PaStreamCallbackFlags, void* user) {
    auto& self = *static_cast<PortAudioCard*>(user);
    if (input != nullptr) self.microphone_.write({static_cast<const std::int16_t*>(input), frames});
    return paContinue;
  }

  static int speak(const void*, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                   PaStreamCallbackFlags, void* user) {
    auto& self = *static_cast<PortAudioCard*>(user);
    const std::span<std::int16_t> out(static_cast<std::int16_t*>(output), frames);
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
  Stream listening_;
  Stream speaking_;
};

Outcome<std::pair<PaDeviceIndex, PaDeviceIndex>> default_devices() {
  const std::string hint = "\n  Speak from a file: linnet call WHO --play F.wav --record G.wav";
  if (const PaError failed = initialise(); failed != paNoError)
    return trouble(std::string("No sound: ") + Pa_GetErrorText(failed) + "." + hint);
  const PaDeviceIndex input = Pa_GetDefaultInputDevice();
  const PaDeviceIndex output = Pa_GetDefaultOutputDevice();
  if (input == paNoDevice && output == paNoDevice)
    return trouble("No microphone and no loudspeaker: this machine has no sound device." + hint);
  if (input == paNoDevice) return trouble("No microphone: this machine has no device to record from." + hint);
  if (output == paNoDevice) return trouble("No loudspeaker: this machine has no device to play on." + hint);
  return std::pair(input, output);
}

// Ours when the device takes it, else its own.
int rate_of(const PaStreamParameters* input, const PaStreamParameters* output) {
  if (Pa_IsFormatSupported(input, output, media::kRate) == paFormatIsSupported) return media::kRate;
  const auto* device = Pa_GetDeviceInfo(input != nullptr ? input->device : output->device);
  return static_cast<int>(std::lround(device->defaultSampleRate));
}

}  // namespace

Outcome<void> SoundCard::present() {
  const auto devices = default_devices();
  if (!devices) return tl::unexpected(devices.error());
  return {};
}

Outcome<std::unique_ptr<SoundCard>> SoundCard::open() {
  const auto devices = default_devices();
  if (!devices) return tl::unexpected(devices.error());
  const PaStreamParameters input{devices->first, 1, paInt16, kLatency, nullptr};
  const PaStreamParameters output{devices->second, 1, paInt16, kLatency, nullptr};
  auto card = std::make_unique<PortAudioCard>(rate_of(&input, nullptr), rate_of(nullptr, &output));
  if (const PaError failed = card->start(input, output); failed != paNoError)
    return trouble(std::string("The sound device cannot be opened: ") + Pa_GetErrorText(failed) + ".");
  return std::unique_ptr<SoundCard>(std::move(card));
}

}  // namespace linnet::io
