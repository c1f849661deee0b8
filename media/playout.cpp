#include "media/playout.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "media/time_stretch.h"

namespace linnet::media {
namespace {

constexpr std::int64_t kMs = kSamplesPerMs;
constexpr std::int64_t kNegligible = 5 * kMs / 2;  // a hole shorter than this is stepped over
constexpr std::int64_t kFade = 200 * kMs;          // concealment longer than this is silence
constexpr std::int64_t kGiveUp = 1000 * kMs;       // without a packet: wait for a new start
constexpr std::int64_t kJump = 3000 * kMs;         // a timestamp this far off: another timeline
constexpr std::int64_t kLeftAlone = 5 * kMs;       // difference from the target that is left alone
constexpr std::int64_t kPlenty = 100 * kMs;
constexpr auto kRecent = std::chrono::seconds(3);
constexpr std::size_t kFewRecent = 20, kFewRecentLong = 8;
constexpr std::size_t kLongFrame = 60 * kSamplesPerMs;
constexpr std::int64_t kSettle = 6000 * kMs;  // after the change to long frames
constexpr std::int64_t kLasting = 20000 * kMs;
constexpr std::int64_t kOpenGap = 500 * kMs;          // an unfinished gap is reported from here on
constexpr std::int64_t kHurry = 25 * kMs;             // a difference that does not wait for a pause of the speaker
constexpr double kPause = 200.0 * 200.0;              // mean square below which a frame is one, about -44 dBFS
constexpr auto kRemember = std::chrono::seconds(10);  // a lost frame that came again
constexpr std::size_t kMaxRecovered = 64;
constexpr std::size_t kNearCopy = 3;     // frames; copies of older ones are for outages
constexpr std::size_t kEnough = 25;      // packets before the quantile is trusted
constexpr std::size_t kEnoughLong = 10;  // long ones
constexpr double kPeakMemory = 0.93;     // kept of the peak in 10 ms: half of it is forgotten in a tenth of a second
constexpr auto kDeviceIdle = std::chrono::milliseconds(200);

// From silence in 2.5 ms.
void fade_in(std::span<std::int16_t> samples) {
  const auto n = std::min<std::size_t>(samples.size(), kNegligible);
  for (std::size_t i = 0; i < n; ++i)
    samples[i] = static_cast<std::int16_t>(samples[i] * static_cast<int>(i) / static_cast<int>(n));
}

std::int64_t ssize(std::span<const std::int16_t> s) { return static_cast<std::int64_t>(s.size()); }

bool is_pause(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const double x : samples) sum += x * x;
  return sum < kPause * static_cast<double>(samples.size());
}

}  // namespace

Playout::Playout(const PlayoutSettings& settings)
    : settings_(settings), window_(settings.window, settings.memory, kEnough) {
  fifo_.reserve(4 * kMaxFrame);
  work_.reserve(kMaxFrame);
}

Admission Playout::insert(Time now, std::int64_t sequence, std::uint32_t timestamp, ByteView payload, Codec& codec) {
  BufferedPacket meta;
  meta.duration = codec.duration(payload);
  if (meta.duration == 0) {
    ++stats_.discarded;
    return Admission::late;
  }
  const int clock = rtp_clock(codec.kind());
  if (clock_ != 0 && clock != clock_) restart();  // the timestamps of two clocks do not compare
  clock_ = clock;
  meta.sequence = sequence;
  meta.position = timestamps_.peek(timestamp) * (kRate / clock);
  meta.arrived = now;
  meta.codec = codec.kind();
  if (playing_ && std::llabs(meta.position - cursor_) > kJump) {
    restart();
    meta.position = timestamps_.peek(timestamp) * (kRate / clock);
  }
  // Its place was recovered or concealed and passed over.
  const bool passed = playing_ && meta.position + static_cast<std::int64_t>(meta.duration) <= cursor_;
  Admission admission = passed && !buffer_.seen(sequence) ? Admission::late : buffer_.insert(meta, payload);
  if (admission == Admission::overflow) {
    restart();
    admission = buffer_.insert(meta, payload);
  }
  // Not lost, only overtaken by its copy.
  std::erase_if(recovered_, [sequence](const Recovered& r) { return r.sequence == sequence; });
  if (admission == Admission::late) ++stats_.late;
  timestamps_.unwrap(timestamp);
  if (admission == Admission::duplicate) {
    ++stats_.duplicate;
    observe(now, meta, payload, codec);
    return admission;
  }
  observe(now, meta, payload, codec);
  if (admission != Admission::accepted) return admission;
  if (frame_ < kLongFrame && meta.duration >= kLongFrame) long_since_ = spare_since_ = pulled_;
  frame_ = meta.duration;
  window_.set_span(frame_ >= kLongFrame ? 2 * settings_.memory : settings_.memory);
  if (!playing_ && buffer_.size() == 1) waiting_since_ = pulled_;
  bound();
  return admission;
}

