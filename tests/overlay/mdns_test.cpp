// Multicast DNS on one link, as RFC 6762 and RFC 6763 promise it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/overlay/cable.h"

namespace linnet::overlay::mdns::test {
namespace {

std::vector<dns::Message> messages(const Machine& m) {
  std::vector<dns::Message> out;
  for (const auto& [at, t] : m.sent) out.push_back(*dns::read(t.bytes));
  return out;
}

std::size_t responses(const Machine& m) {
  std::size_t n = 0;
  for (const auto& message : messages(m)) n += message.response ? 1 : 0;
  return n;
}

Bytes question(dns::Type type, const dns::Name& about, bool unicast = false, std::uint16_t id = 0) {
  dns::Builder builder(false, 1400, id);
  builder.add(dns::Question{about, type, dns::kInternet, unicast});
  return builder.take();
}

const Endpoint kStranger{link_local(0x99), kPort, Transport::udp};

TEST(Mdns, TwoMachinesFindEachOther) {
  Cable cable;
  auto& a = cable.add({{4400, {"v=1", "dk=a"}}});
  auto& b = cable.add({{4401, {"v=1", "dk=b"}}});
  ASSERT_TRUE(cable.run_to([&] { return a.found().size() == 1 && b.found().size() == 1; }, seconds(2)));
  EXPECT_EQ(a.found()[0].port, 4401);
  EXPECT_EQ(a.found()[0].txt, (std::vector<std::string>{"v=1", "dk=b"}));
  ASSERT_EQ(a.found()[0].addresses.size(), 1U);
  EXPECT_EQ(a.found()[0].addresses[0], b.ip);  // with the scope of the link it came by
  EXPECT_EQ(a.found()[0].addresses[0].scope, 1U);
}

TEST(Mdns, OneThatComesLaterFindsThoseThatAreThere) {
  Cable cable;
  auto& a = cable.add();
  cable.run(minutes(10));
  auto& b = cable.add(std::nullopt);
  ASSERT_TRUE(cable.run_to([&] { return b.found().size() == 1; }, seconds(1)));
  EXPECT_TRUE(a.found().empty());
}

TEST(Mdns, SixtyMachinesFindEachOtherWithinThreeSeconds) {
  Cable cable;
  for (int i = 0; i < 60; ++i) cable.add();
  const auto all = [&] {
    return std::all_of(cable.machines().begin(), cable.machines().end(),
                       [](const auto& m) { return m->found().size() == 59; });
  };
  EXPECT_TRUE(cable.run_to(all, seconds(3)));
}

TEST(Mdns, ANameIsProbedThreeTimesBeforeItIsAnnouncedTwice) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(5));
  std::vector<Time> probes;
  std::vector<Time> announcements;
  for (const auto& [at, t] : a.sent) {
    const auto m = *dns::read(t.bytes);
    if (!m.authorities.empty()) probes.push_back(at);
    if (m.response) announcements.push_back(at);
  }
  ASSERT_EQ(probes.size(), 3U);
  EXPECT_EQ(probes[1] - probes[0], milliseconds(250));
  ASSERT_EQ(announcements.size(), 2U);
  EXPECT_GE(announcements[0] - probes[2], milliseconds(250));
  EXPECT_GE(announcements[1] - announcements[0], seconds(1));
}

TEST(Mdns, WhatIsAnnouncedNamesNobody) {
  Cable cable;
  auto& a = cable.add();
  auto& b = cable.add();
  cable.run(seconds(3));
  EXPECT_NE(a.mdns->instance(), b.mdns->instance());
  EXPECT_EQ(a.mdns->instance().size(), 16U);
}

TEST(Mdns, AGoodbyeIsBelievedWithinASecond) {
  Cable cable;
  auto& a = cable.add();
  auto& b = cable.add();
  ASSERT_TRUE(cable.run_to([&] { return b.found().size() == 1; }, seconds(3)));
  a.mdns->withdraw(cable.now);
  cable.drain(a);
  EXPECT_TRUE(cable.run_to([&] { return b.found().empty(); }, milliseconds(1100)));
}

TEST(Mdns, OneThatWentSilentlyIsForgottenWithItsRecordsTime) {
  Cable cable;
  auto& a = cable.add();
  auto& b = cable.add();
  ASSERT_TRUE(cable.run_to([&] { return b.found().size() == 1; }, seconds(3)));
  a.mdns.reset();
  cable.run(minutes(60));
  EXPECT_EQ(b.found().size(), 1U);
  cable.run(minutes(16));
  EXPECT_TRUE(b.found().empty());
}

