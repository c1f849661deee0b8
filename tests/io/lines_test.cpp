#include "node/io/control/lines.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <nlohmann/json.hpp>

namespace linnet::io {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> out;
  for (const auto& item : object.items()) out.push_back(item.key());
  return out;
}
Json read(const std::string& line) { return Json::parse(line, nullptr, false); }

TEST(Lines, AreOneLineWhateverANameContains) {
  const auto line =
      lines::never_began({"No \"such\"\nthing \xff.", Exit::not_found}, "a\n\xff", node::CallResult::failed);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  auto json = read(line);
  EXPECT_EQ(keys(json), (std::vector<std::string>{"error", "exit", "event", "summary"}));
  EXPECT_EQ(json["exit"], 4);
  EXPECT_EQ(json["summary"]["result"], "failed");
}

TEST(Lines, OfAnEndedCallKeepItsOwnExitCode) {
  node::CallSummary summary;
  summary.result = node::CallResult::declined;
  auto json = read(lines::ended({"Bob declined.", Exit::declined}, summary));
  EXPECT_EQ(json["event"], "ended");
  EXPECT_EQ(json["exit"], 6);
  EXPECT_EQ(json["error"], "Bob declined.");
  EXPECT_EQ(json["summary"]["result"], "declined");
}

node::ConferenceView conference(std::uint64_t id, const std::string& name) {
  node::ConferenceView out;
  out.id = node::CallId{id};
  out.name = name;
  out.room = "00112233445566778899aabbccddeeff";
  out.duty = "member";
  out.term = 2;
  out.mixer = "bob@demo.example";
  out.members.resize(2);
  out.members[0].address = "alice@demo.example";
  out.members[0].self = true;
  out.members[1].address = out.mixer;
  out.members[1].uplink_kbps = 900;
  out.invited = {"carol@demo.example"};
  return out;
}

TEST(Lines, OfConferencesShowTheOnlyOneBesideTheList) {
  const std::vector<std::string> all{"schema", "id",       "name",          "address", "room",    "duty",
                                     "term",   "locked",   "muted",         "mixer",   "deputy",  "deputy_streams",
                                     "mixers", "deadline", "heard_at_once", "members", "invited", "conferences",
                                     "rooms"};
  const auto view = [](const std::vector<node::ConferenceView>& views) {
    return read(lines::conferences(views, {}))["conferences"];
  };
  const auto one = view({conference(3, "office")});
  EXPECT_EQ(keys(one), all);
  EXPECT_EQ(one["schema"], 1);
  EXPECT_EQ(one["mixer"], "bob@demo.example");
  EXPECT_TRUE(one["deputy"].is_null());
  EXPECT_EQ(keys(one["members"][0]),
            (std::vector<std::string>{"address", "key_name", "self", "founder", "speaks", "muted", "poor", "recording",
                                      "mixes", "uplink_kbps", "hears"}));
  EXPECT_TRUE(one["members"][0]["uplink_kbps"].is_null()) << "not measured";
  EXPECT_EQ(one["members"][1]["uplink_kbps"], 900);
  EXPECT_EQ(one["invited"], Json::array({"carol@demo.example"}));
  ASSERT_EQ(one["conferences"].size(), 1u);
  EXPECT_EQ(one["conferences"][0]["name"], "office");
  for (const auto& views : {std::vector<node::ConferenceView>{}, {conference(3, "office"), conference(4, "family")}}) {
    const auto none = view(views);
    EXPECT_EQ(keys(none), all) << "no key is ever left out";
    EXPECT_TRUE(none["mixer"].is_null());
    EXPECT_EQ(none["members"], Json::array());
    EXPECT_EQ(none["conferences"].size(), views.size());
  }
}

