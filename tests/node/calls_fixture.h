// Whole nodes on a virtual network: three supernodes, and people who know nothing but an address.
#pragma once

#include <gtest/gtest.h>

#include "town.h"

namespace linnet::node {

inline constexpr auto kAlice = "alice@a.example";
inline constexpr auto kBob = "bob@b.example";

struct Townsfolk : ::testing::Test {
  explicit Townsfolk(std::uint64_t seed = 1) : town(crypto::shipped_suite(), seed) {}

  Town town;

  void SetUp() override { town.build(); }
  void settle() { ASSERT_TRUE(town.all_online()) << "the overlay did not come up"; }
  std::optional<CallState> state(const Resident& person) {
    const auto calls = person.node->status(town.now()).calls;
    if (calls.empty()) return std::nullopt;
    return calls.front().state;
  }
  std::optional<PathWord> path(const Resident& person) {
    const auto calls = person.node->status(town.now()).calls;
    if (calls.empty()) return std::nullopt;
    return calls.front().path;
  }
  bool until(const Resident& person, std::optional<CallState> wanted, Duration limit = std::chrono::seconds(15)) {
    return town.run_until([&] { return state(person) == wanted; }, limit);
  }
  bool over(const Resident& person, Duration limit = std::chrono::seconds(15)) {
    const auto before = person.count<event::CallEnded>();
    return town.run_until([&] { return person.count<event::CallEnded>() > before; }, limit);
  }
  CallResult result(const Resident& person) { return person.summary()->result; }
  static Memory pinned(const std::string& address, const crypto::AccountKey& account) {
    Memory out;
    out.pins.emplace(*crypto::Address::parse(address), crypto::key_hash(account));
    return out;
  }
};

// Two of them.
struct Calls : Townsfolk {
  explicit Calls(std::uint64_t seed = 1) : Townsfolk(seed) {}

  Resident* alice = nullptr;
  Resident* bob = nullptr;

  void meet(Memory of_alice = {}, Memory of_bob = {}) {
    alice = &town.add(kAlice, {}, std::move(of_alice));
    bob = &town.add(kBob, {}, std::move(of_bob));
    settle();
  }
  void talk() {
    bob->answers = true;
    town.call(*alice, kBob);
    ASSERT_TRUE(until(*alice, CallState::talking));
    ASSERT_TRUE(until(*bob, CallState::talking));
  }
};

}  // namespace linnet::node
