// When and what the loudspeaker plays: an adaptive playout over the jitter buffer.
//
// All delays are counted on the device's own clock, the samples it has pulled, so that the device's block size and
// drift are part of what is measured. A packet whose first sample has position p, arriving when n samples have been
// pulled, could be played at the earliest with the offset v = p - n between position and clock. The offset
// in use should be the quantile of v that all but a few of the last packets reach:
// Where lost frames come again with later packets (RFC 2198, Opus LBRR) the offset lies deeper by as much as those
// packets are later: a whole number of frames, so that recovery is in time and the delay does not swing with each loss.
//   packets reach v easily  -> there is delay to give back -> take periods out (accelerate)
//   packets miss it         -> put periods in (expand); what is missing at this moment is recovered from the next
//                              packet (FEC) or concealed
// When the buffer runs dry, concealment does not move the position: a packet that is only late is played whole, and the
// delay grows by how late it was. A packet that is lost is skipped once the next one shows it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "media/codec_bank.h"
#include "media/delay_window.h"
#include "media/jitter_buffer.h"
#include "media/rtp.h"

namespace linnet::media {

struct PlayoutSettings {
  std::int64_t max_delay = 500 * kSamplesPerMs;    // waiting audio never spans more
  std::int64_t first_margin = 10 * kSamplesPerMs;  // before anything is known of the path
  std::int64_t safety = 3 * kSamplesPerMs;         // beyond the quantile
  double late_quantile = 0.03;                     // the share of packets allowed to miss
  std::size_t window = 500;                        // packets
  Duration memory = std::chrono::seconds(5);       // older delays are forgotten
};

struct PlayoutStats {
  std::uint64_t decoded = 0;  // frames
  std::uint64_t recovered = 0;
  std::uint64_t late = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t skimmed = 0;    // dropped at their time (skim)
  std::uint64_t discarded = 0;  // dropped to keep the delay bounded, or damaged
  std::int64_t concealed = 0;   // samples
  std::int64_t accelerated = 0;
  std::int64_t expanded = 0;
  std::optional<std::int64_t> longest_gap;  // samples; see Stats::max_gap_ms
  std::optional<double> delay_ms;
  std::optional<Time> start;
};

class Playout {
 public:
  explicit Playout(const PlayoutSettings& settings = {});

  // A packet of known codec. `sequence` is extended; `timestamp` as in the packet.
  Admission insert(Time now, std::int64_t sequence, std::uint32_t timestamp, ByteView payload, Codec& codec);

  // A copy of an earlier frame that came with a later packet: kept if the frame itself is neither here nor passed over.
  //
  // `offset`: how much earlier it is than the packet's own frame, in units of the timestamp.
  void insert_copy(Time now, std::int64_t sequence, std::uint32_t timestamp, std::uint32_t offset, ByteView payload,
                   Codec& codec);

  // Fills `out`. Returns the index of the first sample at or after the start of playing (out.size(): not yet).
  std::size_t pull(Time now, std::span<std::int16_t> out, CodecBank& codecs);

  // The same for `samples` samples that nobody hears, in the same time: frames are dropped when they are due. What
  // pull() would win or lose by stretching is won or lost at once. The next pull() goes on at that very sample.
  void skim(Time now, std::size_t samples);

  // The source pauses (hold, goodbye): what is missing from now on is no gap.
  void pause();
  // Another source: forgets packets, timing and decoders' positions, keeps the counters.
  void restart();

  PlayoutStats stats() const;
  std::int64_t concealed() const { return stats_.concealed + concealed_open_; }  // samples, as in stats()
  std::size_t waiting() const { return buffer_.size(); }
  // Samples the next pull would still have to wait for the newest packets: the delay being aimed for, for tests.
  std::optional<std::int64_t> target_offset() const;
  std::size_t frame() const { return frame_; }

 private:
  enum class Sound : std::uint8_t { voice, concealed };
  enum class Due : std::uint8_t { front, hole, nothing, end };

  static constexpr std::size_t kBlock = 10 * kSamplesPerMs;         // concealment is made in blocks
  static constexpr std::int64_t kStretch = 25 * kSamplesPerMs / 2;  // at most this much in one frame
  static constexpr std::size_t kStretchUnit = 20 * kSamplesPerMs;   // ... and in each of these of a long one