TEST(Lines, OfConferencesNameTheRoomsThatAreKeptHereWhetherAnybodyIsInThemOrNot) {
  node::RoomView room;
  room.address = "room@office";
  room.founded = true;
  room.keepers = 2;
  room.expires = 1'800'000'000;
  auto inside = room;
  inside.address = "lunch@office";
  inside.conference = node::CallId{3};
  const auto rooms = read(lines::conferences({conference(3, "lunch@office")}, {room, inside}))["conferences"]["rooms"];
  ASSERT_EQ(rooms.size(), 2u);
  EXPECT_EQ(keys(rooms[0]),
            (std::vector<std::string>{"address", "key_name", "founded", "keepers", "expires", "conference"}));
  EXPECT_TRUE(rooms[0]["conference"].is_null());
  EXPECT_EQ(rooms[1]["conference"], 3);
}

TEST(Lines, NameTheKeepersOfARoom) {
  const auto line = read(lines::keepers("room@office", {{"bob", "bob@office", "bob@k"}, {"", "keeper@k", "keeper@k"}}));
  EXPECT_EQ(line["ok"], true);
  const auto& view = line["keepers"];
  EXPECT_EQ(keys(view), (std::vector<std::string>{"schema", "room", "keepers"}));
  ASSERT_EQ(view["keepers"].size(), 2u);
  EXPECT_EQ(keys(view["keepers"][0]), (std::vector<std::string>{"name", "address", "key_name"}));
  EXPECT_EQ(view["keepers"][0]["name"], "bob");
  EXPECT_TRUE(view["keepers"][1]["name"].is_null()) << "he is no contact any more";
}

TEST(Lines, OfAFollowedConferenceHoldItBesideItsCall) {
  node::CallView call;
  const auto view = conference(3, "office");
  EXPECT_EQ(read(lines::call(call, &view))["conference"]["name"], "office");
  EXPECT_TRUE(read(lines::call(call))["conference"].is_null());
}

TEST(Lines, OfAStatusShowAConferenceInItsCall) {
  node::NodeStatus status;
  status.calls.resize(2);
  status.calls[0].id = node::CallId{3};
  status.calls[1].id = node::CallId{4};
  status.conferences = {conference(3, "office")};
  const auto calls = read(lines::status(status, {}, 7, {}))["calls"];
  EXPECT_EQ(calls[0]["conference"],
            (Json{{"name", "office"}, {"members", 2}, {"mixer", "bob@demo.example"}, {"duty", "member"}}));
  EXPECT_TRUE(calls[1]["conference"].is_null());
}

TEST(Lines, OfAStatusDifferInMoreThanWhatIsMeasuredAllTheTime) {
  node::NodeStatus status;
  overlay::SupernodeInfo relay;
  relay.endpoint = *Endpoint::parse("203.0.113.1:4400");
  relay.attached = true;
  relay.rtt = std::chrono::milliseconds(12);
  status.supernodes = {relay};
  status.clock_ahead = std::chrono::seconds(1);
  const auto said = [&] { return lines::lasting(lines::status(status, {}, 7, {})); };
  const auto first = said();
  status.supernodes[0].rtt = std::chrono::milliseconds(13);
  status.clock_ahead = std::chrono::seconds(2);
  EXPECT_EQ(said(), first);
  EXPECT_NE(lines::status(status, {}, 7, {}).find("\"rtt_ms\":13.0"), std::string::npos) << "the line itself has it";
  status.supernodes[0].home = true;
  EXPECT_NE(said(), first);
  const auto second = said();
  status.state = overlay::State::alone;
  EXPECT_NE(said(), second);
  const auto third = said();
  status.supernodes[0].rtt.reset();
  EXPECT_NE(said(), third) << "it is not known any more";
  EXPECT_EQ(lines::lasting("no status"), "no status");
}

TEST(Lines, OfAnAnswerSayByWhatItCame) {
  const node::Examination found;
  node::Answer answer;
  answer.round = 1;
  EXPECT_TRUE(read(lines::examining(found, answer))["answer"]["by"].is_null()) << "nobody answered";
  answer.path = node::PathWord::lan;
  answer.via = "192.168.1.7:4400";
  answer.by = "tcp";
  EXPECT_EQ(read(lines::examining(found, answer))["answer"]["by"], "tcp");
  answer.path = node::PathWord::relayed;
  answer.via = "203.0.113.1:4400";
  answer.by = "circuit";
  auto said = read(lines::examining(found, answer))["answer"];
  EXPECT_EQ(said["by"], "circuit via 203.0.113.1:4400");
  EXPECT_EQ(keys(said), (std::vector<std::string>{"schema", "device", "seq", "path", "via", "rtt_ms", "by"}));
}

