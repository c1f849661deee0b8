// Sealed sessions without a network: handshakes, messages and idle memory of the code that ships.
#include <benchmark/benchmark.h>

#include "overlay/handshake_packet.h"
#include "overlay/sessions.h"

namespace {

using namespace linnet;
using namespace linnet::overlay;

struct End {
  End(const crypto::Suite& suite, std::uint64_t seed)
      : rng(seed),
        identity(crypto::make_identity(suite, rng, *crypto::Address::parse("a@b.example"), Wall{1'700'000'000})),
        sessions(config(), suite, rng, identity) {
    // One path name for both directions, as a circuit has.
    path.kind = PathKind::circuit;
    path.endpoint = {IpAddress::v4(127, 0, 0, 1), 1, Transport::udp};
  }
  static SessionsConfig config() {
    SessionsConfig c;
    c.network = crypto::network_id("linnet");
    c.handshakes_per_prefix = 1e9;
    c.max_sessions = 1'000'000;
    return c;
  }
  SeededRng rng;
  crypto::Identity identity;
  Sessions sessions;
  Path path;
  std::size_t messages = 0;
};

void pass(Time now, End& a, End& b) {
  for (bool more = true; more;) {
    more = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      while (auto packet = from->sessions.poll_packet()) {
        to->sessions.handle_packet(now, packet->path, packet->bytes);
        more = true;
      }
      while (auto event = from->sessions.poll_event()) {
        if (const auto* up = std::get_if<SessionUp>(&*event)) from->sessions.accept(now, up->session);
        if (std::holds_alternative<MessageIn>(*event)) ++from->messages;
      }
    }
  }
}

SessionId connect(Time now, End& a, End& b, std::uint64_t id) {
  auto path = a.path;
  path.id = id;
  const auto session = a.sessions.connect(now, {b.identity.session_key(), {path}, Bytes(300), std::chrono::seconds(10)});
  pass(now, a, b);
  return session.value();
}

const crypto::Suite& suite_of(const benchmark::State& state) {
  return state.range(0) == 0 ? crypto::shipped_suite() : crypto::typed_suite();
}

// Both ends of one XK handshake, on one core.
void handshake(benchmark::State& state) {
  End a(suite_of(state), 1);
  End b(suite_of(state), 2);
  Time now{std::chrono::hours(1)};
  for (auto _ : state) {
    now += std::chrono::milliseconds(50);
    a.sessions.close(now, connect(now, a, b, 1));
    pass(now, a, b);
    b.sessions.handle_timeout(now);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(handshake)->Arg(0)->Arg(1)->ArgName("typed");

// A message there, acknowledged, both ends on one core.
void message(benchmark::State& state) {
  End a(suite_of(state), 1);
  End b(suite_of(state), 2);
  Time now{std::chrono::hours(1)};
  const auto session = connect(now, a, b, 1);
  const Bytes bytes(static_cast<std::size_t>(state.range(1)), 7);
  for (auto _ : state) {
    const auto before = b.messages;
    (void)a.sessions.send(now, session, Channel::sip, bytes);
    while (b.messages == before) {
      pass(now, a, b);
      now = std::max(now, std::min(a.sessions.next_timeout(), b.sessions.next_timeout()));
      a.sessions.handle_timeout(now);
      b.sessions.handle_timeout(now);
    }
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(1));
}
BENCHMARK(message)->Args({0, 300})->Args({0, 64 * 1024})->Args({1, 300})->ArgNames({"typed", "bytes"});

// What ten thousand idle sessions of a supernode take.
void idle_memory(benchmark::State& state) {
  End a(crypto::typed_suite(), 1);
  End b(crypto::typed_suite(), 2);
  Time now{std::chrono::hours(1)};
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      connect(now, a, b, i);
      now += std::chrono::milliseconds(1);
      b.sessions.handle_timeout(now);
    }
  }
  state.counters["bytes_per_session"] = static_cast<double>(b.sessions.memory_bytes()) / 10'000;
}
BENCHMARK(idle_memory)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
