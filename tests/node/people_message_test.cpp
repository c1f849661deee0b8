// What two nodes say of invitations, as bytes from somebody who may say anything.
#include "node/people_message.h"

#include <gtest/gtest.h>

#include "tests/base/damage.h"

namespace linnet::node::people_message {
namespace {

std::vector<Message> all_kinds() {
  Use use;
  use.secret.fill(7);
  Answer answer;
  answer.id.fill(9);
  answer.verdict = Verdict::used;
  return {use, answer};
}

TEST(PeopleMessage, EveryTruncationIsRefusedAndNothingMayFollow) {
  for (const auto& message : all_kinds()) {
    auto wire = write(message);
    ASSERT_TRUE(read(wire));
    damage::each_truncation(wire, [](ByteView cut) { EXPECT_EQ(read(cut).error(), Fault::truncated) << cut.size(); });
    wire.push_back(0);
    EXPECT_EQ(read(wire).error(), Fault::malformed);
  }
}

// It comes sealed: a secret that was changed under the seal is another secret, and nobody's invitation.
TEST(PeopleMessage, OfEveryFlippedBitIsWhatStandsThereOrRefused) {
  for (const auto& message : all_kinds()) {
    damage::each_flipped_bit(write(message), [](ByteView flipped, std::size_t bit) {
      const auto other = read(flipped);
      EXPECT_TRUE(!other || equal(write(*other), flipped)) << bit;
    });
  }
}

TEST(PeopleMessage, KnowsNoOtherKindAndNoOtherVerdict) {
  EXPECT_EQ(read(Bytes(18, 0)).error(), Fault::unsupported);
  EXPECT_EQ(read(Bytes(18, 3)).error(), Fault::unsupported);
  auto wire = write(Answer{});
  wire.back() = 4;
  EXPECT_EQ(read(wire).error(), Fault::malformed);
}

}  // namespace
}  // namespace linnet::node::people_message
