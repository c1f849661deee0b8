// Who connects to an agent that listens (RFC 6544): strangers, garbage, floods, and the other side among them.
#include <gmock/gmock.h>

#include "base/machine.h"
#include "nat/ice_agent.h"
#include "nat/stun_builder.h"

namespace linnet::nat::ice {
namespace {

using namespace std::chrono_literals;

constexpr Base kListener = 2;
const Endpoint kListening = *Endpoint::parse("203.0.113.5:4400");

struct IceStreams : testing::Test {
  IceStreams() {
    AgentConfig config;
    config.policy = Policy::once;
    agent = std::make_unique<Agent>(config, rng);
    agent->add_passive(now, kListener, kListening);
    EXPECT_TRUE(agent->set_remote(now, theirs));
    drain();
  }

  static StreamName from(const char* text) {
    auto at = *Endpoint::parse(text);
    at.transport = Transport::tcp;
    return {kListener, at};
  }
  void drain() {
    while (auto o = agent->poll_transmit()) out.push_back(std::move(*o));
    while (const auto e = agent->poll_event()) {
      if (const auto* c = std::get_if<event::Close>(&*e)) closed.push_back(c->stream);
      if (const auto* s = std::get_if<event::Selected>(&*e)) selected = s->way;
    }
    while (const auto p = agent->poll_packet()) heard.emplace_back(text(p->bytes));
  }
  void accept(const StreamName& name) {
    agent->accepted(now, name);
    drain();
  }
  void hear(const StreamName& name, ByteView bytes) {
    agent->receive(now, name, bytes);
    drain();
  }
  void pass(Duration time) {
    const auto end = now + time;
    while (agent->next_timeout() <= end) {
      now = std::max(now, agent->next_timeout());
      agent->handle_timeout(now);
      drain();
    }
    now = end;
  }
  Bytes check(const Credentials& to, bool use_candidate = true) {
    return write_check(rng.array<12>(), {Role::controlling, 5, 1000, use_candidate}, theirs, to);
  }
  // What was sent on a connection, out of its frames.
  std::vector<stun::Message> said(const StreamName& name) {
    std::vector<stun::Message> all;
    for (const auto& o : out) {
      if (o.to == name.remote) all.push_back(*stun::Message::parse(ByteView(o.bytes).subspan(2)));
    }
    return all;
  }
  // The other side checks and answers.
  void meet(const StreamName& name) {
    accept(name);
    hear(name, write_frame(check(agent->credentials())));
    pass(60ms);
    for (const auto& m : said(name)) {
      if (m.message_class() == stun::Class::request) hear(name, write_frame(write_success(m, kListening, theirs)));
    }
  }

  SeededRng rng{1};
  Time now{1h};
  std::unique_ptr<Agent> agent;
  Credentials theirs = make_credentials(rng);
  std::vector<Outgoing> out;
  std::vector<StreamName> closed;
  std::vector<std::string> heard;
  std::optional<Way> selected;
};

TEST_F(IceStreams, TheOtherSideIsAnsweredCheckedAndHeardOnItsOwnConnection) {
  const auto peer = from("192.0.2.1:50000");
  meet(peer);
  ASSERT_TRUE(selected);
  EXPECT_EQ(selected->base, kListener);
  EXPECT_EQ(selected->remote, peer.remote);
  EXPECT_EQ(agent->remote()[0].tcp, TcpType::active);
  hear(peer, write_frame(view("words")));
  EXPECT_THAT(heard, testing::ElementsAre("words"));
  pass(1min);
  EXPECT_TRUE(closed.size() == 1 && closed[0] == peer) << "consent was not given, and only then";
}

TEST_F(IceStreams, WhoSaysNothingIsClosedAfterFiveSeconds) {
  accept(from("192.0.2.1:50000"));
  pass(Streams::kUse - 1ms);
  EXPECT_TRUE(closed.empty());
  pass(2ms);
  EXPECT_EQ(closed.size(), 1U);
  EXPECT_TRUE(agent->streams().all().empty());
}

TEST_F(IceStreams, WhoSaysItByteAfterByteHasNoMoreTime) {
  const auto slow = from("192.0.2.1:50000");
  accept(slow);
  const auto bytes = write_frame(check(agent->credentials()));
  for (std::size_t i = 0; i < 7; ++i) {
    hear(slow, ByteView(bytes).subspan(i, 1));
    pass(1s);
  }
  EXPECT_EQ(closed.size(), 1U);
}

TEST_F(IceStreams, WhatIsNoIceIsClosedAtOnce) {
  const Bytes too_long(kMaxDatagram + 1);
  for (const auto& bytes : {copy(view("GET / HTTP/1.1\r\n\r\n")), write_frame(view("data before any check")),
                            write_frame(too_long), Bytes{0x16, 0x03, 0x01, 0x02, 0x00, 0x01}}) {
    closed.clear();
    const auto stranger = from("192.0.2.1:50000");
    accept(stranger);
    hear(stranger, bytes);
    EXPECT_THAT(closed, testing::ElementsAre(stranger));
  }
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(heard.empty());
}

TEST_F(IceStreams, AWrongPasswordIsRefusedAndFillsNoTable) {
  auto wrong = agent->credentials();
  wrong.password[0] ^= 1;
  for (std::uint16_t i = 0; i < 100; ++i) {
    auto stranger = from("192.0.2.1:50000");
    stranger.remote.port = static_cast<std::uint16_t>(stranger.remote.port + i);
    accept(stranger);
    hear(stranger, write_frame(check(wrong)));
    const auto answers = said(stranger);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].error()->code, stun::ErrorCode::unauthenticated);
    EXPECT_LE(agent->streams().all().size(), Streams::kMaxUnknown);
  }
  EXPECT_EQ(agent->remote().size(), 0U);
  EXPECT_TRUE(agent->pairs().pairs().empty());
  pass(Streams::kUse);
  EXPECT_TRUE(agent->streams().all().empty());
  EXPECT_EQ(closed.size(), 100U);
}

