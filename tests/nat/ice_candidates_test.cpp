// What one agent makes of addresses: learned before they are named, too many, of another socket, of a link.
#include <gmock/gmock.h>

#include "nat/ice_agent.h"
#include "nat/stun_builder.h"

namespace linnet::nat::ice {
namespace {

using namespace std::chrono_literals;

const Endpoint kHost = *Endpoint::parse("10.0.0.1:4400");
const Endpoint kMapped = *Endpoint::parse("203.0.113.5:4400");
const Endpoint kStunServer = *Endpoint::parse("198.51.100.1:3478");

struct IceCandidates : testing::Test {
  IceCandidates() { EXPECT_TRUE(agent.set_remote(now, theirs)); }

  void drain() {
    while (auto o = agent.poll_transmit()) out.push_back(std::move(*o));
    while (const auto e = agent.poll_event()) {
      if (const auto* c = std::get_if<event::LocalCandidate>(&*e)) told.push_back(c->candidate);
      if (const auto* s = std::get_if<event::Selected>(&*e)) selected = s->way;
    }
  }
  void hear(const Bytes& bytes, const Endpoint& from, Base base = 0) {
    agent.handle(now, base, from, *stun::Message::parse(bytes));
    drain();
  }
  Candidate named(Type type, const Endpoint& at) { return {type, at, {}, 0, 0, candidate_priority(type, 0xffff), "x"}; }
  Bytes check(bool use_candidate = false) {
    return write_check(rng.array<12>(), {Role::controlling, 5, 1000, use_candidate}, theirs, agent.credentials());
  }
  const Outgoing* latest_to(const Endpoint& to) {
    for (auto at = out.rbegin(); at != out.rend(); ++at) {
      const bool request = stun::Message::parse(at->bytes)->message_class() == stun::Class::request;
      if (request && at->to.ip.bytes == to.ip.bytes && at->to.port == to.port) return &*at;
    }
    return nullptr;
  }
  Bytes success(const Outgoing& request, const Endpoint& mapped) {
    return write_success(*stun::Message::parse(request.bytes), mapped, theirs);
  }

  SeededRng rng{1};
  Time now{1h};
  Agent agent{AgentConfig{}, rng};
  Credentials theirs = make_credentials(rng);
  std::vector<Outgoing> out;
  std::vector<Candidate> told;
  std::optional<Way> selected;
};

// The other side's relay lets in only addresses that it was told.
struct LearnedFirst : IceCandidates {
  LearnedFirst() {
    const auto relay = *Endpoint::parse("192.0.2.1:1000");
    agent.add_host(now, 0, kHost);
    agent.gather(now, 0, kStunServer);
    EXPECT_TRUE(agent.add_remote(now, named(Type::relayed, relay)));
    drain();
    hear(success(*latest_to(relay), kMapped), relay);
    EXPECT_EQ(agent.local().size(), 2U);
    EXPECT_EQ(agent.local()[1].type, Type::peer_reflexive);
    told.clear();
  }
};

TEST_F(LearnedFirst, AnAddressThatTheServerTellsLaterIsToldToTheOtherSide) {
  const auto* request = latest_to(kStunServer);
  ASSERT_NE(request, nullptr);
  stun::Builder answer(stun::Class::success, stun::Method::binding, stun::Message::parse(request->bytes)->id());
  const auto bytes = answer.endpoint(stun::Attr::xor_mapped_address, kMapped).take();
  hear(bytes, kStunServer);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].type, Type::server_reflexive);
  EXPECT_EQ(told[0].endpoint, kMapped);
  EXPECT_EQ(told[0].related, kHost);
  EXPECT_EQ(told[0].priority, candidate_priority(Type::server_reflexive, 0xffff));
  agent.add_reflexive(now, 0, kMapped, kStunServer);
  drain();
  EXPECT_EQ(told.size(), 1U) << "once";
}

TEST_F(LearnedFirst, AnAddressThatIsMappedLaterIsToldToTheOtherSide) {
  agent.add_mapped(now, 0, kMapped);
  drain();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].type, Type::port_mapped);
  EXPECT_EQ(told[0].priority, candidate_priority(Type::port_mapped, 0xffff));
}

TEST_F(IceCandidates, TheSocketThatADatagramCameByIsTheBasesAffair) {
  auto from = *Endpoint::parse("192.0.2.1:1000");
  agent.add_host(now, 0, kHost);
  ASSERT_TRUE(agent.add_remote(now, named(Type::host, from)));
  drain();
  from.socket = 2;
  hear(success(*latest_to(from), kHost), from);
  EXPECT_EQ(agent.pairs().count(State::succeeded), 1U);
  hear(check(true), from);
  EXPECT_TRUE(selected);
  EXPECT_EQ(agent.remote().size(), 1U) << "the same address, not another one";
}

