#include "node/shared_streams.h"

#include <algorithm>

namespace linnet::node {
namespace {

// What a line wants at the least, that a stream is right for it.
constexpr double kMostOver = 1.25;
constexpr int kFrameMs = 20;

}  // namespace

void SharedStreams::add(const media::Mixer::Frame& common, media::AudioLevel level) {
  for (std::size_t i = 0; i < kLengths.size(); ++i) {
    if (count_ % kLengths[i] == 0) sound_[i].clear();
    sound_[i].insert(sound_[i].end(), common.begin(), common.end());
  }
  ++count_;
  level_ = level;
}

std::optional<SharedStreams::Stream> SharedStreams::choose(const media::SendWish& wish) const {
  Stream out;
  while (static_cast<int>(kLengths[out.length]) * kFrameMs != wish.frame_ms)
    if (++out.length == kLengths.size()) return std::nullopt;
  while (bitrate(out.rate) > wish.bitrate * kMostOver)
    if (++out.rate > kLower.size()) return std::nullopt;
  const bool begins = sound_[out.length].size() == media::Mixer::kFrame;
  if (!begins) out.length = 0;
  return out;
}

bool SharedStreams::ends(Stream stream) const { return count_ % kLengths[stream.length] == 0; }

std::optional<media::EncodedFrame> SharedStreams::frame(Stream stream) {
  auto& encoder = encoders_[stream.length][stream.rate];
  const auto& sound = sound_[stream.length];
  if (encoder.made_at != count_) {
    if (!encoder.codec) {
      auto settings = best_;
      settings.bitrate = bitrate(stream.rate);
      encoder.codec = media::make_codec(media::CodecKind::opus, settings);
    }
    encoder.made_at = count_;
    encoder.payload.clear();
    encoder.whole = encoder.codec->encode(sound, encoder.payload);
    ++encoded_;
  }
  if (!encoder.whole) return std::nullopt;
  return media::EncodedFrame{media::CodecKind::opus, encoder.payload, sound.size(), level_};
}

std::span<const std::int16_t> SharedStreams::waiting(Stream stream) const {
  const auto& sound = sound_[stream.length];
  return std::span(sound).first(sound.size() - media::Mixer::kFrame);
}

}  // namespace linnet::node
