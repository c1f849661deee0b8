// How somebody is reached, found out without ringing; and what nodes tell each other of their NATs.
#include "node/examiner.h"

#include "calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::seconds;

struct Examinations : Calls {
  CommandId examine(const std::string& who, unsigned count = 2, bool deep = false) {
    return town.tell(*alice, command::Examine{who, count, deep});
  }
  const event::Done* done(CommandId id) {
    const event::Done* out = nullptr;
    (void)town.run_until(
        [&] {
          out = nullptr;
          for (const auto& e : alice->events) {
            const auto* d = std::get_if<event::Done>(&e);
            if (d != nullptr && d->command == id) out = d;
          }
          return out != nullptr;
        },
        seconds(30));
    return out;
  }
  std::vector<Answer> answers() const {
    std::vector<Answer> out;
    for (const auto& e : alice->events) {
      const auto* examined = std::get_if<event::Examined>(&e);
      if (examined != nullptr && examined->answer) out.push_back(*examined->answer);
    }
    return out;
  }
  // What a driver found of the network in front of a person.
  void network(Resident& person, nat::Dependence mapping, nat::Dependence filtering) {
    nat::ProbeReport report;
    report.mapped = Endpoint{IpAddress::v4(203, 0, 113, 9), 4400};
    report.nat = true;
    report.mapping = mapping;
    report.filtering = filtering;
    Probed found;
    found.v4 = report;
    person.node->probed(town.now(), found);
  }
};

TEST_F(Examinations, OfAStrangerRingNobodyAndTellNeitherSideTheOthersAddress) {
  meet();
  const auto* over = done(examine(kBob));
  ASSERT_NE(over, nullptr);
  EXPECT_EQ(over->outcome, Outcome::ok) << over->text;
  EXPECT_EQ(bob->count<event::IncomingCall>(), 0U);
  EXPECT_EQ(bob->count<event::CallEnded>(), 0U);
  EXPECT_TRUE(bob->pins().empty());
  EXPECT_TRUE(alice->pins().empty());
  const auto& device = alice->last<event::Examined>()->found.devices.at(0);
  EXPECT_EQ(device.rounds, 2U);
  EXPECT_EQ(device.answered, 2U);
  EXPECT_EQ(device.path, PathWord::relayed);
  EXPECT_FALSE(device.shares);
  EXPECT_TRUE(device.ours.empty());
  EXPECT_TRUE(device.theirs.empty());
  EXPECT_FALSE(device.network);
  EXPECT_FALSE(town.flows.contains({alice->endpoint, bob->endpoint}));
  EXPECT_FALSE(town.flows.contains({bob->endpoint, alice->endpoint}));
  ASSERT_FALSE(answers().empty());
  for (const auto& answer : answers()) {
    ASSERT_TRUE(answer.rtt);
    EXPECT_GE(*answer.rtt, 4 * town.delay) << "by a supernode and back";
    EXPECT_EQ(answer.path, PathWord::relayed);
    EXPECT_TRUE(answer.by == "circuit" || answer.by == "forward") << answer.by;
  }
}

TEST_F(Examinations, OfAContactGoDirectAndHearWhatTheOtherSideSees) {
  meet();
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  network(*alice, nat::Dependence::address_and_port, nat::Dependence::address_and_port);
  network(*bob, nat::Dependence::endpoint_independent, nat::Dependence::address_and_port);
  const auto* over = done(examine(kBob, 2, true));
  ASSERT_NE(over, nullptr);
  EXPECT_EQ(over->outcome, Outcome::ok) << over->text;
  const auto& found = alice->last<event::Examined>()->found;
  EXPECT_TRUE(found.contact);
  ASSERT_TRUE(found.looked_up);
  const auto& device = found.devices.at(0);
  EXPECT_EQ(device.path, PathWord::direct);
  EXPECT_TRUE(device.shares);
  ASSERT_TRUE(device.network);
  EXPECT_EQ(device.network->type, NatType::port_restricted);
  ASSERT_FALSE(device.ours.empty());
  EXPECT_EQ(device.ours[0].result, "answered");
  ASSERT_FALSE(device.theirs.empty());
  EXPECT_EQ(device.theirs[0].result, "answered");
}

TEST_F(Examinations, EndWithTheReasonWhenNobodyIsThere) {
  meet();
  EXPECT_EQ(done(examine("nobody@nowhere.example"))->outcome, Outcome::not_found);
  EXPECT_EQ(done(examine(kAlice))->outcome, Outcome::refused);
  EXPECT_EQ(done(examine("no address"))->outcome, Outcome::bad_address);
  town.kill(*bob);
  const auto* gone = done(examine(kBob));
  EXPECT_EQ(gone->outcome, Outcome::unreachable);
  EXPECT_NE(gone->text.find("not reachable"), std::string::npos) << gone->text;
}

