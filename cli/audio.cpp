#include "cli/audio.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"
#include "node/io/settings/config.h"
#include "node/io/sound/sound_check.h"
#include "node/io/sound/sound_choice.h"

namespace linnet::cli {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr Duration kSpeak = std::chrono::seconds(3);
constexpr double kTooQuiet = -60;  // dB of full scale: no voice comes from there

std::string figure(const char* format, double value) {
  char out[64];
  std::snprintf(out, sizeof out, format, value);
  return out;
}
Ordered tenth(std::optional<double> value) { return value ? Ordered(std::round(*value * 10) / 10) : Ordered(); }
std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// What a call would use: `audio set`, else the configuration.
io::Outcome<io::SoundChoice> choice_of(const Context& context) {
  if (auto set = io::load_sound_choice(context.home.sound())) return *set;
  io::Settings settings;
  if (auto read = io::read_config_files(context.home.configs, settings); !read) return tl::unexpected(read.error());
  return settings.sound_choice;
}

struct Chosen {
  std::vector<io::SoundDevice> devices;
  io::SoundChoice choice;
  std::optional<io::SoundPair> pair;  // nothing: what was chosen is not there
  io::Trouble why;
};

io::Outcome<Chosen> look(const Context& context) {
  auto choice = choice_of(context);
  if (!choice) return tl::unexpected(choice.error());
  auto devices = io::sound_devices();
  if (!devices) return tl::unexpected(devices.error());
  Chosen out{std::move(*devices), std::move(*choice), {}, {}};
  auto pair = io::pick_devices(out.devices, out.choice);
  if (pair)
    out.pair = std::move(*pair);
  else
    out.why = pair.error();
  return out;
}

Ordered device_json(const io::SoundDevice& d, const Chosen& chosen) {
  return Ordered{{"index", d.index},
                 {"name", d.name},
                 {"system", d.system},
                 {"microphone", d.microphone},
                 {"loudspeaker", d.loudspeaker},
                 {"microphone_latency_ms", d.microphone ? tenth(d.microphone_latency_ms) : Ordered()},
                 {"loudspeaker_latency_ms", d.loudspeaker ? tenth(d.loudspeaker_latency_ms) : Ordered()},
                 {"used_microphone", chosen.pair && chosen.pair->microphone.index == d.index},
                 {"used_loudspeaker", chosen.pair && chosen.pair->loudspeaker.index == d.index}};
}

std::string device_text(const io::SoundDevice& d, const Chosen& chosen, std::size_t width) {
  const auto side = [&](const char* noun, bool there, bool used) {
    return padded(there ? (used ? "*" : " ") + std::string(noun) : "", 12);
  };
  return figure("%2.0f  ", d.index) + padded(d.name, width) + "  " +
         side("microphone", d.microphone, chosen.pair && chosen.pair->microphone.index == d.index) + "  " +
         side("loudspeaker", d.loudspeaker, chosen.pair && chosen.pair->loudspeaker.index == d.index) + "  " + d.system;
}

struct Verdict {
  const char* result;  // for scripts
  std::string text;    // empty: all is well
};

Verdict judge(const io::SoundCheck& check) {
  if (check.stood_still) return {"still", "The device was opened and then stood still. Is its sound server running?"};
  const bool zeros = check.noise_db <= -99 && !check.round_trip && check.voice_db.value_or(-99) <= -99;
  if (zeros) return {"silent", "The microphone gives nothing but silence: it is muted or switched off."};
  if (check.voice_db && *check.voice_db < kTooQuiet)
    return {"quiet", "Nothing was heard of a voice. Speak up, or choose another microphone: linnet audio ls"};
  if (check.clipped) return {"clipped", "The microphone is too loud and clips. Turn its level down."};
  return {"ok", ""};
}

Ordered test_json(const io::SoundCard::Facts& facts, const io::SoundCheck& check, const Verdict& verdict) {
  const auto trip = check.round_trip ? std::optional(millis(*check.round_trip)) : std::nullopt;
  return Ordered{{"schema", 1},
                 {"result", verdict.result},
                 {"microphone", facts.microphone},
                 {"loudspeaker", facts.loudspeaker},
                 {"microphone_rate", facts.microphone_rate},
                 {"loudspeaker_rate", facts.loudspeaker_rate},
                 {"microphone_latency_ms", tenth(millis(facts.microphone_latency))},
                 {"loudspeaker_latency_ms", tenth(millis(facts.loudspeaker_latency))},
                 {"round_trip_ms", tenth(trip)},
                 {"echo_db", tenth(check.echo_db)},
                 {"noise_db", tenth(check.noise_db)},
                 {"voice_db", tenth(check.voice_db)},
                 {"clipped", check.clipped}};
}

void say_test(const io::SoundCard::Facts& facts, const io::SoundCheck& check) {
  say("microphone   " + facts.microphone + "   " + figure("%.0f Hz   ", facts.microphone_rate) +
      figure("latency %.0f ms   ", millis(facts.microphone_latency)) + figure("noise %.0f dB", check.noise_db) +
      (check.voice_db ? figure("   voice %.0f dB", *check.voice_db) : ""));
  say("loudspeaker  " + facts.loudspeaker + "   " + figure("%.0f Hz   ", facts.loudspeaker_rate) +
      figure("latency %.0f ms", millis(facts.loudspeaker_latency)));
  if (check.round_trip)
    say("round trip   " + figure("%.0f ms   ", millis(*check.round_trip)) +
        figure("echo %.0f dB, cancelled in calls", *check.echo_db));
  else
    say("round trip   ?   the microphone does not hear the loudspeaker: no echo to cancel");
}

std::string show(const std::string& name) { return name.empty() ? "the system's default" : name; }

}  // namespace