  void observe(Time now, const BufferedPacket& meta, ByteView payload, Codec& codec);
  void observe_delay(Time now, std::int64_t early);
  void note_depth(Time now, std::int64_t sequence, std::int64_t samples);
  std::int64_t depth() const;
  std::int64_t guard() const;
  std::optional<std::int64_t> recent_early() const;
  std::int64_t excess(std::int64_t at);
  void bound();
  void keep_newest();
  bool may_start(std::size_t room, std::size_t& silence);
  void start_at(const BufferedPacket& packet);
  void note_pull(Time now);
  std::size_t wait_to_start(std::size_t room, bool heard);
  Due due(std::int64_t& missing);
  const BufferedPacket& take_front(bool& paused);
  void note_played(Time now, const BufferedPacket& packet, bool paused);
  void skim_next(Time now);
  void skim_front(Time now);
  void resume(CodecBank& codecs);
  std::size_t catch_up(CodecBank& codecs);
  std::int64_t first_to_catch_up() const;
  void produce(Time now, CodecBank& codecs);
  void play_front(Time now, CodecBank& codecs);
  void fill_hole(std::int64_t missing, CodecBank& codecs);
  bool recover_hole(std::int64_t missing, CodecBank& codecs);
  void conceal(std::size_t samples, CodecBank& codecs);
  void push(std::span<const std::int16_t> samples, Sound sound);
  void limit(std::span<std::int16_t> concealed);
  void note_peak(std::span<const std::int16_t> voice);
  void push_stretched(std::span<const std::int16_t> samples);
  void close_gap(bool source_paused);
  void give_up();
  std::size_t ready() const { return fifo_.size() - fifo_at_ + skim_ready_; }
  std::int64_t offset() const { return cursor_ - static_cast<std::int64_t>(ready()) - pulled_; }

  PlayoutSettings settings_;
  // A lost frame that came again with a later packet, and how much later that packet's own frame is.
  struct Recovered {
    Time at{};
    std::int64_t sequence = 0;
    std::int64_t samples = 0;
  };

  JitterBuffer buffer_;
  DelayWindow window_;
  std::deque<Recovered> recovered_;  // of late
  std::int64_t carried_ = 0;         // the oldest near copy of the packet that is being inserted, samples
  std::int64_t near_ = 0;            // ... of the last one
  Unwrapper<std::uint32_t> timestamps_;
  int clock_ = 0;

  bool playing_ = false;
  std::int64_t cursor_ = 0;         // position of the next sample to decode
  std::int64_t pulled_ = 0;         // samples the device has taken
  std::int64_t waiting_since_ = 0;  // pulled_ when the first packet to start with came
  Time last_pull_{};
  bool ever_pulled_ = false;

  std::int64_t concealed_open_ = 0;  // samples concealed since the last voice: missed, unless the source only paused
  std::vector<std::int16_t> fifo_;   // decoded, from fifo_at_ on not yet taken
  std::size_t fifo_at_ = 0;
  std::size_t skim_ready_ = 0;  // samples that would be in fifo_ had they been decoded
  bool skimmed_ = false;        // the last samples were not heard
  bool stale_ = false;          // frames have passed that the decoder does not know
  std::vector<std::int16_t> work_;
  std::int16_t last_sample_ = 0;
  double peak_ = 0;               // of the voice of late: concealment is never louder
  double gain_ = 1;               // of concealment
  bool giving_back_ = false;      // delay that is not needed, down to the target
  std::int64_t spare_since_ = 0;  // pulled_ when there was last none of it
  std::int64_t long_since_ = 0;   // ... when frames grew long
  bool seam_ = false;             // the next voice does not continue what was played last

  std::size_t frame_ = 20 * kSamplesPerMs;  // the last packet's length
  CodecKind codec_ = CodecKind::opus;
  std::optional<std::int64_t> last_sequence_;
  std::optional<std::int64_t> highest_seen_;
  std::int64_t frozen_ = 0;  // samples concealed since the cursor last moved
  std::int64_t gap_ = 0;     // samples without voice, running
  bool gap_excused_ = false;
  double delay_ms_ = 0;
  std::optional<double> last_delay_ms_;
  PlayoutStats stats_;
};

}  // namespace linnet::media
