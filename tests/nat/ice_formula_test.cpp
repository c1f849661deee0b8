// The formulas of RFC 8445 against twins written from its text, and the order of the check list.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/rng.h"
#include "nat/ice_check_list.h"

namespace linnet::nat::ice {
namespace {

Candidate candidate(Type type, const char* endpoint, std::uint16_t preference, std::string foundation) {
  Candidate c;
  c.type = type;
  c.endpoint = *Endpoint::parse(endpoint);
  c.priority = candidate_priority(type, preference);
  c.foundation = std::move(foundation);
  return c;
}

// Section 5.1.2.1, in wide integers and with powers as they stand there.
unsigned long long twin_candidate(unsigned type, unsigned local) {
  unsigned long long two24 = 1;
  for (int i = 0; i < 24; ++i) two24 *= 2;
  return two24 * type + 256ULL * local + (256 - 1);
}
// Section 6.1.2.3.
unsigned long long twin_pair(unsigned long long g, unsigned long long d) {
  unsigned long long two32 = 1;
  for (int i = 0; i < 32; ++i) two32 *= 2;
  const auto lesser = g < d ? g : d;
  const auto larger = g < d ? d : g;
  return two32 * lesser + 2 * larger + (g > d ? 1 : 0);
}

TEST(IcePriority, OfACandidateIsTheFormula) {
  SeededRng rng(1);
  const std::pair<Type, unsigned> types[] = {
      {Type::host, 126}, {Type::peer_reflexive, 110}, {Type::server_reflexive, 100}, {Type::relayed, 0}};
  for (int i = 0; i < 1000; ++i) {
    const auto& [type, number] = types[rng.below(4)];
    const auto local = static_cast<std::uint16_t>(rng.below(65'536));
    EXPECT_EQ(candidate_priority(type, local), twin_candidate(number, local));
  }
  EXPECT_EQ(candidate_priority(Type::host, 65'535), 2'130'706'431U);  // as it stands in every example
  EXPECT_EQ(reflexive_priority(candidate_priority(Type::host, 17)), candidate_priority(Type::peer_reflexive, 17));
}

// RFC 6544, section 4.2: direction in three bits, the rest in thirteen; who connects before who listens.
TEST(IcePriority, OfTcpHasADirectionAndComesAfterAllUdpThatIsAsDirect) {
  const auto direction = [](Type type, TcpType tcp) { return tcp_priority(type, tcp, 0) >> 21 & 7; };
  EXPECT_EQ(direction(Type::host, TcpType::active), 6U);
  EXPECT_EQ(direction(Type::host, TcpType::passive), 4U);
  EXPECT_EQ(direction(Type::host, TcpType::simultaneous), 2U);
  EXPECT_EQ(direction(Type::server_reflexive, TcpType::simultaneous), 6U);
  EXPECT_EQ(direction(Type::peer_reflexive, TcpType::active), 4U);
  EXPECT_EQ(direction(Type::peer_reflexive, TcpType::passive), 2U);
  for (const std::uint32_t other : {0U, 1U, 17U, 8191U}) {
    const auto preference = static_cast<std::uint16_t>(other << 3);
    EXPECT_EQ(tcp_priority(Type::host, TcpType::active, preference), twin_candidate(99, 6 * 8192 + other));
    Candidate host;
    host.tcp = TcpType::active;
    host.priority = tcp_priority(Type::host, TcpType::active, preference);
    EXPECT_EQ(reflexive_priority(host), twin_candidate(83, 4 * 8192 + other));
  }
  EXPECT_LT(tcp_priority(Type::host, TcpType::active, 0xffff), candidate_priority(Type::server_reflexive, 0));
  EXPECT_GT(tcp_priority(Type::server_reflexive, TcpType::passive, 0), candidate_priority(Type::relayed, 0xffff));
}

TEST(IcePriority, OfAPairIsTheFormula) {
  SeededRng rng(2);
  for (int i = 0; i < 1000; ++i) {
    const auto g = static_cast<std::uint32_t>(1 + rng.below(0x7fffffff));
    const auto d = i % 10 == 0 ? g : static_cast<std::uint32_t>(1 + rng.below(0x7fffffff));
    EXPECT_EQ(pair_priority(g, d), twin_pair(g, d)) << g << ' ' << d;
  }
}

TEST(IcePriority, BothSidesPutPairsInOneOrder) {
  SeededRng rng(3);
  Candidates mine;
  Candidates theirs;
  for (std::uint16_t i = 0; i < 6; ++i) {
    const auto at = std::to_string(1000 + i);
    auto m =
        candidate(Type::host, ("192.0.2.1:" + at).c_str(), static_cast<std::uint16_t>(rng.below(65'536)), "a" + at);
    m.base = i;
    (void)mine.add(m);
    auto t = candidate(Type::server_reflexive, ("192.0.2.2:" + at).c_str(),
                       static_cast<std::uint16_t>(rng.below(65'536)), "b" + at);
    t.base = i;
    (void)theirs.add(t);
  }
  const auto order = [](const Candidates& local, const Candidates& remote, Role role, bool turned) {
    CheckList list(local, remote);
    for (std::size_t l = 0; l < local.size(); ++l) {
      for (std::size_t r = 0; r < remote.size(); ++r) (void)list.add(role, l, r);
    }
    auto pairs = list.pairs();
    std::sort(pairs.begin(), pairs.end(), [](const Pair& x, const Pair& y) { return x.priority > y.priority; });
    std::vector<std::pair<std::size_t, std::size_t>> out;
    for (const auto& p : pairs) out.emplace_back(turned ? p.remote : p.local, turned ? p.local : p.remote);
    return out;
  };
  EXPECT_EQ(order(mine, theirs, Role::controlling, false), order(theirs, mine, Role::controlled, true));
}

TEST(IceCheckList, PairsOnlyWhatCanReachEachOther) {
  const auto reach = [](const char* a, const char* b) {
    return can_pair(candidate(Type::host, a, 1, "1"), candidate(Type::host, b, 1, "1"));
  };
  EXPECT_TRUE(reach("10.0.0.1:1", "192.0.2.1:1"));
  EXPECT_TRUE(reach("[2001:db8::1]:1", "[2001:db8::2]:1"));
  EXPECT_TRUE(reach("[fe80::1]:1", "[fe80::2]:1"));
  EXPECT_FALSE(reach("10.0.0.1:1", "[2001:db8::2]:1"));
  EXPECT_FALSE(reach("[fe80::1]:1", "[2001:db8::2]:1"));
  EXPECT_FALSE(reach("[2001:db8::1]:1", "[fe80::2]:1"));
  EXPECT_FALSE(reach("10.0.0.1:1", "192.0.2.1:0"));
  EXPECT_FALSE(reach("10.0.0.1:1", "224.0.0.1:1"));
  EXPECT_FALSE(reach("10.0.0.1:1", "0.0.0.0:1"));
  Candidate circuit = candidate(Type::relayed, "[100::1]:9", 1, "1");
  circuit.circuit = 5;
  EXPECT_TRUE(can_pair(circuit, circuit));
  EXPECT_FALSE(can_pair(circuit, candidate(Type::host, "[2001:db8::2]:1", 1, "1")));
}

TEST(IceCheckList, OneBaseAndOneAddressAreOnePairWithTheHigherPriority) {
  Candidates mine;
  Candidates theirs;
  const auto host = *mine.add(candidate(Type::host, "10.0.0.1:1", 9, "1"));
  const auto reflexive = *mine.add(candidate(Type::server_reflexive, "203.0.113.1:1", 9, "2"));
  const auto remote = *theirs.add(candidate(Type::host, "192.0.2.1:1", 9, "3"));
  CheckList list(mine, theirs);
  (void)list.add(Role::controlling, reflexive, remote);
  (void)list.add(Role::controlling, host, remote);
  (void)list.add(Role::controlling, reflexive, remote);
  ASSERT_EQ(list.pairs().size(), 1U);
  EXPECT_EQ(list.pairs()[0].local, host);
}

TEST(IceCheckList, OfOneFoundationOneIsTriedAndTheOthersThaw) {
  Candidates mine;
  Candidates theirs;
  const auto local = *mine.add(candidate(Type::host, "10.0.0.1:1", 9, "1"));
  for (const auto* at : {"192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"})
    (void)theirs.add(candidate(Type::host, at, static_cast<std::uint16_t>(10 - at[10] + '0'), "same"));
  CheckList list(mine, theirs);
  for (std::size_t r = 0; r < 3; ++r) (void)list.add(Role::controlling, local, r);
  EXPECT_EQ(list.count(State::waiting), 1U);
  EXPECT_EQ(list.count(State::frozen), 2U);
  auto* first = list.next();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->remote, 0U) << "the highest priority";
  first->state = State::in_progress;
  EXPECT_EQ(list.next(), nullptr) << "their foundation is being tried";
  first->state = State::succeeded;
  list.unfreeze_like(*first);
  EXPECT_EQ(list.count(State::waiting), 2U);
}

TEST(IceCheckList, AFullListKeepsTheBestHundred) {
  Candidates mine;
  Candidates theirs;
  for (std::uint16_t i = 0; i < kMaxNamed; ++i) {
    auto c = candidate(Type::host, "10.0.0.1:1", i, "m" + std::to_string(i));
    c.base = i;
    (void)mine.add(c);
    (void)theirs.add(candidate(Type::host, ("192.0.2.1:" + std::to_string(1 + i)).c_str(), i, "t" + std::to_string(i)));
  }
  EXPECT_EQ(theirs.add(candidate(Type::host, "192.0.2.9:9", 1, "x")), std::nullopt);
  CheckList list(mine, theirs);
  std::multiset<std::uint64_t> wanted;
  for (std::size_t l = 0; l < kMaxNamed; ++l) {
    for (std::size_t r = 0; r < kMaxNamed; ++r) {
      (void)list.add(Role::controlling, l, r);
      wanted.insert(pair_priority(mine[l].priority, theirs[r].priority));
    }
  }
  ASSERT_EQ(list.pairs().size(), kMaxPairs);
  while (wanted.size() > kMaxPairs) wanted.erase(wanted.begin());
  std::multiset<std::uint64_t> kept;
  for (const auto& p : list.pairs()) kept.insert(p.priority);
  EXPECT_EQ(kept, wanted);
}

TEST(IceCandidate, ItsLineIsReadBackAsItWas) {
  for (const auto type : {Type::host, Type::peer_reflexive, Type::server_reflexive, Type::relayed}) {
    for (const auto* at : {"192.0.2.1:4400", "[2001:db8::1]:65535"}) {
      auto c = candidate(type, at, 77, "a+/9");
      c.related = *Endpoint::parse("10.0.0.1:9");
      const auto back = from_sdp("a=" + to_sdp(c));
      ASSERT_TRUE(back) << to_sdp(c);
      EXPECT_EQ(back->type, type);
      EXPECT_EQ(back->endpoint, c.endpoint);
      EXPECT_EQ(back->priority, c.priority);
      EXPECT_EQ(back->foundation, c.foundation);
    }
  }
}

TEST(IceCandidate, LinesThatSayNothingToUsAreNotCandidates) {
  EXPECT_TRUE(from_sdp("candidate:1 1 UDP 2130706431 192.0.2.1 4400 typ host generation 0"));
  for (const auto* line :
       {"", "candidate:", "candidate:1 2 UDP 1 192.0.2.1 4400 typ host", "candidate:1 1 TCP 1 192.0.2.1 9 typ host",
        "candidate:1 1 UDP 0 192.0.2.1 4400 typ host", "candidate:1 1 UDP 2147483648 192.0.2.1 4400 typ host",
        "candidate:1 1 UDP 1 a.local 4400 typ host", "candidate:1 1 UDP 1 192.0.2.1 65536 typ host",
        "candidate:1 1 UDP 1 192.0.2.1 4400 typ", "candidate:1 1 UDP 1 192.0.2.1 4400 typ bird",
        "candidate:a-b 1 UDP 1 192.0.2.1 4400 typ host",
        "candidate:123456789012345678901234567890123 1 UDP 1 192.0.2.1 4400 typ host"})
    EXPECT_FALSE(from_sdp(line)) << line;
}

}  // namespace
}  // namespace linnet::nat::ice
