// What one session costs in computing: Noise XK, both ends, with the shipped suite and with the simulator's stand-in.
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "crypto/noise.h"

namespace {

using namespace linnet;
using namespace linnet::crypto;

noise::Handshake start(const Suite& suite, noise::Role role, const DhPair& own, SeededRng& rng,
                       const SessionKey& responder) {
  noise::Setup setup;
  setup.pattern = "XK";
  setup.role = role;
  setup.prologue = view("linnet-1");
  setup.static_pair = own;
  setup.ephemeral_pair = suite.ephemeral_pair(Secret(rng.array<32>()));
  if (role == noise::Role::initiator) setup.remote_static = responder;
  return {suite, std::move(setup)};
}

void both_ends(benchmark::State& state, const Suite& suite) {
  SeededRng rng(1);
  const auto alice = suite.static_pair(Secret(rng.array<32>()));
  const auto bob = suite.static_pair(Secret(rng.array<32>()));
  const Bytes record(900);  // message 3 carries the initiator's record
  for (auto _ : state) {
    auto a = start(suite, noise::Role::initiator, alice, rng, bob.public_key);
    auto b = start(suite, noise::Role::responder, bob, rng, bob.public_key);
    for (int i = 0; i < 3; ++i) {
      auto& sender = i % 2 == 0 ? a : b;
      auto& receiver = i % 2 == 0 ? b : a;
      Bytes message;
      if (!sender.write(i == 2 ? ByteView(record) : ByteView(), message) || !receiver.read(message)) {
        return state.SkipWithError("the handshake failed");
      }
    }
    benchmark::DoNotOptimize(a.split());
    benchmark::DoNotOptimize(b.split());
  }
}

void handshake_xk_shipped(benchmark::State& state) { both_ends(state, shipped_suite()); }
void handshake_xk_typed(benchmark::State& state) { both_ends(state, typed_suite()); }
BENCHMARK(handshake_xk_shipped);
BENCHMARK(handshake_xk_typed);

}  // namespace

BENCHMARK_MAIN();
