// Sound of the running calls, and the plans for it: 10 ms ticks on the monotonic clock for files and silence, the
// card's own pace for the card. Cards are opened and closed on a thread of their own; until one is open its call is
// silent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/io/loop.h"
#include "node/io/sound/sound_line.h"
#include "node/io/sound/sound_plan.h"
#include "node/io/sound/sound_thread.h"
#include "node/io/sound/wav_recorder.h"
#include "node/io/trouble.h"

namespace linnet::io {

struct SoundConfig {
  SoundPlan usual;                                                     // of calls without a plan of their own
  std::function<SoundChoice()> choice = [] { return SoundChoice{}; };  // asked whenever a card is opened, on its thread
  media::AudioProcessingConfig processing;
};

class Sound {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(10);
  // A clock that jumped further than this (the machine slept) starts the ticks anew.
  static constexpr Duration kLost = std::chrono::milliseconds(500);

  // `ticked` is called after each tick: the node has packets to send.
  Sound(Loop& loop, node::Node& node, SoundConfig config, std::function<void()> ticked);
  ~Sound();

  // A sentence for the person who speaks: no device, another device. It is in the log already.
  void on_said(std::function<void(node::CallId, const std::string&)> said) { said_ = std::move(said); }

  // Of calls without a plan of their own, from now on.
  void use(SoundPlan usual) { config_.usual = std::move(usual); }
  // Of this one; before its sound starts.
  void plan(node::CallId call, SoundPlan plan) { plans_[call] = std::move(plan); }
  // Whether this call is, or will be, heard through the sound card.
  bool aloud(node::CallId call) const;

  // By its plan. When a file cannot be opened the call goes on in silence, and the log says so.
  void start(node::CallId call);
  // Its plan is forgotten too.
  void stop(node::CallId call);
  bool running() const { return !calls_.empty(); }

  // For the bell.
  void open_speaker(std::function<void(SoundThread::SpeakerOpened)> answer) {
    thread_.open_speaker(config_.choice, std::move(answer));
  }
  void close_speaker(std::shared_ptr<Speaker> speaker) { thread_.close_speaker(std::move(speaker)); }
  // Whether there are devices to open, asked on the cards' thread and answered on the loop.
  void present(std::function<void(Done)> answer) { thread_.present(config_.choice, std::move(answer)); }

  struct InUse {
    node::CallId call{};
    SoundCard::Facts devices;
    media::AudioProcessing::Report processing;
    Duration processing_latency{};
  };
  std::vector<InUse> in_use() const;

 private:
  static constexpr Duration kAgain = std::chrono::seconds(5);

  struct Call {
    std::unique_ptr<SoundLine> line;
    bool card = false;  // wanted
    bool opening = false;
    bool fallen = false;  // the chosen device failed: the system's default from now on
    std::string why;      // the first thing that went wrong, not told yet
    bool told = false;
    Time again = kNever;  // when to try anew
  };

  const SoundPlan& plan_of(node::CallId call) const;
  void drop(node::CallId id);
  void tell(node::CallId id, const std::string& text);
  void ring();
  void tick();
  void tend(node::CallId id, Call& call);
  void open(node::CallId id, Call& call);
  void opened(node::CallId id, SoundThread::Opened card);

  node::Node& node_;
  SoundConfig config_;
  std::function<void()> ticked_;
  std::function<void(node::CallId, const std::string&)> said_;
  std::map<node::CallId, SoundPlan> plans_;
  RecordingNames recordings_;
  SoundThread thread_;
  std::map<node::CallId, Call> calls_;
  Time next_{};
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
