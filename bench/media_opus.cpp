// What 20 ms of a call cost: encoding, decoding, and a whole session in both directions.
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "media/audio_device.h"
#include "media/opus_codec.h"
#include "media/session.h"

namespace {

using namespace linnet;
using namespace linnet::media;

constexpr std::size_t kFrame = 960;

// A tone with noise, loud enough to be coded as voice.
std::vector<std::int16_t> sound() {
  std::vector<std::int16_t> out(100 * kFrame);
  ToneSource(180, -12).read(out);
  SeededRng rng(1);
  for (auto& s : out) s = static_cast<std::int16_t>(s + static_cast<int>(rng.below(600)) - 300);
  return out;
}

void encode(benchmark::State& state) {
  OpusCodec codec({.complexity = static_cast<int>(state.range(0))});
  const auto in = sound();
  Bytes packet;
  std::size_t i = 0;
  for (auto _ : state) {
    packet.clear();
    codec.encode(std::span(in).subspan(i++ % 100 * kFrame, kFrame), packet);
    benchmark::DoNotOptimize(packet.data());
  }
}

void decode(benchmark::State& state) {
  OpusCodec codec({});
  const auto in = sound();
  std::vector<Bytes> packets(100);
  for (std::size_t i = 0; i < packets.size(); ++i) codec.encode(std::span(in).subspan(i * kFrame, kFrame), packets[i]);
  std::vector<std::int16_t> out(kFrame);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(codec.decode(packets[i++ % 100], out));
}

void session(benchmark::State& state) {
  SeededRng rng(1);
  const auto a = SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng),
             b = SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng);
  SessionConfig left, right;
  left.security = SrtpKeys{a, b};
  right.security = SrtpKeys{b, a};
  Session alice(left, rng), bob(right, rng);
  const auto in = sound();
  std::vector<std::int16_t> out(kFrame);
  Time now{};
  std::size_t i = 0;
  for (auto _ : state) {
    now += std::chrono::milliseconds(20);
    alice.capture(now, std::span(in).subspan(i++ % 100 * kFrame, kFrame));
    while (auto packet = alice.poll_packet()) (void)bob.handle_packet(now, *packet);
    bob.play(now, out);
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK(encode)->Arg(5)->Arg(9);
BENCHMARK(decode);
BENCHMARK(session);

}  // namespace

BENCHMARK_MAIN();