TEST_F(IceCandidates, ALinkLocalAddressIsReachedByTheLinkOfTheLocalOne) {
  const Endpoint ours{*IpAddress::parse("fe80::1%3"), 4400};
  const Endpoint here{*IpAddress::parse("fe80::2%3"), 1000};   // as this machine sees it
  const Endpoint there{*IpAddress::parse("fe80::2%7"), 1000};  // as the other one does
  agent.add_host(now, 0, {*IpAddress::parse("2001:db8::1"), 4400});
  agent.add_host(now, 0, ours, 1);
  ASSERT_TRUE(agent.add_remote(now, named(Type::host, there)));
  drain();
  ASSERT_NE(latest_to(here), nullptr);
  EXPECT_EQ(latest_to(here)->to, here);
  hear(success(*latest_to(here), {*IpAddress::parse("fe80::1"), 4400}), here);
  EXPECT_EQ(agent.local().size(), 2U) << "the mapped address is the own one";
  hear(check(true), here);
  EXPECT_EQ(agent.remote().size(), 1U);
  ASSERT_TRUE(selected);
  EXPECT_EQ(selected->remote, here);
}

TEST_F(IceCandidates, AnUnknownLinkLocalAddressIsTriedByTheLinkThatItCameBy) {
  const Endpoint from{*IpAddress::parse("fe80::9%4"), 1000};
  agent.add_host(now, 0, {*IpAddress::parse("fe80::1%3"), 4400});
  agent.add_host(now, 0, {*IpAddress::parse("fe80::1%4"), 4400}, 1);
  drain();
  hear(check(), from);
  ASSERT_NE(latest_to(from), nullptr);
  EXPECT_EQ(latest_to(from)->to, from);
}

TEST_F(IceCandidates, LearnedOnesTakeNoRoomFromThoseThatAreNamed) {
  agent.add_host(now, 0, kHost);
  const auto at = [](std::uint32_t n) { return Endpoint{IpAddress::v4(0xc0000200U + n), 1000}; };
  for (std::uint32_t n = 0; n < 40; ++n) hear(check(), at(n));
  EXPECT_EQ(agent.remote().size(), kMaxLearned);
  for (std::uint32_t n = 100; n < 100 + kMaxNamed; ++n) EXPECT_TRUE(agent.add_remote(now, named(Type::host, at(n))));
  EXPECT_FALSE(agent.add_remote(now, named(Type::host, at(200))));
  EXPECT_EQ(agent.remote().size(), kMaxCandidates);
}

// An agent whose peer's credentials are not there yet.
struct EarlyChecks : IceCandidates {
  EarlyChecks() {
    agent.add_host(now, 0, kHost);
    agent.restart(now);
    agent.add_host(now, 0, kHost);
    drain();
  }
  // After the credentials, the peer answers one address; true when that is taken.
  bool takes(const Endpoint& at) {
    EXPECT_TRUE(agent.set_remote(now, theirs));
    drain();
    for (int i = 0; i < 100 && latest_to(at) == nullptr; ++i) {
      now += 50ms;
      agent.handle_timeout(now);
      drain();
    }
    if (latest_to(at) == nullptr) return false;
    hear(success(*latest_to(at), kHost), at);
    return selected && selected->remote == at;
  }
};

TEST_F(EarlyChecks, ANominationIsRememberedBesideAnyNumberOfOthers) {
  const auto at = *Endpoint::parse("192.0.2.1:1000");
  for (int i = 0; i < 20; ++i) hear(check(), at);
  hear(check(true), at);
  hear(check(), at);
  EXPECT_TRUE(takes(at));
}

TEST_F(EarlyChecks, ANominationTakesTheRoomOfAnother) {
  for (std::uint32_t n = 0; n < 20; ++n) hear(check(), {IpAddress::v4(0xc0000200U + n), 1000});
  const auto at = *Endpoint::parse("198.51.100.7:1000");
  ASSERT_TRUE(agent.add_remote(now, named(Type::host, at)));
  hear(check(true), at);
  EXPECT_TRUE(takes(at));
}

// An attribute that must be understood and is not fails the transaction (RFC 8489, section 6.3.3).
TEST_F(IceCandidates, AnAnswerThatIsNotUnderstoodIsNone) {
  const auto at = *Endpoint::parse("192.0.2.1:1000");
  agent.add_host(now, 0, kHost);
  agent.gather(now, 0, kStunServer);
  ASSERT_TRUE(agent.add_remote(now, named(Type::host, at)));
  drain();
  const auto answer = [&](const Outgoing& request, ByteView key) {
    stun::Builder b(stun::Class::success, stun::Method::binding, stun::Message::parse(request.bytes)->id());
    b.endpoint(stun::Attr::xor_mapped_address, kMapped).flag(static_cast<stun::Attr>(0x7abc));
    return b.integrity(key).take();
  };
  ASSERT_TRUE(latest_to(at) != nullptr && latest_to(kStunServer) != nullptr);
  hear(answer(*latest_to(at), view(theirs.password)), at);
  EXPECT_EQ(agent.pairs().count(State::succeeded), 0U);
  EXPECT_EQ(agent.pairs().count(State::failed), 1U);
  hear(answer(*latest_to(kStunServer), view(theirs.password)), kStunServer);
  EXPECT_EQ(agent.local().size(), 1U);
}

