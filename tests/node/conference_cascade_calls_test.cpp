// A conference of more whole nodes than one of them mixes for: links, SIP, SRTP and sound in virtual time.
#include <gtest/gtest.h>

#include "conference_nodes.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ConferenceOfSections : Conference {
#ifdef LINNET_SANITIZED
  static constexpr std::size_t kMembers = 20;
  static constexpr std::uint32_t kMixes = 5;
#else
  static constexpr std::size_t kMembers = 40;
  static constexpr std::uint32_t kMixes = 12;
#endif

  // Whom that member hears, as it shows it itself.
  std::string heard_by(const Resident& who) const {
    const auto v = view(who);
    for (std::size_t i = 0; v && i < v->members.size(); ++i)
      if (v->members[i].self) return v->members[i].hears;
    return {};
  }
  bool settled(std::size_t members) const {
    if (!gathered(members)) return false;
    const auto v = view(*all[1]);
    return std::all_of(v->mixers.begin(), v->mixers.end(), [&](const auto& m) { return m.members <= kMixes + 1; });
  }
};

TEST_F(ConferenceOfSections, AllHearTheOneWhoSpeaksAndHeHearsNotHimselfAlsoWhenAMixerOfASectionHasDied) {
  town.delay = milliseconds(10);
  constexpr std::size_t kSpeaker = kMembers / 2 - 3;
  for (std::size_t i = 0; i < kMembers; ++i) person("m" + std::to_string(i), i == kSpeaker ? 700 : 0, kMixes);
  confer();
  ASSERT_TRUE(town.run_until([&] { return settled(kMembers); }, seconds(40))) << told();
  town.run_for(seconds(14));
  auto shown = view(*all[kSpeaker]);
  ASSERT_EQ(shown->mixers.size(), 4u);
  const auto check = [&](const char* when) {
    forget_sound();
    town.run_for(seconds(2));
    for (std::size_t i = 0; i < kMembers; ++i) {
      if (!all[i]->alive) continue;
      const double share = share_of(700, all[i]->heard);
      if (i == kSpeaker) {
        EXPECT_LT(share, 0.05) << when << ": the speaker hears himself";
      } else {
        EXPECT_GT(share, 0.8) << when << ": " << all[i]->name << " hears " << heard_by(*all[i]);
      }
    }
  };
  check("at first");
  // By their names, whoever passed them on.
  for (const auto& v : {view(*all[3]), view(*all[kMembers - 10])}) {
    for (const auto& member : v->members)
      EXPECT_EQ(member.speaks, member.address == all[kSpeaker]->name && v->id != CallId{}) << member.address;
  }
  std::string died;
  for (const auto& m : shown->mixers)
    if (m.address != shown->mixer && m.address != all[kSpeaker]->name) died = m.address;
  town.kill(*called(died));
  ASSERT_TRUE(town.run_until([&] { return settled(kMembers - 1); }, seconds(20))) << told();
  town.run_for(seconds(8));
  check("after a mixer's death");
}

}  // namespace
}  // namespace linnet::node
