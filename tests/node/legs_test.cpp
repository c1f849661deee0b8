#include "node/legs.h"

#include <gtest/gtest.h>

#include "node/path_reason.h"

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

// Each supernode by which somebody was to be reached, and what came of it.
TEST(WaysTried, AreToldOneByOne) {
  using Came = overlay::CircuitTry::Result;
  const auto at = *Endpoint::parse("198.51.100.7:4400"), own = *Endpoint::parse("203.0.113.2:443");
  const struct {
    Came came;
    const char* way;
    const char* result;
  } table[] = {
      {Came::idle, "no answer through 198.51.100.7:4400", "not asked"},
      {Came::silent, "no answer through 198.51.100.7:4400", "no answer"},
      {Came::stands, "no answer through 198.51.100.7:4400", "stands"},
      {Came::over, "no answer through 198.51.100.7:4400", "closed"},
      {Came::unreachable, "relay 198.51.100.7:4400 does not answer", "the supernode does not answer"},
      {Came::nobody, "relay 198.51.100.7:4400 serves them no more", "serves them no more"},
      {Came::full, "relay 198.51.100.7:4400 full", "full"},
      {Came::month, "relay 198.51.100.7:4400 has used up its month", "its month is used up"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(as_a_way({at, std::nullopt, row.came}), row.way);
    EXPECT_EQ(result_of({at, std::nullopt, row.came}), row.result);
  }
  EXPECT_EQ(as_a_way({at, own, Came::full}), "relay 198.51.100.7:4400 across 203.0.113.2:443 full");
  EXPECT_EQ(result_of({at, own, Came::stands}), "stands across 203.0.113.2:443");
}

}  // namespace
}  // namespace linnet::node