int audio_list(const Context& context) {
  const auto chosen = look(context);
  if (!chosen) return fail(chosen.error());
  if (context.json) {
    Ordered list = Ordered::array();
    for (const auto& device : chosen->devices) list.push_back(device_json(device, *chosen));
    say(io::line_of(Ordered{{"schema", 1}, {"devices", std::move(list)}}));
    return 0;
  }
  std::size_t width = 0;
  for (const auto& device : chosen->devices) width = std::max(width, device.name.size());
  for (const auto& device : chosen->devices) say(device_text(device, *chosen, width));
  if (!chosen->pair) talk(chosen->why.text);
  return 0;
}

int audio_set(const Context& context, const verb::AudioSet& options) {
  auto choice = choice_of(context);
  if (!choice) return fail(choice.error());
  const bool both = options.microphone == options.loudspeaker;
  io::SoundDevice device;
  device.microphone = device.loudspeaker = true;
  if (options.device != "default") {
    const auto devices = io::sound_devices();
    if (!devices) return fail(devices.error());
    const auto* found = io::find_device(*devices, options.device);
    if (found == nullptr) {
      std::string list;
      for (const auto& d : *devices)
        list += (list.empty() ? " Found: " : ", ") + std::to_string(d.index) + " " + d.name;
      return fail({"No device \"" + options.device + "\"." + (list.empty() ? " This machine has none." : list),
                   io::Exit::not_found});
    }
    device = *found;
  }
  const bool microphone = (both || options.microphone) && (device.microphone || options.microphone);
  const bool loudspeaker = (both || options.loudspeaker) && (device.loudspeaker || options.loudspeaker);
  if (microphone && !device.microphone) return fail({device.name + " is no microphone.", io::Exit::usage});
  if (loudspeaker && !device.loudspeaker) return fail({device.name + " is no loudspeaker.", io::Exit::usage});
  if (microphone) choice->microphone = device.name;
  if (loudspeaker) choice->loudspeaker = device.name;
  if (auto made = io::make_home(context.home); !made) return fail(made.error());
  if (auto saved = io::save_sound_choice(context.home.sound(), *choice); !saved) return fail(saved.error());
  const auto name = [](const std::string& n) { return n.empty() ? Ordered() : Ordered(n); };
  if (context.json)
    say(io::line_of(Ordered{{"schema", 1},
                            {"ok", true},
                            {"microphone", name(choice->microphone)},
                            {"loudspeaker", name(choice->loudspeaker)}}));
  else
    say("Microphone: " + show(choice->microphone) + ". Loudspeaker: " + show(choice->loudspeaker) +
        ". From the next call on.");
  return 0;
}

int audio_test(const Context& context, const verb::AudioTest& options) {
  const auto choice = choice_of(context);
  if (!choice) return fail(choice.error());
  const auto card = io::SoundCard::open(*choice);
  if (!card) return fail(card.error());
  const auto& facts = (*card)->facts();
  talk("A rising tone comes from " + facts.loudspeaker + " ...");
  auto check = io::check_sound(**card);
  if (!options.quick && !check.stood_still) {
    talk("Speak a sentence into " + facts.microphone + " now ...");
    io::check_voice(
        **card, kSpeak, [] { talk("... and this is how it was heard."); }, check);
  }
  const auto verdict = judge(check);
  if (context.json)
    say(io::line_of(test_json(facts, check, verdict)));
  else
    say_test(facts, check);
  return verdict.text.empty() ? 0 : fail({verdict.text});
}

int audio_status(const Context& context) {
  const auto line = io::ask(context.home, R"({"cmd":"audio"})", std::chrono::seconds(5));
  if (!line) return fail(line.error());
  const Ordered answer = Ordered::parse(*line, nullptr, false);
  if (!answer.is_object() || !answer.contains("audio"))
    return fail(
        {answer.is_object() ? answer.value("error", std::string("Failed.")) : "The daemon's answer cannot be read."});
  if (context.json) {
    say(io::line_of(Ordered{{"schema", 1}, {"calls", answer["audio"]}}));
    return 0;
  }
  if (answer["audio"].empty()) talk("No call uses a sound device.");
  for (const auto& use : answer["audio"]) {
    const auto number = [&](const char* key, const char* format) {
      return use[key].is_number() ? figure(format, use[key].get<double>()) : std::string("?");
    };
    say("call " + number("call", "%.0f") + "   " + use.value("microphone", std::string("?")) + " -> " +
        use.value("loudspeaker", std::string("?")) + "   latency " + number("latency_ms", "%.0f ms") + "   echo " +
        use.value("echo", std::string("?")) + "   delay " + number("echo_delay_ms", "%.0f ms") + "   reduced by " +
        number("echo_reduction_db", "%.0f dB"));
  }
  return 0;
}

}  // namespace linnet::cli
