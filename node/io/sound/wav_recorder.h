// Writes a WAV file while the call runs: 16-bit mono at 48 kHz. The header is put right every second and at the end, so
// that a killed daemon leaves a file that can be played.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "node/io/files.h"

namespace linnet::io {

class WavRecorder {
 public:
  static constexpr std::uint32_t kMaxData = 1u << 31;  // bytes, over six hours; what comes after is dropped

  static Outcome<WavRecorder> create(const std::filesystem::path& path);
  WavRecorder(WavRecorder&&) = default;
  WavRecorder& operator=(WavRecorder&&) = delete;
  ~WavRecorder();

  void write(std::span<const std::int16_t> samples);

 private:
  explicit WavRecorder(Fd fd) : fd_(std::move(fd)) {}
  void flush();

  Fd fd_;
  Bytes waiting_;
  std::uint32_t written_ = 0;  // bytes of samples in the file
};

// Whether create(path) has a chance: its folder takes files, and nothing but a file stands there. An empty path has.
Done check_can_record(const std::filesystem::path& path);

// The second recording of one name on one node is NAME-2.wav, the third NAME-3.wav.
class RecordingNames {
 public:
  std::string next(const std::string& path);

 private:
  std::map<std::string, unsigned> used_;
};

}  // namespace linnet::io
