#include "node/io/sound/sound_plan.h"

#include "media/codec_kind.h"
#include "media/resampler.h"
#include "media/wav.h"
#include "node/io/files.h"
#include "node/io/sound/wav_recorder.h"

namespace linnet::io {

Outcome<Speech> load_speech(const std::string& path) {
  const auto bytes = read_file(path, media::kMaxWavBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return trouble("There is no file " + path + ".");
  auto audio = media::parse_wav(**bytes);
  if (!audio)
    return trouble(path + " is no WAV file that can be played (" + std::string(to_string(audio.error())) + ").");
  if (audio->rate == media::kRate) return std::make_shared<const std::vector<std::int16_t>>(std::move(audio->samples));
  return std::make_shared<const std::vector<std::int16_t>>(media::resample(audio->samples, audio->rate, media::kRate));
}

Outcome<SoundPlan> make_plan(bool card, const std::string& play, const std::string& record) {
  SoundPlan out;
  out.card = card;
  out.record = record;
  if (auto can = check_can_record(record); !can) return tl::unexpected(can.error());
  if (play.empty()) return out;
  auto speech = load_speech(play);
  if (!speech) return tl::unexpected(speech.error());
  out.play = std::move(*speech);
  return out;
}

}  // namespace linnet::io
