#include "node/io/sound/sound_thread.h"

namespace linnet::io {

SoundThread::~SoundThread() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool SoundThread::add(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (work_.size() >= kMaxWaiting) return false;
    work_.push_back(std::move(work));
  }
  changed_.notify_one();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  return true;
}

void SoundThread::run() {
  while (true) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !work_.empty(); });
      if (work_.empty()) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    work();
  }
}

void SoundThread::answer(std::function<void()> work) {
  loop_.post([alive = alive_, work = std::move(work)] {
    if (*alive) work();
  });
}

void SoundThread::open(std::function<SoundChoice()> choice, std::function<void(Opened)> done) {
  const bool added = add([this, choice = std::move(choice), done] {
    auto card = SoundCard::open(choice());
    // Boxed, so that no copy of the answer outlives it and closes the card on the loop.
    auto box = std::make_shared<Opened>(card ? Opened(std::shared_ptr<SoundCard>(std::move(*card)))
                                             : Opened(tl::unexpected(card.error())));
    answer([box, done] { done(std::move(*box)); });
  });
  if (!added) answer([done] { done(trouble("The sound devices are busy.")); });
}

void SoundThread::present(std::function<SoundChoice()> choice, std::function<void(Done)> done) {
  const bool added = add([this, choice = std::move(choice), done] {
    answer([found = SoundCard::present(choice()), done] { done(found); });
  });
  if (!added) answer([done] { done(trouble("The sound devices are busy.")); });
}

// The last owner closes: it must be this thread.
void SoundThread::close(std::shared_ptr<SoundCard> card) {
  if (!card) return;
  auto held = std::make_shared<std::shared_ptr<SoundCard>>(std::move(card));
  add([held] { held->reset(); });
}

}  // namespace linnet::io
