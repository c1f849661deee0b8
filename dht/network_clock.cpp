#include "dht/network_clock.h"

#include <algorithm>
#include <cstdlib>

namespace linnet::dht {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kSame = 2 * kSecond;  // whole seconds and a round trip: not another time

std::int64_t offset_of(Time now, Wall wall) { return seconds(wall) * kSecond - micros(now.time_since_epoch()); }

Wall wall_of(Time now, std::int64_t offset) {
  const auto since = Duration(offset + micros(now.time_since_epoch()));
  return Wall{std::chrono::floor<std::chrono::seconds>(since).count()};
}

bool far_apart(std::int64_t a, std::int64_t b) { return std::abs(a - b) > micros(NetworkClock::kJump); }

std::uint64_t voice_of(const IpAddress& from, const crypto::SessionKey& who) {
  const bool global = from.is_global();
  const auto prefix = from.prefix();
  std::uint64_t out = global ? 1 : 0;
  for (std::size_t i = 0; i < prefix.size(); ++i) out = out << 8 | (global ? prefix[i] : who.bytes[i]);
  return out;
}

std::int64_t middle(std::vector<std::int64_t> offsets) {
  const auto at = offsets.begin() + static_cast<std::ptrdiff_t>((offsets.size() - 1) / 2);
  std::nth_element(offsets.begin(), at, offsets.end());
  return *at;
}

}  // namespace

void NetworkClock::set(Time now, Wall own) {
  const auto offset = offset_of(now, std::clamp(own, Wall{0}, Wall{kMostWall}));
  if (own_ && far_apart(*own_, offset)) jumped_ = now;
  own_ = offset;
  judge();
}

void NetworkClock::hear(Time now, const IpAddress& from, const crypto::SessionKey& who, Wall said) {
  if (seconds(said) < 0 || seconds(said) > kMostWall) return;
  const auto id = voice_of(from, who);
  auto voice = std::find_if(voices_.begin(), voices_.end(), [&](const Voice& v) { return v.who == id; });
  const auto offset = offset_of(now, said);
  if (voice == voices_.end()) {
    forget(now);
    if (voices_.size() >= kMostVoices) return;
    if (voices_.size() == voices_.capacity()) voices_.reserve(voices_.size() + kQuorum);
    voice = voices_.insert(voices_.end(), Voice{id, now, offset});
  } else if (voice->heard >= jumped_ && std::abs(voice->offset - offset) < kSame) {
    voice->heard = now;
    return;
  }
  *voice = {id, now, offset};
  forget(now);
  judge();
}

void NetworkClock::take_over(const NetworkClock& from) {
  const bool own_counts = own_counts_;
  *this = from;
  own_counts_ = own_counts;
  judge();
}

void NetworkClock::forget(Time now) {
  std::erase_if(voices_, [&](const Voice& v) { return now - v.heard > kFresh; });
  const auto before_jump = [&](const Voice& v) { return v.heard < jumped_; };
  const auto old = static_cast<std::size_t>(std::count_if(voices_.begin(), voices_.end(), before_jump));
  if (voices_.size() - old >= kQuorum) std::erase_if(voices_, before_jump);
}

void NetworkClock::judge() {
  median_.reset();
  const bool own_speaks = own_counts_ && own_;
  if (voices_.size() + (own_speaks ? 1 : 0) >= kQuorum) {
    std::vector<std::int64_t> offsets;
    offsets.reserve(voices_.size() + 1);
    for (const auto& v : voices_) offsets.push_back(v.offset);
    if (own_speaks) offsets.push_back(*own_);
    median_ = middle(std::move(offsets));
  }
  if (!offset()) return;
  if (leapt_ && far_apart(*leapt_, *offset())) ++leaps_;
  if (!leapt_ || far_apart(*leapt_, *offset())) leapt_ = offset();
}

std::optional<Wall> NetworkClock::at(Time now) const {
  return own_ ? std::optional(wall_of(now, *offset())) : std::nullopt;
}

std::optional<Wall> NetworkClock::own_at(Time now) const {
  return own_ ? std::optional(wall_of(now, *own_)) : std::nullopt;
}

std::optional<std::chrono::seconds> NetworkClock::ahead() const {
  if (!own_ || voices_.empty()) return std::nullopt;
  std::vector<std::int64_t> offsets;
  for (const auto& v : voices_) offsets.push_back(v.offset);
  const auto off = *own_ - middle(std::move(offsets));
  // Both were told in whole seconds: so little is no difference that anybody saw.
  return std::abs(off) < kSame ? std::chrono::seconds(0) : std::chrono::round<std::chrono::seconds>(Duration(off));
}

}  // namespace linnet::dht
