// What doctor says, made of the objects that a daemon gives.
#include "cli/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/network.h"
#include "cli/print.h"

namespace linnet::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

const Check& named(const std::vector<Check>& checks, const std::string& name) {
  static const Check kNone{"", Level::fail, "is not there", ""};
  const auto it = std::find_if(checks.begin(), checks.end(), [&](const Check& c) { return c.name == name; });
  return it == checks.end() ? kNone : *it;
}

Json family(const char* kind, bool nat, const char* mapping, const char* filtering) {
  return Json{{"kind", kind},      {"udp", true},        {"mapped", "203.0.113.9:4400"},
              {"nat", nat},        {"mapping", mapping}, {"filtering", filtering},
              {"hairpin", nullptr}};
}

Json relay(Json udp, Json tcp) {
  return Json{{"endpoint", "198.51.100.1:4400"}, {"udp_ms", udp}, {"tcp_ms", tcp}, {"tcp443_ms", nullptr}};
}

Json status() {
  return Json{{"uri", "alice@demo.example"},
              {"key_name", "alice@k"},
              {"state", "online"},
              {"role", "leaf"},
              {"supernodes", Json::array({"a", "b", "c"})},
              {"clock_ahead_s", 0},
              {"clock_supernodes", 3},
              {"joined_ms", 340.0}};
}

TEST(Checks, OfAWellNodeAreAllWell) {
  const Json network{{"relays", Json::array({relay(1.2, 1.3)})},
                     {"v4", family("port-restricted", true, "endpoint-independent", "address-and-port-dependent")},
                     {"v6", nullptr},
                     {"captive_portal", false}};
  const auto checks = check_node(status(), network);
  for (const auto& check : checks)
    EXPECT_EQ(check.level, check.name == "NAT, IPv6" || check.name == "NAT mapping" ? Level::unknown : Level::ok)
        << check.name << ": " << check.text;
  EXPECT_THAT(named(checks, "NAT, IPv4").text, HasSubstr("port-restricted NAT: mapping endpoint-independent"));
  EXPECT_THAT(named(checks, "overlay").text, HasSubstr("joined in 340 ms"));
}

// Nobody there to ask: nothing is said to be well but what is.
TEST(Checks, CallNothingWellThatNobodyCouldTell) {
  auto alone = status();
  alone["state"] = "alone";
  alone["clock_ahead_s"] = nullptr;
  const Json silence{{"relays", Json::array()}, {"v4", nullptr}, {"v6", nullptr}, {"captive_portal", nullptr}};
  const auto checks = check_node(alone, silence);
  for (const auto* name : {"UDP", "NAT, IPv4", "NAT, IPv6", "firewall", "clock"})
    EXPECT_EQ(named(checks, name).level, Level::unknown) << name << ": " << named(checks, name).text;
  EXPECT_EQ(named(checks, "overlay").level, Level::fail);
  EXPECT_EQ(named(checks, "identity").level, Level::ok);
  EXPECT_EQ(shown(Level::unknown), "?");
  EXPECT_EQ(to_string(Level::unknown), "unknown");

  auto half = family("", true, "endpoint-independent", "");
  half["kind"] = half["filtering"] = nullptr;
  const auto told = check_node(status(), {{"relays", Json::array({relay(1.2, 1.3)})}, {"v4", half}, {"v6", nullptr}});
  EXPECT_EQ(named(told, "NAT, IPv4").level, Level::unknown) << named(told, "NAT, IPv4").text;
  const Json device{{"homes", Json::array({"198.51.100.1:4400"})}, {"path", "unknown"}, {"answered", 1}};
  const auto bob = check_person({{"peer", "bob@demo.example"}, {"devices", Json::array({device})}}, "none");
  EXPECT_EQ(named(bob, "path").level, Level::unknown) << named(bob, "path").text;
}

TEST(Checks, NameTheCulpritAndWhatMendsIt) {
  auto alone = status();
  alone["state"] = "alone";
  alone["clock_ahead_s"] = -7200;
  const Json blocked{{"relays", Json::array({relay(nullptr, 4.0)})},
                     {"v4", Json{{"udp", false}}},
                     {"v6", nullptr},
                     {"captive_portal", true}};
  const auto checks = check_node(alone, blocked);
  EXPECT_EQ(named(checks, "overlay").level, Level::fail);
  EXPECT_EQ(named(checks, "overlay").remedy, "linnet accept CODE");
  EXPECT_EQ(named(checks, "UDP").level, Level::warn);
  EXPECT_THAT(named(checks, "UDP").text, HasSubstr("UDP is blocked here (0 of 1 supernodes answer)"));
  EXPECT_THAT(named(checks, "clock").text, HasSubstr("7200 s behind 3 supernodes"));
  EXPECT_EQ(named(checks, "portal").level, Level::warn);
}

