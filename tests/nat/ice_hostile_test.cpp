// What strangers and a hostile peer can make an agent do.
#include <gmock/gmock.h>

#include "ice_net.h"
#include "nat/stun_auth.h"
#include "nat/stun_builder.h"

namespace linnet::nat::ice {
namespace {

using stun::Attr;

const Endpoint kStranger = *Endpoint::parse("192.0.2.66:6");

struct Hostile : testing::Test {
  Hostile() {
    EXPECT_TRUE(agent.set_remote(now, theirs));
    agent.add_host(now, kSocket, *Endpoint::parse("203.0.113.5:4400"));
    (void)replies();
  }
  // All that it wants to send now.
  std::vector<Outgoing> replies() {
    std::vector<Outgoing> out;
    while (auto o = agent.poll_transmit()) out.push_back(std::move(*o));
    while (agent.poll_event()) {
    }
    return out;
  }
  std::vector<Outgoing> hear(const Bytes& bytes, const Endpoint& from = kStranger) {
    const auto m = stun::Message::parse(bytes);
    EXPECT_TRUE(m);
    agent.handle(now, kSocket, from, *m);
    return replies();
  }
  std::optional<stun::ErrorCode> error_of(const std::vector<Outgoing>& out) {
    if (out.size() != 1) return std::nullopt;
    const auto error = stun::Message::parse(out[0].bytes)->error();
    return error ? std::optional(error->code) : std::nullopt;
  }
  Bytes check(const Credentials& as, bool use_candidate = false) {
    return write_check(rng.array<12>(), {Role::controlling, 5, 1000, use_candidate}, as, agent.credentials());
  }

