// Machines with nothing but a cable between them, as real processes in network namespaces (needs root).
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "checkout.h"
#include "media/wav.h"
#include "tests/io/home_folder.h"
#include "tests/scenario/process.h"

namespace linnet::scenario {
namespace {

class Cable : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "makes network namespaces: needs root";
  }
  // The demo's verdict, as an object.
  Json demo(const std::string& flags) const {
    const auto out = (home_ / "verdict.json").string();
    const std::string line = "LINNET=" LINNET_BINARY_DIR "/linnet " LINNET_SOURCE_DIR
                             "/scripts/cable-demo --json --keep " +
                             home_.path().string() + " " + flags + " >" + out;
    const int status = std::system(line.c_str());
    EXPECT_EQ(status, 0);
    const auto text = io::read_file(out, 1 << 20);
    if (!text || !*text) return {};
    return Json::parse((*text)->begin(), (*text)->end(), nullptr, false);
  }
  bool heard_speech(const std::string& path) const {
    const auto bytes = io::read_file(home_ / path, media::kMaxWavBytes);
    if (!bytes || !*bytes) return false;
    const auto audio = media::parse_wav(**bytes).value_or(media::Audio{});
    return std::any_of(audio.samples.begin(), audio.samples.end(), [](std::int16_t s) { return s > 1000; });
  }

  io::HomeFolder home_;
};

TEST_F(Cable, TwoWithOnlyLinkLocalAddressesFindAndCallEachOther) {
  const auto verdict = demo("--seconds 2");
  ASSERT_EQ(verdict["calls"].size(), 2U);
  for (const auto& call : verdict["calls"]) {
    EXPECT_EQ(call["result"], "ended");
    EXPECT_EQ(call["path"], "lan");
    EXPECT_EQ(call["via"].get<std::string>().rfind("[fe80:", 0), 0U) << call["via"];
  }
  EXPECT_TRUE(heard_speech("1/called.wav"));
  EXPECT_TRUE(heard_speech("2/heard.wav"));
}

TEST_F(Cable, SoDoTwoThatHaveIpv4Alone) {
  const auto verdict = demo("--ipv4 --seconds 1");
  ASSERT_EQ(verdict["calls"].size(), 2U);
  for (const auto& call : verdict["calls"]) {
    EXPECT_EQ(call["result"], "ended");
    EXPECT_EQ(call["via"].get<std::string>().rfind("169.254.1.", 0), 0U) << call["via"];
  }
}

TEST_F(Cable, TenOnASwitchDoToo) {
  const auto verdict = demo("--nodes 10 --seconds 1");
  ASSERT_EQ(verdict["calls"].size(), 10U);
  for (const auto& call : verdict["calls"]) EXPECT_EQ(call["result"], "ended");
}

TEST_F(Cable, AvahiSeesUsAndWeSeeIt) {
  const auto log = (home_ / "avahi.log").string();
  const int status = std::system(
      (LINNET_SOURCE_DIR "/tests/lab/avahi/interop " LINNET_BINARY_DIR "/linnet >" + log + " 2>&1").c_str());
  const auto said = io::read_file(log, 1 << 20);
  const std::string lines = said && *said ? std::string(text(**said)) : std::string();
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << lines;
  EXPECT_EQ(WEXITSTATUS(status), 0) << lines;
}

}  // namespace
}  // namespace linnet::scenario
