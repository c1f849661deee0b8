// The bell: a ring tone while a call waits for an answer here, a ringback tone while it waits there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/call_view.h"
#include "node/io/loop.h"
#include "node/io/sound/speaker.h"

namespace linnet::io {

enum class Bell : std::uint8_t { silent, ring, ringback };

// What the calls ask for. `aloud` says of a call whether its sound goes through the sound card. Somebody who talks is
// not rung at.
Bell bell_for(const std::vector<node::CallView>& calls, const std::function<bool(node::CallId)>& aloud);

class Ringer {
 public:
  // Answers on the loop, at once or later; what was opened is handed back to `close`.
  using Opened = Outcome<std::shared_ptr<Speaker>>;
  using Open = std::function<void(std::function<void(Opened)> answer)>;
  using Close = std::function<void(std::shared_ptr<Speaker>)>;

  Ringer(Loop& loop, Open open, Close close);

  // `tone`: "on", "off" or a WAV file; `ringback` whether the caller hears one.
  void use(const std::string& tone, bool ringback);
  // To be called when a call has changed. Nothing is opened for silence.
  void set(Bell bell);
  Bell bell() const { return bell_; }

 private:
  static constexpr Duration kTick = std::chrono::milliseconds(20);
  void opened(Opened speaker);
  void tick();

  Open open_;
  Close close_;
  std::string tone_ = "on";
  bool ringback_ = true;
  Bell bell_ = Bell::silent;
  std::vector<std::int16_t> samples_;  // played round and round
  std::size_t at_ = 0;
  std::shared_ptr<Speaker> speaker_;
  bool opening_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
