// People in a town who ask their nodes about each other.
#pragma once

#include <gtest/gtest.h>

#include "town.h"

namespace linnet::node {

struct People : ::testing::Test {
  static constexpr auto kAlice = "alice@a.example";
  static constexpr auto kBob = "bob@b.example";

  Town town;
  Resident* alice = nullptr;
  Resident* bob = nullptr;

  void SetUp() override { town.build(); }
  void settle() { ASSERT_TRUE(town.all_online()) << "the overlay did not come up"; }
  void meet() {
    alice = &town.add(kAlice);
    bob = &town.add(kBob);
    settle();
  }
  // The answer to one question; a refusal "nothing came" when there is none in time.
  Reply ask(Resident& who, Ask what, Duration limit = std::chrono::seconds(15)) {
    const auto id = town.tell(who, command::People{std::move(what)});
    const auto answer = [&]() -> const event::PeopleDone* {
      const auto* done = who.last<event::PeopleDone>();
      return done != nullptr && done->command == id ? done : nullptr;
    };
    if (!town.run_until([&] { return answer() != nullptr; }, limit)) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    return answer()->reply;
  }
  static ask::Verify verify(std::string who, bool anew = false, std::string key = {}, bool confirm = false) {
    ask::Verify out;
    out.who = std::move(who);
    out.anew = anew;
    out.key = std::move(key);
    out.confirm = confirm;
    return out;
  }
  const Contact* contact(const Resident& of, const std::string& name) {
    for (const auto& [key, c] : of.node->memory().contacts) {
      if (c.name == name) return &c;
    }
    return nullptr;
  }
  static PersonKey key(const Resident& who) { return crypto::key_hash(who.node->identity().account_key()); }
  static std::string key_name(const Resident& who) { return who.node->identity().key_name().text(); }
  std::optional<CallState> state(const Resident& person) {
    const auto calls = person.node->status(town.now()).calls;
    if (calls.empty()) return std::nullopt;
    return calls.front().state;
  }
  bool until(const Resident& person, std::optional<CallState> wanted, Duration limit = std::chrono::seconds(15)) {
    return town.run_until([&] { return state(person) == wanted; }, limit);
  }
  // Calls and waits for the end; hangs up when it is answered.
  CallResult attempt(Resident& from, const std::string& whom) {
    const auto before = from.count<event::CallEnded>();
    town.call(from, whom, std::chrono::seconds(1));
    if (!town.run_until([&] { return from.count<event::CallEnded>() > before; }, std::chrono::seconds(90))) {
      ADD_FAILURE() << "the call did not end";
      return CallResult::failed;
    }
    return from.summary()->result;
  }
};

}  // namespace linnet::node
