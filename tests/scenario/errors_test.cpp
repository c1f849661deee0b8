// The sentences of the plan, word for word: what happened, why, what to do, and the exit code.
#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

using Line = std::vector<std::string>;

TEST(Errors, SayWhatHappenedWhyAndWhatToDo) {
  const io::HomeFolder empty;
  Daemon relay("relay@demo.example"), alice("alice@demo.example"), bob("bob@demo.example");
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  ASSERT_TRUE(bob.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(alice.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(bob.online());
  ASSERT_TRUE(alice.online());
  ASSERT_EQ(alice.run({"contact", "add", "bob@demo.example"}).exit, 0);
  bob.kill_nine();
  Daemon alone("carol@demo.example");
  ASSERT_TRUE(alone.up());
  ASSERT_TRUE(alone.until([](const Json& s) { return s["state"] == "alone"; }));
  Daemon wrong("dave@demo.example");
  wrong.home().write("config.toml", "[relay]\n  mode = \"on\"\n  bandwith = 3\n");
  const Daemon nobody("nobody@demo.example");  // never started
  const struct {
    const Daemon& of;
    Line line;
    std::string text;
    int exit;
  } table[] = {
      {nobody, {"status"}, "The daemon is not running. Start it: linnet up", 3},
      {alice, {"cal"}, "Unknown command \"cal\". Did you mean \"call\"?", 2},
      {alice, {"call", "bbo"}, "Calling bbo ...\nNo contact \"bbo\". Closest: bob. Or give name@domain.", 4},
      {alice, {"who", "bbo"}, "No contact \"bbo\". Closest: bob. Or give name@domain.", 4},
      {alice,
       {"call", "erin@demo.example"},
       "Calling erin@demo.example ...\nNobody has the name erin@demo.example.",
       4},
      {alice,
       {"call", "bob"},
       "Calling bob ...\nbob is known but not answering: no answer through " + relay.endpoint() + ".",
       5},
      {alone,
       {"call", "bob@demo.example"},
       "Calling bob@demo.example ...\nYou are alone: no other node on this LAN or in the host cache. Join: linnet "
       "accept "
       "CODE",
       5},
      {alone,
       {"who", "bob@demo.example"},
       "Looking for bob@demo.example ...\nYou are alone: no other node on this LAN or in the host cache. Join: linnet "
       "accept CODE",
       5},
      {wrong, {"config", "check"}, "config.toml:3:3 unknown key \"relay.bandwith\"; did you mean \"bandwidth\"?", 1},
      {alice, {"accept", "hello"}, "This is no invitation, or a part of it is missing. It begins with LINNET-.", 2},
      {alice, {"answer"}, "No call is ringing.", 4},
      {alice, {"hangup"}, "There is no call.", 4},
      {alice, {"contact", "verify", "carol"}, "No contact \"carol\". See: linnet contact ls", 4},
      {nobody, {"id", "show"}, "There is no identity yet. Make one: linnet id new name@domain", 4},
      {nobody, {"id", "new", "alice"}, "\"alice\" is not an address. Give name@domain, as in alice@home.example", 2},
      {alice,
       {"id", "new", "alice@demo.example"},
       "There is an identity already: " + (alice.home() / "identity.key").string() +
           ". It was left as it is.\n  See it: linnet id show",
       1},
      {alice,
       {"up"},
       "A daemon runs on " + alice.home().path().string() + " already (process " + std::to_string(alice.pid()) +
           ").\n  Stop it: linnet down",
       1},
      {alice, {"call", "bob", "--play", "/nowhere.wav"}, "Calling bob ...\nThere is no file /nowhere.wav.", 1},
  };
  for (const auto& row : table) {
    const auto ran = row.of.run(row.line);
    EXPECT_EQ(ran.exit, row.exit) << row.line.front();
    EXPECT_EQ(ran.err, row.text + "\n");
  }
}

}  // namespace
}  // namespace linnet::scenario