TEST_F(IceStreams, AFloodFromOneNetworkTakesNobodyElsesPlace) {
  const auto peer = from("192.0.2.1:50000");
  accept(peer);
  for (std::uint16_t i = 0; i < 1000; ++i) {
    auto stranger = from("198.51.100.1:10000");
    stranger.remote.port = static_cast<std::uint16_t>(stranger.remote.port + i);
    stranger.remote.ip = IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(i));
    accept(stranger);
    ASSERT_LE(agent->streams().all().size(), Streams::kMaxUnknown);
  }
  EXPECT_THAT(closed, testing::Not(testing::Contains(peer)));
  hear(peer, write_frame(check(agent->credentials())));
  EXPECT_EQ(agent->remote().size(), 1U);
}

TEST_F(IceStreams, AFloodTakesNoPlaceOfAProvenOne) {
  const auto peer = from("192.0.2.1:50000");
  meet(peer);
  pass(1s);
  for (std::uint16_t i = 0; i < 1000; ++i) {
    auto stranger = from("192.0.2.1:10000");
    stranger.remote.port = static_cast<std::uint16_t>(stranger.remote.port + i);
    accept(stranger);
  }
  EXPECT_THAT(closed, testing::Not(testing::Contains(peer)));
  hear(peer, write_frame(view("words")));
  EXPECT_THAT(heard, testing::ElementsAre("words"));
}

TEST_F(IceStreams, AnAuthenticPeerHasSoManyConnectionsAndNoMore) {
  for (std::uint16_t i = 0; i < 100; ++i) {
    auto peer = from("192.0.2.1:50000");
    peer.remote.port = static_cast<std::uint16_t>(peer.remote.port + i);
    accept(peer);
    hear(peer, write_frame(check(agent->credentials(), false)));
    EXPECT_LE(agent->streams().all().size(), Streams::kMaxKnown + Streams::kMaxUnknown);
    EXPECT_LE(agent->remote().size(), kMaxLearned);
    EXPECT_LE(agent->pairs().pairs().size(), kMaxLearned);
  }
}

TEST_F(IceStreams, AConnectionWhosePairIsDroppedByTheNominationOfAnotherIsClosed) {
  const auto chosen = from("192.0.2.1:50000");
  const auto other = from("192.0.2.1:50001");
  accept(chosen);
  hear(chosen, write_frame(check(agent->credentials())));
  accept(other);
  const Check worse{Role::controlling, 5, 500, false};
  hear(other, write_frame(write_check(rng.array<12>(), worse, theirs, agent->credentials())));
  ASSERT_EQ(agent->pairs().pairs().size(), 2U);
  hear(chosen, write_frame(write_success(said(chosen).back(), kListening, theirs)));
  EXPECT_TRUE(selected);
  EXPECT_THAT(closed, testing::ElementsAre(other));
}

TEST_F(IceStreams, AfterTheConclusionNobodyIsLetIn) {
  meet(from("192.0.2.1:50000"));
  pass(Agent::kLosers + 1ms);
  const auto late = from("192.0.2.1:50001");
  accept(late);
  EXPECT_THAT(closed, testing::ElementsAre(late));
}

TEST_F(IceStreams, WhatNobodyConnectedIsNotListenedTo) {
  hear(from("192.0.2.9:1"), write_frame(check(agent->credentials())));
  EXPECT_TRUE(out.empty());
  agent->connected(now, from("192.0.2.9:1"));
  drain();
  EXPECT_EQ(closed.size(), 1U) << "nor wanted";
  agent->accepted(now, {77, from("192.0.2.9:1").remote});
  drain();
  EXPECT_EQ(closed.size(), 2U) << "no such candidate";
}

TEST_F(IceStreams, AFrameOverTheLimitEndsAProvenConnectionToo) {
  const auto peer = from("192.0.2.1:50000");
  meet(peer);
  hear(peer, write_frame(Bytes(kMaxFrame)));
  EXPECT_EQ(heard.size(), 1U);
  hear(peer, write_frame(Bytes(kMaxFrame + 1)));
  EXPECT_THAT(closed, testing::ElementsAre(peer));
  EXPECT_FALSE(agent->selected());
}

}  // namespace
}  // namespace linnet::nat::ice
