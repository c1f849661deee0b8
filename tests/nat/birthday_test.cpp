// Two ICE agents, one behind a NAT that gives another port for each destination, the other behind one whose filter
// looks at ports: alone they find nothing. With a search they do.
#include "nat/birthday.h"

#include <gtest/gtest.h>

#include <map>

#include "nat/binding_server.h"
#include "nat/ice_agent.h"
#include "sim/nat_box.h"

namespace linnet::nat::birthday {
namespace {

using namespace std::chrono_literals;
using ice::Agent;
using ice::Base;
using sim::NatBox;
using sim::NatKind;

const Endpoint kServer = *Endpoint::parse("198.51.100.1:4400");
const Endpoint kVictim = *Endpoint::parse("192.0.2.77:5000");
constexpr Base kFan = 1000;  // of the first socket of the opener's

struct End {
  Endpoint inside;  // of socket 0; the fan's are at the ports above
  NatBox box;
  std::unique_ptr<Agent> agent;
  std::optional<ice::Way> selected;
  std::size_t sent = 0;

  Endpoint local(Base base) const {
    auto out = inside;
    if (base >= kFan) out.port = static_cast<std::uint16_t>(20'000 + base - kFan);
    return out;
  }
};

class World {
 public:
  World(std::uint64_t seed, NatKind left, NatKind right, std::optional<std::uint64_t> lots, double loss = 0)
      : rng_(seed),
        loss_(loss),
        opener{
            *Endpoint::parse("10.0.0.1:4400"), NatBox(left, *IpAddress::parse("203.0.113.1"), 30s, 4096, lots), {}, {}},
        prober{*Endpoint::parse("10.0.1.1:4400"),
               NatBox(right, *IpAddress::parse("203.0.113.2"), 30s, 4096, lots),
               {},
               {}} {
    ice::AgentConfig config;
    config.role = ice::Role::controlling;
    opener.agent = std::make_unique<Agent>(config, rng_);
    config.role = ice::Role::controlled;
    prober.agent = std::make_unique<Agent>(config, rng_);
    EXPECT_TRUE(opener.agent->set_remote(now, prober.agent->credentials()));
    EXPECT_TRUE(prober.agent->set_remote(now, opener.agent->credentials()));
    for (auto* end : {&opener, &prober}) {
      end->agent->add_host(now, 0, end->inside);
      end->agent->gather(now, 0, kServer);
    }
  }

  // As the driving of a link does it: measure, tell, and each to where a supernode sees the other.
  bool search(Duration limit) {
    const auto began = now;
    Opener opens(now, rng_, kSockets, kServer);
    opener_ = &opens;
    std::optional<Prober> probes;
    while (now - began < limit && !found()) {
      step();
      std::vector<Shot> shots;
      opens.handle_timeout(now, shots);
      for (auto& s : shots) {
        opened += s.bytes.empty() ? 1 : 0;
        send(opener, kFan + static_cast<Base>(s.socket), s.to,
             s.bytes.empty() ? *opener.agent->loose_check() : s.bytes);
      }
      if (opens.measured() && !opens.aimed()) {
        guess = opens.guess();
        opens.aim(now, prober.box.outbound(now, prober.inside, kServer));
        probes.emplace(now, opener.box.outside(), guess);
      }
      shots.clear();
      if (probes) probes->handle_timeout(now, rng_, shots);
      for (auto& s : shots) send(prober, 0, s.to, *prober.agent->loose_check());
      probed += shots.size();
    }
    took = now - began;
    opener_ = nullptr;
    return found();
  }
  void run_for(Duration time) {
    for (const auto end = now + time; now < end;) step();
  }
  bool found() const { return opener.selected && prober.selected; }

  Time now{1h};
  std::size_t opened = 0, probed = 0;
  Duration took{};
  std::optional<PortGuess> guess;

 private:
  struct Packet {
    Endpoint from, to;
    Bytes bytes;
  };

