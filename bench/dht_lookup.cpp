// What the DHT's own steps cost beside the network: a table's nearest contacts, one sealed round trip, a record.
#include <benchmark/benchmark.h>

#include "dht/dht.h"
#include "dht/routing_table.h"

namespace linnet::dht {
namespace {

constexpr Wall kNow{1'800'000'000};

Contact some_contact(Rng& rng) {
  Contact out;
  out.endpoint = {IpAddress::v4(10, static_cast<std::uint8_t>(rng.u32()), static_cast<std::uint8_t>(rng.u32()), 1),
                  4400, Transport::udp};
  out.device.bytes = rng.array<32>();
  out.position = position(out.endpoint.ip, out.device);
  return out;
}

void Nearest(benchmark::State& state) {
  SeededRng rng(1);
  RoutingTable table(some_contact(rng), 16, 4000);
  for (int i = 0; i < state.range(0); ++i) table.answered(Time{}, some_contact(rng), std::nullopt);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.nearest(Id{rng.array<32>()}, 8));
  }
  state.counters["contacts"] = static_cast<double>(table.size());
}
BENCHMARK(Nearest)->Arg(100)->Arg(10'000);

// Both sides of one ping, as two cores do it.
void RoundTrip(benchmark::State& state) {
  const auto& suite = state.range(0) == 0 ? crypto::shipped_suite() : crypto::typed_suite();
  SeededRng rng(1);
  const auto a = crypto::make_identity(suite, rng, *crypto::Address::parse("a@x.example"), kNow);
  const auto b = crypto::make_identity(suite, rng, *crypto::Address::parse("b@x.example"), kNow);
  Config config;
  config.network = crypto::network_id("linnet");
  config.stranger_requests = 1e12;
  config.requests_per_prefix = 1e12;
  const Endpoint at_a{IpAddress::v4(10, 0, 0, 1), 1, Transport::udp};
  const Endpoint at_b{IpAddress::v4(10, 0, 0, 2), 1, Transport::udp};
  Dht one(config, suite, rng, a, at_a);
  Dht two(config, suite, rng, b, at_b);
  const auto exchange = [&] {
    for (bool any = true; any;) {
      any = false;
      while (auto t = one.poll_transmit()) any = true, two.handle_datagram(Time{}, Datagram{at_a, t->bytes});
      while (auto t = two.poll_transmit()) any = true, one.handle_datagram(Time{}, Datagram{at_b, t->bytes});
    }
  };
  one.add_hint(Time{}, two.self());
  exchange();
  for (auto _ : state) {
    (void)one.find_nodes(Time{}, Id{});
    exchange();
    while (one.poll_event()) {
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RoundTrip)->Arg(0)->Arg(1)->ArgName("typed");

void ReadRecord(benchmark::State& state) {
  const auto& suite = crypto::shipped_suite();
  SeededRng rng(1);
  const auto name = *crypto::Address::parse("a@x.example");
  const auto who = crypto::make_identity(suite, rng, name, kNow);
  const auto network = crypto::network_id("linnet");
  const auto record = make_record(suite, who, network, name, {}, 1, kNow, std::chrono::hours(1));
  for (auto _ : state) benchmark::DoNotOptimize(read_record(suite, network, record->wire));
}
BENCHMARK(ReadRecord);

}  // namespace
}  // namespace linnet::dht

BENCHMARK_MAIN();
