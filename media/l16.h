// Linear samples (RFC 3551 section 4.5.11), 48 kHz mono: nothing is lost and nothing is added, for paths that carry
// 800 kbit/s. What is missing fades out.
#pragma once

#include <array>

#include "media/codec.h"

namespace linnet::media {

class L16Codec final : public Codec {
 public:
  CodecKind kind() const override { return CodecKind::l16; }
  int lookahead() const override { return 0; }
  // At most 10 ms: 960 octets.
  bool encode(std::span<const std::int16_t> frame, Bytes& out) override;
  std::size_t duration(ByteView payload) const override;
  std::size_t decode(ByteView payload, std::span<std::int16_t> out) override;
  void conceal(std::span<std::int16_t> out) override;

 private:
  static constexpr std::size_t kHistory = 10 * kSamplesPerMs;

  std::array<std::int16_t, kHistory> history_{};  // the last 10 ms that came
  std::size_t concealed_ = 0;                     // samples since
};

}  // namespace linnet::media
