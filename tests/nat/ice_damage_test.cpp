// ICE's checks and their answers, cut or with a bit flipped (security.md, check 3): none counts but with all that its
// tag covers. The fingerprint stands behind the tag and covers nothing that counts (RFC 8489, section 14.7).
#include <gtest/gtest.h>

#include "ice_net.h"
#include "tests/base/damage.h"

namespace linnet::nat::ice {
namespace {

constexpr std::size_t kFingerprintBytes = 8;

struct IceDamage : testing::Test {
  IceDamage() {
    EXPECT_TRUE(agent.set_remote(now, theirs));
    agent.add_host(now, kSocket, *Endpoint::parse("203.0.113.5:4400"));
    (void)said();
  }
  std::vector<Bytes> said() {
    std::vector<Bytes> out;
    while (auto o = agent.poll_transmit()) out.push_back(std::move(o->bytes));
    while (agent.poll_event()) {
    }
    return out;
  }
  // False: it is no message at all.
  bool hear(ByteView bytes) {
    const auto m = stun::Message::parse(bytes);
    if (m) agent.handle(now, kSocket, kThere, *m);
    return m.has_value();
  }
  bool behind_the_tag(ByteView whole, std::size_t bit) { return bit / 8 >= whole.size() - kFingerprintBytes; }

  const Endpoint kThere = *Endpoint::parse("192.0.2.66:6");
  SeededRng rng{1};
  Time now{1h};
  Agent agent{AgentConfig{}, rng};
  Credentials theirs = make_credentials(rng);
};

TEST_F(IceDamage, NoTruncationIsAMessage) {
  const auto check = write_check(rng.array<12>(), {Role::controlling, 5, 1000, true}, theirs, agent.credentials());
  const auto request = *stun::Message::parse(check);
  for (const auto& whole :
       {check, write_success(request, kThere, theirs), write_error(request, stun::ErrorCode::role_conflict, &theirs)})
    damage::each_truncation(whole, [&](ByteView cut) { EXPECT_FALSE(hear(cut)) << cut.size(); });
  EXPECT_TRUE(said().empty());
}

TEST_F(IceDamage, NoFlippedBitOfACheckMakesAPairOrIsAnsweredWell) {
  const auto whole = write_check(rng.array<12>(), {Role::controlling, 5, 1000, true}, theirs, agent.credentials());
  damage::each_flipped_bit(whole, [&](ByteView flipped, std::size_t bit) {
    if (behind_the_tag(whole, bit)) return;
    (void)hear(flipped);
    EXPECT_TRUE(agent.pairs().pairs().empty()) << bit;
    for (const auto& answer : said()) {
      EXPECT_EQ(stun::Message::parse(answer)->message_class(), stun::Class::error) << bit;
      EXPECT_LE(answer.size(), whole.size()) << bit;
    }
  });
  ASSERT_TRUE(hear(whole));
  EXPECT_EQ(agent.pairs().pairs().size(), 1U) << "the right one does";
}

TEST_F(IceDamage, NoFlippedBitOfAnAnswerSettlesACheckAndTheRightOneStillDoes) {
  ASSERT_TRUE(hear(write_check(rng.array<12>(), {Role::controlling, 5, 1000, false}, theirs, agent.credentials())));
  const auto out = said();
  ASSERT_EQ(out.size(), 2U) << "an answer, and a check of its own";
  const auto request = *stun::Message::parse(out[1]);
  const auto success = write_success(request, *Endpoint::parse("203.0.113.5:4400"), theirs);
  const auto error = write_error(request, stun::ErrorCode::role_conflict, &theirs);
  for (const auto& whole : {error, success}) {
    damage::each_flipped_bit(whole, [&](ByteView flipped, std::size_t bit) {
      if (behind_the_tag(whole, bit)) return;
      (void)hear(flipped);
      EXPECT_EQ(agent.pairs().count(State::succeeded) + agent.pairs().count(State::failed), 0U) << bit;
      EXPECT_EQ(agent.role(), Role::controlled) << bit;
      EXPECT_TRUE(said().empty()) << bit;
    });
  }
  ASSERT_TRUE(hear(success));
  EXPECT_EQ(agent.pairs().count(State::succeeded), 1U);
}

}  // namespace
}  // namespace linnet::nat::ice
