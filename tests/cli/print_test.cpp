#include "cli/print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace linnet::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

Json a_call(const std::string& digits) {
  return Json{{"id", 1},          {"peer", "bob@demo.example"}, {"state", "talking"},    {"seconds", 5.0},
              {"path", "direct"}, {"via", "192.0.2.7:4400"},    {"last_heard_ms", 20.0}, {"digits", digits}};
}

TEST(LiveLine, ShowsTheDigitsThatTheOtherPersonKeyed) {
  EXPECT_THAT(live_line(a_call("12#")), HasSubstr("keyed 12#  DIRECT 192.0.2.7:4400"));
  EXPECT_THAT(live_line(a_call("")), Not(HasSubstr("keyed")));
}

TEST(LiveLine, ShowsHowLoudBothAreAndSilenceAsADash) {
  auto call = a_call("");
  call["heard_dbfs"] = -12.0;
  call["mic_dbfs"] = -96.0;
  EXPECT_THAT(live_line(call), HasSubstr("heard ####  mic -"));
}

TEST(StatusText, ShowsDigitsAndTheSoundDevicesInUse) {
  const Json status{{"uri", "alice@demo.example"},
                    {"state", "online"},
                    {"calls", Json::array({a_call("7")})},
                    {"sound", Json::array({Json{{"call", 1}, {"microphone", "Headset"}, {"loudspeaker", "Desk"}}})}};
  EXPECT_THAT(status_text(status), HasSubstr("sound       Headset, Desk\n"));
  EXPECT_THAT(status_text(status), HasSubstr("bob@demo.example  talking  DIRECT 192.0.2.7:4400  keyed 7"));
  EXPECT_THAT(status_line(status), HasSubstr("keyed 7"));
}

TEST(StatusText, NamesNoDeviceWhenNoneIsInUse) {
  EXPECT_THAT(status_text(Json{{"sound", Json::array()}}), Not(HasSubstr("sound")));
}

}  // namespace
}  // namespace linnet::cli