TEST(Mdns, OneThatStaysIsAskedForAgainBeforeItsRecordEnds) {
  Cable cable;
  cable.add();
  auto& b = cable.add();
  cable.run(std::chrono::hours(6));
  EXPECT_EQ(b.found().size(), 1U);
  for (const auto& e : b.events) EXPECT_FALSE(std::holds_alternative<Lost>(e));
}

TEST(Mdns, AnswersThatTheAskerKnowsAreNotGiven) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  const auto before = responses(a);
  dns::Builder builder(false, 1400);
  builder.add(dns::Question{kService, dns::Type::ptr});
  const auto instance = dns::prefixed(a.mdns->instance(), kService);
  builder.add(dns::Builder::Section::answer,
              {kService, dns::Type::ptr, dns::kInternet, false, 4000, dns::Ptr{instance}});
  cable.say(kStranger, builder.take());
  cable.run(seconds(2));
  EXPECT_EQ(responses(a), before);
  // With less than half of its life left it counts as unknown.
  dns::Builder old(false, 1400);
  old.add(dns::Question{kService, dns::Type::ptr});
  old.add(dns::Builder::Section::answer, {kService, dns::Type::ptr, dns::kInternet, false, 2000, dns::Ptr{instance}});
  cable.say(kStranger, old.take());
  cable.run(seconds(2));
  EXPECT_EQ(responses(a), before + 1);
}

TEST(Mdns, KnownAnswersMayFollowInASecondMessage) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  const auto before = responses(a);
  dns::Builder first(false, 1400);
  first.add(dns::Question{kService, dns::Type::ptr});
  first.set_truncated();
  cable.say(kStranger, first.take());
  cable.run(milliseconds(100));
  dns::Builder second(false, 1400);
  second.add(dns::Builder::Section::answer, {kService, dns::Type::ptr, dns::kInternet, false, 4000,
                                             dns::Ptr{dns::prefixed(a.mdns->instance(), kService)}});
  cable.say(kStranger, second.take());
  cable.run(seconds(2));
  EXPECT_EQ(responses(a), before);
}

TEST(Mdns, ASharedAnswerWaitsABitAndAnOwnOneDoesNot) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  auto asked = cable.now;
  cable.say(kStranger, question(dns::Type::ptr, kService));
  cable.run(seconds(2));
  const auto shared = a.sent.back().first - asked;
  EXPECT_GE(shared, milliseconds(20));
  EXPECT_LE(shared, milliseconds(125));
  asked = cable.now;
  cable.say(kStranger, question(dns::Type::srv, dns::prefixed(a.mdns->instance(), kService)));
  cable.run(seconds(2));
  EXPECT_LE(a.sent.back().first - asked, milliseconds(5));
}

TEST(Mdns, OneSayingOfATypeOfNothingIsAnsweredSo) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  cable.say(kStranger, question(dns::Type::aaaa, dns::prefixed(a.mdns->instance(), kService)));
  cable.run(seconds(1));
  const auto last = messages(a).back();
  ASSERT_EQ(last.answers.size(), 1U);
  EXPECT_EQ(std::get<dns::Nsec>(last.answers[0].data).types, (std::vector{dns::Type::txt, dns::Type::srv}));
}

TEST(Mdns, TheListOfServiceTypesNamesOurs) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  cable.say(kStranger, question(dns::Type::ptr, dns::name("_services._dns-sd._udp.local")));
  cable.run(seconds(1));
  EXPECT_EQ(std::get<dns::Ptr>(messages(a).back().answers.at(0).data).target, kService);
}

TEST(Mdns, AThousandQuestionsASecondMakeEachRecordSaidOnceASecond) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  a.sent.clear();
  const auto instance = dns::prefixed(a.mdns->instance(), kService);
  for (int i = 0; i < 5000; ++i) {
    cable.say(kStranger, question(i % 2 == 0 ? dns::Type::ptr : dns::Type::any, i % 2 == 0 ? kService : instance));
    cable.run(milliseconds(1));
  }
  std::map<std::string, std::vector<Time>> said;
  for (const auto& [at, t] : a.sent) {
    const auto message = *dns::read(t.bytes);
    for (const auto& r : message.answers) said[r.name.key() + std::to_string(static_cast<int>(r.type))].push_back(at);
  }
  EXPECT_FALSE(said.empty());
  for (const auto& [key, times] : said) {
    EXPECT_LE(times.size(), 6U);
    for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], seconds(1));
  }
}