void Playout::insert_copy(Time now, std::int64_t sequence, std::uint32_t timestamp, std::uint32_t offset,
                          ByteView payload, Codec& codec) {
  if (clock_ != rtp_clock(codec.kind())) return;
  BufferedPacket meta;
  meta.duration = codec.duration(payload);
  const auto steps = static_cast<std::size_t>(offset) * static_cast<std::size_t>(kRate / clock_);
  if (steps <= kNearCopy * meta.duration) carried_ = std::max(carried_, static_cast<std::int64_t>(steps));
  if (buffer_.seen(sequence)) return;
  meta.sequence = sequence;
  meta.position = timestamps_.peek(timestamp) * (kRate / clock_);
  meta.arrived = now;
  meta.codec = codec.kind();
  meta.copy = true;
  if (meta.duration == 0 || std::llabs(meta.position - cursor_) > kJump) return;
  const std::int64_t deep = static_cast<std::int64_t>(offset) * (kRate / clock_);
  note_depth(now, sequence, deep);
  const bool passed = playing_ && meta.position + static_cast<std::int64_t>(meta.duration) <= cursor_;
  if (passed || (last_sequence_ && sequence <= *last_sequence_)) return;
  buffer_.insert(meta, payload);
}

void Playout::observe_delay(Time now, std::int64_t early) {
  // Where no device pulls, its clock stands still and says nothing of delays.
  if (ever_pulled_ && now - last_pull_ <= kDeviceIdle) window_.add(now, early);
}

void Playout::note_depth(Time now, std::int64_t sequence, std::int64_t samples) {
  while (!recovered_.empty() && now - recovered_.front().at > kRemember) recovered_.pop_front();
  const auto known = [sequence](const Recovered& r) { return r.sequence == sequence; };
  if (std::any_of(recovered_.begin(), recovered_.end(), known)) return;  // an earlier packet brought it
  if (recovered_.size() == kMaxRecovered) recovered_.pop_front();
  recovered_.push_back({now, sequence, samples});
}

// What all recoveries of late but the deepest needed: one alone is chance.
std::int64_t Playout::depth() const {
  std::int64_t deepest = 0, second = 0;
  for (const auto& r : recovered_) {
    if (r.samples > deepest) {
      second = deepest;
      deepest = r.samples;
    } else {
      second = std::max(second, r.samples);
    }
  }
  // Where losses are recovered at all, the delay suits every near copy that is sent: it moves once, when they come.
  if (recovered_.size() > 1) second = std::max(second, near_);
  return std::min(second, settings_.max_delay);
}

// Notes how early the packet came. A lost packet whose copy travels in the next one counts as come with the next one.
void Playout::observe(Time now, const BufferedPacket& meta, ByteView payload, Codec& codec) {
  near_ = carried_;
  carried_ = 0;
  const bool in_order = !highest_seen_ || meta.sequence > *highest_seen_;
  const bool one_lost = highest_seen_ && meta.sequence == *highest_seen_ + 2;
  if (in_order) highest_seen_ = meta.sequence;
  if (one_lost && !buffer_.seen(meta.sequence - 1) && codec.has_recovery(payload))
    note_depth(now, meta.sequence - 1, static_cast<std::int64_t>(meta.duration));
  while (!recovered_.empty() && now - recovered_.front().at > kRemember) recovered_.pop_front();
  observe_delay(now, meta.position - pulled_);
}

// Keeps the waiting audio, and with it delay and memory, within the bound.
void Playout::bound() {
  while (buffer_.span() > settings_.max_delay && buffer_.size() > 1) {
    buffer_.pop();
    ++stats_.discarded;
  }
}

// What may come back of a queue that seems gone, and on a slow link is not worth giving back: a frame.
std::int64_t Playout::guard() const { return static_cast<std::int64_t>(std::max(frame_, kLongFrame)); }

std::optional<std::int64_t> Playout::target_offset() const {
  if (window_.size() < (frame_ >= kLongFrame ? kEnoughLong : kEnough)) return std::nullopt;
  // Of long frames there are few, and each counts: RTCP alone makes one in thirty wait on a slow link.
  const double quantile = frame_ >= kLongFrame ? 0 : settings_.late_quantile;
  std::int64_t early = window_.quantile(quantile);
  // A queue that has gone is believed sooner than the window forgets it, but for a guard.
  if (const auto recent = recent_early()) early = std::max(early, *recent - guard());
  return early - settings_.safety - depth();
}

