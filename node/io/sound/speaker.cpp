#include "node/io/sound/speaker.h"

#include <portaudio.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "media/codec_kind.h"
#include "media/resampler.h"
#include "node/io/sound/ring.h"

namespace linnet::io {
namespace {

constexpr std::size_t kSpeakerRing = 16384;
constexpr double kSpeakerLatency = 0.08;                               // s
constexpr std::size_t kSpeakerAhead = std::size_t{media::kRate} / 10;  // 100 ms: nobody talks into a ringing tone

class PortAudioSpeaker final : public Speaker {
 public:
  explicit PortAudioSpeaker(int rate) : rate_(rate), to_device_(media::kRate, rate) {}
  ~PortAudioSpeaker() override {
    if (stream_ != nullptr) Pa_CloseStream(stream_);  // joins the callback's thread
  }

  PaError start(PaDeviceIndex device) {
    const PaStreamParameters output{device, 1, paInt16, kSpeakerLatency, nullptr};
    const PaError opened =
        Pa_OpenStream(&stream_, nullptr, &output, rate_, paFramesPerBufferUnspecified, paNoFlag, &speak, this);
    if (opened != paNoError) {
      stream_ = nullptr;
      return opened;
    }
    return Pa_StartStream(stream_);
  }

  std::size_t wanted() const override {
    const std::size_t waiting = ring_.size() * static_cast<std::size_t>(media::kRate) / static_cast<std::size_t>(rate_);
    return waiting >= kSpeakerAhead ? 0 : kSpeakerAhead - waiting;
  }

  void play(std::span<const std::int16_t> samples) override {
    said_.clear();
    to_device_.process(samples, said_);
    ring_.write(said_);
  }

 private:
  static int speak(const void*, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                   PaStreamCallbackFlags, void* user) {
    const std::span<std::int16_t> out(static_cast<std::int16_t*>(output), frames);
    const std::size_t n = static_cast<PortAudioSpeaker*>(user)->ring_.read(out);
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), std::int16_t{0});
    return paContinue;
  }

  int rate_;
  Ring<std::int16_t, kSpeakerRing> ring_;
  media::Resampler to_device_;
  std::vector<std::int16_t> said_;
  SoundInUse in_use_;
  PaStream* stream_ = nullptr;
};

Trouble cannot(PaError why) { return {std::string("The loudspeaker cannot be opened: ") + Pa_GetErrorText(why) + "."}; }

}  // namespace

Outcome<std::unique_ptr<Speaker>> Speaker::open(const SoundChoice& choice) {
  const auto devices = sound_devices();
  if (!devices) return tl::unexpected(devices.error());
  const auto wanted = [&](const SoundDevice& d) {
    return d.loudspeaker && (choice.loudspeaker.empty() ? d.default_loudspeaker : d.name == choice.loudspeaker);
  };
  const auto device = std::find_if(devices->begin(), devices->end(), wanted);
  if (device == devices->end()) return trouble("No loudspeaker: this machine has no device to play on.");
  const PaStreamParameters output{device->index, 1, paInt16, kSpeakerLatency, nullptr};
  const bool ours = Pa_IsFormatSupported(nullptr, &output, media::kRate) == paFormatIsSupported;
  const int rate =
      ours ? media::kRate : static_cast<int>(std::lround(Pa_GetDeviceInfo(device->index)->defaultSampleRate));
  auto speaker = std::make_unique<PortAudioSpeaker>(rate);
  if (const PaError failed = speaker->start(device->index); failed != paNoError) return tl::unexpected(cannot(failed));
  return std::unique_ptr<Speaker>(std::move(speaker));
}

}  // namespace linnet::io
