#include "node/legs.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

const auto kCalled = *crypto::Address::parse("bob@a.example");

TEST(Refusals, AreRepeatedInTheWordsOfThePeer) {
  EXPECT_EQ(meaning_of(kCalled, 420, "Bad Extension").text, "bob@a.example refused the call: 420 Bad Extension.");
  EXPECT_EQ(meaning_of(kCalled, 420, "").text, "bob@a.example refused the call: 420.");
}

TEST(Refusals, CannotSteerTheTerminalNorFillTheHistory) {
  const std::vector<std::string> words{"\x1b[2J", "\xc2\x9b", "\xff\xfe", "a\tb", std::string(60'000, 'a')};
  for (const auto& said : words) {
    EXPECT_EQ(meaning_of(kCalled, 499, said).text, "bob@a.example refused the call: 499.");
  }
}

}  // namespace
}  // namespace linnet::node
