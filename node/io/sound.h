// Sound of the running calls: 10 ms ticks on the monotonic clock for files and silence, the card's own pace for the
// card.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/io/loop.h"
#include "node/io/trouble.h"
#include "node/node.h"

namespace linnet::io {

// A WAV file, at 48 kHz.
using Speech = std::shared_ptr<const std::vector<std::int16_t>>;
Outcome<Speech> load_speech(const std::string& path);

// What one call is spoken and heard with. A file on either side means files on both: the other side is silence, or
// nowhere.
struct SoundPlan {
  Speech play;         // null: none
  std::string record;  // empty: none
  bool card = true;    // microphone and loudspeaker, when neither of the above is given

  bool files() const { return play != nullptr || !record.empty(); }
};

class Sound {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(10);
  static constexpr std::size_t kTickSamples = 480;
  // A clock that jumped further than this (the machine slept) starts the ticks anew.
  static constexpr Duration kLost = std::chrono::milliseconds(500);

  // `ticked` is called after each tick: the node has packets to send.
  Sound(Loop& loop, node::Node& node, std::function<void()> ticked);
  ~Sound();

  // Trouble when a file or the card cannot be opened: the call then goes on in silence.
  Done start(node::CallId call, const SoundPlan& plan);
  void stop(node::CallId call);
  bool running() const { return !calls_.empty(); }

 private:
  class Line;
  void ring();
  void tick();

  node::Node& node_;
  std::function<void()> ticked_;
  std::map<node::CallId, std::unique_ptr<Line>> calls_;
  Time next_{};
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
