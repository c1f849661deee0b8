// A call that goes through a supernode: what happens to its voice when that one dies, loses or lies (security.md, check
// 21).
#include "tests/node/calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool voice_in_circuit(const Bytes& bytes) {
  return bytes.size() > 8 && bytes[0] == 11 && bytes[1] == 5 && bytes[8] >= 128 && bytes[8] <= 191 &&
         (bytes[9] < 192 || bytes[9] > 223);
}

struct RelayedCall : Calls {
  void SetUp() override { town.build(5); }
  // Two people who reach each other through supernodes alone.
  void begin() {
    town.delay = milliseconds(20);
    meet();
    alice->says = bob->says = tone(440, seconds(120));
    town.blocked.insert({alice->endpoint, bob->endpoint});
    town.blocked.insert({bob->endpoint, alice->endpoint});
    talk();
    town.run_for(seconds(5));
    ASSERT_EQ(path(*alice), PathWord::relayed);
  }
  Resident& in_use() {
    const auto via = alice->node->status(town.now()).calls.front().via;
    for (auto& s : town.supernodes) {
      if (s->endpoint.to_string() == via) return *s;
    }
    std::abort();
  }
  // Supernodes that hold a circuit of this call.
  int standing() {
    int n = 0;
    for (const auto& s : town.supernodes) n += s->alive && s->node->peer().circuit_count() > 0 ? 1 : 0;
    return n;
  }
  bool protected_now(const Resident& who) { return who.node->status(town.now()).calls.front().protected_now; }
  void hang_up() {
    town.tell(*alice, command::Hangup{});
    ASSERT_TRUE(town.run_until([&] { return alice->summary() && bob->summary(); }, seconds(10)));
  }
};

TEST_F(RelayedCall, HasASpareAtASecondSupernode) {
  begin();
  EXPECT_GE(standing(), 2);
}

TEST_F(RelayedCall, HearsTheVoiceAgainWithinAFifthOfASecondWhenItsRelayDies) {
  begin();
  town.kill(in_use());
  town.run_for(seconds(5));
  EXPECT_EQ(state(*alice), CallState::talking);
  hang_up();
  for (const auto* who : {alice, bob}) {
    ASSERT_TRUE(who->summary()->max_gap_ms);
    EXPECT_LE(*who->summary()->max_gap_ms, 200) << who->name;
    EXPECT_FALSE(who->summary()->path_changes.empty());
  }
}

TEST_F(RelayedCall, HasANewSpareWithinFiveSeconds) {
  begin();
  town.kill(in_use());
  EXPECT_TRUE(town.run_until([&] { return standing() >= 2; }, seconds(5)));
}

TEST_F(RelayedCall, HasANewSpareWithinFiveSecondsOfTheSparesDeath) {
  begin();
  auto& used = in_use();
  for (auto& s : town.supernodes) {
    if (s->node->peer().circuit_count() > 0 && s.get() != &used) town.kill(*s);
  }
  ASSERT_EQ(standing(), 1);
  EXPECT_TRUE(town.run_until([&] { return standing() >= 2; }, seconds(5)));
  hang_up();
  EXPECT_LE(*alice->summary()->max_gap_ms, 20) << "nobody noticed";
}

TEST_F(RelayedCall, KeepsItsSpareWhileItIsDirect) {
  begin();
  town.blocked.clear();
  ASSERT_TRUE(town.run_until([&] { return path(*alice) == PathWord::direct; }, seconds(40)));
  town.run_for(seconds(90));
  EXPECT_EQ(standing(), 2);
}

// Loss on the relay in use: the other's packets fill in, and then its death is not heard.
TEST_F(RelayedCall, LosesNothingOfTheVoiceInProtectModeWhenItsRelayDies) {
  begin();
  auto& relay = in_use();
  SeededRng dice(7);
  town.meddle = [&](const Endpoint& from, const Endpoint&, Bytes& bytes) {
    return from == relay.endpoint && voice_in_circuit(bytes) && dice.below(100) < 5;
  };
  ASSERT_TRUE(town.run_until([&] { return protected_now(*alice) && protected_now(*bob); }, seconds(30)));
  town.run_for(seconds(3));
  const auto concealed = [&](const Resident& who) {
    const auto calls = who.node->status(town.now()).calls;
    return calls.front().loss_pct.value_or(100);
  };
  const double before = concealed(*alice);
  town.run_for(seconds(10));
  EXPECT_LE(concealed(*alice), before) << "what one way loses comes by the other";
  town.kill(relay);
  town.run_for(seconds(5));
  hang_up();
  for (const auto* who : {alice, bob}) {
    EXPECT_TRUE(who->summary()->protected_once);
    ASSERT_FALSE(who->summary()->path_changes.empty());
    const auto gap = who->summary()->path_changes.back().gap;
    ASSERT_TRUE(gap);
    EXPECT_EQ(gap->count(), 0) << who->name;
  }
}