TEST_F(Examinations, StopWhenNobodyWaitsAndAreFew) {
  meet();
  const auto id = examine(kBob, 1000);
  town.run_for(seconds(5));
  const auto rounds = alice->last<event::Examined>()->found.devices.at(0).rounds;
  EXPECT_GT(rounds, 2U);
  town.tell(*alice, command::StopExamining{id});
  const auto before = alice->count<event::Examined>();
  town.run_for(seconds(5));
  EXPECT_EQ(alice->count<event::Examined>(), before);
  std::vector<CommandId> all;
  for (std::size_t i = 0; i <= Examiner::kMax; ++i) all.push_back(examine(kBob, 1000));
  EXPECT_EQ(done(all.back())->outcome, Outcome::busy);
}

TEST_F(Examinations, ACallThatStaysRelayedNamesBothNats) {
  meet();
  network(*alice, nat::Dependence::address_and_port, nat::Dependence::address_and_port);
  network(*bob, nat::Dependence::endpoint_independent, nat::Dependence::address_and_port);
  town.blocked.insert({alice->endpoint, bob->endpoint});
  town.blocked.insert({bob->endpoint, alice->endpoint});
  talk();
  town.run_for(seconds(3));
  const auto calls = alice->node->status(town.now()).calls;
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].path, PathWord::relayed);
  EXPECT_EQ(calls[0].reason, "yours symmetric, theirs port-restricted");
  EXPECT_EQ(bob->node->status(town.now()).calls.at(0).reason, "yours port-restricted, theirs symmetric");
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  const auto& explain = alice->summary()->explain;
  EXPECT_EQ(explain.reason, "yours symmetric, theirs port-restricted");
  EXPECT_EQ(explain.our_nat, "symmetric");
  ASSERT_TRUE(explain.found_ms && explain.linked_ms);
  EXPECT_LE(*explain.found_ms, *explain.linked_ms);
  EXPECT_LE(*explain.linked_ms, *alice->summary()->ring_ms);
  EXPECT_FALSE(explain.direct_ms);
  ASSERT_FALSE(explain.candidates.empty());
  EXPECT_EQ(explain.candidates[0].result, "no answer");
}