TEST(IceCandidateLine, HasNoScope) {
  Candidate c{Type::host, {*IpAddress::parse("fe80::1%3"), 4400}, {}, 0, 0, 1, "1"};
  EXPECT_EQ(to_sdp(c), "candidate:1 1 UDP 1 fe80::1 4400 typ host");
  EXPECT_TRUE(from_sdp("candidate:1 1 UDP 1 fe80::1 4400 typ host"));
  EXPECT_FALSE(from_sdp("candidate:1 1 UDP 1 fe80::1%3 4400 typ host"));
}

TEST(IceCandidateLine, OfTcpHasItsType) {
  Candidate c{Type::host, *Endpoint::parse("192.0.2.1:9"), {}, 0, 0, 1, "2", TcpType::active};
  EXPECT_EQ(to_sdp(c), "candidate:2 1 TCP 1 192.0.2.1 9 typ host tcptype active");
  c.tcp = TcpType::passive;
  EXPECT_EQ(to_sdp(c), "candidate:2 1 TCP 1 192.0.2.1 9 typ host tcptype passive");
  c.tcp = TcpType::simultaneous;
  c.type = Type::server_reflexive;
  c.related = *Endpoint::parse("10.0.0.1:4400");
  EXPECT_EQ(to_sdp(c), "candidate:2 1 TCP 1 192.0.2.1 9 typ srflx raddr 10.0.0.1 rport 4400 tcptype so");
  for (const auto tcp : {TcpType::active, TcpType::passive, TcpType::simultaneous}) {
    c.tcp = tcp;
    const auto read = from_sdp(to_sdp(c));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->tcp, tcp);
    EXPECT_EQ(read->endpoint.transport, Transport::tcp);
  }
  const auto more = from_sdp("a=candidate:2 1 tcp 1 192.0.2.1 4400 typ host generation 0 tcptype passive ufrag x");
  ASSERT_TRUE(more);
  EXPECT_EQ(more->tcp, TcpType::passive);
  EXPECT_FALSE(from_sdp("candidate:2 1 TCP 1 192.0.2.1 4400 typ host"));
  EXPECT_FALSE(from_sdp("candidate:2 1 TCP 1 192.0.2.1 4400 typ host tcptype"));
  EXPECT_FALSE(from_sdp("candidate:2 1 TCP 1 192.0.2.1 4400 typ host tcptype both"));
  EXPECT_FALSE(from_sdp("candidate:2 1 SCTP 1 192.0.2.1 4400 typ host tcptype passive"));
  const auto datagrams = from_sdp("candidate:2 1 UDP 1 192.0.2.1 4400 typ host tcptype passive");
  EXPECT_TRUE(datagrams && datagrams->tcp == TcpType::none);
}

TEST_F(IceCandidates, OneOfTcpThatOpensAtTheSameTimeIsLeftAsideAndTakesNoRoom) {
  agent.add_active(now, 1, kHost.ip);
  ASSERT_TRUE(agent.add_remote(now, *from_sdp("1 1 TCP 1 192.0.2.1 4400 typ host tcptype so")));
  EXPECT_EQ(agent.remote().size(), 0U);
  EXPECT_TRUE(agent.pairs().pairs().empty());
}

TEST_F(IceCandidates, ThoseOfTcpPairWithTheirCounterpartsAndAListeningOneChecksNothing) {
  const auto remote = [](const char* tcp) {
    return *from_sdp("1 1 TCP 1000 192.0.2.1 4400 typ host tcptype " + std::string(tcp));
  };
  agent.add_host(now, 0, kHost);
  agent.add_active(now, 1, kHost.ip);
  agent.add_passive(now, 2, kHost);
  ASSERT_TRUE(agent.add_remote(now, remote("active")));
  EXPECT_TRUE(agent.pairs().pairs().empty());
  ASSERT_TRUE(agent.add_remote(now, remote("passive")));
  ASSERT_EQ(agent.pairs().pairs().size(), 1U);
  EXPECT_EQ(agent.local()[agent.pairs().pairs()[0].local].tcp, TcpType::active);
  drain();
  EXPECT_THAT(out, testing::IsEmpty()) << "a connection comes first";
  EXPECT_EQ(told.size(), 3U);
  EXPECT_EQ(told[1].endpoint.port, kActivePort);
}

}  // namespace
}  // namespace linnet::nat::ice