TEST_F(RelayedCall, LeavesProtectModeWhenNothingIsLostAnyMore) {
  begin();
  const auto& relay = in_use();
  SeededRng dice(7);
  bool lossy = true;
  town.meddle = [&](const Endpoint& from, const Endpoint&, Bytes& bytes) {
    return lossy && from == relay.endpoint && voice_in_circuit(bytes) && dice.below(100) < 5;
  };
  ASSERT_TRUE(town.run_until([&] { return protected_now(*alice); }, seconds(30)));
  lossy = false;
  EXPECT_TRUE(town.run_until([&] { return !protected_now(*alice) && !protected_now(*bob); }, seconds(30)));
}

// Check 21: a relay that changes every tenth packet, and drops every tenth of the others. What it changed is refused.
TEST_F(RelayedCall, TakesNothingThatItsRelayForged) {
  begin();
  const auto& relay = in_use();
  SeededRng dice(7);
  std::size_t forged = 0;
  std::size_t dropped = 0;
  town.meddle = [&](const Endpoint& from, const Endpoint&, Bytes& bytes) {
    if (from != relay.endpoint || bytes.size() < 12 || bytes[0] != 11 || bytes[1] != 5) return false;
    if (dice.below(10) == 0) {
      ++dropped;
      return true;
    }
    if (dice.below(10) != 0) return false;
    ++forged;
    bytes[8 + dice.below(bytes.size() - 8)] ^= static_cast<std::uint8_t>(1U << dice.below(8));
    return false;
  };
  town.run_for(seconds(30));
  EXPECT_GT(forged, 100U);
  EXPECT_GT(dropped, 100U);
  EXPECT_EQ(state(*alice), CallState::talking);
  EXPECT_EQ(state(*bob), CallState::talking);
  EXPECT_GT(share_of(440, bob->heard), 0.9);
  hang_up();
  EXPECT_EQ(result(*alice), CallResult::ended);
}

// The same, counted one by one. A changed packet comes instead of its original, and no other copy of it ever does, so
// each that was accepted would be one received more than there are originals.
TEST_F(RelayedCall, AcceptsNotOneOfThePacketsThatItsRelayForged) {
  using Number = std::uint64_t;  // source and sequence number of a packet of voice (RFC 3550, section 5.1)
  std::set<Number> original, forged;
  const auto number = [](ByteView rtp) {
    Reader in(rtp.subspan(2));
    const Number sequence = in.u16();
    (void)in.u32();
    return sequence << 32 | in.u32();
  };
  const auto voice_at = [](ByteView bytes) -> std::size_t {
    const std::size_t at = bytes.size() > 8 && bytes[0] == 11 && bytes[1] == 5 ? 8 : 0;
    const bool voice = bytes.size() >= at + 12 && bytes[at] >= 128 && bytes[at] <= 191;
    return voice && (bytes[at + 1] < 192 || bytes[at + 1] > 223) ? at : bytes.size();
  };
  SeededRng dice(11);
  bool lies = false, silent = false;
  std::set<Bytes> lie;  // as they are on the way
  town.delivered = [&](const Resident& to, const Endpoint&, ByteView bytes) {
    const auto at = &to == bob ? voice_at(bytes) : bytes.size();
    if (at < bytes.size() && !lie.contains(copy(bytes))) original.insert(number(bytes.subspan(at)));
  };
  town.meddle = [&](const Endpoint&, const Endpoint& to, Bytes& bytes) {
    const auto at = bob != nullptr && to == bob->endpoint ? voice_at(bytes) : bytes.size();
    if (at >= bytes.size()) return false;
    if (silent) return true;
    const auto which = number(ByteView(bytes).subspan(at));
    if (forged.contains(which)) return true;  // by another way
    if (!lies || original.contains(which) || dice.below(4) != 0) return false;
    forged.insert(which);
    const auto changes = 1 + dice.below(3);
    for (std::uint64_t i = 0; i < changes; ++i)
      bytes[at + dice.below(bytes.size() - at)] ^= static_cast<std::uint8_t>(1U << dice.below(8));
    lie.insert(bytes);
    return false;
  };
  begin();
  lies = true;
  town.run_for(seconds(30));
  silent = true;  // so that nothing is on the way when the call ends
  town.run_for(seconds(1));
  hang_up();
  EXPECT_GT(forged.size(), 200U);
  EXPECT_EQ(bob->summary()->packets_received, original.size()) << forged.size() << " were forged";
  RecordProperty("forged", static_cast<int>(forged.size()));
}

}  // namespace
}  // namespace linnet::node