// A number of an interface means nothing to who reads it, and cannot be typed at another time.
TEST(Lines, NameTheInterfaceOfALinkLocalPath) {
  const auto lo = std::to_string(::if_nametoindex("lo"));
  node::CallSummary summary;
  summary.via = "[fe80::1%" + lo + "]:4400";
  EXPECT_EQ(read(lines::ended({}, summary))["summary"]["via"], "[fe80::1%lo]:4400");
  summary.via = "192.0.2.1:4400";
  EXPECT_EQ(read(lines::ended({}, summary))["summary"]["via"], "192.0.2.1:4400");
  summary.via.clear();
  EXPECT_TRUE(read(lines::ended({}, summary))["summary"]["via"].is_null());
}

TEST(Lines, OfHistoryGiveTheStoredSummaryAsItWasWritten) {
  HistoryRow row;
  row.started = Wall{1'700'000'000};
  row.direction = node::Direction::incoming;
  row.text = "Why \"so\".";
  row.json = R"({"schema":1,"mos":4.40,"peer":"x"})";
  const auto line = lines::row(row);
  EXPECT_NE(line.find(R"("summary":{"schema":1,"mos":4.40,"peer":"x"}})"), std::string::npos) << line;
  auto json = read(line);
  EXPECT_EQ(keys(json), (std::vector<std::string>{"error", "exit", "started", "direction", "summary"}));
  EXPECT_EQ(json["error"], row.text);
  EXPECT_EQ(json["started"], 1'700'000'000);
  EXPECT_EQ(json["direction"], "incoming");
}

TEST(Lines, OfPeopleSayOkOrWhyNot) {
  node::Reply reply;
  EXPECT_EQ(read(lines::people(reply))["ok"], true);
  reply.refusal = node::Refusal::identity;
  reply.text = "IDENTITY CHANGED";
  auto json = read(lines::people(reply));
  EXPECT_FALSE(json.contains("ok"));
  EXPECT_EQ(json["exit"], 7);
  EXPECT_EQ(json["reply"]["text"], "IDENTITY CHANGED");
}

TEST(Lines, OfStatusNameTheDevicesInUseAndTheDigitsThatCame) {
  node::NodeStatus status;
  status.uri = *crypto::Address::parse("alice@demo.example");
  status.key_name = status.uri;
  node::CallView call;
  call.id = node::CallId{3};
  call.peer = *crypto::Address::parse("bob@demo.example");
  call.digits = "12#";
  status.calls.push_back(call);
  Sound::InUse use;
  use.call = call.id;
  use.devices.microphone = "Headset";
  use.devices.loudspeaker = "Desk";
  auto json = read(lines::status(status, {}, 7, {use}));
  EXPECT_EQ(json["calls"][0]["digits"], "12#");
  EXPECT_EQ(json["sound"].dump(), R"([{"call":3,"microphone":"Headset","loudspeaker":"Desk"}])");
}

// Scripts split at blanks.
TEST(Lines, OfStatusNameByOneWordWhoOpenedAPort) {
  node::NodeStatus status;
  for (const auto by : {nat::MappedBy::pcp, nat::MappedBy::nat_pmp, nat::MappedBy::upnp, nat::MappedBy::static_nat}) {
    node::OpenPort port;
    port.by = by;
    status.mapped.push_back(port);
  }
  const auto json = read(lines::status(status, {}, 7, {}));
  std::vector<std::string> words;
  for (const auto& port : json["mapped"]) words.push_back(port["protocol"].get<std::string>());
  EXPECT_EQ(words, (std::vector<std::string>{"pcp", "nat-pmp", "upnp", "static-nat"}));
}

}  // namespace
}  // namespace linnet::io
