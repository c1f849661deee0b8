// What a conference's mixer does for one member in 20 ms, one packet each: take and skim it, beside taking and decoding
// it; send him a frame that was encoded for all, beside encoding one for him. SRTP (AES-256-GCM) is in all of them.
// "allocations" is of each packet in steady state.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>

#include "base/rng.h"
#include "media/codec.h"
#include "media/session.h"

namespace {

std::atomic<std::uint64_t> allocations;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* out = std::malloc(size == 0 ? 1 : size)) return out;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using namespace linnet;
using namespace linnet::media;

constexpr std::size_t kFrame = 960;
constexpr auto kTick = std::chrono::milliseconds(20);
constexpr std::size_t kPackets = 10'000;

// A hum of a voice's loudness, whose pitch moves.
std::vector<std::int16_t> sound(std::size_t samples) {
  std::vector<std::int16_t> out(samples);
  double phase = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    phase += 0.015 + 0.008 * std::sin(static_cast<double>(i) / 9000);
    out[i] = static_cast<std::int16_t>(4000 * std::sin(phase) + 2000 * std::sin(3.01 * phase));
  }
  return out;
}

SessionConfig config(const SrtpKey& local, const SrtpKey& remote) {
  SessionConfig out;
  out.security = SrtpKeys{local, remote};
  out.client_level = 1;
  out.mixer_level = 2;
  return out;
}

struct Keys {
  explicit Keys(Rng& rng)
      : a(SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng)), b(SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng)) {}
  SrtpKey a, b;
};

// Packets of one member, sealed, as they come.
std::vector<Bytes> packets_of(const Keys& keys, Rng& rng) {
  Session member(config(keys.a, keys.b), rng);
  const auto said = sound(50 * kFrame);
  std::vector<Bytes> out;
  Time now{};
  for (std::size_t i = 0; i < kPackets; ++i, now += kTick) {
    member.capture(now, std::span(said).subspan(i % 50 * kFrame, kFrame));
    while (auto packet = member.poll_packet()) out.push_back(std::move(*packet));
  }
  return out;
}

template <class Listen>
void receive(benchmark::State& state, Listen listen) {
  SeededRng rng(1);
  const Keys keys(rng);
  const auto packets = packets_of(keys, rng);
  auto copies = packets;
  std::optional<Session> session;
  std::vector<std::int16_t> out(kFrame);
  Time now{};
  constexpr std::size_t kWarm = 400;
  const auto take = [&](std::size_t i) {
    benchmark::DoNotOptimize(session->handle_packet(now, copies[i]));
    listen(*session, now, out);
    now += kTick;
  };
  std::uint64_t before = 0, counted = 0;
  std::size_t i = kPackets;
  for (auto _ : state) {
    if (i == kPackets) {
      state.PauseTiming();
      if (session) counted += allocations - before;
      copies = packets;
      session.emplace(config(keys.b, keys.a), rng);
      now = Time{};
      for (i = 0; i < kWarm; ++i) take(i);
      before = allocations;
      state.ResumeTiming();
    }
    take(i++);
  }
  counted += allocations - before;
  state.counters["allocations"] = static_cast<double>(counted) / static_cast<double>(state.iterations());
}

void handle_and_skim(benchmark::State& state) {
  receive(state, [](Session& s, Time now, std::span<std::int16_t> out) { s.skim(now, out.size()); });
}

void handle_and_play(benchmark::State& state) {
  receive(state, [](Session& s, Time now, std::span<std::int16_t> out) { s.play(now, out); });
}

template <class Send>
void send(benchmark::State& state, Send one_frame) {
  SeededRng rng(1);
  const Keys keys(rng);
  Session session(config(keys.a, keys.b), rng);
  const std::array mixed{Contributor{1, {20, false}}, Contributor{2, {30, false}}, Contributor{3, {40, false}}};
  Bytes buffer;
  Time now{};
  const auto one = [&] {
    session.set_contributors(mixed);
    one_frame(session, now);
    while (session.poll_packet(buffer)) benchmark::DoNotOptimize(buffer.data());
    now += kTick;
  };
  for (int i = 0; i < 100; ++i) one();
  const std::uint64_t before = allocations;
  for (auto _ : state) one();
  state.counters["allocations"] = static_cast<double>(allocations - before) / static_cast<double>(state.iterations());
}

void send_encoded(benchmark::State& state) {
  const auto said = sound(kFrame);
  Bytes payload;
  if (!make_codec(CodecKind::opus, {})->encode(said, payload)) return state.SkipWithError("no frame");
  send(state, [&](Session& s, Time now) { s.send_encoded(now, {CodecKind::opus, payload, kFrame, {20, true}}); });
}

void capture(benchmark::State& state) {
  const auto said = sound(50 * kFrame);
  std::size_t i = 0;
  send(state, [&](Session& s, Time now) { s.capture(now, std::span(said).subspan(i++ % 50 * kFrame, kFrame)); });
}

void measure_level(benchmark::State& state) {
  const auto said = sound(kFrame);
  for (auto _ : state) benchmark::DoNotOptimize(measure(said));
}

void detect_voice(benchmark::State& state) {
  const auto said = sound(kFrame);
  VoiceDetector detector;
  for (auto _ : state) benchmark::DoNotOptimize(detector.measure(said));
}

BENCHMARK(handle_and_skim);
BENCHMARK(handle_and_play);
BENCHMARK(send_encoded);
BENCHMARK(capture);
BENCHMARK(measure_level);
BENCHMARK(detect_voice);

}  // namespace

BENCHMARK_MAIN();
