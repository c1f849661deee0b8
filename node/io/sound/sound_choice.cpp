#include "node/io/sound/sound_choice.h"

#include <nlohmann/json.hpp>

#include "node/io/files.h"

namespace linnet::io {
namespace {

using Ordered = nlohmann::ordered_json;
constexpr std::size_t kMaxChoice = 16 * 1024;
constexpr std::size_t kMaxName = 1024;

std::string name(const Ordered& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return {};
  auto out = it->get<std::string>();
  return out.size() <= kMaxName ? out : std::string();
}

}  // namespace

std::optional<SoundChoice> load_sound_choice(const std::filesystem::path& file) {
  const auto bytes = read_file(file, kMaxChoice);
  if (!bytes || !*bytes) return std::nullopt;
  const Ordered json = Ordered::parse((**bytes).begin(), (**bytes).end(), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return SoundChoice{name(json, "microphone"), name(json, "loudspeaker")};
}

Done save_sound_choice(const std::filesystem::path& file, const SoundChoice& choice) {
  if (choice == SoundChoice{}) {
    std::error_code failed;
    std::filesystem::remove(file, failed);
    if (failed) return trouble("Cannot remove " + file.string() + ": " + failed.message() + ".");
    return {};
  }
  const std::string text = Ordered{{"microphone", choice.microphone}, {"loudspeaker", choice.loudspeaker}}.dump(
                               2, ' ', false, Ordered::error_handler_t::replace) +
                           "\n";
  return write_file(file, Bytes(text.begin(), text.end()), 0600, Replace::yes);
}

}  // namespace linnet::io
