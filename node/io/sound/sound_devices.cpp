#include "node/io/sound/sound_devices.h"

#include <dlfcn.h>
#include <portaudio.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <charconv>

#include "node/io/clock.h"

namespace linnet::io {
namespace {

const char* const kHint = "\n  Speak from a file: linnet call WHO --play F.wav --record G.wav";
constexpr Duration kFresh = std::chrono::seconds(2);  // a list this old is looked up anew

void ignore_alsa(const char*, int, const char*, int, const char*, ...) {}
void ignore_jack(const char*) {}

// ALSA and JACK, which PortAudio loads, tell the terminal about every device that is not there.
void be_quiet() {
  using AlsaHandler = void (*)(const char*, int, const char*, int, const char*, ...);
  using JackHandler = void (*)(const char*);
  const auto find = [](const char* name) { return ::dlsym(RTLD_DEFAULT, name); };
  if (auto* set = reinterpret_cast<int (*)(AlsaHandler)>(find("snd_lib_error_set_handler"))) set(&ignore_alsa);
  for (const char* name : {"jack_set_error_function", "jack_set_info_function"})
    if (auto* set = reinterpret_cast<void (*)(JackHandler)>(find(name))) set(&ignore_jack);
}

std::atomic<bool>& ever_started() {
  static std::atomic<bool> started{false};
  return started;
}

struct System {
  bool started = false;
  int in_use = 0;
  Time listed{};
};
System& system_state() {
  static System state;
  return state;
}

// PortAudio looks for devices when it is started, and never again.
Done start() {
  System& system = system_state();
  if (system.started && (system.in_use > 0 || now() - system.listed < kFresh)) return {};
  if (system.started) Pa_Terminate();
  be_quiet();
  ever_started() = true;
  const PaError failed = Pa_Initialize();
  system.started = failed == paNoError;
  system.listed = now();
  if (!system.started) return trouble(std::string("No sound: ") + Pa_GetErrorText(failed) + "." + kHint);
  return {};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string found(const std::vector<SoundDevice>& devices, bool SoundDevice::*kind) {
  std::string list, first;
  for (const auto& device : devices) {
    if (!(device.*kind)) continue;
    const auto index = std::to_string(device.index);
    if (first.empty()) first = index;
    list += (list.empty() ? " Found: " : ", ") + index + " " + device.name;
  }
  return list.empty() ? "" : list + ". Use: linnet audio set " + first;
}

Outcome<SoundDevice> pick(const std::vector<SoundDevice>& devices, const std::string& name, const char* noun,
                          bool SoundDevice::*kind, bool SoundDevice::*standard) {
  for (const auto& device : devices)
    if (device.*kind && (name.empty() ? device.*standard : device.name == name)) return device;
  const std::string asked = name.empty() ? "" : " (asked for \"" + name + "\")";
  const auto others = found(devices, kind);
  if (!others.empty()) return trouble(std::string("No ") + noun + asked + "." + others);
  return trouble(std::string("No ") + noun + asked + ": this machine has none." + kHint);
}

}  // namespace

bool sound_started() { return ever_started(); }

Outcome<std::vector<SoundDevice>> sound_devices() {
  if (auto started = start(); !started) return tl::unexpected(started.error());
  std::vector<SoundDevice> out;
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); ++i) {
    const PaDeviceInfo* info = Pa_GetDeviceInfo(i);
    if (info == nullptr) continue;
    const PaHostApiInfo* api = Pa_GetHostApiInfo(info->hostApi);
    out.push_back({i, info->name, api != nullptr ? api->name : "", info->maxInputChannels > 0,
                   info->maxOutputChannels > 0, i == Pa_GetDefaultInputDevice(), i == Pa_GetDefaultOutputDevice(),
                   info->defaultLowInputLatency * 1000, info->defaultLowOutputLatency * 1000});
  }
  return out;
}

Outcome<SoundPair> pick_devices(const std::vector<SoundDevice>& devices, const SoundChoice& choice) {
  const auto any = [](const SoundDevice& d) { return d.microphone || d.loudspeaker; };
  if (choice == SoundChoice{} && std::none_of(devices.begin(), devices.end(), any))
    return trouble(std::string("No microphone and no loudspeaker: this machine has no sound device.") + kHint);
  auto microphone =
      pick(devices, choice.microphone, "microphone", &SoundDevice::microphone, &SoundDevice::default_microphone);
  if (!microphone) return tl::unexpected(microphone.error());
  auto loudspeaker =
      pick(devices, choice.loudspeaker, "loudspeaker", &SoundDevice::loudspeaker, &SoundDevice::default_loudspeaker);
  if (!loudspeaker) return tl::unexpected(loudspeaker.error());
  return SoundPair{std::move(*microphone), std::move(*loudspeaker)};
}

const SoundDevice* find_device(const std::vector<SoundDevice>& devices, std::string_view text) {
  int index = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool number = failed == std::errc() && end == text.data() + text.size();
  const SoundDevice* part = nullptr;
  int parts = 0;
  for (const auto& device : devices) {
    if (number ? device.index == index : device.name == text) return &device;
    if (text.empty() || lower(device.name).find(lower(text)) == std::string::npos) continue;
    part = &device;
    ++parts;
  }
  return parts == 1 && !number ? part : nullptr;
}

SoundInUse::SoundInUse() { ++system_state().in_use; }
SoundInUse::~SoundInUse() { --system_state().in_use; }

}  // namespace linnet::io
