// Opus (RFC 6716, RTP payload RFC 7587), constant bitrate, in-band FEC.
//
// Packets of 60 and 120 ms are put together of frames of 20 and 40 ms (code 3, RFC 6716 section 3.2.5): at a constant
// bitrate one of 60 ms scores far less for as many octets (docs/protocol/media.md).
#pragma once

#include "media/codec.h"

struct OpusEncoder;
struct OpusDecoder;
struct OpusRepacketizer;

namespace linnet::media {

class OpusCodec final : public Codec {
 public:
  explicit OpusCodec(const CodecSettings& settings);

  CodecKind kind() const override { return CodecKind::opus; }
  int lookahead() const override { return lookahead_; }
  bool encode(std::span<const std::int16_t> frame, Bytes& out) override;
  std::size_t duration(ByteView payload) const override;
  std::size_t decode(ByteView payload, std::span<std::int16_t> out) override;
  void reset_decoder() override;
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
  struct FreeRepacketizer {
    void operator()(OpusRepacketizer* repacketizer) const;
  };

  bool encode_whole(std::span<const std::int16_t> frame, Bytes& out);
  bool encode_parts(std::span<const std::int16_t> frame, std::size_t part, Bytes& out);
  void apply_bitrate(int bits_per_second);

  std::unique_ptr<OpusEncoder, FreeEncoder> encoder_;
  std::unique_ptr<OpusDecoder, FreeDecoder> decoder_;
  std::unique_ptr<OpusRepacketizer, FreeRepacketizer> repacketizer_;
  int lookahead_ = 0;
  int bitrate_ = 0;   // as asked for
  int applied_ = 0;   // as the encoder has it: of parts it is a little less
  bool wide_ = true;  // 8 kHz of voice, not 4
  bool fec_ = true;
  bool recovery_ = false;  // frames carry copies of the ones before
  Bytes parts_;
};

}  // namespace linnet::media
