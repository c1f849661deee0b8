#include "media/telephone_event.h"

#include <algorithm>

namespace linnet::media {
namespace {

constexpr char kDigits[] = "0123456789*#ABCD";
constexpr std::uint8_t kCount = 16;

}  // namespace

Result<TelephoneEvent> parse_event(ByteView payload) {
  Reader in(payload);
  TelephoneEvent out;
  out.event = in.u8();
  const std::uint8_t second = in.u8();
  out.duration = in.u16();
  if (!in.ok()) return fail(Fault::truncated);
  out.end = (second & 0x80) != 0;
  out.volume = second & 0x3f;
  return out;
}

void write_event(Bytes& out, const TelephoneEvent& e) {
  out.push_back(e.event);
  out.push_back(static_cast<std::uint8_t>((e.end ? 0x80 : 0) | (e.volume & 0x3f)));
  out.push_back(static_cast<std::uint8_t>(e.duration >> 8));
  out.push_back(static_cast<std::uint8_t>(e.duration));
}

std::optional<std::uint8_t> event_of(char digit) {
  if (digit >= 'a' && digit <= 'd') digit = static_cast<char>(digit - 'a' + 'A');
  const char* const end = kDigits + kCount;
  const char* const at = std::find(kDigits, end, digit);
  if (at == end) return std::nullopt;
  return static_cast<std::uint8_t>(at - kDigits);
}

std::optional<char> digit_of(std::uint8_t event) {
  if (event >= kCount) return std::nullopt;
  return kDigits[event];
}

bool DigitSender::push(char digit) {
  const auto event = event_of(digit);
  if (!event || waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(*event);
  return true;
}

std::optional<DigitSender::Packet> DigitSender::next(std::uint32_t at, int ms, std::uint32_t per_ms) {
  if (!running_) {
    pause_ms_ = std::max(0, pause_ms_ - ms);
    if (waiting_.empty() || pause_ms_ > 0) return std::nullopt;
    running_ = true;
    start_ = at;
    elapsed_ms_ = 0;
  }
  Packet out;
  out.first = elapsed_ms_ == 0;
  elapsed_ms_ += ms;
  out.timestamp = start_;
  out.event.event = waiting_.front();
  out.event.duration =
      static_cast<std::uint16_t>(std::min<std::uint32_t>(static_cast<std::uint32_t>(elapsed_ms_) * per_ms, 0xffff));
  if (elapsed_ms_ >= kToneMs) {
    out.event.end = true;
    out.copies = 3;
    waiting_.pop_front();
    running_ = false;
    pause_ms_ = kPauseMs;
  }
  return out;
}

std::optional<char> DigitReceiver::on_packet(std::uint32_t timestamp, ByteView payload) {
  const auto event = parse_event(payload);
  if (!event) return std::nullopt;
  // A packet that was overtaken by the next event's is of an event that was told.
  if (last_ && static_cast<std::int32_t>(timestamp - *last_) <= 0) return std::nullopt;
  last_ = timestamp;
  return digit_of(event->event);
}

}  // namespace linnet::media
