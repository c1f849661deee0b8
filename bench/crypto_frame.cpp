// What one frame, one signature and one hash cost, with the shipped suite and with the simulator's stand-in.
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "crypto/suite.h"

namespace {

using namespace linnet;
using namespace linnet::crypto;

const Suite& suite_of(const benchmark::State& state) { return state.range(0) == 0 ? shipped_suite() : typed_suite(); }

void seal_and_open(benchmark::State& state) {
  const auto& suite = suite_of(state);
  const Secret key(ByteArray<32>{1});
  Bytes frame(static_cast<std::size_t>(state.range(1)) + kTagBytes);
  const auto text = MutableBytes(frame).first(frame.size() - kTagBytes);
  std::uint64_t nonce = 0;
  for (auto _ : state) {
    const auto tag = suite.seal_in_place(key, nonce, view("header"), text);
    std::copy(tag.begin(), tag.end(), frame.end() - kTagBytes);
    if (!suite.open_in_place(key, nonce++, view("header"), frame)) return state.SkipWithError("the frame did not open");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(1));
}
BENCHMARK(seal_and_open)->ArgNames({"typed", "bytes"})->ArgsProduct({{0, 1}, {64, 1100}});

void sign(benchmark::State& state) {
  const auto pair = shipped_suite().signing_pair(Secret(ByteArray<32>{1}));
  for (auto _ : state) benchmark::DoNotOptimize(suite_of(state).sign(pair, view("statement")));
}
BENCHMARK(sign)->ArgName("typed")->Arg(0)->Arg(1);

void verify(benchmark::State& state) {
  const auto pair = shipped_suite().signing_pair(Secret(ByteArray<32>{1}));
  const auto signature = suite_of(state).sign(pair, view("statement"));
  for (auto _ : state) {
    if (!suite_of(state).verify(pair.public_key, view("statement"), signature)) return state.SkipWithError("refused");
  }
}
BENCHMARK(verify)->ArgName("typed")->Arg(0)->Arg(1);

void mac1(benchmark::State& state) {
  const Bytes message(1184);
  const ByteArray<32> key{1};
  for (auto _ : state) benchmark::DoNotOptimize(suite_of(state).mac(key, {message}));
}
BENCHMARK(mac1)->ArgName("typed")->Arg(0)->Arg(1);

}  // namespace

BENCHMARK_MAIN();
