#include "node/io/settings/reload.h"

#include <array>

namespace linnet::io {
namespace {

enum class When : std::uint8_t { now, restart };

// Beside each key: whether a running node takes it over, its value as text, and how to carry it.
struct Item {
  std::string_view key;
  When when;
  std::string (*text)(const Settings&);
  void (*carry)(const Settings& from, Settings& to);  // null: only a restart
  bool personal = false;                              // names addresses or files: a log says only that it changed
};

std::string yes_no(bool value) { return value ? "true" : "false"; }
std::string or_none(const std::string& value) { return value.empty() ? "none" : "\"" + value + "\""; }

template <class List, class Text>
std::string list_text(const List& list, Text&& text) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + text(item);
  return "[" + out + "]";
}

std::string codec_text(node::CodecChoice codec) {
  switch (codec) {
    case node::CodecChoice::opus: return "\"opus\"";
    case node::CodecChoice::pcmu: return "\"pcmu\"";
    case node::CodecChoice::l16: return "\"l16\"";
    case node::CodecChoice::pcma: break;
  }
  return "\"pcma\"";
}

std::string strangers_text(node::Strangers strangers) {
  switch (strangers) {
    case node::Strangers::ring: return "\"ring\"";
    case node::Strangers::request: return "\"request\"";
    case node::Strangers::refuse: break;
  }
  return "\"refuse\"";
}

std::string relay_text(RelayMode mode) {
  return mode == RelayMode::on ? "\"on\"" : mode == RelayMode::off ? "\"off\"" : "\"auto\"";
}

// One name for both devices; two different ones show at their own keys.
std::string device_text(const Settings& s) {
  const auto& choice = s.sound_choice;
  if (!s.sound) return "\"none\"";
  return choice.microphone == choice.loudspeaker && !choice.microphone.empty() ? or_none(choice.microphone)
                                                                               : "\"default\"";
}

#define LINNET_CARRY(field) [](const Settings& from, Settings& to) { to.field = from.field; }
#define LINNET_TEXT(expression) [](const Settings& s) -> std::string { return expression; }

const std::array kItems{
    Item{"listen", When::restart,
         LINNET_TEXT(list_text(s.listen, [](const Endpoint& e) { return "\"" + e.to_string() + "\""; })), nullptr,
         true},
    Item{"bootstrap", When::now,
         LINNET_TEXT(list_text(s.bootstrap, [](const std::string& n) { return "\"" + n + "\""; })),
         LINNET_CARRY(bootstrap), true},
    Item{"lan", When::restart, LINNET_TEXT(yes_no(s.lan)), nullptr},
    Item{"network", When::restart, LINNET_TEXT("\"" + s.network + "\""), nullptr},
    Item{"log", When::now, LINNET_TEXT("\"" + s.log_level + "\""), LINNET_CARRY(log_level)},
    Item{"relay.mode", When::restart, LINNET_TEXT(relay_text(s.relay)), nullptr},
    Item{"relay.bandwidth", When::restart, LINNET_TEXT(std::to_string(s.circuit_kbps)), nullptr},
    Item{"relay.month", When::restart, LINNET_TEXT(s.month_gb ? std::to_string(*s.month_gb) : "none"), nullptr},
    Item{"relay.private", When::restart,
         LINNET_TEXT(list_text(s.private_ranges, [](const std::string& n) { return "\"" + n + "\""; })), nullptr, true},
    Item{"call.auto_answer", When::now, LINNET_TEXT(yes_no(s.auto_answer)), LINNET_CARRY(auto_answer)},
    Item{"call.strangers", When::now, LINNET_TEXT(strangers_text(s.strangers)), LINNET_CARRY(strangers)},
    Item{"call.play", When::now, LINNET_TEXT(or_none(s.play)), LINNET_CARRY(play), true},
    Item{"call.record", When::now, LINNET_TEXT(or_none(s.record)), LINNET_CARRY(record), true},
    Item{"call.codec", When::now, LINNET_TEXT(codec_text(s.codec)), LINNET_CARRY(codec)},
    Item{"call.bitrate", When::now, LINNET_TEXT(std::to_string(s.bitrate_kbps)), LINNET_CARRY(bitrate_kbps)},
    Item{"call.frame", When::now, LINNET_TEXT(std::to_string(s.frame_ms)), LINNET_CARRY(frame_ms)},
    Item{"call.ring", When::now, LINNET_TEXT(std::to_string(s.ring_s)), LINNET_CARRY(ring_s)},
    Item{"call.ring_tone", When::now, LINNET_TEXT("\"" + s.ring_tone + "\""), LINNET_CARRY(ring_tone), true},
    Item{"call.ringback", When::now, LINNET_TEXT(yes_no(s.ringback)), LINNET_CARRY(ringback)},
    Item{"media.low_delay", When::now, LINNET_TEXT(yes_no(s.low_delay)), LINNET_CARRY(low_delay)},
    Item{"audio.device", When::restart, LINNET_TEXT(device_text(s)), nullptr},
    Item{"audio.microphone", When::restart, LINNET_TEXT(or_none(s.sound_choice.microphone)), nullptr},
    Item{"audio.loudspeaker", When::restart, LINNET_TEXT(or_none(s.sound_choice.loudspeaker)), nullptr},
    Item{"audio.echo", When::restart, LINNET_TEXT("\"" + std::string(to_string(s.sound_processing.echo)) + "\""),
         nullptr},
    Item{"audio.noise", When::restart, LINNET_TEXT(yes_no(s.sound_processing.noise)), nullptr},
    Item{"audio.gain", When::restart, LINNET_TEXT(yes_no(s.sound_processing.gain)), nullptr},
};

#undef LINNET_CARRY
#undef LINNET_TEXT

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

}  // namespace

std::string Changes::text() const {
  if (!any()) return "Reloaded: nothing has changed.";
  std::string out = now.empty() ? "Reloaded." : "Reloaded: " + joined(now) + ".";
  if (!restart.empty()) out += " Needs a restart: " + joined(restart) + ".";
  return out;
}

Changes compare(const Settings& before, const Settings& after) {
  Changes out;
  for (const auto& item : kItems) {
    const auto was = item.text(before), is = item.text(after);
    if (was == is) continue;
    auto& list = item.when == When::now ? out.now : out.restart;
    list.push_back(std::string(item.key) + (item.personal ? "" : " " + was + " -> " + is));
  }
  return out;
}

Settings take_over(const Settings& running, const Settings& read) {
  Settings out = running;
  for (const auto& item : kItems)
    if (item.carry != nullptr) item.carry(read, out);
  return out;
}

std::string value_text(const Settings& settings, const std::string& key) {
  for (const auto& item : kItems)
    if (item.key == key) return item.text(settings);
  return {};
}

}  // namespace linnet::io