// As many questions and answers as one packet holds, the answers with names of as many labels as there are: read once
// for each record of ours, and said once.
TEST(Mdns, AHundredEqualQuestionsWithAHundredAnswersAreOneQuestion) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  const auto before = responses(a);
  dns::Builder builder(false, dns::kMaxMessage);
  dns::Name longest;
  for (int i = 0; i < 126; ++i) longest.labels.emplace_back(1, static_cast<char>('a' + i % 26));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(builder.add(dns::Question{kService, dns::Type::ptr}));
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(builder.add(dns::Builder::Section::answer,
                            {kService, dns::Type::ptr, dns::kInternet, false, 4500, dns::Ptr{longest}}));
  cable.say(kStranger, builder.take());
  cable.run(seconds(2));
  EXPECT_EQ(responses(a), before + 1);
}

TEST(Mdns, AnOrdinaryResolverIsAnsweredShortlyAndWithItsNumber) {
  Cable cable;
  cable.add();
  cable.run(seconds(10));
  const Endpoint resolver{link_local(0x77), 40'000, Transport::udp};
  cable.say(resolver, question(dns::Type::ptr, kService, false, 0x1234));
  cable.run(milliseconds(10));
  ASSERT_EQ(cable.elsewhere.size(), 1U);
  EXPECT_EQ(cable.elsewhere[0].first, resolver);
  const auto m = *dns::read(cable.elsewhere[0].second);
  EXPECT_EQ(m.id, 0x1234);
  ASSERT_EQ(m.questions.size(), 1U);
  for (const auto* section : {&m.answers, &m.additionals}) {
    for (const auto& r : *section) {
      EXPECT_LE(r.ttl, 10U);
      EXPECT_FALSE(r.flush);
    }
  }
}

TEST(Mdns, OrdinaryResolversGetTenAnswersASecondTogether) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  for (int i = 0; i < 2000; ++i) {
    const Endpoint resolver{link_local(100 + static_cast<unsigned>(i % 50)), static_cast<std::uint16_t>(40'000 + i),
                            Transport::udp};
    cable.say(resolver, question(dns::Type::ptr, kService));
    cable.run(milliseconds(1));
  }
  EXPECT_LE(cable.elsewhere.size(), 32U);
  EXPECT_GE(cable.elsewhere.size(), 20U);
  EXPECT_GT(a.mdns->counters().limited, 1900U);
}

TEST(Mdns, WhoIsNotOnTheLinkGetsNothing) {
  Cable cable;
  auto& a = cable.add();
  cable.run(seconds(10));
  const auto before = a.sent.size();
  for (const auto* from : {"[2001:db8::1]:5353", "203.0.113.9:5353", "10.0.0.1:40000", "[fe80::5%2]:5353"}) {
    cable.say(*Endpoint::parse(from), question(dns::Type::ptr, kService));
    cable.say(*Endpoint::parse(from), question(dns::Type::ptr, kService, true));
  }
  cable.run(seconds(2));
  EXPECT_EQ(a.sent.size(), before);
  EXPECT_TRUE(cable.elsewhere.empty());
  EXPECT_EQ(a.mdns->counters().off_link, 8U);
}

TEST(Mdns, AnAnswerFromAnotherPortIsNoAnswer) {
  Cable cable;
  auto& a = cable.add();
  auto& b = cable.add();
  ASSERT_TRUE(cable.run_to([&] { return b.found().size() == 1; }, seconds(3)));
  dns::Builder goodbye(true, 1400);
  goodbye.add(dns::Builder::Section::answer, {kService, dns::Type::ptr, dns::kInternet, false, 0,
                                              dns::Ptr{dns::prefixed(a.mdns->instance(), kService)}});
  cable.say({link_local(0x99), 5354, Transport::udp}, goodbye.take());
  cable.run(seconds(5));
  EXPECT_EQ(b.found().size(), 1U);
}

TEST(Mdns, WhoFindsItsNameTakenTakesAnother) {
  Cable cable;
  auto& a = cable.add();
  cable.run(milliseconds(300));
  const auto before = a.mdns->instance();
  dns::Builder claim(true, 1400);
  claim.add(dns::Builder::Section::answer, {dns::prefixed(before, kService), dns::Type::srv, dns::kInternet, true, 120,
                                            dns::Srv{0, 0, 1, dns::name("other.local")}});
  const auto bytes = claim.take();
  cable.say(kStranger, bytes);
  cable.run(seconds(5));
  EXPECT_NE(a.mdns->instance(), before);
  EXPECT_TRUE(a.mdns->announced());
  EXPECT_EQ(a.mdns->counters().conflicts, 1U);
}

TEST(Mdns, WhoTakesEveryNameIsGivenInToSlowly) {
  Cable cable;
  auto& a = cable.add();
  for (int i = 0; i < 30'000; ++i) {
    dns::Builder claim(true, 1400);
    claim.add(dns::Builder::Section::answer, {dns::prefixed(a.mdns->instance(), kService), dns::Type::srv,
                                              dns::kInternet, true, 120, dns::Srv{0, 0, 1, dns::name("other.local")}});
    cable.say(kStranger, claim.take());
    cable.run(milliseconds(1));
  }
  EXPECT_LE(a.sent.size(), 300U);  // in thirty seconds
}

TEST(Mdns, LossDelaysButDoesNotPrevent) {
  Cable cable(3);
  SeededRng dice(5);
  cable.lose = [&](const Endpoint&, const Bytes&) { return dice.unit() < 0.3; };
  for (int i = 0; i < 10; ++i) cable.add();
  const auto all = [&] {
    return std::all_of(cable.machines().begin(), cable.machines().end(),
                       [](const auto& m) { return m->found().size() == 9; });
  };
  EXPECT_TRUE(cable.run_to(all, seconds(30)));
}

Bytes flooding(int i) {
  dns::Builder builder(true, 1400);
  const auto n = dns::prefixed("flood" + std::to_string(i), kService);
  builder.add(dns::Builder::Section::answer, {kService, dns::Type::ptr, dns::kInternet, false, 4500, dns::Ptr{n}});
  return builder.take();
}

TEST(Mdns, AFloodOfInstancesFillsNoMoreThanItsTable) {
  Cable cable;
  auto& a = cable.add();
  for (int i = 0; i < 2000; ++i)
    cable.say({link_local(1000 + static_cast<unsigned>(i) / 32), kPort, Transport::udp}, flooding(i));
  cable.run(milliseconds(10));
  EXPECT_EQ(a.mdns->counters().full, 2000U - Mdns::kMaxInstances);
}

TEST(Mdns, OneSourceFillsAnEighthOfTheTableAndOthersAreStillFound) {
  Cable cable;
  auto& a = cable.add();
  for (int i = 0; i < 2000; ++i) cable.say(kStranger, flooding(i));
  cable.run(milliseconds(10));
  EXPECT_EQ(a.mdns->counters().full, 2000U - Mdns::kMaxOfOneSource);
  cable.add();
  EXPECT_TRUE(cable.run_to([&] { return a.found().size() == 1; }, seconds(3)));
}

// As a machine says it: an instance and all that it leads to.
Bytes forged(int i) {
  dns::Builder builder(true, 1400);
  const auto n = dns::prefixed("forged" + std::to_string(i), kService);
  const auto host = dns::name("forged" + std::to_string(i) + ".local");
  builder.add(dns::Builder::Section::answer, {kService, dns::Type::ptr, dns::kInternet, false, 4500, dns::Ptr{n}});
  builder.add(dns::Builder::Section::answer,
              {n, dns::Type::srv, dns::kInternet, true, 120, dns::Srv{0, 0, 4400, host}});
  builder.add(dns::Builder::Section::answer, {n, dns::Type::txt, dns::kInternet, true, 4500, dns::Txt{{"v=1"}}});
  builder.add(dns::Builder::Section::additional, {host, dns::Type::aaaa, dns::kInternet, true, 120,
                                                  dns::Host{link_local(1000 + static_cast<unsigned>(i))}});
  return builder.take();
}

// A source of its own for each.
void forge(Cable& cable, int first, int end) {
  for (int i = first; i < end; ++i)
    cable.say({link_local(1000 + static_cast<unsigned>(i)), kPort, Transport::udp}, forged(i));
  cable.run(milliseconds(10));
}

bool finds(const Machine& m, const std::string& instance) {
  const auto found = m.found();
  return std::any_of(found.begin(), found.end(), [&](const Found& f) { return f.instance == instance; });
}

TEST(Mdns, WhoComesToATableFullOfForgedOnesIsFoundAtOnce) {
  Cable cable;
  auto& a = cable.add();
  forge(cable, 0, 2000);
  ASSERT_EQ(a.found().size(), Mdns::kMaxInstances);
  auto& b = cable.add();
  EXPECT_TRUE(cable.run_to([&] { return b.mdns->announced() && finds(a, b.mdns->instance()); }, seconds(3)));
  EXPECT_EQ(a.found().size(), Mdns::kMaxInstances);
}

TEST(Mdns, WhoWasDrivenOutUnmetIsBackWithItsNextAnnouncement) {
  Cable cable;
  auto& a = cable.add();
  auto& b = cable.add();
  ASSERT_TRUE(cable.run_to([&] { return b.mdns->announced() && finds(a, b.mdns->instance()); }, seconds(3)));
  forge(cable, 0, 600);
  EXPECT_FALSE(finds(a, b.mdns->instance()));
  b.mdns->announce(cable.now, {4400, {"v=1", "r=served"}});
  cable.drain(b);
  EXPECT_TRUE(cable.run_to([&] { return finds(a, b.mdns->instance()); }, seconds(3)));
}

TEST(Mdns, WhoAnsweredStaysWhateverIsForged) {
  Cable cable;
  auto& a = cable.add();
  auto& b = cable.add();
  ASSERT_TRUE(cable.run_to([&] { return b.mdns->announced() && finds(a, b.mdns->instance()); }, seconds(3)));
  a.mdns->prove(b.mdns->instance());
  for (int round = 0; round < 4; ++round) {
    forge(cable, 1000 * round, 1000 * round + 1000);
    EXPECT_TRUE(finds(a, b.mdns->instance()));
    cable.run(seconds(1));
  }
  const auto lost = [](const MdnsEvent& e) { return std::holds_alternative<Lost>(e); };
  const auto of_b = [&](const MdnsEvent& e) { return lost(e) && std::get<Lost>(e).instance == b.mdns->instance(); };
  EXPECT_TRUE(std::none_of(a.events.begin(), a.events.end(), of_b));
}

// Only the address of the datagram says who it was.
TEST(Mdns, WhatIsForgedInANeighboursNameDoesNotKeepItOut) {
  Cable cable;
  auto& a = cable.add();
  const Endpoint as_b{link_local(2), kPort, Transport::udp};
  for (int i = 0; i < 200; ++i) cable.say(as_b, forged(i));
  cable.run(milliseconds(10));
  EXPECT_EQ(a.found().size(), Mdns::kMaxOfOneSource);
  auto& b = cable.add();
  ASSERT_EQ(b.ip, as_b.ip);
  EXPECT_TRUE(cable.run_to([&] { return b.mdns->announced() && finds(a, b.mdns->instance()); }, seconds(3)));
}

TEST(Mdns, AddressesElsewhereAreNotBelieved) {
  Cable cable;
  auto& a = cable.add();
  dns::Builder builder(true, 1400);
  const auto n = dns::prefixed("liar", kService);
  const auto host = dns::name("liar.local");
  builder.add(dns::Builder::Section::answer, {kService, dns::Type::ptr, dns::kInternet, false, 4500, dns::Ptr{n}});
  builder.add(dns::Builder::Section::answer, {n, dns::Type::srv, dns::kInternet, true, 120, dns::Srv{0, 0, 80, host}});
  builder.add(dns::Builder::Section::answer, {n, dns::Type::txt, dns::kInternet, true, 4500, dns::Txt{{"v=1"}}});
  for (const auto* ip : {"127.0.0.1", "8.8.8.8", "10.9.8.7", "::1", "2001:db8::1", "ff02::1"})
    builder.add(dns::Builder::Section::additional,
                {host, IpAddress::parse(ip)->is_v4() ? dns::Type::a : dns::Type::aaaa, dns::kInternet, false, 120,
                 dns::Host{*IpAddress::parse(ip)}});
  cable.say(kStranger, builder.take());
  cable.run(seconds(5));
  EXPECT_TRUE(a.found().empty());
}

TEST(Mdns, EveryTruncationAndFlippedBitOfAnAnnouncementLeavesAWorkingMachine) {
  Cable cable;
  auto& a = cable.add();
  auto& b = cable.add();
  ASSERT_TRUE(cable.run_to([&] { return b.found().size() == 1; }, seconds(3)));
  cable.run(seconds(5));
  Bytes whole;
  for (const auto& [at, t] : a.sent)
    if (dns::read(t.bytes)->response) whole = t.bytes;
  ASSERT_FALSE(whole.empty());
  const Endpoint from{a.ip, kPort, Transport::udp};
  SeededRng rng(1);
  Mdns target(Link{false, 1, {{link_local(5), 64}}}, kService, rng);
  target.start(cable.now);
  target.announce(cable.now, {4400, {"v=1"}});
  auto now = cable.now;
  const auto feed = [&](Bytes bytes) {
    target.handle_datagram(now, {from, bytes});
    now += milliseconds(1);
    if (target.next_timeout() <= now) target.handle_timeout(now);
    std::size_t said = 0;
    while (target.poll_transmit()) ++said;
    EXPECT_LE(said, 8U);
    while (target.poll_event()) {
    }
  };
  for (std::size_t n = 0; n < whole.size(); ++n) feed({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)});
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    feed(std::move(bytes));
  }
  EXPECT_GT(target.counters().malformed, whole.size());
}

}  // namespace
}  // namespace linnet::overlay::mdns::test
