#include "node/io/sound_card.h"

#include <portaudio.h>

#include <array>
#include <cmath>
#include <vector>

#include "media/codec_kind.h"
#include "media/resampler.h"
#include "node/io/ring.h"

namespace linnet::io {
namespace {

constexpr std::size_t kRing = 16384;  // samples, a third of a second at 48 kHz
constexpr double kSuggestedLatency = 0.01;
constexpr int kAhead = media::kRate / 50;  // 20 ms wait for the loudspeaker

// Pa_Initialize is slow and noisy: once, at first use, and left standing until the process ends.
PaError initialise() {
  static const PaError once = Pa_Initialize();
  return once;
}

class PortAudioCard final : public SoundCard {
 public:
  explicit PortAudioCard(int rate) : rate_(rate), in_(rate, media::kRate), out_(media::kRate, rate) {}
  ~PortAudioCard() override {
    if (stream_ != nullptr) Pa_CloseStream(stream_);  // joins the callback's thread
  }

  PaError start(PaStreamParameters input, PaStreamParameters output) {
    const PaError opened = Pa_OpenStream(&stream_, &input, &output, rate_, paFramesPerBufferUnspecified, paNoFlag,
                                         &PortAudioCard::callback, this);
    if (opened != paNoError) {
      stream_ = nullptr;
      return opened;
    }
    return Pa_StartStream(stream_);
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
    const auto waiting = static_cast<std::ptrdiff_t>(speaker_.size()) * media::kRate / rate_;
    return waiting >= kAhead ? 0 : static_cast<std::size_t>(kAhead - waiting);
  }

  void play(std::span<const std::int16_t> samples) override {
    said_.clear();
    out_.process(samples, said_);
    speaker_.write(said_);
  }

 private:
  static int callback(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                      PaStreamCallbackFlags, void* user) {
    auto& self = *static_cast<PortAudioCard*>(user);
    if (input != nullptr) self.microphone_.write({static_cast<const std::int16_t*>(input), frames});
    const std::span<std::int16_t> out(static_cast<std::int16_t*>(output), frames);
    const std::size_t n = self.speaker_.read(out);
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), std::int16_t{0});
    return paContinue;
  }

  int rate_;
  PaStream* stream_ = nullptr;
  Ring<std::int16_t, kRing> microphone_;
  Ring<std::int16_t, kRing> speaker_;
  media::Resampler in_;
  media::Resampler out_;
  std::vector<std::int16_t> heard_;
  std::vector<std::int16_t> said_;
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

}  // namespace

Outcome<void> SoundCard::present() {
  const auto devices = default_devices();
  if (!devices) return tl::unexpected(devices.error());
  return {};
}

Outcome<std::unique_ptr<SoundCard>> SoundCard::open() {
  const auto devices = default_devices();
  if (!devices) return tl::unexpected(devices.error());
  PaStreamParameters input{devices->first, 1, paInt16, kSuggestedLatency, nullptr};
  PaStreamParameters output{devices->second, 1, paInt16, kSuggestedLatency, nullptr};
  int rate = media::kRate;
  if (Pa_IsFormatSupported(&input, &output, rate) != paFormatIsSupported)
    rate = static_cast<int>(std::lround(Pa_GetDeviceInfo(devices->second)->defaultSampleRate));
  auto card = std::make_unique<PortAudioCard>(rate);
  if (const PaError failed = card->start(input, output); failed != paNoError)
    return trouble(std::string("The sound device cannot be opened: ") + Pa_GetErrorText(failed) + ".");
  return std::unique_ptr<SoundCard>(std::move(card));
}

}  // namespace linnet::io
