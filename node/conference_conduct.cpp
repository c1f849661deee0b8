#include "node/conference_conduct.h"

namespace linnet::node {

// Null: too many devices are being watched.
ConferenceConduct::Seen* ConferenceConduct::seen(Time now, const crypto::DeviceKey& device) {
  const auto found = seen_.find(device);
  if (found == seen_.end()) {
    if (seen_.size() >= kMostDevices)
      std::erase_if(seen_, [&](const auto& entry) { return now >= entry.second.since + kWindow; });
    if (seen_.size() >= kMostDevices) return nullptr;
    return &seen_.emplace(device, Seen{now}).first->second;
  }
  if (now >= found->second.since + kWindow) found->second = Seen{now};
  return &found->second;
}

void ConferenceConduct::note(const crypto::DeviceKey& device, std::string_view what) {
  if (findings_.size() < kMostDevices) findings_.push_back({device, what});
}

bool ConferenceConduct::admits(Time now, const crypto::DeviceKey& device) {
  const auto found = seen_.find(device);
  return found == seen_.end() || now >= found->second.since + kWindow || !found->second.over();
}

void ConferenceConduct::voice(Time now, const crypto::DeviceKey& device, bool ours) {
  auto* by = seen(now, device);
  if (by == nullptr) return;
  auto& count = ours ? by->ours : by->theirs;
  if (++count == kMostVoice) note(device, "many times the packets that voice takes");
}

void ConferenceConduct::foreign(Time now, const crypto::DeviceKey& device) {
  auto* by = seen(now, device);
  if (by != nullptr && ++by->foreign == kMostForeign) note(device, "packets that are of no call with it");
}

std::optional<ConferenceConduct::Finding> ConferenceConduct::poll() {
  if (findings_.empty()) return std::nullopt;
  const auto out = findings_.front();
  findings_.pop_front();
  return out;
}

}  // namespace linnet::node