std::optional<std::int64_t> Playout::recent_early() const {
  return window_.least_since(last_pull_ - kRecent, frame_ >= kLongFrame ? kFewRecentLong : kFewRecent);
}

// How much delay there is to give back (or, below zero, to take) and worth it.
//
// Long frames are of a slow link, whose RTCP alone moves the delay by as much. What is more than that is given back
// whole and soon after the queue of a call's beginning has gone, not bit by bit as the window forgets it; later only
// what is much, or has been there for long.
std::int64_t Playout::excess(std::int64_t at) {
  const auto target = target_offset();
  if (!target) return 0;
  const std::int64_t need = *target - at;
  const bool was_giving = std::exchange(giving_back_, false);
  if (need < 0) return -need < kLeftAlone ? 0 : need;
  if (frame_ < kLongFrame) return need < kLeftAlone ? 0 : need;
  const auto recent = recent_early();
  const std::int64_t spare = recent ? *recent - guard() - settings_.safety - depth() - at : 0;
  if (spare < guard() / 4) spare_since_ = pulled_;
  const bool worth_it =
      spare >= guard() * 3 / 2 || pulled_ - long_since_ < kSettle || pulled_ - spare_since_ > kLasting;
  giving_back_ = was_giving ? spare >= kLeftAlone : spare >= guard() / 4 && worth_it;
  return giving_back_ ? spare : 0;
}

void Playout::restart() {
  buffer_.clear();
  window_.clear();
  timestamps_.reset();
  recovered_.clear();
  highest_seen_.reset();
  last_sequence_.reset();
  fifo_.clear();
  fifo_at_ = 0;
  skim_ready_ = 0;
  frozen_ = 0;
  playing_ = false;
  seam_ = true;
}

void Playout::pause() {
  gap_excused_ = true;
  gap_ = 0;
  concealed_open_ = 0;
}

// Nothing came for long: the next packet starts afresh.
void Playout::give_up() {
  playing_ = false;
  seam_ = true;
  frozen_ = 0;
}

// While nobody pulled (the device starts late) only the newest packets are of interest.
void Playout::keep_newest() {
  const auto keep = static_cast<std::int64_t>(frame_) + settings_.first_margin;
  while (buffer_.span() > keep && buffer_.size() > 1) {
    buffer_.pop();
    ++stats_.discarded;
  }
}

bool Playout::may_start(std::size_t room, std::size_t& silence) {
  silence = room;
  if (buffer_.empty()) return false;
  const std::int64_t wait = waiting_since_ + settings_.first_margin - pulled_;
  if (wait >= static_cast<std::int64_t>(room)) return false;
  silence = static_cast<std::size_t>(std::max<std::int64_t>(wait, 0));
  return true;
}

void Playout::start_at(const BufferedPacket& packet) {
  playing_ = true;
  const bool paused =
      last_sequence_ && packet.sequence == *last_sequence_ + 1 && packet.position > cursor_ + kNegligible;
  if (gap_ > 0) close_gap(paused);
  cursor_ = packet.position;
  frozen_ = 0;
}

void Playout::note_pull(Time now) {
  if (!playing_ && (!ever_pulled_ || now - last_pull_ > kDeviceIdle)) {
    keep_newest();
    waiting_since_ = pulled_;
  }
  ever_pulled_ = true;
  last_pull_ = now;
}

// The samples of silence, of at most `room`, before playing begins or room ends.
std::size_t Playout::wait_to_start(std::size_t room, bool heard) {
  std::size_t silence = 0;
  const bool start = may_start(room, silence);
  pulled_ += static_cast<std::int64_t>(silence);
  if (heard && stats_.start && !gap_excused_) gap_ += static_cast<std::int64_t>(silence);
  last_sample_ = silence > 0 ? std::int16_t{0} : last_sample_;
  if (start) start_at(*buffer_.front());
  return silence;
}

std::size_t Playout::pull(Time now, std::span<std::int16_t> out, CodecBank& codecs) {
  note_pull(now);
  const bool unheard = std::exchange(skimmed_, false);
  if (stale_) resume(codecs);
  std::size_t first = stats_.start ? 0 : out.size();
  std::size_t at = 0;
  while (at < out.size()) {
    if (ready() == 0 && !playing_) {
      const std::size_t silence = wait_to_start(out.size() - at, true);
      std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), silence, std::int16_t{0});
      at += silence;
      if (!playing_) continue;
    }
    if (ready() == 0) produce(now + Duration{static_cast<std::int64_t>(at) * 1000 / kMs}, codecs);
    if (stats_.decoded + stats_.recovered > 0 && !stats_.start) {
      stats_.start = now + Duration{static_cast<std::int64_t>(at) * 1000 / kMs};
      first = at;
    }
    const std::size_t n = std::min(ready(), out.size() - at);
    std::copy_n(fifo_.begin() + static_cast<std::ptrdiff_t>(fifo_at_), n,
                out.begin() + static_cast<std::ptrdiff_t>(at));
    fifo_at_ += n;
    at += n;
    pulled_ += static_cast<std::int64_t>(n);
  }
  if (unheard) fade_in(out);
  return first;
}