TEST(Checks, OfAPersonSayWhoseNatItIs) {
  Json device{{"key_name", "bob@k"},
              {"record_age_s", 30},
              {"record_expires_in_s", 3570},
              {"homes", Json::array({"198.51.100.1:4400"})},
              {"connect_ms", 84.0},
              {"direct_ms", nullptr},
              {"path", "relayed"},
              {"via", "198.51.100.1:4400"},
              {"rtt_ms", 12.0},
              {"failure", nullptr},
              {"shares_addresses", true},
              {"nat", "port-restricted"},
              {"circuits", Json::array()},
              {"candidates", Json::array({Json{{"endpoint", "192.168.2.11:4400"}, {"result", "no answer"}}})},
              {"their_candidates", Json::array()}};
  const Json examined{
      {"peer", "bob@demo.example"}, {"lookup_ms", 8.0}, {"lookup_hops", 2}, {"devices", Json::array({device})}};
  const auto checks = check_person(examined, "udp-blocked");
  EXPECT_EQ(named(checks, "path").level, Level::warn);
  EXPECT_THAT(named(checks, "path").text, HasSubstr("yours udp-blocked, theirs port-restricted"));
  EXPECT_THAT(named(checks, "path").remedy, HasSubstr("yours: "));
  EXPECT_THAT(named(checks, "directory").text, HasSubstr("record 30 s old"));
  EXPECT_THAT(named(checks, "tried from here").text, HasSubstr("192.168.2.11:4400 no answer"));
}

TEST(Checks, OfAStrangerNameWhomToAdd) {
  const Json device{{"homes", Json::array({"198.51.100.1:4400"})},
                    {"path", "relayed"},
                    {"via", "198.51.100.1:4400"},
                    {"answered", 1},
                    {"shares_addresses", false}};
  const auto checks = check_person({{"peer", "bob@demo.example"}, {"devices", Json::array({device})}}, "none");
  EXPECT_EQ(named(checks, "path").remedy, "linnet contact add bob@demo.example, and they you");
}

// The link of an examination carries no voice, so no ports are searched for it: that is no reason to complain.
TEST(Checks, OfAPersonSayWhereACallWillBeDirectByPortSearch) {
  const struct {
    const char* ours;
    const char* theirs;
    bool searched;
  } pairs[] = {{"symmetric", "port-restricted", true}, {"firewall", "symmetric", true},
               {"symmetric", "symmetric", false},      {"symmetric", "", false},
               {"udp-blocked", "symmetric", false},    {"port-restricted", "port-restricted", false}};
  for (const auto& pair : pairs) {
    const Json device{{"homes", Json::array({"198.51.100.1:4400"})},
                      {"path", "relayed"},
                      {"via", "198.51.100.1:4400"},
                      {"answered", 1},
                      {"failure", nullptr},
                      {"shares_addresses", true},
                      {"nat", *pair.theirs ? Json(pair.theirs) : Json(nullptr)}};
    const auto checks = check_person({{"peer", "bob@demo.example"}, {"devices", Json::array({device})}}, pair.ours);
    const auto& path = named(checks, "path");
    EXPECT_EQ(path.level, pair.searched ? Level::ok : Level::warn) << pair.ours << " x " << pair.theirs;
    const bool said = path.text.find("direct by port search, expected within 10 s") != std::string::npos;
    EXPECT_EQ(said, pair.searched) << path.text;
  }
}

// A link of before stays in the books of a daemon for a while after the device died.
TEST(Checks, OfAPersonCallNoPathWellThatNothingAnswersOn) {
  Json device{{"homes", Json::array({"198.51.100.1:4400"})},
              {"connect_ms", 0.3},
              {"path", "lan"},
              {"via", "192.168.1.7:4400"},
              {"rtt_ms", 2.6},
              {"sent", 3},
              {"answered", 0},
              {"failure", nullptr}};
  const auto judge = [&] {
    return check_person({{"peer", "bob@demo.example"}, {"lookup_ms", 8.0}, {"devices", Json::array({device})}}, "none");
  };
  const auto silent = judge();
  EXPECT_EQ(named(silent, "link").level, Level::fail);
  EXPECT_THAT(named(silent, "link").text, HasSubstr("nothing answers on it"));
  for (const auto& check : silent) EXPECT_NE(check.name, "path");
  device["answered"] = 1;
  const auto well = judge();
  EXPECT_EQ(named(well, "link").level, Level::ok);
  EXPECT_EQ(named(well, "path").level, Level::ok);
}

