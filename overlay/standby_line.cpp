#include "overlay/standby_line.h"

#include <algorithm>

namespace linnet::overlay {

std::vector<StandbyLine::Standby>::iterator StandbyLine::find(SessionId session) {
  return std::find_if(line_.begin(), line_.end(), [&](const Standby& s) { return s.session == session; });
}

bool StandbyLine::offer(Time now, SessionId session, const IpAddress& from, const dht::Id& place) {
  if (find(session) != line_.end()) return true;
  std::erase_if(in_vain_, [&](const InVain& v) { return v.rests_until <= now; });
  if (std::any_of(in_vain_.begin(), in_vain_.end(), [&](const InVain& v) { return v.session == session; }))
    return false;
  const auto neighbours = std::count_if(line_.begin(), line_.end(), [&](const Standby& s) {
    return from.is_global() && s.from.is_global() && s.from.prefix() == from.prefix();
  });
  if (line_.size() >= kMost || neighbours >= std::ptrdiff_t{kOfPrefix}) return false;
  line_.push_back({session, from, place});
  return true;
}

void StandbyLine::withdraw(SessionId session) {
  if (const auto at = find(session); at != line_.end()) line_.erase(at);
  if (called_ != session) return;
  called_.reset();
  followed_ = true;
  pause_ = std::min(2 * pause_, kMostPause);
}

std::vector<StandbyLine::Standby>::iterator StandbyLine::next(const std::optional<Near>& near) {
  const auto before = [&](const Standby& a, const Standby& b) {
    if (a.calls != b.calls) return a.calls < b.calls;
    return near && dht::nearer(near->to, a.place, b.place);
  };
  const bool anywhere = !near || !near->limit;
  auto best = line_.end();
  for (auto at = line_.begin(); at != line_.end(); ++at) {
    if (!anywhere && !dht::nearer(near->to, at->place, *near->limit)) continue;
    if (best == line_.end() || before(*at, *best)) best = at;
  }
  return best;
}

void StandbyLine::drop_in_vain(Time now) {
  const auto vain = [](const Standby& s) { return s.calls >= kCallsInVain; };
  for (const auto& s : line_) {
    if (!vain(s)) continue;
    if (in_vain_.size() == kMost) in_vain_.erase(in_vain_.begin());
    in_vain_.push_back({s.session, now + kVainRest});
  }
  std::erase_if(line_, vain);
}

std::optional<SessionId> StandbyLine::call(Time now, Rng& rng, const std::optional<Near>& near) {
  if (now < next_at_) return std::nullopt;
  drop_in_vain(now);
  const auto one = next(near);
  if (one == line_.end()) return std::nullopt;
  ++one->calls;
  called_ = one->session;
  next_at_ = now + pause_ + Duration(static_cast<std::int64_t>(rng.unit() * static_cast<double>(pause_.count()) / 2));
  return called_;
}

}  // namespace linnet::overlay
