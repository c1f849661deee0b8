// The thread on which sound cards are opened and closed: both wait for the system for up to a third of a second, and
// calls that run meanwhile must not stutter. Started at first use.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "node/io/loop.h"
#include "node/io/sound/sound_card.h"
#include "node/io/sound/speaker.h"

namespace linnet::io {

class SoundThread {
 public:
  using Opened = Outcome<std::shared_ptr<SoundCard>>;

  // The loop outlives it. Answers come on the loop, and none after the thread's end.
  explicit SoundThread(Loop& loop) : loop_(loop) {}
  ~SoundThread();  // waits for what is under way
  SoundThread(const SoundThread&) = delete;
  SoundThread& operator=(const SoundThread&) = delete;

  // `choice` is asked on the thread: it may read a file.
  void open(std::function<SoundChoice()> choice, std::function<void(Opened)> answer);
  void present(std::function<SoundChoice()> choice, std::function<void(Done)> answer);
  void close(std::shared_ptr<SoundCard> card);
  // A loudspeaker alone (sound_thread_speaker.cpp).
  using SpeakerOpened = Outcome<std::shared_ptr<Speaker>>;
  void open_speaker(std::function<SoundChoice()> choice, std::function<void(SpeakerOpened)> answer);
  void close_speaker(std::shared_ptr<Speaker> speaker);

 private:
  static constexpr std::size_t kMaxWaiting = 64;

  bool add(std::function<void()> work);
  void answer(std::function<void()> work);
  void run();

  Loop& loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  bool ending_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // read and written on the loop's thread
  std::thread thread_;
};

}  // namespace linnet::io
