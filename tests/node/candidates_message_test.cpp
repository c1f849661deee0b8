#include "node/candidates_message.h"

#include <gtest/gtest.h>

#include "tests/base/damage.h"

namespace linnet::node {
namespace {

using nat::ice::Candidate;
using nat::ice::Type;

CandidatesMessage message() {
  CandidatesMessage out;
  out.generation = 3;
  out.credentials = {"abcdefgh", "abcdefghijklmnopqrstuvwx"};
  out.kind = NatKind::symmetric;
  out.shown = true;
  const auto at = *Endpoint::parse("192.0.2.1:4400");
  out.candidates.push_back({Type::host, at, at, 7, 0, 2'130'706'431, "1"});
  out.candidates.push_back({Type::relayed, nat::ice::circuit_endpoint(9), {}, 0, 9, 16'777'215, "2"});
  return out;
}

TEST(CandidatesMessage, SurvivesTheWireWithoutWhatNeverLeavesAMachine) {
  const auto back = read_candidates(write(message()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->generation, 3U);
  EXPECT_EQ(back->credentials, message().credentials);
  EXPECT_EQ(back->kind, NatKind::symmetric);
  EXPECT_TRUE(back->shown);
  ASSERT_EQ(back->candidates.size(), 2U);
  EXPECT_EQ(back->candidates[0].endpoint, message().candidates[0].endpoint);
  EXPECT_EQ(back->candidates[0].base, 0U);
  EXPECT_EQ(back->candidates[1].circuit, 9U);
  EXPECT_EQ(back->candidates[1].endpoint, nat::ice::circuit_endpoint(9));
}

TEST(CandidatesMessage, ASearchIsAskedForWithAndWithoutAGuess) {
  auto asks = message();
  asks.search = SearchAsk{2, nat::PortGuess{4711, -3}};
  auto back = read_candidates(write(asks));
  ASSERT_TRUE(back && back->search);
  EXPECT_EQ(back->search->round, 2U);
  EXPECT_EQ(back->search->guess, (nat::PortGuess{4711, -3}));
  asks.search->guess.reset();
  back = read_candidates(write(asks));
  ASSERT_TRUE(back && back->search);
  EXPECT_FALSE(back->search->guess);
  EXPECT_FALSE(read_candidates(write(message()))->search);
}

TEST(CandidatesMessage, AGuessThatNoNatCouldMeanIsRefused) {
  for (const auto& guess : {nat::PortGuess{80, 1}, nat::PortGuess{4711, 0}, nat::PortGuess{4711, 65}}) {
    auto wrong = message();
    wrong.search = SearchAsk{1, guess};
    EXPECT_FALSE(read_candidates(write(wrong))) << guess.next << ' ' << guess.step;
  }
  auto wrong = message();
  wrong.search = SearchAsk{0, std::nullopt};
  EXPECT_FALSE(read_candidates(write(wrong)));
}

TEST(CandidatesMessage, EveryTruncationIsRefused) {
  const auto wire = write(message());
  for (std::size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(read_candidates(ByteView(wire).first(n))) << n;
}

// It comes sealed, from who may say anything: what is read of it can be said, and is within the limits.
TEST(CandidatesMessage, OfEveryFlippedBitSaysWhatCanBeSaidOrNothing) {
  auto asks = message();
  asks.search = SearchAsk{2, nat::PortGuess{4711, -3}};
  damage::each_flipped_bit(write(asks), [](ByteView flipped, std::size_t bit) {
    const auto read = read_candidates(flipped);
    if (!read) return;
    EXPECT_LE(read->candidates.size(), nat::ice::kMaxNamed) << bit;
    EXPECT_TRUE(nat::ice::sound(read->credentials)) << bit;
    for (const auto& c : read->candidates) {
      EXPECT_TRUE(c.circuit != 0 ? c.type == Type::relayed : c.endpoint.port != 0) << bit;
      EXPECT_EQ(c.endpoint.transport, Transport::udp) << bit;
    }
    const auto wire = write(*read);
    const auto again = read_candidates(wire);
    ASSERT_TRUE(again) << bit;
    EXPECT_EQ(write(*again), wire) << bit;
  });
}

TEST(CandidatesMessage, ACircuitIsARelayedCandidateAndNothingElse) {
  auto wrong = message();
  wrong.candidates[1].type = Type::host;
  EXPECT_FALSE(read_candidates(write(wrong)));
}

TEST(CandidatesMessage, AnEndpointWithoutAPortIsRefused) {
  auto wrong = message();
  wrong.candidates[0].endpoint.port = 0;
  EXPECT_FALSE(read_candidates(write(wrong)));
}

TEST(CandidatesMessage, MoreThanSixteenAreRefused) {
  auto wrong = message();
  wrong.candidates.assign(nat::ice::kMaxNamed + 1, message().candidates[0]);
  EXPECT_FALSE(read_candidates(write(wrong)));
}

}  // namespace
}  // namespace linnet::node
