#include "cli/print_conference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace linnet::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

Json member(const std::string& address, std::vector<std::string> flags = {}) {
  Json out{{"address", address}, {"self", false}, {"founder", false},  {"speaks", false},
           {"muted", false},     {"poor", false}, {"recording", false}};
  for (const auto& flag : flags) out[flag] = true;
  return out;
}

Json office() {
  return Json{{"id", 3},
              {"name", "office"},
              {"duty", "member"},
              {"locked", false},
              {"mixer", "carol@demo.example"},
              {"deputy", "bob@demo.example"},
              {"members", Json::array({member("alice@demo.example", {"self", "founder"}), member("bob@demo.example"),
                                       member("carol@demo.example"), member("dave@demo.example", {"speaks"}),
                                       member("erin@demo.example", {"poor", "muted", "recording"})})},
              {"invited", Json::array({"frank@demo.example"})}};
}

TEST(ConferenceTable, SaysWhoMixesAndSoHearsEverything) {
  EXPECT_EQ(conference_table(office()),
            "office (3): 5 here, carol mixes and hears everything\n"
            "  alice@demo.example  you, began it\n"
            "  bob@demo.example    takes over if carol is lost\n"
            "  carol@demo.example  mixes and hears everything\n"
            "  dave@demo.example   speaks\n"
            "  erin@demo.example   muted, link poor, RECORDS\n"
            "  frank@demo.example  is being called");
}

TEST(ConferenceTable, TellsTheMixerThatItIsTheOne) {
  auto conference = office();
  conference["duty"] = "mixer";
  conference["mixer"] = "alice@demo.example";
  conference["locked"] = true;
  const auto text = conference_table(conference);
  EXPECT_THAT(text, HasSubstr("you mix: this node hears everything; locked\n"));
  EXPECT_THAT(text, HasSubstr("you, began it, mix and hear everything\n"));
  EXPECT_THAT(text, HasSubstr("takes over if you are lost\n"));
}

TEST(ConferenceTable, OfARoomThatIsNotKnownYetNamesNobody) {
  const Json conference{{"id", 3},           {"name", nullptr},          {"duty", "joining"},       {"mixer", nullptr},
                        {"deputy", nullptr}, {"members", Json::array()}, {"invited", Json::array()}};
  EXPECT_EQ(conference_table(conference), "conference (3): 0 here, nobody mixes yet");
}

TEST(ConferenceTable, TellsPeopleOfOneNameApart) {
  auto conference = office();
  conference["members"].push_back(member("carol@other.example"));
  EXPECT_THAT(conference_table(conference), HasSubstr("carol@demo.example mixes and hears everything\n"));
}

TEST(ConferenceLine, ShowsHowManyAreHereWhoMixesAndWhoSpeaks) {
  Json call{{"seconds", 134.0}, {"muted", true}, {"rtt_ms", 3.0}, {"loss_pct", 0.0}, {"jitter_ms", 1.0}, {"mos", 4.4}};
  auto conference = office();
  EXPECT_EQ(conference_line(call, conference),
            "office  02:14  muted  5 here, 1 called  carol mixes  dave speaks  "
            "RTT 3 ms  loss 0.0 %  jitter 1.0 ms  MOS 4.4");
  conference["members"][0]["speaks"] = true;
  EXPECT_THAT(conference_line(call, conference), HasSubstr("you, dave speak"));
  for (auto& one : conference["members"]) one["speaks"] = false;
  EXPECT_THAT(conference_line(call, conference), HasSubstr("nobody speaks"));
}

TEST(ConferenceLine, IsANewOneWhereWhoIsHereOrMixesChangesAndNotWhoSpeaks) {
  const auto before = conference_change(office());
  auto conference = office();
  conference["members"][1]["speaks"] = true;
  EXPECT_EQ(conference_change(conference), before);
  conference["mixer"] = "bob@demo.example";
  EXPECT_NE(conference_change(conference), before);
  conference = office();
  conference["members"].erase(4);
  EXPECT_NE(conference_change(conference), before);
  conference = office();
  conference["members"][1]["recording"] = true;
  EXPECT_NE(conference_change(conference), before) << "who records is told to all";
  EXPECT_EQ(conference_change(nullptr), "");
}

TEST(ConferenceLine, OfOneThatIsOverSaysHowLongItWas) {
  EXPECT_EQ(conference_over(office(), Json{{"result", "ended"}, {"seconds", 8.27}}), "office  ended  8.3 s");
  EXPECT_EQ(conference_over(office(), Json{{"result", "failed"}, {"seconds", nullptr}}), "office  failed");
}

TEST(StatusText, SaysWhoInvitesToWhichConference) {
  const Json call{
      {"id", 3},
      {"peer", "alice@demo.example"},
      {"state", "incoming"},
      {"conference", Json{{"name", "office"}, {"members", nullptr}, {"mixer", nullptr}, {"duty", "invited"}}}};
  const Json status{{"uri", "bob@demo.example"}, {"state", "online"}, {"calls", Json::array({call})}};
  const auto invites = "alice@demo.example invites you to the conference office: linnet answer";
  EXPECT_THAT(status_text(status), HasSubstr(invites));
  EXPECT_THAT(status_line(status), HasSubstr(invites));
}

TEST(SummaryText, NamesAConferenceInPlaceOfWhoeverInvited) {
  Json summary{{"peer", "alice@demo.example"}, {"result", "declined"}, {"conference", "office"}};
  EXPECT_EQ(summary_text(summary), "office  declined");
  summary["conference"] = nullptr;
  EXPECT_EQ(summary_text(summary), "alice@demo.example  declined");
}

TEST(StatusText, ShowsAConferenceAsOneCall) {
  const Json call{
      {"id", 3},
      {"peer", "alice@demo.example"},
      {"state", "talking"},
      {"conference", Json{{"name", "office"}, {"members", 5}, {"mixer", "carol@demo.example"}, {"duty", "member"}}}};
  const Json status{{"uri", "alice@demo.example"}, {"state", "online"}, {"calls", Json::array({call})}};
  EXPECT_THAT(status_text(status), HasSubstr("office  conference of 5  carol mixes"));
  EXPECT_THAT(status_text(status), Not(HasSubstr("talking")));
  EXPECT_THAT(status_line(status), HasSubstr("office  conference of 5  carol mixes"));
}

}  // namespace
}  // namespace linnet::cli
