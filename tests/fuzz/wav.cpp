// media/wav: any bytes as a WAV file. What is read is within the bounds of wav.h, and is the same once written and read
// again.
#include "media/wav.h"

#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet;
  using linnet::fuzz::require;
  const auto audio = media::parse_wav(ByteView(data, size));
  if (!audio) return 0;
  require(audio->rate >= 8000 && audio->rate <= 96000);
  require(audio->samples.size() * sizeof(std::int16_t) <= media::kMaxWavBytes);
  const auto again = media::parse_wav(media::serialise_wav(audio->samples, audio->rate));
  require(again && again->rate == audio->rate && again->samples == audio->samples);
  return 0;
}
