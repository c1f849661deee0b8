#include "node/path_watch.h"

#include <algorithm>

namespace linnet::node {

PathWord word_of(const overlay::Path& path) {
  if (path.kind != overlay::PathKind::direct) return PathWord::relayed;
  const auto& ip = path.endpoint.ip;
  return ip.is_loopback() || ip.is_link_local() || ip.is_private() ? PathWord::lan : PathWord::direct;
}

std::string by_word(const overlay::Path& path) {
  const std::string transport(to_string(path.endpoint.transport));
  switch (path.kind) {
    case overlay::PathKind::direct: return transport;
    case overlay::PathKind::forward: return overlay::on_stream(path) ? "forward over " + transport : "forward";
    case overlay::PathKind::circuit: return overlay::on_stream(path) ? "circuit over " + transport : "circuit";
    case overlay::PathKind::turn: return "turn";
  }
  return {};
}

void PathWatch::voice_came(double concealed_ms) {
  // While a change is open its baseline must not follow: the silence that it caused would be taken for granted.
  if (!open_) quiet_baseline_ = concealed_ms;
}

void PathWatch::moved(Time now, const overlay::Path& to, double concealed_ms) {
  if (path_ && *path_ == to) return;
  handle_timeout(kNever, concealed_ms);
  const auto from = word();
  path_ = to;
  if (changes_.size() >= kMaxChanges) return;
  changes_.push_back({now - began_, std::string(to_string(from)), std::string(to_string(word_of(to))), std::nullopt});
  if (quiet_baseline_) open_ = Open{now + kAround, changes_.size() - 1, *quiet_baseline_};
}

std::optional<Duration> PathWatch::gap(double concealed_ms) const {
  return Duration(static_cast<Duration::rep>(std::max(0.0, concealed_ms - open_->concealed_before) * 1000));
}

void PathWatch::handle_timeout(Time now, double concealed_ms) {
  if (!open_ || now < open_->until) return;
  changes_[open_->change].gap = gap(concealed_ms);
  quiet_baseline_ = concealed_ms;
  open_.reset();
}

std::vector<PathChange> PathWatch::changes(double concealed_ms) const {
  auto out = changes_;
  if (open_) out[open_->change].gap = gap(concealed_ms);
  return out;
}

}  // namespace linnet::node
