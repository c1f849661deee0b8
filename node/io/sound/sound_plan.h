// What one call is spoken and heard with.
#pragma once

#include <string>

#include "node/io/sound/sound_line.h"
#include "node/io/trouble.h"

namespace linnet::io {

// A file on either side means files on both: the other side is silence, or nowhere.
struct SoundPlan {
  Speech play;         // null: none
  std::string record;  // empty: none
  bool card = true;    // microphone and loudspeaker, when neither of the above is given

  bool files() const { return play != nullptr || !record.empty(); }
};

Outcome<Speech> load_speech(const std::string& path);

// Reads what is to be played and sees whether there may be recorded. An empty path is none.
Outcome<SoundPlan> make_plan(bool card, const std::string& play, const std::string& record);

}  // namespace linnet::io
