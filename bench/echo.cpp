// Echo cancellation in a synthetic room (tests/media/room.h): for each canceller and delay, how much of the echo is
// gone second by second while only the far side speaks, and how well the near speaker is understood while both speak.
// Prints the echo reduction in each of the first eight seconds, from second 2 to 15, and its least in any second
// from 2.
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "media/audio_processing.h"
#include "tests/media/echo_scene.h"

namespace linnet::media {
namespace {

void row(const EchoScene& scene, double hint_ms, EchoChoice choice) {
  AudioProcessingConfig config;
  config.echo = choice;
  const std::clock_t start = std::clock();
  const auto far_only = clean(scene, scene.echo, config, hint_ms);
  const double cpu = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const auto both = clean(scene, scene.microphone, config, hint_ms);
  std::printf("%-7s %4.0f ms hint %+4.0f |", std::string(to_string(choice)).c_str(), scene.delay_ms,
              hint_ms - scene.delay_ms);
  double least = 99;
  for (std::size_t s = 2; s < 15; ++s) least = std::min(least, reduction(scene, far_only, s, s + 1));
  for (std::size_t s = 0; s < 8; ++s) std::printf(" %4.1f", reduction(scene, far_only, s, s + 1));
  std::printf(" | 2-15: %4.1f, least %4.1f dB | STOI %.3f (%.3f) | %.1f %% CPU | found %.0f ms\n",
              reduction(scene, far_only, 2, 15), least, near_stoi(scene, both),
              near_stoi(scene, {scene.microphone, {}}), 100 * cpu / 15.7,
              far_only.report.delay ? millis(*far_only.report.delay) : -1);
  std::fflush(stdout);
}

}  // namespace
}  // namespace linnet::media

int main() {
  using namespace linnet::media;
  if (far_voice().empty()) {
    std::fprintf(stderr, "no speech in %s: set LINNET_TEST_DATA\n", speech_folder().c_str());
    return 1;
  }
  for (const double louder_db : {0.0, 6.0}) {
    std::printf("echo %+.0f dB against the near speaker; STOI without any processing in brackets\n", louder_db);
    for (const double delay : {60.0, 120.0, 200.0, 300.0}) {
      const EchoScene scene = make_scene({}, delay, louder_db);
      for (const auto choice : {EchoChoice::webrtc, EchoChoice::speex, EchoChoice::automatic})
        for (const double off : {0.0, -40.0}) row(scene, delay + off, choice);
    }
  }
}