// What is due at the cursor; `missing` is what a hole before the front packet still lacks.
Playout::Due Playout::due(std::int64_t& missing) {
  const BufferedPacket* front = buffer_.front();
  if (front == nullptr) return frozen_ >= kGiveUp ? Due::end : Due::nothing;
  missing = front->position - cursor_ - frozen_;
  // More voice waits than the hole is worth: the way has grown shorter, a queue on it has drained. Filling the hole
  // would keep the delay of before.
  const bool paused = last_sequence_ && front->sequence == *last_sequence_ + 1;
  const auto frame = static_cast<std::int64_t>(front->duration);
  if (missing > kHurry && buffer_.span() >= frame + (paused ? 0 : frame + kPlenty + depth())) {
    seam_ = true;
    window_.clear();  // those delays are of the past
    return Due::front;
  }
  return missing <= kNegligible || missing > settings_.max_delay ? Due::front : Due::hole;
}

// Decodes or conceals the next stretch into the empty fifo; or stops playing.
void Playout::produce(Time now, CodecBank& codecs) {
  fifo_.clear();
  fifo_at_ = 0;
  std::int64_t missing = 0;
  switch (due(missing)) {
    case Due::front: return play_front(now, codecs);
    case Due::hole: return fill_hole(missing, codecs);
    case Due::end: return give_up();
    case Due::nothing: break;
  }
  conceal(kBlock, codecs);
  frozen_ += static_cast<std::int64_t>(kBlock);
}

// The front packet out of the buffer, and the position moved behind it.
const BufferedPacket& Playout::take_front(bool& paused) {
  const BufferedPacket& packet = buffer_.pop();
  paused = last_sequence_ && packet.sequence == *last_sequence_ + 1 && packet.position > cursor_ + kNegligible;
  cursor_ = packet.position + static_cast<std::int64_t>(packet.duration);
  last_sequence_ = packet.sequence;
  codec_ = packet.codec;
  return packet;
}

void Playout::note_played(Time now, const BufferedPacket& packet, bool paused) {
  frozen_ = 0;
  close_gap(paused);
  const double waited = millis(now - packet.arrived);
  delay_ms_ = last_delay_ms_ ? delay_ms_ + (waited - delay_ms_) / 32 : waited;
  last_delay_ms_ = waited;
}

void Playout::play_front(Time now, CodecBank& codecs) {
  bool paused = false;
  const BufferedPacket& packet = take_front(paused);
  work_.resize(packet.duration);
  const std::size_t made = codecs.get(packet.codec).decode(packet.payload, work_);
  if (made == 0) {
    // Authentic but damaged: as good as lost.
    ++stats_.discarded;
    conceal(kBlock, codecs);
    return;
  }
  ++(packet.copy ? stats_.recovered : stats_.decoded);
  note_played(now, packet, paused);
  push_stretched(std::span(work_).first(made));
}

void Playout::fill_hole(std::int64_t missing, CodecBank& codecs) {
  if (recover_hole(missing, codecs)) return;
  const auto n = std::min(static_cast<std::size_t>(missing), kBlock);
  conceal(n, codecs);
  frozen_ += static_cast<std::int64_t>(n);
}

// The frame before the waiting packet, from that packet. What of it has been concealed already is not played again.
bool Playout::recover_hole(std::int64_t missing, CodecBank& codecs) {
  const BufferedPacket& next = *buffer_.front();
  const auto length = static_cast<std::int64_t>(next.duration);
  const bool lost = !last_sequence_ || next.sequence > *last_sequence_ + 1;
  auto& codec = codecs.get(next.codec);
  if (!lost || missing > length || !codec.has_recovery(next.payload)) return false;
  work_.resize(next.duration);
  if (!codec.recover(next.payload, work_)) return false;
  seam_ = seam_ || missing < length;
  ++stats_.recovered;
  close_gap(false);
  push(std::span(work_).last(static_cast<std::size_t>(missing)), Sound::voice);
  cursor_ = next.position;
  frozen_ = 0;
  return true;
}

