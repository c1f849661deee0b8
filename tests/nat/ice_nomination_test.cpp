// Nominations that overtake one another (Policy::move).
#include "ice_net.h"

namespace linnet::nat::ice {
namespace {

// The addresses of both become known at any time around the nomination of the slow circuit.
TEST(IceNomination, AnOlderOneByASlowCircuitNeverUndoesANewerOne) {
  int moved = 0;
  for (auto opens = 0ms; opens <= 1200ms; opens += 5ms) {
    for (const auto later : {0ms, 100ms}) {  // of the controlling side's
      Net net(NatKind::none, NatKind::none);
      net.one_way = 10ms;
      net.circuit_one_way = 150ms;
      net.exchange_credentials();
      for (auto* side : {&net.a, &net.b}) side->agent->add_circuit(net.now, kCircuit, kCircuitId);
      net.run_for(opens);
      net.gather(net.b, false);
      net.run_for(later);
      net.gather(net.a, false);
      net.run_for(40s);
      for (auto* side : {&net.a, &net.b}) {
        ASSERT_TRUE(side->selected);
        EXPECT_FALSE(side->selected->relayed) << opens.count() << side->name;
        EXPECT_FALSE(comes_back(side->selections)) << opens.count() << side->name;
        if (side->selections.size() > 1) ++moved;
      }
    }
  }
  EXPECT_GT(moved, 100);
}

TEST(IceNomination, IsSaidAgainWhenWhateverWasSentBeforeHasArrived) {
  Net net(NatKind::none, NatKind::none);
  net.one_way = 10ms;
  net.circuit_one_way = 150ms;
  net.a.blocked = true;
  net.begin(true);
  net.run_for(290ms);
  net.a.blocked = false;
  for (int i = 0; i < 200 && !(net.a.selected && !net.a.selected->relayed); ++i) net.run_for(10ms);
  ASSERT_TRUE(net.a.selected && !net.a.selected->relayed);
  net.run_for(200ms);
  ASSERT_FALSE(net.b.agent->selected()->relayed);
  // A nomination that was held up on its way for longer than its path has ever shown.
  const Check stale{Role::controlling, ~std::uint64_t{0}, 1, true};
  const auto bytes = write_check(net.rng.array<12>(), stale, net.a.agent->credentials(), net.b.agent->credentials());
  net.inject(net.b, circuit_endpoint(kCircuitId), bytes, kCircuit);
  ASSERT_TRUE(net.b.agent->selected()->relayed) << "nothing tells that it is older";
  net.run_for(200ms);
  EXPECT_FALSE(net.b.agent->selected()->relayed);
}

}  // namespace
}  // namespace linnet::nat::ice
