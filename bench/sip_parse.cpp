// How many messages one core reads, answers and writes in a second.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <vector>

#include "base/rng.h"
#include "sip/core.h"
#include "sip/offer_answer.h"
#include "sip/parser.h"
#include "sip/sdp.h"
#include "sip_invite.h"
#ifdef LINNET_SOFIA
#include "sofia/parse.h"
#endif

namespace {

using namespace linnet;
using namespace linnet::sip;

using linnet::bench::invite;

void parse_invite(benchmark::State& state) {
  const auto text = invite();
  MessageView message;
  for (auto _ : state) {
    if (!parse(view(text), message)) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(message);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(parse_invite);

void write_invite(benchmark::State& state) {
  const auto text = invite();
  MessageView parsed;
  if (!parse(view(text), parsed)) return state.SkipWithError("refused");
  const auto message = to_message(parsed);
  for (auto _ : state) benchmark::DoNotOptimize(serialise(message));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_invite);

void read_session_description(benchmark::State& state) {
  const auto text = invite();
  const auto sdp = text.substr(text.find("\r\n\r\n") + 4);
  for (auto _ : state) {
    if (!read_audio(sdp)) return state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_session_description);

// Both user agents: INVITE, 180, 200, ACK, BYE, 200.
void call(benchmark::State& state) {
  SeededRng rng(1);
  Config config;
  config.local_uri = Uri::parse("alice@home.example").value();
  Core alice(config, rng);
  config.local_uri = Uri::parse("bob@home.example").value();
  Core bob(config, rng);
  const PeerId at_alice{{1}};
  const PeerId at_bob{{2}};
  const auto text = invite();
  const auto sdp = text.substr(text.find("\r\n\r\n") + 4);
  Time now{};
  const auto move = [&] {
    while (auto m = alice.poll_message()) bob.handle_message(now, at_alice, m->bytes);
    while (auto m = bob.poll_message()) alice.handle_message(now, at_bob, m->bytes);
    while (auto m = alice.poll_message()) bob.handle_message(now, at_alice, m->bytes);
  };
  for (auto _ : state) {
    InviteParams params;
    params.to = at_bob;
    params.target = config.local_uri;
    params.from = config.local_uri;
    params.sdp_offer = sdp;
    const auto made = alice.invite(now, std::move(params));
    move();
    const auto event = bob.poll_event();
    const auto* incoming = event ? std::get_if<IncomingCall>(&*event) : nullptr;
    if (!made || incoming == nullptr) return state.SkipWithError("no call");
    (void)bob.ring(now, incoming->call);
    (void)bob.accept(now, incoming->call, sdp);
    move();
    (void)alice.bye(now, *made);
    move();
    while (alice.poll_event() || bob.poll_event()) {
    }
    now += std::chrono::seconds(33);  // timers L and M: the transactions of this call are over
    alice.handle_timeout(now);
    bob.handle_timeout(now);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(call);

#ifdef LINNET_SOFIA
void parse_invite_sofia(benchmark::State& state) {
  const auto text = invite();
  for (auto _ : state)
    if (!linnet::bench::sofia_parses(text)) return state.SkipWithError("refused");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_invite_sofia);

// Messages a second of CPU time, over about half a second.
template <class Parse>
double rate(Parse parse_one) {
  constexpr int kBatch = 1000;
  long n = 0;
  const auto begin = std::clock();
  while (std::clock() - begin < CLOCKS_PER_SEC / 2) {
    for (int i = 0; i < kBatch; ++i)
      if (!parse_one()) return 0;
    n += kBatch;
  }
  return static_cast<double>(n) * CLOCKS_PER_SEC / static_cast<double>(std::clock() - begin);
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// The two parsers in turn, so that what else the machine does harms both alike.
void compare() {
  const auto text = invite();
  MessageView message;
  std::vector<double> ours;
  std::vector<double> theirs;
  std::vector<double> ratios;
  for (int turn = 0; turn < 5; ++turn) {
    ours.push_back(rate([&] {
      const bool good = parse(view(text), message).has_value();
      benchmark::DoNotOptimize(message);
      return good;
    }));
    theirs.push_back(rate([&] { return linnet::bench::sofia_parses(text); }));
    ratios.push_back(ours.back() / theirs.back());
  }
  std::printf("%zu bytes, medians of 5 alternations: linnet %.0f/s, sofia-sip %.0f/s, ratio %.2f\n", text.size(),
              median(ours), median(theirs), median(ratios));
}
#else
void compare() { std::puts("sofia-sip is not here: scripts/deps --install bench"); }
#endif

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  compare();
}
