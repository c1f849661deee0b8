// The devices that were chosen with `linnet audio set`: a file in the home, so that the choice outlasts a restart.
#pragma once

#include <filesystem>
#include <optional>

#include "node/io/sound/sound_devices.h"

namespace linnet::io {

// Nothing when nothing was chosen, or the file cannot be read as one.
std::optional<SoundChoice> load_sound_choice(const std::filesystem::path& file);
// The system's defaults on both sides take the file away.
Done save_sound_choice(const std::filesystem::path& file, const SoundChoice& choice);

}  // namespace linnet::io
