#include "node/io/settings/reload.h"

#include <gtest/gtest.h>

namespace linnet::io {
namespace {

TEST(Reload, KnowsAValueOfEveryKey) {
  for (const auto& key : config_keys())
    EXPECT_NE(value_text(Settings{}, key), "") << key << " is shown as nothing";
}

TEST(Reload, SaysWhatChangedAndWhatWaitsForARestart) {
  Settings before, after;
  after.ring_s = 30;
  after.bootstrap = {"node.example:4400"};
  after.relay = RelayMode::on;
  after.listen = {Endpoint::parse("127.0.0.1:4401").value()};
  const auto changes = compare(before, after);
  EXPECT_EQ(changes.text(),
            "Reloaded: bootstrap; call.ring 60 -> 30. Needs a restart: listen; relay.mode \"auto\" -> \"on\".");
  EXPECT_EQ(compare(before, before).text(), "Reloaded: nothing has changed.");
}

TEST(Reload, TakesOverNoMoreThanItSays) {
  Settings running, read;
  read.bitrate_kbps = 32;
  read.ring_tone = "off";
  read.network = "office";
  read.circuit_kbps = 999;
  const auto now = take_over(running, read);
  EXPECT_EQ(now.bitrate_kbps, 32u);
  EXPECT_EQ(now.ring_tone, "off");
  EXPECT_EQ(now.network, "linnet");
  EXPECT_EQ(now.circuit_kbps, 128u);
  const auto left = compare(now, read);
  EXPECT_TRUE(left.now.empty()) << left.text();
  EXPECT_EQ(left.restart.size(), 2u);
}

}  // namespace
}  // namespace linnet::io
