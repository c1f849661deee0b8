// What a mixer encodes once for many: frames of 20 ms for nearly all, and for members whose lines want longer frames or
// fewer bits the same sound again, once for each such wish, however many have it. Who waits for the end of a longer
// frame is remembered by the caller.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "media/codec.h"
#include "media/mixer.h"
#include "media/session.h"

namespace linnet::node {

class SharedStreams {
 public:
  static constexpr std::array<std::size_t, 4> kLengths{1, 2, 3, 6};      // in frames of 20 ms
  static constexpr std::array<int, 4> kLower{16000, 12000, 8000, 6000};  // bit/s, beside the best

  struct Stream {
    std::uint8_t length = 0;  // of kLengths
    std::uint8_t rate = 0;    // 0: the best, then those of kLower
    bool operator==(const Stream&) const = default;
  };

  explicit SharedStreams(const media::CodecSettings& best) : best_(best) {}

  // The next 20 ms that everybody gets.
  void add(const media::Mixer::Frame& common, media::AudioLevel level);

  // For a member that waits for nothing: the stream of its wish if that one's frame begins now, else one of 20 ms.
  // Nothing: no stream of Opus is like that.
  std::optional<Stream> choose(const media::SendWish& wish) const;
  bool ends(Stream stream) const;
  // Of a stream that ends now; valid until add(). Nothing: it could not be encoded.
  std::optional<media::EncodedFrame> frame(Stream stream);
  // The sound that a member of this stream waits with, without the newest frame.
  std::span<const std::int16_t> waiting(Stream stream) const;

  std::uint64_t encoded() const { return encoded_; }

 private:
  struct Encoder {
    std::unique_ptr<media::Codec> codec;
    Bytes payload;
    std::uint64_t made_at = 0;
    bool whole = false;
  };
  int bitrate(std::uint8_t rate) const { return rate == 0 ? best_.bitrate : kLower[rate - 1u]; }

  media::CodecSettings best_;
  std::uint64_t count_ = 0;  // frames added
  std::array<std::vector<std::int16_t>, kLengths.size()> sound_;
  std::array<std::array<Encoder, kLower.size() + 1>, kLengths.size()> encoders_;
  media::AudioLevel level_;
  std::uint64_t encoded_ = 0;
};

}  // namespace linnet::node
