#include "media/l16.h"

#include <algorithm>

namespace linnet::media {

bool L16Codec::encode(std::span<const std::int16_t> frame, Bytes& out) {
  if (frame.empty() || frame.size() * 2 > kMaxPayload) return false;
  for (const auto sample : frame) {
    const auto bits = static_cast<std::uint16_t>(sample);
    out.push_back(static_cast<std::uint8_t>(bits >> 8));
    out.push_back(static_cast<std::uint8_t>(bits));
  }
  return true;
}

std::size_t L16Codec::duration(ByteView payload) const {
  return payload.size() % 2 == 0 && payload.size() / 2 <= kMaxFrame ? payload.size() / 2 : 0;
}

std::size_t L16Codec::decode(ByteView payload, std::span<std::int16_t> out) {
  const std::size_t n = std::min(payload.size() / 2, out.size());
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<std::int16_t>(static_cast<std::uint16_t>(payload[2 * i] << 8 | payload[2 * i + 1]));
  }
  const std::size_t keep = std::min(n, kHistory);
  std::copy(history_.begin() + static_cast<std::ptrdiff_t>(keep), history_.end(), history_.begin());
  std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(n - keep), keep,
              history_.end() - static_cast<std::ptrdiff_t>(keep));
  concealed_ = 0;
  return n;
}

// The last 10 ms backward and forward again, which has no seam, fading out over 40 ms.
void L16Codec::conceal(std::span<std::int16_t> out) {
  constexpr std::size_t kFade = 40 * kSamplesPerMs;
  for (auto& sample : out) {
    const std::size_t at = concealed_ % (2 * kHistory);
    const std::size_t from = at < kHistory ? kHistory - 1 - at : at - kHistory;
    const std::size_t left = concealed_ < kFade ? kFade - concealed_ : 0;
    sample = static_cast<std::int16_t>(static_cast<std::int64_t>(history_[from]) * static_cast<std::int64_t>(left) /
                                       static_cast<std::int64_t>(kFade));
    ++concealed_;
  }
}

}  // namespace linnet::media
