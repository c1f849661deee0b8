#include "node/io/sound/sound_thread.h"

namespace linnet::io {

void SoundThread::open_speaker(std::function<SoundChoice()> choice, std::function<void(SpeakerOpened)> done) {
  const bool added = add([this, choice = std::move(choice), done] {
    auto speaker = Speaker::open(choice());
    // Boxed, so that no copy of the answer outlives it and closes the device on the loop.
    auto box = std::make_shared<SpeakerOpened>(speaker ? SpeakerOpened(std::shared_ptr<Speaker>(std::move(*speaker)))
                                                       : SpeakerOpened(tl::unexpected(speaker.error())));
    answer([box, done] { done(std::move(*box)); });
  });
  if (!added) answer([done] { done(trouble("The sound devices are busy.")); });
}

// The last owner closes: it must be this thread.
void SoundThread::close_speaker(std::shared_ptr<Speaker> speaker) {
  if (!speaker) return;
  auto held = std::make_shared<std::shared_ptr<Speaker>>(std::move(speaker));
  add([held] { held->reset(); });
}

}  // namespace linnet::io