void Playout::conceal(std::size_t samples, CodecBank& codecs) {
  work_.assign(kBlock, 0);
  if (frozen_ < kFade) codecs.get(codec_).conceal(work_);
  if (frozen_ == 0) gain_ = 1;
  limit(work_);
  push(std::span(work_).first(samples), Sound::concealed);
  if (samples < kBlock) seam_ = true;
}

// Concealment of a tone may come out three times as loud as the tone was (docs/measurements.md). One gain for a block,
// reached within 2.5 ms; what that leaves over the peak is cut.
void Playout::limit(std::span<std::int16_t> concealed) {
  double loudest = 0;
  for (const double s : concealed) loudest = std::max(loudest, std::abs(s));
  const double wanted = loudest > peak_ ? peak_ / loudest : 1, from = std::exchange(gain_, wanted);
  if (wanted == 1 && from == 1) return;
  for (std::size_t i = 0; i < concealed.size(); ++i) {
    const double way = std::min(1.0, static_cast<double>(i) / static_cast<double>(kNegligible));
    const double sample = concealed[i] * (from + (wanted - from) * way);
    concealed[i] = static_cast<std::int16_t>(std::clamp(sample, -peak_, peak_));
  }
}

void Playout::note_peak(std::span<const std::int16_t> voice) {
  for (; !voice.empty(); voice = voice.subspan(std::min(kBlock, voice.size()))) {
    double loudest = 0;
    for (const double s : voice.first(std::min(kBlock, voice.size()))) loudest = std::max(loudest, std::abs(s));
    peak_ = std::max(loudest, peak_ * kPeakMemory);
  }
}

void Playout::push(std::span<const std::int16_t> samples, Sound sound) {
  const std::size_t at = fifo_.size();
  fifo_.insert(fifo_.end(), samples.begin(), samples.end());
  if (sound == Sound::concealed) {
    if (!gap_excused_) concealed_open_ += ssize(samples);
    if (!gap_excused_) gap_ += ssize(samples);
  }
  if (seam_ && sound == Sound::voice && !samples.empty()) {
    // From the last sample over to the voice in 2.5 ms: no step, and never louder than either. (To add the step and
    // let it fade doubles a peak that comes meanwhile.)
    const auto n = std::min<std::size_t>(samples.size(), kNegligible);
    for (std::size_t i = 0; i < n; ++i) {
      const int to = static_cast<int>(i), all = static_cast<int>(n);
      fifo_[at + i] = static_cast<std::int16_t>((last_sample_ * (all - to) + samples[i] * to) / all);
    }
    seam_ = false;
  }
  if (sound == Sound::voice) note_peak(samples);
  if (!fifo_.empty()) last_sample_ = fifo_.back();
}

// Voice that followed in order may give back delay or take more.
void Playout::push_stretched(std::span<const std::int16_t> samples) {
  const std::int64_t move = excess(offset() - ssize(samples));
  const bool leave = move == 0 || (move > 0 && move < kHurry && !is_pause(samples));
  if (leave || seam_) return push(samples, Sound::voice);
  std::vector<std::int16_t> stretched;
  stretched.reserve(2 * samples.size());
  auto left = static_cast<std::size_t>(std::llabs(move));
  // Long frames are stretched in parts, so that they give back as much in a second as short ones do.
  for (auto rest = samples; !rest.empty();) {
    const auto part = rest.first(rest.size() < 2 * kStretchUnit ? rest.size() : kStretchUnit);
    rest = rest.subspan(part.size());
    const auto most = std::min(left, static_cast<std::size_t>(kStretch));
    const std::size_t moved = move > 0 ? accelerate(part, most, stretched) : expand(part, most, stretched);
    (move > 0 ? stats_.accelerated : stats_.expanded) += static_cast<std::int64_t>(moved);
    left -= std::min(left, moved);
  }
  push(stretched, Sound::voice);
}

void Playout::close_gap(bool source_paused) {
  if (!stats_.longest_gap) stats_.longest_gap = 0;
  if (!source_paused && !gap_excused_) stats_.longest_gap = std::max(*stats_.longest_gap, gap_);
  if (!source_paused) stats_.concealed += concealed_open_;
  concealed_open_ = 0;
  gap_ = 0;
  gap_excused_ = false;
}

PlayoutStats Playout::stats() const {
  PlayoutStats out = stats_;
  out.concealed = concealed();
  if (out.longest_gap && gap_ > kOpenGap) out.longest_gap = std::max(*out.longest_gap, gap_);
  if (last_delay_ms_) out.delay_ms = delay_ms_;
  return out;
}

}  // namespace linnet::media