// The steps that a node takes before anybody can call are counted from its start, and say how long ago that was.
TEST_F(Examinations, ACallIsExplainedFromTheStartOfTheNodeOn) {
  meet();
  const auto online_in = *alice->node->status(town.now()).joined_in;
  town.run_for(std::chrono::minutes(5));
  const auto unknown = alice->node->status(town.now()).nat;
  EXPECT_EQ(unknown, NatType::unknown);
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  const auto first = alice->summary()->explain;
  EXPECT_EQ(first.joined_ms, millis(online_in));
  EXPECT_GT(first.node_age_ms, 300'000.0);
  EXPECT_FALSE(first.detected_ms) << "nobody has told";
  const auto told_at = town.now();
  network(*alice, nat::Dependence::endpoint_independent, nat::Dependence::address);
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  const auto& second = alice->summary()->explain;
  ASSERT_TRUE(second.detected_ms);
  EXPECT_GT(*second.detected_ms, first.node_age_ms);
  EXPECT_LE(*second.detected_ms, second.node_age_ms);
  network(*alice, nat::Dependence::endpoint_independent, nat::Dependence::address_and_port);
  EXPECT_GE(town.now(), told_at);
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  EXPECT_EQ(alice->summary()->explain.detected_ms, second.detected_ms) << "first known then, whatever came later";
}

TEST_F(Examinations, ACallThatIsToBeExplainedAsksTheOtherSideToo) {
  meet();
  bob->answers = true;
  for (const bool explain : {true, false}) {
    command::Call call;
    call.who = kBob;
    call.explain = explain;
    call.duration = seconds(2);
    call.cold = true;
    town.tell(*alice, call);
    ASSERT_TRUE(over(*alice));
    const auto& theirs = alice->summary()->explain.theirs;
    ASSERT_EQ(theirs.has_value(), explain);
    if (!explain) continue;
    ASSERT_FALSE(theirs->empty());
    EXPECT_EQ((*theirs)[0].endpoint, alice->endpoint.to_string());
    EXPECT_EQ((*theirs)[0].result, "answered");
  }
}

// Neither NAT is known, so none can be blamed: then it is the checks that speak.
TEST_F(Examinations, ACallThatNobodyCanExplainSaysThatNoAddressAnswers) {
  meet();
  town.blocked.insert({alice->endpoint, bob->endpoint});
  town.blocked.insert({bob->endpoint, alice->endpoint});
  talk();
  town.run_for(seconds(1));
  EXPECT_EQ(alice->node->status(town.now()).calls.at(0).reason, "direct path not proven yet");
  EXPECT_TRUE(town.run_until(
      [&] { return alice->node->status(town.now()).calls.at(0).reason == "none of their addresses answers"; },
      seconds(60)))
      << alice->node->status(town.now()).calls.at(0).reason;
}

TEST_F(Examinations, TheNetworkIsLookedAtOnceOnlineAndAgainWhenItMoved) {
  meet();
  town.run_for(seconds(3));
  EXPECT_EQ(alice->count<event::ProbeNat>(), 1U);
  EXPECT_FALSE(alice->node->stun_servers().empty());
  network(*alice, nat::Dependence::endpoint_independent, nat::Dependence::address);
  EXPECT_EQ(alice->node->status(town.now()).nat, NatType::restricted);
  alice->node->handle_addresses(town.now(), {alice->endpoint});
  town.run_for(seconds(5));
  EXPECT_EQ(alice->count<event::ProbeNat>(), 1U) << "not more often than every half minute";
  town.run_for(NatWatch::kBetween);
  EXPECT_EQ(alice->count<event::ProbeNat>(), 2U);
}

TEST(NatFacts, ShortNamesFollowFromMappingAndFiltering) {
  using D = nat::Dependence;
  const struct {
    bool nat;
    D mapping, filtering;
    std::string_view name;
  } cases[] = {
      {false, D::endpoint_independent, D::endpoint_independent, "none"},
      {false, D::endpoint_independent, D::address_and_port, "firewall"},
      {false, D::endpoint_independent, D::unknown, "unknown"},
      {true, D::endpoint_independent, D::endpoint_independent, "full-cone"},
      {true, D::endpoint_independent, D::address, "restricted"},
      {true, D::endpoint_independent, D::address_and_port, "port-restricted"},
      {true, D::endpoint_independent, D::unknown, "unknown"},
      {true, D::address, D::unknown, "symmetric"},
      {true, D::address_and_port, D::endpoint_independent, "symmetric"},
      {true, D::unknown, D::address, "unknown"},
  };
  for (const auto& c : cases) {
    nat::ProbeReport report;
    report.mapped = Endpoint{IpAddress::v4(1), 1};
    report.nat = c.nat;
    report.mapping = c.mapping;
    report.filtering = c.filtering;
    EXPECT_EQ(to_string(type_of(report)), c.name);
  }
  EXPECT_EQ(type_of(nat::ProbeReport{}), NatType::unknown);
}

// The pairs of docs/nat-matrix.md that a plain punch opens.
TEST(NatFacts, APunchOpensWhatTheKernelsNatsOpen) {
  EXPECT_EQ(punches(NatType::symmetric, NatType::port_restricted), false);
  EXPECT_EQ(punches(NatType::symmetric, NatType::firewall), false);
  EXPECT_EQ(punches(NatType::symmetric, NatType::symmetric), false);
  EXPECT_EQ(punches(NatType::restricted, NatType::symmetric), true);
  EXPECT_EQ(punches(NatType::port_restricted, NatType::port_restricted), true);
  EXPECT_EQ(punches(NatType::udp_blocked, NatType::unknown), false);
  EXPECT_EQ(punches(NatType::none, NatType::unknown), std::nullopt);
  EXPECT_EQ(relayed_because(NatType::symmetric, NatType::unknown), "");
  EXPECT_EQ(relayed_because(NatType::udp_blocked, NatType::unknown), "yours udp-blocked, theirs ?");
}

TEST(PathMessage, IsReadAsItWasWrittenAndNothingElseIs) {
  using namespace path_message;
  const Network network{NatType::symmetric, nat::Dependence::address, nat::Dependence::address_and_port};
  Paths paths{network, {{*Endpoint::parse("192.0.2.1:4400"), true}, {*Endpoint::parse("[2001:db8::1]:1"), false}}};
  for (const Message& m : {Message(network), Message(path_message::Ask{}), Message(paths)}) {
    const auto bytes = write(m);
    const auto back = read(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(write(*back), bytes);
    for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(read(ByteView(bytes).first(n)));
    auto longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(read(longer));
  }
  for (std::size_t i = 0; i < 2 * kMaxTried; ++i) paths.tried.push_back(paths.tried[0]);
  EXPECT_EQ(std::get<Paths>(*read(write(paths))).tried.size(), kMaxTried);
  EXPECT_FALSE(read(Bytes{16, 99, 0, 0}));
  EXPECT_FALSE(read(Bytes{16, 1, 9, 0}));
  EXPECT_FALSE(read(Bytes{1, 2, 3}));
}

}  // namespace
}  // namespace linnet::node
