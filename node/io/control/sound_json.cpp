#include "node/io/control/sound_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace linnet::io {
namespace {

using Ordered = nlohmann::ordered_json;

double tenth(double value) { return std::round(value * 10) / 10; }

}  // namespace

Ordered sound_json(const std::vector<Sound::InUse>& in_use) {
  Ordered list = Ordered::array();
  for (const auto& use : in_use) {
    const auto& report = use.processing;
    const auto latency = use.devices.microphone_latency + use.devices.loudspeaker_latency + use.processing_latency;
    list.push_back(Ordered{
        {"call", static_cast<std::uint64_t>(use.call)},
        {"microphone", use.devices.microphone},
        {"loudspeaker", use.devices.loudspeaker},
        {"latency_ms", tenth(millis(latency))},
        {"echo", std::string(to_string(report.active))},
        {"echo_delay_ms", report.delay ? Ordered(tenth(millis(*report.delay))) : Ordered()},
        {"echo_reduction_db", report.echo_reduction_db ? Ordered(tenth(*report.echo_reduction_db)) : Ordered()}});
  }
  return list;
}

Ordered devices_json(const std::vector<Sound::InUse>& in_use) {
  Ordered list = Ordered::array();
  for (const auto& use : in_use)
    list.push_back(Ordered{{"call", static_cast<std::uint64_t>(use.call)},
                           {"microphone", use.devices.microphone},
                           {"loudspeaker", use.devices.loudspeaker}});
  return list;
}

}  // namespace linnet::io
