// What stands between microphone and encoder when the sound comes from a device: echo cancellation, noise suppression
// and gain control, behind one interface without I/O. What the loudspeaker is given goes in through played(), what the
// microphone took through process(), which cleans it in place. 48 kHz mono.
//
// The echo of a played sample arrives after the delay of both devices, and the canceller's filter is short. So a
// front-end (media/echo_delay.h) lines both streams up, starting from the caller's hint, and every canceller is given
// aligned frames. Two libraries do the cancelling: webrtc-audio-processing removes echo from the first word on, but
// takes the near speaker with it when both talk; Speex learns for a second and then lets both talk. `automatic` begins
// with the one and goes over to the other (media/echo_automatic.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "media/codec_kind.h"

namespace linnet::media {

enum class EchoChoice : std::uint8_t { off, webrtc, speex, automatic };
std::string_view to_string(EchoChoice choice);  // "off", "webrtc", "speex", "auto"
std::optional<EchoChoice> parse_echo_choice(std::string_view text);

struct AudioProcessingConfig {
  EchoChoice echo = EchoChoice::automatic;
  bool noise = true;  // suppress steady noise
  bool gain = true;   // bring the voice to a steady level
  bool nothing() const { return echo == EchoChoice::off && !noise && !gain; }
};

class AudioProcessing {
 public:
  static constexpr std::size_t kFrame = 480;  // 10 ms

  // Allocates and starts the libraries: construct at first use.
  explicit AudioProcessing(const AudioProcessingConfig& config);
  ~AudioProcessing();
  AudioProcessing(AudioProcessing&&) noexcept;
  AudioProcessing& operator=(AudioProcessing&&) noexcept;

  // Any number of samples, in the order the loudspeaker is given them.
  void played(std::span<const std::int16_t> samples);
  // Cleans one frame in place. `delay` is the hint: the time from a sample handed to played() now until its echo
  // arrives in a frame handed over here, as far as the devices know. Tens of milliseconds of error are found and
  // mended.
  void process(std::span<std::int16_t, kFrame> frame, Duration delay);

  struct Report {
    EchoChoice active = EchoChoice::off;      // which library's output is used now
    std::optional<Duration> delay;            // as it was found, absent before
    std::optional<double> echo_reduction_db;  // of the last second in which the loudspeaker spoke
  };
  Report report() const;
  // What process() adds to the way of the voice.
  Duration latency() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::media
