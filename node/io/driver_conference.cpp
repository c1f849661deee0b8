// Driver: what this device is good for as the mixer of a conference.
#include <algorithm>
#include <cstdio>

#include "node/io/clock.h"
#include "node/io/driver.h"
#include "node/io/log.h"

namespace linnet::io {
namespace {

std::string means_text(const MixerMeans::Found& found) {
  char out[200];
  std::snprintf(
      out, sizeof out,
      "In a conference this machine could mix for %u members: a frame takes %.2f ms and %.4f ms for each, %.2f "
      "of a core was given and %.2f cores were idle.",
      found.mixes, found.cost.frame_ms, found.cost.member_ms, found.cost.share, found.idle_cores);
  return out;
}

}  // namespace

// Anybody's datagrams come in: as it serves others, or as was proven.
bool Driver::reachable() const {
  if (node_.peer().role() == overlay::Role::supernode || (reach_ && reach_->datagrams())) return true;
  return std::any_of(opened_.begin(), opened_.end(), [](const node::OpenPort& port) {
    return port.reached == true && port.external.transport == Transport::udp;
  });
}

void Driver::measure_mixer() {
  if (!mixer_means_) mixer_means_ = std::make_unique<MixerMeans>(loop_);
  mixer_means_->ask(now(), [this](const MixerMeans::Found& found) {
    const auto uplink = candidacy_ ? candidacy_->uplink() : std::nullopt;
    const node::ConferenceMeans means{found.mixes, static_cast<std::uint32_t>(uplink.value_or(0) / 1000), reachable(),
                                      found.mains};
    if (means_ == means) return;
    means_ = means;
    log_info(means_text(found));
    node_.set_conference_means(now(), means);
    loop_.post([this] { pump(); });
  });
}

}  // namespace linnet::io
