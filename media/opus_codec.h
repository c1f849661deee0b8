// Opus (RFC 6716, RTP payload RFC 7587), constant bitrate, in-band FEC.
#pragma once

#include "media/codec.h"

struct OpusEncoder;
struct OpusDecoder;

namespace linnet::media {

class OpusCodec final : public Codec {
 public:
  explicit OpusCodec(const CodecSettings& settings);

  CodecKind kind() const override { return CodecKind::opus; }
  int lookahead() const override { return lookahead_; }
  bool encode(std::span<const std::int16_t> frame, Bytes& out) override;
  std::size_t duration(ByteView payload) const override;
  std::size_t decode(ByteView payload, std::span<std::int16_t> out) override;
  void conceal(std::span<std::int16_t> out) override;
  bool has_recovery(ByteView next) const override;
  bool recover(ByteView next, std::span<std::int16_t> out) override;
  void set_expected_loss(int percent) override;
  void set_bitrate(int bits_per_second) override;
  void set_complexity(int complexity) override;
  std::optional<int> complexity() const override;

 private:
  struct FreeEncoder {
    void operator()(OpusEncoder* encoder) const;
  };
  struct FreeDecoder {
    void operator()(OpusDecoder* decoder) const;
  };

  std::unique_ptr<OpusEncoder, FreeEncoder> encoder_;
  std::unique_ptr<OpusDecoder, FreeDecoder> decoder_;
  int lookahead_ = 0;
};

}  // namespace linnet::media