  SeededRng rng{1};
  Time now{1h};
  Agent agent{AgentConfig{}, rng};
  Credentials theirs = make_credentials(rng);
};

TEST_F(Hostile, ARequestWithoutOurPasswordIsRefusedAndTriesNothing) {
  auto wrong = agent.credentials();
  wrong.password[0] ^= 1;
  const auto bytes = write_check(rng.array<12>(), {Role::controlling, 5, 1000, true}, theirs, wrong);
  EXPECT_EQ(error_of(hear(bytes)), stun::ErrorCode::unauthenticated);
  EXPECT_TRUE(agent.pairs().pairs().empty());

  stun::Builder bare(stun::Class::request, stun::Method::binding, rng.array<12>());
  bare.text(Attr::username, agent.credentials().ufrag + ":x").fingerprint();
  EXPECT_EQ(error_of(hear(bare.take())), stun::ErrorCode::bad_request);
}

TEST_F(Hostile, AnAuthenticRequestIsAnsweredAndItsSenderChecked) {
  const auto out = hear(check(theirs));
  ASSERT_EQ(out.size(), 2U);
  const auto answer = *stun::Message::parse(out[0].bytes);
  EXPECT_TRUE(answer.is(stun::Class::success, stun::Method::binding));
  EXPECT_EQ(*answer.endpoint(Attr::xor_mapped_address), kStranger);
  EXPECT_TRUE(stun::integrity_holds(answer, view(agent.credentials().password)));
  EXPECT_TRUE(stun::Message::parse(out[1].bytes)->is(stun::Class::request, stun::Method::binding));
  EXPECT_LE(out[0].bytes.size(), check(theirs).size());
}

TEST_F(Hostile, WhatItDoesNotUnderstandItRefusesWithTheList) {
  stun::Builder out(stun::Class::request, stun::Method::binding, rng.array<12>());
  out.text(Attr::username, agent.credentials().ufrag + ":x").u32(Attr::priority, 1).u32(static_cast<Attr>(0x7fff), 1);
  out.u64(Attr::ice_controlling, 5).integrity(view(agent.credentials().password)).fingerprint();
  const auto answer = hear(out.take());
  ASSERT_EQ(error_of(answer), stun::ErrorCode::unknown_attribute);
  EXPECT_THAT(*stun::Message::parse(answer[0].bytes)->unknown_attributes(),
              testing::ElementsAre(static_cast<Attr>(0x7fff)));
}

TEST_F(Hostile, BothRolesOrNoneIsABadRequest) {
  for (const bool both : {false, true}) {
    stun::Builder out(stun::Class::request, stun::Method::binding, rng.array<12>());
    out.text(Attr::username, agent.credentials().ufrag + ":x").u32(Attr::priority, 1);
    if (both) out.u64(Attr::ice_controlling, 5).u64(Attr::ice_controlled, 5);
    out.integrity(view(agent.credentials().password)).fingerprint();
    EXPECT_EQ(error_of(hear(out.take())), stun::ErrorCode::bad_request);
  }
}

TEST_F(Hostile, AnAnswerWithoutThePeersPasswordAnswersNothing) {
  const auto out = hear(check(theirs));
  ASSERT_EQ(out.size(), 2U);
  const auto request = *stun::Message::parse(out[1].bytes);
  auto forged = theirs;
  forged.password[0] ^= 1;
  hear(write_success(request, *Endpoint::parse("203.0.113.5:4400"), forged));
  EXPECT_EQ(agent.pairs().count(State::succeeded), 0U);
  // An unsigned error takes nothing away either.
  hear(write_error(request, stun::ErrorCode::bad_request, nullptr));
  EXPECT_EQ(agent.pairs().count(State::failed), 0U);
  hear(write_success(request, *Endpoint::parse("203.0.113.5:4400"), theirs));
  EXPECT_EQ(agent.pairs().count(State::succeeded), 1U);
}

TEST_F(Hostile, AnAnswerFromAnotherAddressFailsThePair) {
  const auto out = hear(check(theirs));
  const auto request = *stun::Message::parse(out[1].bytes);
  hear(write_success(request, *Endpoint::parse("203.0.113.5:4400"), theirs), *Endpoint::parse("192.0.2.67:6"));
  EXPECT_EQ(agent.pairs().count(State::succeeded), 0U);
  EXPECT_EQ(agent.pairs().count(State::failed), 1U);
}

TEST_F(Hostile, APeerThatLiesAboutItsAddressesMakesUsSendSoMuchAndNoMore) {
  std::size_t checks = 0;
  std::map<Endpoint, std::size_t> to;
  const auto count = [&](const std::vector<Outgoing>& out) {
    for (const auto& o : out) {
      if (stun::Message::parse(o.bytes)->message_class() != stun::Class::request) continue;
      ++checks;
      ++to[o.to];
    }
  };
  for (int i = 0; i < 20'000; ++i) {
    const Endpoint victim{IpAddress::v4(0xc6120000U + static_cast<std::uint32_t>(i % 500)), 53};
    count(hear(check(theirs, i % 3 == 0), victim));
    now += 10ms;
    while (agent.next_timeout() <= now) {
      agent.handle_timeout(now);
      count(replies());
    }
  }
  EXPECT_EQ(agent.remote().size(), kMaxLearned);
  EXPECT_EQ(agent.pairs().pairs().size(), kMaxLearned);
  EXPECT_EQ(to.size(), kMaxLearned);
  EXPECT_LE(checks, kMaxLearned * Agent::kMaxUnanswered * 7);
  EXPECT_GT(checks, 0U);
}

TEST_F(Hostile, AFloodOfCandidatesIsRefused) {
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    Candidate c;
    c.endpoint = {IpAddress::v4(0xc6120000U + static_cast<std::uint32_t>(i)), 53};
    c.priority = 1 + static_cast<std::uint32_t>(i);
    c.foundation = "x";
    if (agent.add_remote(now, c)) ++taken;
  }
  EXPECT_EQ(taken, kMaxNamed);
}

TEST_F(Hostile, CandidatesForManySocketsFillTheListAndNoMore) {
  for (Base base = 1; base < 9; ++base)
    agent.add_host(now, base, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(5 + base)), 4400});
  for (std::uint32_t i = 0; i < kMaxNamed; ++i) {
    Candidate c;
    c.endpoint = {IpAddress::v4(0xc6120000U + i), 53};
    c.priority = 1 + i;
    c.foundation = "x";
    ASSERT_TRUE(agent.add_remote(now, c));
  }
  // From everywhere, to each of them: 9 times 24 would be 216.
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const auto bytes = check(theirs, i % 3 == 0);
    agent.handle(now, i % 9, {IpAddress::v4(0xc6120000U + i / 9), 53}, *stun::Message::parse(bytes));
    now += 10ms;
    agent.handle_timeout(now);
    (void)replies();
    ASSERT_LE(agent.pairs().pairs().size(), kMaxPairs);
  }
  EXPECT_EQ(agent.pairs().pairs().size(), kMaxPairs);
  EXPECT_EQ(agent.remote().size(), kMaxCandidates);
}

TEST_F(Hostile, UnsoundCredentialsAreRefused) {
  for (const auto& c : {Credentials{},
                        {"abc", std::string(22, 'x')},
                        {"abcd", std::string(21, 'x')},
                        {"ab:d", std::string(22, 'x')},
                        {"abcd", std::string(257, 'x')},
                        {std::string(257, 'a'), std::string(22, 'x')}})
    EXPECT_EQ(agent.set_remote(now, c).error(), Fault::malformed);
}

}  // namespace
}  // namespace linnet::nat::ice