TEST(Checks, OfASupernodeToBeWantToBeReached) {
  const Machine machine{2, 2.0, "free", "not allowed"};
  const auto closed = check_supernode(machine, status(), Json{{"nat", "symmetric"}}, Json());
  EXPECT_EQ(named(closed, "reachable").level, Level::fail);
  EXPECT_THAT(named(closed, "reachable").remedy, HasSubstr("forward UDP and TCP port 4400"));
  EXPECT_EQ(named(closed, "ports 80, 443").level, Level::warn);
  const Json relay{{"checks", {{{"what", "uplink"}, {"met", false}, {"found", "0.3 Mbit/s"}}}}};
  const auto open = check_supernode(machine, status(), Json{{"nat", "none"}}, relay);
  EXPECT_EQ(named(open, "uplink").text, "0.3 Mbit/s");
  EXPECT_EQ(named(open, "uplink").level, Level::warn);
  EXPECT_EQ(named(open, "reachable").level, Level::ok);
  EXPECT_EQ(named(open, "role").remedy, "linnet relay on, or let it decide: linnet relay auto");
}

TEST(ClockText, SaysRightAheadBehindOrThatNobodyTold) {
  const auto text = [](Json ahead) {
    return told_clock_text({{"clock_ahead_s", std::move(ahead)}, {"clock_supernodes", 1}});
  };
  EXPECT_EQ(text(0), "right, to the second or two that 1 supernode tells");
  EXPECT_EQ(text(7), "7 s ahead of 1 supernode");
  EXPECT_EQ(text(-7), "7 s behind 1 supernode");
  EXPECT_EQ(text(nullptr), "?");
}

TEST(MappedText, SaysWhoOpenedThePortAndWhetherAnybodyCameIn) {
  const auto text = [](const char* by, Json reached) {
    return mapped_text(Json{
        {"external", "203.0.113.9:4400"}, {"transport", "udp"}, {"protocol", by}, {"reached", reached}, {"why", ""}});
  };
  EXPECT_EQ(text("nat-pmp", true), "203.0.113.9:4400 by nat-pmp");
  EXPECT_EQ(text("static-nat", true), "203.0.113.9:4400 by 1:1 NAT");
  EXPECT_EQ(text("pcp", false), "203.0.113.9:4400 by pcp (nobody came in by it)");
}

Json explained() {
  return Json{{"node_age_ms", 7'500'000.0},
              {"steps", Json{{"detect_ms", 1512.3},
                             {"join_ms", 340.1},
                             {"look_up_ms", 8.4},
                             {"connect_ms", 20.0},
                             {"ring_ms", 24.0},
                             {"answer_ms", 30.0},
                             {"voice_ms", 52.0},
                             {"direct_ms", nullptr}}},
              {"nat", "symmetric"},
              {"their_nat", "port-restricted"},
              {"reason", "yours symmetric, theirs port-restricted"},
              {"circuits", Json::array({Json{{"endpoint", "198.51.100.7:4400"}, {"result", "stands"}}})},
              {"candidates", Json::array({Json{{"endpoint", "192.0.2.1:1"}, {"result", "no answer"}}})},
              {"their_candidates", Json::array({Json{{"endpoint", "192.0.2.9:1"}, {"result", "answered"}}})}};
}

Json relayed_call() { return Json{{"path", "relayed"}, {"via", "198.51.100.7:4400"}, {"setup_ms", 30.0}}; }

TEST(ExplainText, ShowsTheStepsAndAQuestionMarkForWhatNeverCame) {
  const auto text = explain_text(explained(), relayed_call());
  EXPECT_THAT(text, HasSubstr("started       2 h 5 min before the call"));
  EXPECT_THAT(text, HasSubstr("NAT known       1512.3 ms  from the start"));
  EXPECT_THAT(text, HasSubstr("online           340.1 ms  from the start"));
  EXPECT_THAT(text, HasSubstr("found              8.4 ms\n"));
  EXPECT_THAT(text, HasSubstr("direct        ? ms"));
}

TEST(ExplainText, ShowsWhatBothSidesTriedAndWhoIsToBlame) {
  auto e = explained();
  const auto text = explain_text(e, relayed_call());
  EXPECT_THAT(text, HasSubstr("circuit       198.51.100.7:4400  stands"));
  EXPECT_THAT(text, HasSubstr("you tried     192.0.2.1:1  no answer"));
  EXPECT_THAT(text, HasSubstr("they tried    192.0.2.9:1  answered"));
  EXPECT_THAT(text, HasSubstr("path          yours symmetric, theirs port-restricted: relayed via 198.51.100.7:4400"));
  e["their_nat"] = e["their_candidates"] = nullptr;
  const auto less = explain_text(e, relayed_call());
  EXPECT_THAT(less, HasSubstr("yours symmetric, theirs ?"));
  EXPECT_THAT(less, HasSubstr("they tried    ?"));
}

TEST(ExplainText, OfADirectCallBlamesNobody) {
  auto e = explained();
  e["reason"] = nullptr;
  const auto text = explain_text(e, {{"path", "direct"}, {"via", "192.0.2.9:4400"}, {"setup_ms", 30.0}});
  EXPECT_THAT(text, HasSubstr("path          DIRECT 192.0.2.9:4400"));
}

}  // namespace
}  // namespace linnet::cli
