// G.711 (ITU-T G.711; RTP payload of RFC 3551 section 4.5.14) with concealment by pitch repetition.
#pragma once

#include <array>
#include <vector>

#include "media/codec.h"
#include "media/resampler.h"

namespace linnet::media {

std::uint8_t ulaw_encode(std::int16_t sample);
std::int16_t ulaw_decode(std::uint8_t code);
std::uint8_t alaw_encode(std::int16_t sample);
std::int16_t alaw_decode(std::uint8_t code);

class G711Codec final : public Codec {
 public:
  explicit G711Codec(CodecKind law);  // pcmu or pcma

  CodecKind kind() const override { return law_; }
  int lookahead() const override;
  bool encode(std::span<const std::int16_t> frame, Bytes& out) override;
  std::size_t duration(ByteView payload) const override;
  std::size_t decode(ByteView payload, std::span<std::int16_t> out) override;
  void reset_decoder() override;
  void conceal(std::span<std::int16_t> out) override;

 private:
  // All at 8 kHz. 120 is the longest pitch lag searched, 15 ms (G.711 Appendix I).
  static constexpr std::size_t kHistory = 390, kMinLag = 40, kMaxLag = 120, kOverlap = 32;

  void remember(std::span<const std::int16_t> narrow);
  std::size_t find_lag() const;
  std::int16_t next_concealed();

  CodecKind law_;
  Resampler down_;
  Resampler up_;
  std::vector<std::int16_t> narrow_;  // work space
  std::array<std::int16_t, kHistory> history_{};
  std::size_t lag_ = 0;        // of the running concealment, 0: none runs
  std::size_t concealed_ = 0;  // samples of it so far
};

}  // namespace linnet::media
