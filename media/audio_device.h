// What a microphone and a loudspeaker look like to the core: 48 kHz, mono, 16-bit, pulled and pushed at the device's
// pace by whoever drives it (node/io: a timer for files, tone and null; PortAudio through a ring).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/codec_kind.h"

namespace linnet::media {

class AudioSource {
 public:
  virtual ~AudioSource() = default;
  // Fills all of `out`; a source that has ended or has nothing yet gives silence. Never waits.
  virtual void read(std::span<std::int16_t> out) = 0;
  // True once everything that was to be said has been read.
  virtual bool ended() const { return false; }
};

class AudioSink {
 public:
  virtual ~AudioSink() = default;
  // Never waits.
  virtual void write(std::span<const std::int16_t> samples) = 0;
};

class SilenceSource final : public AudioSource {
 public:
  void read(std::span<std::int16_t> out) override;
};

// A sine. `level` is in dB relative to full scale.
class ToneSource final : public AudioSource {
 public:
  explicit ToneSource(double hz = 440, double level = -20);
  void read(std::span<std::int16_t> out) override;

 private:
  double step_;
  double phase_ = 0;
  double amplitude_;
};

// Plays samples once, then silence. Any rate from 8 to 96 kHz is resampled at construction.
class WavSource final : public AudioSource {
 public:
  WavSource(std::vector<std::int16_t> samples, int rate = kRate);
  void read(std::span<std::int16_t> out) override;
  bool ended() const override { return at_ == samples_.size(); }
  std::size_t size() const { return samples_.size(); }  // samples at 48 kHz

 private:
  std::vector<std::int16_t> samples_;
  std::size_t at_ = 0;
};

class NullSink final : public AudioSink {
 public:
  void write(std::span<const std::int16_t>) override {}
};

// Keeps what was played, up to `max_samples`; what comes after is counted and dropped.
class WavSink final : public AudioSink {
 public:
  explicit WavSink(std::size_t max_samples = std::size_t{60} * kRate);
  void write(std::span<const std::int16_t> samples) override;
  const std::vector<std::int16_t>& samples() const { return samples_; }
  std::size_t dropped() const { return dropped_; }

 private:
  std::vector<std::int16_t> samples_;
  std::size_t max_;
  std::size_t dropped_ = 0;
};

}  // namespace linnet::media
