// Digits as named telephone events (RFC 4733): what a keypad sends, four octets at a time.
#pragma once

#include <deque>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace linnet::media {

struct TelephoneEvent {
  std::uint8_t event = 0;  // 0..9, 10 *, 11 #, 12..15 A..D; others are not digits
  bool end = false;
  std::uint8_t volume = 10;    // power below 0 dBm0, 0..63
  std::uint16_t duration = 0;  // so far, in timestamp units
};

// The first event of a payload; longer payloads begin with the current one (section 2.5.1.5). Fault: truncated.
Result<TelephoneEvent> parse_event(ByteView payload);
void write_event(Bytes& out, const TelephoneEvent& event);

// '0'..'9', '*', '#', 'A'..'D' in either case.
std::optional<std::uint8_t> event_of(char digit);
std::optional<char> digit_of(std::uint8_t event);

// Digits that wait to be sent, each as one event after the other with a pause between.
class DigitSender {
 public:
  static constexpr std::size_t kMaxWaiting = 64;
  static constexpr int kToneMs = 100;
  static constexpr int kPauseMs = 60;

  // False when it is no digit or too many wait.
  bool push(char digit);

  // What goes out in place of a voice frame of `ms`, whose samples have the timestamp `at` at a clock of `per_ms`.
  struct Packet {
    TelephoneEvent event;
    std::uint32_t timestamp = 0;  // of the event's start
    bool first = false;           // marker bit (section 2.5.1.1)
    int copies = 1;               // the end of an event is sent three times (section 2.5.1.4)
  };
  std::optional<Packet> next(std::uint32_t at, int ms, std::uint32_t per_ms);
  bool busy() const { return running_ || !waiting_.empty(); }

 private:
  std::deque<std::uint8_t> waiting_;
  bool running_ = false;
  std::uint32_t start_ = 0;
  int elapsed_ms_ = 0;
  int pause_ms_ = 0;
};

// Each event is told once, with the first packet of it that came.
class DigitReceiver {
 public:
  // The digit that begins with this packet, if one does.
  std::optional<char> on_packet(std::uint32_t timestamp, ByteView payload);

 private:
  std::optional<std::uint32_t> last_;  // timestamp of the last event told
};

}  // namespace linnet::media
