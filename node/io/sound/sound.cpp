#include "node/io/sound/sound.h"

#include "node/io/clock.h"
#include "node/io/log.h"

namespace linnet::io {

Sound::Sound(Loop& loop, node::Node& node, SoundConfig config, std::function<void()> ticked)
    : node_(node),
      config_(std::move(config)),
      ticked_(std::move(ticked)),
      thread_(loop),
      alarm_(loop.alarm([this] { ring(); })) {}

Sound::~Sound() {
  for (auto& [id, call] : calls_) thread_.close(call.line->take_card());
}

const SoundPlan& Sound::plan_of(node::CallId id) const {
  const auto planned = plans_.find(id);
  return planned != plans_.end() ? planned->second : config_.usual;
}

bool Sound::aloud(node::CallId id) const {
  const auto& plan = plan_of(id);
  return plan.card && !plan.files();
}

void Sound::tell(node::CallId id, const std::string& text) {
  log_warn("sound of a call: " + text);
  if (said_) said_(id, text);
}

void Sound::start(node::CallId id) {
  const auto& plan = plan_of(id);
  Call call;
  call.line = std::make_unique<SoundLine>(node_, id);
  call.line->speak(plan.play);
  if (!plan.record.empty()) {
    auto made = WavRecorder::create(recordings_.next(plan.record));
    if (made)
      call.line->record(std::make_unique<WavRecorder>(std::move(*made)));
    else
      log_warn("a call goes on in silence: " + made.error().text);
  }
  call.card = aloud(id);
  drop(id);
  if (calls_.empty()) {
    next_ = now() + kTick;
    alarm_->set(next_);
  }
  Call& kept = calls_[id] = std::move(call);
  node_.set_recording(now(), id, kept.line->records());
  if (kept.card) open(id, kept);
}

void Sound::stop(node::CallId id) {
  drop(id);
  plans_.erase(id);
}

void Sound::drop(node::CallId id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  thread_.close(it->second.line->take_card());
  calls_.erase(it);
  if (calls_.empty()) alarm_->set(kNever);
}

void Sound::open(node::CallId id, Call& call) {
  call.opening = true;
  call.again = kNever;
  auto choice = call.fallen ? [] { return SoundChoice{}; } : config_.choice;
  thread_.open(std::move(choice), [this, id](SoundThread::Opened card) { opened(id, std::move(card)); });
}

void Sound::opened(node::CallId id, SoundThread::Opened card) {
  const auto it = calls_.find(id);
  if (it == calls_.end() || !it->second.opening) {  // hung up meanwhile
    if (card) thread_.close(std::move(*card));
    return;
  }
  Call& call = it->second;
  call.opening = false;
  if (card) {
    const auto& facts = (*card)->facts();
    const auto both =
        facts.microphone == facts.loudspeaker ? facts.microphone : facts.microphone + " and " + facts.loudspeaker;
    if (!call.why.empty()) tell(id, call.why + "\n  Using " + both + ".");
    call.why.clear();
    return call.line->use(std::move(*card), config_.processing);
  }
  if (call.why.empty()) call.why = card.error().text;
  if (!call.fallen) {
    call.fallen = true;
    return open(id, call);
  }
  if (!call.told) tell(id, call.why + "\n  The call goes on in silence.");
  call.told = true;
  call.again = now() + kAgain;
}

// A card that stands still was pulled out, or its server is gone: the system's default takes over, once it is there.
void Sound::tend(node::CallId id, Call& call) {
  if (call.again <= now()) open(id, call);
  if (!call.line->stands_still()) return;
  const auto& facts = call.line->card()->facts();
  call.why = "The sound device is gone (" + facts.microphone +
             (facts.microphone == facts.loudspeaker ? "" : ", " + facts.loudspeaker) + ").";
  call.told = false;
  thread_.close(call.line->take_card());
  call.fallen = true;
  open(id, call);
}

std::vector<Sound::InUse> Sound::in_use() const {
  std::vector<InUse> out;
  for (const auto& [id, call] : calls_) {
    if (call.line->card() == nullptr) continue;
    InUse use{id, call.line->card()->facts(), {}, {}};
    if (const auto* processing = call.line->processing()) {
      use.processing = processing->report();
      use.processing_latency = processing->latency();
    }
    out.push_back(std::move(use));
  }
  return out;
}

// Ticks keep to the grid next_ + n * 10 ms, so no drift adds up. A late one is made up for, one extra tick at a time:
// the packets of a stall do not leave in one burst.
void Sound::ring() {
  const Time at = now();
  if (at - next_ > kLost) next_ = at;
  alarm_->set(at + kTick);  // stands when memory is out in the middle of a tick
  tick();
  next_ += kTick;
  if (next_ <= at && !calls_.empty()) {
    tick();
    next_ += kTick;
  }
  alarm_->set(calls_.empty() ? kNever : std::max(next_, at + kTick / 4));
}

void Sound::tick() {
  for (auto& [id, call] : calls_) {
    call.line->tick();
    if (call.card) tend(id, call);
  }
  ticked_();
}

}  // namespace linnet::io