  void step() {
    now += 1ms;
    while (!wire_.empty() && wire_.begin()->first <= now) {
      const auto packet = std::move(wire_.extract(wire_.begin()).mapped());
      arrive(packet);
    }
    for (auto* end : {&opener, &prober}) {
      end->agent->handle_timeout(now);
      while (const auto out = end->agent->poll_transmit()) send(*end, out->base, out->to, out->bytes);
      while (const auto e = end->agent->poll_event()) {
        if (const auto* s = std::get_if<ice::event::Selected>(&*e)) end->selected = s->way;
        const auto* c = std::get_if<ice::event::LocalCandidate>(&*e);
        if (c != nullptr) (void)(end == &opener ? prober : opener).agent->add_remote(now, c->candidate);
      }
    }
  }
  void send(End& end, Base base, const Endpoint& to, Bytes bytes) {
    ++end.sent;
    const auto source = end.box.outbound(now, end.local(base), to);
    if (rng_.unit() >= loss_) wire_.emplace(now + 25ms, Packet{source, to, std::move(bytes)});
  }
  void arrive(const Packet& packet) {
    const auto message = stun::Message::parse(packet.bytes);
    ASSERT_TRUE(message);
    if (packet.to == kServer) {
      const BindingServer server({kServer, std::nullopt, true});
      if (const auto answer = server.answer(kServer, packet.from, *message))
        wire_.emplace(now + 25ms, Packet{kServer, answer->to, answer->bytes});
      return;
    }
    for (auto* end : {&opener, &prober}) {
      if (packet.to.ip != end->box.outside()) continue;
      const auto inside = end->box.inbound(now, packet.to, packet.from);
      if (!inside) continue;
      const bool of_fan = inside->port >= 20'000;
      const auto base = of_fan ? static_cast<Base>(inside->port - 20'000 + kFan) : Base{0};
      if (of_fan && message->message_class() == stun::Class::success && opener_ != nullptr)
        opener_->handle(base - kFan, *message);
      if (of_fan && end->agent->authentic(*message)) end->agent->add_base(now, base, end->inside);
      end->agent->handle(now, base, packet.from, *message);
    }
  }

  SeededRng rng_;
  double loss_;

 public:
  End opener, prober;

 private:
  Opener* opener_ = nullptr;
  std::multimap<Time, Packet> wire_;
};

TEST(Birthday, ThirtyTriesAtASymmetricAndAPortRestrictedNatEndDirectInNineOfTenWithinTenSeconds) {
  int direct = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    World world(seed, NatKind::symmetric, NatKind::port_restricted, seed * 1'000'000);
    world.run_for(1s);
    EXPECT_FALSE(world.found()) << "a plain punch opens no such pair";
    direct += world.search(9s) ? 1 : 0;
    EXPECT_FALSE(world.guess) << "there is nothing to be guessed in ports by lot";
    EXPECT_LE(world.probed, kProbes);
    EXPECT_LE(world.opened, kProbes);
  }
  EXPECT_GE(direct, 27);
}

TEST(Birthday, ANatThatCountsIsMetWithinASecond) {
  World world(1, NatKind::symmetric, NatKind::port_restricted, std::nullopt);
  world.run_for(1s);
  EXPECT_FALSE(world.found());
  ASSERT_TRUE(world.search(9s));
  ASSERT_TRUE(world.guess);
  EXPECT_EQ(world.guess->step, 1);
  EXPECT_LT(world.took, 1s);
  EXPECT_LT(world.probed, 2 * PortPlan::kGuessed);
}

TEST(Birthday, LossDoesNotSpoilIt) {
  int direct = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    World world(seed, NatKind::symmetric, NatKind::port_restricted, seed * 1'000'000, 0.05);
    world.run_for(1s);
    direct += world.search(9s) ? 1 : 0;
  }
  EXPECT_GE(direct, 27);
}

TEST(Birthday, TwoSymmetricNatsAreLeftAlone) {
  World world(5, NatKind::symmetric, NatKind::symmetric, 77);
  world.run_for(1s);
  EXPECT_FALSE(world.search(9s));
}

TEST(Birthday, TheOpenerSendsNothingBeforeItIsAimedAndTwoPacketsASocketAfterwards) {
  SeededRng rng(1);
  Time now{1h};
  Opener opener(now, rng, kSockets, std::nullopt);
  std::vector<Shot> shots;
  opener.handle_timeout(now, shots);
  EXPECT_TRUE(shots.empty());
  EXPECT_EQ(opener.next_timeout(), kNever);
  opener.aim(now, kVictim);
  std::map<std::size_t, int> of;
  const auto began = now;
  while (opener.next_timeout() != kNever) {
    now = opener.next_timeout();
    opener.handle_timeout(now, shots);
  }
  for (const auto& s : shots) {
    EXPECT_EQ(s.to, kVictim);
    ++of[s.socket];
  }
  EXPECT_EQ(of.size(), kSockets);
  EXPECT_EQ(shots.size(), 2 * kSockets);
  EXPECT_GE(now - began, 5ms * (2 * kSockets - 1));
}

TEST(Birthday, TheProberSends1024PacketsAt200ASecondToOneAddressAndStops) {
  SeededRng rng(1);
  Time now{1h};
  const auto began = now;
  Prober prober(now, kVictim.ip, std::nullopt);
  std::vector<Shot> shots;
  while (prober.next_timeout() != kNever) {
    now = prober.next_timeout();
    prober.handle_timeout(now, rng, shots);
  }
  EXPECT_EQ(shots.size(), kProbes);
  EXPECT_EQ(now - began, 5ms * (kProbes - 1));
  for (const auto& s : shots) EXPECT_EQ(s.to.ip, kVictim.ip);
  prober.handle_timeout(now + 1h, rng, shots);
  EXPECT_EQ(shots.size(), kProbes);
}

TEST(Birthday, ALateTimerDoesNotMakeABurst) {
  SeededRng rng(1);
  Prober prober(Time{1h}, kVictim.ip, std::nullopt);
  std::vector<Shot> shots;
  prober.handle_timeout(Time{1h} + 5s, rng, shots);
  EXPECT_LE(shots.size(), static_cast<std::size_t>(Pace::kCatchUp));
  EXPECT_GT(prober.next_timeout(), Time{1h} + 5s);
}

TEST(Birthday, OnlyTheAnswerToOurOwnQuestionIsASample) {
  SeededRng rng(1);
  Opener opener(Time{1h}, rng, kSockets, kServer);
  std::vector<Shot> shots;
  for (auto t = Time{1h}; shots.size() < Opener::kSamples; t = opener.next_timeout()) opener.handle_timeout(t, shots);
  const BindingServer server({kServer, std::nullopt, true});
  for (std::size_t i = 0; i < shots.size(); ++i) {
    const Endpoint seen{IpAddress::v4(203, 0, 113, 1), static_cast<std::uint16_t>(7000 + i)};
    const auto answer = server.answer(kServer, seen, *stun::Message::parse(shots[i].bytes));
    const auto message = stun::Message::parse(answer->bytes);
    opener.handle((i + 1) % shots.size(), *message);  // at another socket
    EXPECT_FALSE(opener.measured());
    opener.handle(i, *message);
  }
  EXPECT_TRUE(opener.measured());
  EXPECT_EQ(opener.guess(), (PortGuess{7004, 1}));
}

}  // namespace
}  // namespace linnet::nat::birthday
