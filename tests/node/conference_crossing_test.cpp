// Who comes in while the mixer hands over: the old one knows of it, the new one does not, and what each of them says is
// on its way. Tried at each moment of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "conference_hall.h"

namespace linnet::node::conference {
namespace {

constexpr std::size_t kCrossingMembers = 3;

struct Crossing {
  Duration after{};         // a better mixer came in, another one comes
  std::size_t by = 0;       // whom: 0 mixes
  std::uint32_t mixes = 0;  // that one says; the better one 400, the others 100

  std::string text() const {
    return std::to_string(after / milliseconds(1)) + " ms, by " + std::to_string(by) + ", mixes " +
           std::to_string(mixes);
  }
};

struct ConferenceCrossing : ::testing::Test {
  static bool all_in(const Hall& hall) {
    return hall.agree() && std::all_of(hall.people.begin(), hall.people.end(), [&](const auto& p) {
             return p.room->roster().members.size() == hall.people.size();
           });
  }
  static void cross(const Crossing& how) {
    Hall hall(static_cast<std::uint64_t>(how.after / milliseconds(1)) + 1);
    for (std::size_t i = 0; i < kCrossingMembers; ++i) hall.add();
    hall.found(0);
    hall.run(milliseconds(300));
    for (std::size_t i = 1; i < kCrossingMembers; ++i) hall.invite(0, i);
    hall.run(seconds(3));
    const auto better = hall.add(400);
    hall.invite(0, better);
    hall.run(how.after);
    const auto late = hall.add(how.mixes);
    hall.invite(how.by, late);
    const auto came = hall.now;
    while (!all_in(hall) && hall.now < came + seconds(1)) hall.run(milliseconds(20));
    EXPECT_TRUE(all_in(hall)) << how.text() << "\n" << tell(hall);
    hall.run(seconds(5));
    EXPECT_TRUE(all_in(hall)) << how.text() << "\n" << tell(hall);
    EXPECT_EQ(hall.mixer(), how.mixes > 400 ? late : better) << how.text();
    for (const auto& p : hall.people)
      EXPECT_TRUE(p.strange.empty()) << how.text() << ": " << (p.strange.empty() ? "" : p.strange.front());
  }
  static std::string tell(const Hall& hall) {
    std::string out;
    for (std::size_t i = 0; i < hall.people.size(); ++i) out += hall.tell_of(i);
    return out;
  }
  static void cross_at_each_moment(std::size_t by, std::uint32_t mixes) {
    for (Duration after = milliseconds(20); after <= milliseconds(600); after += milliseconds(20))
      cross({after, by, mixes});
  }
};

TEST_F(ConferenceCrossing, OneWhomTheOldMixerBringsInIsInWithinASecond) { cross_at_each_moment(0, 50); }
TEST_F(ConferenceCrossing, OneWhomAMemberBringsInIsInWithinASecond) { cross_at_each_moment(1, 50); }

// The old mixer would have him as its deputy at once, in place of the one it told to mix.
TEST_F(ConferenceCrossing, ABetterOneWhomTheOldMixerBringsInDoesNotPartTheRoom) { cross_at_each_moment(0, 900); }
TEST_F(ConferenceCrossing, ABetterOneWhomAMemberBringsInDoesNotPartTheRoom) { cross_at_each_moment(1, 900); }

}  // namespace
}  // namespace linnet::node::conference
