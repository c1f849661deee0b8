#include "overlay/dial_desk.h"

#include <algorithm>

#include "overlay/ways.h"

namespace linnet::overlay {
namespace {

constexpr std::uint16_t kFirstOfUsers = 1024;

bool may_be_dialled(const Endpoint& proven, std::uint16_t port) {
  if (proven.transport != Transport::udp || proven.ip.is_multicast() || proven.ip.is_unspecified()) return false;
  return port >= kFirstOfUsers || port == kTlsPort || port == kWebPort;
}

}  // namespace

bool DialDesk::pay(Time now) {
  const double elapsed = static_cast<double>(micros(now - filled_)) / 1e6;
  tokens_ = std::min<double>(kBurst, tokens_ + elapsed * kPerSecond);
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

std::optional<DialWanted> DialDesk::take(Time now, const crypto::DeviceKey& device, const Endpoint& proven,
                                         const control::DialAsk& ask) {
  std::erase_if(last_, [&](const Dialled& d) { return now - d.at >= kEvery; });
  const bool again = std::any_of(last_.begin(), last_.end(), [&](const Dialled& d) { return d.device == device; });
  if (!may_be_dialled(proven, ask.port) || again || last_.size() >= kRemembered || !prefixes_.allow(now, proven.ip) ||
      !pay(now)) {
    ++refused_;
    return std::nullopt;
  }
  last_.push_back({device, now});
  return DialWanted{{proven.ip, ask.port, Transport::tcp}, ask.nonce};
}

}  // namespace linnet::overlay
