// The packets that wait to be played, in order of sequence number. Reorders, refuses what was there before and what
// comes too late, and holds a bounded span. When to play is media/playout's decision.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"
#include "media/codec_kind.h"

namespace linnet::media {

struct BufferedPacket {
  std::int64_t sequence = 0;  // extended
  std::int64_t position = 0;  // RTP timestamp, extended, in 48 kHz samples
  std::size_t duration = 0;   // 48 kHz samples
  Time arrived{};
  CodecKind codec = CodecKind::opus;
  bool copy = false;  // came with a later packet
  Bytes payload;      // keeps its capacity from use to use
};

enum class Admission : std::uint8_t { accepted, duplicate, late, overflow };

class JitterBuffer {
 public:
  static constexpr std::size_t kCapacity = 128;  // packets: 1.28 s of 10 ms frames

  // `meta.payload` is ignored; `payload` is copied. `overflow`: further ahead than the buffer spans, nothing was kept.
  Admission insert(const BufferedPacket& meta, ByteView payload);

  // The waiting packet with the lowest sequence, or null.
  const BufferedPacket* front() const;
  // Marks front as played: it and all before it will be refused from now on. The reference lives until the next insert.
  const BufferedPacket& pop();

  // One that was popped, as long as no other has its place: kCapacity packets back.
  const BufferedPacket* played(std::int64_t sequence) const;

  bool empty() const { return waiting_ == 0; }
  std::size_t size() const { return waiting_; }
  // Samples from the start of the first to the end of the last waiting packet.
  std::int64_t span() const;
  bool holds(std::int64_t sequence) const;
  // Was accepted before, whether it still waits or not; remembers kCapacity packets back.
  bool seen(std::int64_t sequence) const;
  void clear();  // forgets history too

 private:
  struct Slot {
    BufferedPacket packet;
    bool waiting = false;
    bool used = false;  // packet.sequence is meaningful
  };

  Slot& slot(std::int64_t sequence) { return slots_[static_cast<std::size_t>(sequence) % kCapacity]; }
  const Slot& slot(std::int64_t sequence) const { return slots_[static_cast<std::size_t>(sequence) % kCapacity]; }
  std::int64_t first_waiting() const;

  std::array<Slot, kCapacity> slots_;
  std::size_t waiting_ = 0;
  bool started_ = false;
  std::int64_t next_ = 0;     // lowest sequence still welcome
  std::int64_t highest_ = 0;  // of all that was accepted
};

}  // namespace linnet::media
