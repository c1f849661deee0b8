// A PulseAudio server of the test's own with silent sound cards that keep time: what is played to one comes out of its
// monitor. Ended with the test.
#pragma once

#include <string>
#include <vector>

#include "media/wav.h"
#include "tests/io/home_folder.h"

namespace linnet::scenario {

// A program that runs beside the test; killed with it.
class Helper {
 public:
  Helper(const std::vector<std::string>& arguments,
         const std::vector<std::pair<std::string, std::string>>& environment);
  Helper(const Helper&) = delete;
  ~Helper() { end(); }
  // Asks it to end, and waits for it.
  void end();
  // Waits until it has ended by itself. The exit code.
  int wait();

 private:
  int pid_ = 0;
};

class SoundServer {
 public:
  // Each sink is a card of its own.
  explicit SoundServer(const std::vector<std::string>& sinks);

  static bool installed();
  bool ready() const { return ready_; }
  // What a program needs to have `sink` as its loudspeaker and `source` as its microphone, by the name "default" and,
  // when it was not unplugged, the card "headset" beside it.
  void give(const std::string& sink, const std::string& source) const;
  // Takes the headset away, as one pulls out a plug.
  void unplug() { headset_.end(); }

  // Plays the whole of it; returns when it was played.
  void play(const std::string& sink, const media::Audio& audio) const;
  // Records into a file from now on.
  class Recording {
   public:
    Recording(const SoundServer& server, const std::string& source);
    media::Audio stop();

   private:
    std::filesystem::path file_;
    Helper helper_;
  };

 private:
  std::vector<std::pair<std::string, std::string>> environment(const std::string& socket = "socket") const;
  bool answers(const std::string& socket) const;

  io::HomeFolder folder_;
  Helper server_;
  Helper headset_;  // a server of its own: a card that goes takes nothing with it
  bool ready_ = false;
};

}  // namespace linnet::scenario
