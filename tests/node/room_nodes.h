// A room with an address in a town of whole nodes.
#pragma once

#include <algorithm>

#include "conference_nodes.h"

namespace linnet::node {

inline constexpr auto kRoom = "room@office";

struct ConferenceAddress : Conference {
  using Conference::Conference;

  // Answers by hand whom it knows: nobody is let in because everything is answered.
  Resident& careful(const std::string& name, double hz = 0) {
    auto& out = town.add(name + "@office.example");
    out.answers = true;
    if (hz > 0) out.says = words(hz);
    all.push_back(&out);
    means.push_back(100);
    return out;
  }
  void found(Resident& who, std::vector<std::string> others) {
    command::Confer what;
    what.at = kRoom;
    what.who = std::move(others);
    town.tell(who, what);
  }
  void join(Resident& who) { town.tell(who, command::JoinConference{kRoom, {}}); }
  // These and no others are in the room, and agree on who mixes.
  bool in_it(const std::vector<Resident*>& who) const {
    return std::all_of(who.begin(), who.end(), [&](const Resident* r) {
      const auto v = view(*r);
      return v && v->name == kRoom && v->members.size() == who.size() && !v->mixer.empty() &&
             v->mixer == view(*who.front())->mixer;
    });
  }
  bool comes_to(const std::vector<Resident*>& who, Duration limit = std::chrono::seconds(15)) {
    return town.run_until([&] { return in_it(who); }, limit);
  }
  // Alice, and three seconds later bob.
  bool come_in_turn() {
    join(*alice);
    if (!comes_to({alice})) return false;
    town.run_for(std::chrono::seconds(3));
    join(*bob);
    return comes_to({alice, bob});
  }
  bool keeps(const Resident& who) const { return !who.node->status(town.now()).rooms.empty(); }
  bool leaves(Resident& who) {
    town.tell(who, command::Hangup{});
    return town.run_until([&] { return !view(who); }, std::chrono::seconds(5));
  }
  // Alice has founded it with bob and carol; nobody is in it any more.
  void founded() {
    alice = &careful("alice");
    bob = &careful("bob");
    carol = &careful("carol");
    settle();
    found(*alice, {bob->name, carol->name});
    ASSERT_TRUE(comes_to({alice, bob, carol})) << told();
    ASSERT_TRUE(town.run_until([&] { return keeps(*bob) && keeps(*carol); }, std::chrono::seconds(10)));
    town.run_for(std::chrono::seconds(3));
    for (auto* one : {alice, bob, carol}) ASSERT_TRUE(leaves(*one));
    town.run_for(std::chrono::seconds(3));
  }
  std::string last_text(const Resident& who) const { return who.summary() == nullptr ? "" : who.summary()->text; }
  Resident* carol = nullptr;
};

}  // namespace linnet::node
