// Driver: what this device is good for as the mixer of a conference.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "node/io/clock.h"
#include "node/io/driver.h"
#include "node/io/log.h"

namespace linnet::io {
namespace {

std::string means_text(const MixerMeans::Found& found, std::optional<std::uint64_t> uplink) {
  char out[250], line[60] = "";
  if (uplink) std::snprintf(line, sizeof line, " Its line sends %.1f Mbit/s.", static_cast<double>(*uplink) / 1e6);
  std::snprintf(
      out, sizeof out,
      "In a conference this machine could mix for %u members: a frame takes %.2f ms and %.4f ms for each, %.2f "
      "of a core may be used and %.2f cores were spare.%s",
      found.mixes, found.cost.frame_ms, found.cost.member_ms, found.cost.share, found.spare_cores, line);
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

// The line is measured beside the benchmark, while it still rings: once for many conferences, since it costs its owner
// 120 KB. Who is no candidate for a supernode has no other measure of it.
void Driver::measure_line() {
  constexpr Duration kLineGood = std::chrono::hours(1);
  if (line_measure_ || (line_at_ && now() < *line_at_ + kLineGood)) return;
  auto servers = knockers().known;
  if (servers.empty()) return;
  std::erase_if(servers, [v4 = servers.front().ip.is_v4()](const Endpoint& at) { return at.ip.is_v4() != v4; });
  line_measure_ = UplinkMeasure::begin(loop_, rng_, std::move(servers), [this](std::optional<std::uint64_t> rate) {
    line_at_ = now();
    if (rate) line_ = rate;
    line_measure_.reset();
    tell_means();
  });
}

// What is known of the old one stands until the new one was measured: unknown would count as a good one.
void Driver::forget_line() {
  const bool under_way = line_measure_ != nullptr;
  line_at_.reset();
  line_measure_.reset();
  if (under_way) measure_line();
}

void Driver::tell_means() {
  if (!mixer_found_) return;
  const auto uplink = line_ || !candidacy_ ? line_ : candidacy_->uplink();  // a candidate's may be of another network
  const node::ConferenceMeans means{mixer_found_->mixes, static_cast<std::uint32_t>(uplink.value_or(0) / 1000),
                                    reachable(), mixer_found_->mains};
  if (means_ && !worth_telling(*means_, means)) return;
  means_ = means;
  log_info(means_text(*mixer_found_, uplink));
  node_.set_conference_means(now(), means);
  loop_.post([this] { pump(); });
}

// What was mixed is measured until it is sent.
void Driver::handle_timeout() {
  const Time began = now();
  const auto frames = node_.conference_frames();
  node_.handle_timeout(began);
  pump();
  if (node_.conference_frames() == frames) return;
  const Time done = now();
  node_.conference_took(done, done - began);
}

// The node's one thread mixes (docs/decisions/038).
void Driver::tend_urgency() {
  const bool mixes = node_.conference_due() != kNever;
  if (mixes == urgency_.raised()) return;
  if (!mixes) return urgency_.drop();
  const auto means = urgency_.raise();
  if (!std::exchange(urgency_said_, true)) log_info("This machine mixes a conference; " + to_string(means) + ".");
}

void Driver::log_load(const node::event::ConferenceLoad& load) const {
  const auto heard = std::to_string(load.heard);
  switch (load.deadline) {
    case node::Deadline::fine: return log_info("The conference's mixer keeps up again: all is as it was.");
    case node::Deadline::tight:
      return log_warn("The conference's mixer is short of time: of those who talk the loudest " + heard +
                      " are heard at once.");
    case node::Deadline::over:
      return log_warn("The conference's mixer does not keep up: this machine claims to mix for " +
                      std::to_string(load.carries.value_or(0)) + " members from now on.");
  }
}

void Driver::measure_mixer() {
  if (!mixer_means_) mixer_means_ = std::make_unique<MixerMeans>(loop_);
  measure_line();
  mixer_means_->ask(now(), [this](const MixerMeans::Found& found) {
    mixer_found_ = found;
    tell_means();
  });
}

}  // namespace linnet::io
