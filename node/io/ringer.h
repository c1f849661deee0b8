// The bell: a ring tone while a call waits for an answer here, a ringback tone while it waits there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/call_view.h"
#include "node/io/loop.h"
#include "node/io/speaker.h"

namespace linnet::io {

enum class Bell : std::uint8_t { silent, ring, ringback };

// What the calls ask for. `aloud` says of a call whether its sound goes through the sound card. Somebody who talks is
// not rung at.
Bell bell_for(const std::vector<node::CallView>& calls, const std::function<bool(node::CallId)>& aloud);

class Ringer {
 public:
  using Open = std::function<Outcome<std::unique_ptr<Speaker>>()>;

  explicit Ringer(Loop& loop, Open open = &Speaker::open);

  // `tone`: "on", "off" or a WAV file; `ringback` whether the caller hears one.
  void use(const std::string& tone, bool ringback);
  // To be called when a call has changed. Nothing is opened for silence.
  void set(Bell bell);
  Bell bell() const { return bell_; }

 private:
  static constexpr Duration kTick = std::chrono::milliseconds(20);
  void tick();

  Open open_;
  std::string tone_ = "on";
  bool ringback_ = true;
  Bell bell_ = Bell::silent;
  std::vector<std::int16_t> samples_;  // played round and round
  std::size_t at_ = 0;
  std::unique_ptr<Speaker> speaker_;
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
