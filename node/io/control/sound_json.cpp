#include "node/io/control/sound_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace linnet::io {
namespace {

using Json = nlohmann::ordered_json;

double tenth(double value) { return std::round(value * 10) / 10; }

}  // namespace

Json sound_json(const std::vector<Sound::InUse>& in_use) {
  Json list = Json::array();
  for (const auto& use : in_use) {
    const auto& report = use.processing;
    const auto latency = use.devices.microphone_latency + use.devices.loudspeaker_latency + use.processing_latency;
    list.push_back(
        Json{{"call", static_cast<std::uint64_t>(use.call)},
             {"microphone", use.devices.microphone},
             {"loudspeaker", use.devices.loudspeaker},
             {"latency_ms", tenth(millis(latency))},
             {"echo", std::string(to_string(report.active))},
             {"echo_delay_ms", report.delay ? Json(tenth(millis(*report.delay))) : Json()},
             {"echo_reduction_db", report.echo_reduction_db ? Json(tenth(*report.echo_reduction_db)) : Json()}});
  }
  return list;
}

Json devices_json(const std::vector<Sound::InUse>& in_use) {
  Json list = Json::array();
  for (const auto& use : in_use)
    list.push_back(Json{{"call", static_cast<std::uint64_t>(use.call)},
                        {"microphone", use.devices.microphone},
                        {"loudspeaker", use.devices.loudspeaker}});
  return list;
}

}  // namespace linnet::io
