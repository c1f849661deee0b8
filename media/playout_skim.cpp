// Playing in time without being heard: see Playout::skim.
#include <algorithm>
#include <cstdlib>

#include "media/playout.h"

namespace linnet::media {
namespace {

// What a decoder needs to sound as if it had been at it all along: RFC 7845 section 4.6 asks so much of Opus.
constexpr std::size_t kCatchUp = 80 * kSamplesPerMs;

}  // namespace

void Playout::skim(Time now, std::size_t samples) {
  note_pull(now);
  skimmed_ = true;
  for (std::size_t at = 0; at < samples;) {
    if (ready() == 0 && !playing_) {
      at += wait_to_start(samples - at, false);
      if (!playing_) continue;
    }
    if (ready() == 0) skim_next(now + Duration{static_cast<std::int64_t>(at) * 1000 / kSamplesPerMs});
    const std::size_t n = std::min(ready(), samples - at);
    // What was decoded before goes first.
    const std::size_t decoded = std::min(n, fifo_.size() - fifo_at_);
    fifo_at_ += decoded;
    skim_ready_ -= n - decoded;
    at += n;
    pulled_ += static_cast<std::int64_t>(n);
  }
}

void Playout::skim_next(Time now) {
  stale_ = true;
  std::int64_t missing = 0;
  switch (due(missing)) {
    case Due::front: return skim_front(now);
    case Due::end: return give_up();
    case Due::hole: skim_ready_ = std::min(static_cast<std::size_t>(missing), kBlock); break;
    case Due::nothing: skim_ready_ = kBlock; break;
  }
  frozen_ += static_cast<std::int64_t>(skim_ready_);
}

void Playout::skim_front(Time now) {
  bool paused = false;
  const BufferedPacket& packet = take_front(paused);
  ++stats_.skimmed;
  note_played(now, packet, paused);
  const auto length = static_cast<std::int64_t>(packet.duration);
  const std::int64_t move = excess(offset() - length);
  const auto parts = static_cast<std::int64_t>(std::max<std::size_t>(1, packet.duration / kStretchUnit));
  const std::int64_t most = std::min<std::int64_t>({std::llabs(move), parts * kStretch, length / 2});
  skim_ready_ = static_cast<std::size_t>(length + (move > 0 ? -most : most));
}

// Somebody listens again: from the sample that is due, which may be one in the middle of a dropped frame.
void Playout::resume(CodecBank& codecs) {
  stale_ = false;
  const std::size_t left = std::exchange(skim_ready_, 0);
  fifo_.clear();
  fifo_at_ = 0;
  last_sample_ = 0;
  peak_ = 0;
  seam_ = true;
  const std::size_t made = catch_up(codecs);
  const bool in_frame = left > 0 && made > 0 && frozen_ == 0;
  const std::size_t heard = in_frame ? std::min(left, made) : 0;
  fifo_.resize(left - heard, 0);
  if (heard == 0) return;
  push(std::span(work_).first(made).last(heard), Sound::voice);
  --stats_.skimmed;
  ++(buffer_.played(*last_sequence_)->copy ? stats_.recovered : stats_.decoded);
}

// Decodes the last of what was dropped, so that the decoder stands where it would have. Returns the length of the frame
// that ends at the cursor, which is in work_; 0: there is none.
std::size_t Playout::catch_up(CodecBank& codecs) {
  if (!last_sequence_) return 0;
  auto& codec = codecs.get(codec_);
  codec.reset_decoder();
  std::size_t made = 0;
  for (std::int64_t at = first_to_catch_up(); at <= *last_sequence_; ++at) {
    const BufferedPacket& packet = *buffer_.played(at);
    work_.resize(packet.duration);
    made = codec.decode(packet.payload, work_);
    note_peak(std::span(work_).first(made));
    if (packet.position + static_cast<std::int64_t>(packet.duration) != cursor_ && at == *last_sequence_) return 0;
  }
  return made;
}

// Of the dropped frames that follow each other up to the last one, the first that is needed; behind the last: none is
// there any more.
std::int64_t Playout::first_to_catch_up() const {
  std::int64_t first = *last_sequence_ + 1;
  std::size_t length = 0;
  while (length < kCatchUp) {
    const auto* packet = buffer_.played(first - 1);
    if (packet == nullptr || packet->codec != codec_) break;
    const auto* next = buffer_.played(first);
    if (first <= *last_sequence_ && packet->position + static_cast<std::int64_t>(packet->duration) != next->position)
      break;
    length += packet->duration;
    --first;
  }
  return first;
}

}  // namespace linnet::media
