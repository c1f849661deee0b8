// A conversation in the synthetic room: the far side speaks for fifteen seconds, the near one joins in after four.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "media/audio_processing.h"
#include "media/resampler.h"
#include "media/stoi.h"
#include "tests/media/room.h"
#include "tests/media/voice.h"

namespace linnet::media {

inline std::filesystem::path speech_folder() {
  const char* data = std::getenv("LINNET_TEST_DATA");
  const std::filesystem::path base =
      data != nullptr ? std::filesystem::path(data) : std::filesystem::path(LINNET_SOURCE_DIR) / "../shared/data";
  return base / "speech";
}

inline Samples read_speech(const std::filesystem::path& file) {
  const auto audio = parse_wav(read_file(file.string()));
  return audio ? resample(audio->samples, audio->rate, kRate) : Samples();
}

// Two voices apart from each other in every second of the scene.
inline Samples far_voice() {
  Samples out;
  for (const char* name : {"lv0870_16k.wav", "lv0890_16k.wav", "lv0930_16k.wav"}) {
    const auto part = read_speech(speech_folder() / name);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

struct EchoScene {
  double delay_ms = 0;
  Samples far, near, echo, microphone;  // echo: without the near speaker
  std::size_t near_from = 0;            // sample
};

inline EchoScene make_scene(Room room, double delay_ms, double echo_db, double near_s = 4) {
  constexpr double kLevel = 1500;  // rms, -27 dBFS
  EchoScene out;
  out.delay_ms = room.delay_ms = delay_ms;
  out.far = scaled(far_voice(), kLevel);
  const auto voice = scaled(resample(speech().samples, speech().rate, kRate), kLevel);
  out.near_from = static_cast<std::size_t>(near_s * kRate);
  out.near.resize(out.far.size());
  for (std::size_t i = 0; i < voice.size() && out.near_from + i < out.near.size(); ++i)
    out.near[out.near_from + i] = voice[i];
  out.echo = room.echo(out.far, kLevel * std::pow(10, echo_db / 20));
  out.microphone = out.echo;
  for (std::size_t i = 0; i < out.near.size(); ++i)
    out.microphone[i] = static_cast<std::int16_t>(std::clamp(out.microphone[i] + out.near[i], -32768, 32767));
  return out;
}

struct Cleaned {
  Samples samples;
  AudioProcessing::Report report;
};

// As devices do it: 10 ms go to the loudspeaker, 10 ms come from the microphone.
inline Cleaned clean(const EchoScene& scene, const Samples& microphone, const AudioProcessingConfig& config,
                     double hint_ms) {
  AudioProcessing processing(config);
  constexpr std::size_t kFrame = AudioProcessing::kFrame;
  Cleaned out;
  out.samples = microphone;
  for (std::size_t i = 0; i + kFrame <= scene.far.size(); i += kFrame) {
    processing.played(std::span(scene.far).subspan(i, kFrame));
    processing.process(std::span(out.samples).subspan(i).first<kFrame>(),
                       Duration(static_cast<std::int64_t>(hint_ms * 1000)));
  }
  out.report = processing.report();
  return out;
}

// dB by which the echo of these seconds became less.
inline double reduction(const EchoScene& scene, const Cleaned& cleaned, std::size_t from_s, std::size_t to_s) {
  const auto part = [&](const Samples& s) { return std::span(s).subspan(from_s * kRate, (to_s - from_s) * kRate); };
  return 20 * std::log10(rms(part(scene.echo)) / rms(part(cleaned.samples), 0.5));
}

// How well the near speaker is understood; the processing's own latency is looked for.
inline double near_stoi(const EchoScene& scene, const Cleaned& cleaned, std::size_t after_s = 0) {
  double best = 0;
  for (std::size_t shift = 0; shift <= 960; shift += 96) {
    std::vector<double> said, heard;
    for (std::size_t i = scene.near_from + after_s * kRate;
         i + shift < cleaned.samples.size() && i < scene.near_from + std::size_t{9} * kRate; ++i) {
      said.push_back(scene.near[i] / 32768.0);
      heard.push_back(cleaned.samples[i + shift] / 32768.0);
    }
    best = std::max(best, stoi(said, heard, kRate).value_or(0));
  }
  return best;
}

}  // namespace linnet::media
