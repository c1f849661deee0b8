// Two agents, their NATs, and the time between: a small world in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "nat/binding_server.h"
#include "nat/ice_agent.h"
#include "sim/nat_box.h"

namespace linnet::nat::ice {

using namespace std::chrono_literals;
using sim::NatBox;
using sim::NatKind;

inline const Endpoint kStun = *Endpoint::parse("198.51.100.1:3478");
inline constexpr Base kSocket = 0;
inline constexpr Base kCircuit = 7;
inline constexpr std::uint64_t kCircuitId = 0xc1;

struct Side {
  Side(std::string name_, const Endpoint& local_, NatKind kind, const IpAddress& outside)
      : name(std::move(name_)), local(local_), box(kind, kind == NatKind::none ? local_.ip : outside) {}

  std::string name;
  Endpoint local;
  NatBox box;
  std::unique_ptr<Agent> agent;
  bool blocked = false;  // no UDP but the circuit
  bool told = true;      // its candidates reach the other side at once
  std::vector<Candidate> candidates;
  std::optional<Way> selected;
  std::optional<Time> selected_at;
  std::optional<Time> valid_at;
  std::vector<Way> selections;
  int lost = 0;
  bool failed = false;
  bool gathered = false;
  std::size_t sent = 0;
};

// From a direct way to a relayed one.
inline bool comes_back(const std::vector<Way>& selections) {
  bool direct = false;
  for (const auto& way : selections) {
    if (direct && way.relayed) return true;
    direct = direct || !way.relayed;
  }
  return false;
}

class Net {
 public:
  Net(NatKind left, NatKind right, AgentConfig controlling = {}, AgentConfig controlled = {})
      : a("a", *Endpoint::parse("10.0.0.1:4400"), left, *IpAddress::parse("203.0.113.1")),
        b("b", *Endpoint::parse("10.0.1.1:4400"), right, *IpAddress::parse("203.0.113.2")) {
    controlling.role = Role::controlling;
    a.agent = std::make_unique<Agent>(controlling, rng);
    b.agent = std::make_unique<Agent>(controlled, rng);
  }

  Duration one_way = 20ms;
  Duration circuit_one_way = 40ms;
  double loss = 0;
  SeededRng rng{1};
  SeededRng chance{2};
  Time now{1h};
  Side a;
  Side b;
  bool stun_dead = false;
  std::size_t delivered = 0;

  // Host and reflexive candidates, and a circuit between both when it is wanted.
  void begin(bool circuit = false) {
    exchange_credentials();
    gather(a, circuit);
    gather(b, circuit);
  }
  void exchange_credentials() {
    ASSERT_TRUE(a.agent->set_remote(now, b.agent->credentials()));
    ASSERT_TRUE(b.agent->set_remote(now, a.agent->credentials()));
  }
  void gather(Side& side, bool circuit) {
    side.agent->add_host(now, kSocket, side.local);
    if (circuit) side.agent->add_circuit(now, kCircuit, kCircuitId);
    side.agent->gather(now, kSocket, kStun);
    side.agent->end_of_local(now);
    drain();
  }
  Side& other(Side& side) { return &side == &a ? b : a; }

  void run_for(Duration time) {
    const auto end = now + time;
    drain();
    for (int i = 0; i < 200'000; ++i) {
      auto next = std::min(a.agent->next_timeout(), b.agent->next_timeout());
      if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
      if (next > end) break;
      ASSERT_GE(next, now - 1ms) << "an agent asks for a time that has passed";
      now = std::max(now, next);
      while (!wire_.empty() && wire_.begin()->first <= now) {
        auto packet = std::move(wire_.extract(wire_.begin()).mapped());
        arrive(packet);
      }
      a.agent->handle_timeout(now);
      b.agent->handle_timeout(now);
      drain();
      ASSERT_LT(i, 199'999) << "an agent never rests";
    }
    now = end;
  }

  // Something that stands in for a peer: a datagram from anywhere to a side's socket.
  void inject(Side& to, const Endpoint& from, ByteView bytes, Base base = kSocket) {
    if (const auto m = stun::Message::parse(bytes)) to.agent->handle(now, base, from, *m);
    drain();
  }

 private:
  struct Packet {
    Endpoint from;
    Endpoint to;
    Side* through_circuit = nullptr;  // the side that gets it
    Bytes bytes;
  };

  void drain() {
    drain(a);
    drain(b);
  }
  void drain(Side& side) {
    while (const auto out = side.agent->poll_transmit()) send(side, *out);
    while (const auto e = side.agent->poll_event()) on_event(side, *e);
  }
  void on_event(Side& side, const Event& e) {
    if (const auto* c = std::get_if<event::LocalCandidate>(&e)) {
      side.candidates.push_back(c->candidate);
      if (side.told) (void)other(side).agent->add_remote(now, c->candidate);
    } else if (std::holds_alternative<event::GatheringDone>(e)) {
      side.gathered = true;
      if (side.told) other(side).agent->end_of_remote(now);
    } else if (const auto* s = std::get_if<event::Selected>(&e)) {
      side.selected = s->way;
      if (!side.selected_at) side.selected_at = now;
      side.selections.push_back(s->way);
    } else if (std::holds_alternative<event::Valid>(e)) {
      if (!side.valid_at) side.valid_at = now;
    } else if (std::holds_alternative<event::Lost>(e)) {
      ++side.lost;
    } else {
      side.failed = true;
    }
  }
  void send(Side& side, const Outgoing& out) {
    ++side.sent;
    if (chance.unit() < loss) return;
    if (out.base == kCircuit) {
      if (circuit_up) wire_.emplace(now + circuit_one_way, Packet{out.to, out.to, &other(side), out.bytes});
      return;
    }
    if (side.blocked) return;
    const auto source = side.box.outbound(now, side.local, out.to);
    wire_.emplace(now + one_way, Packet{source, out.to, nullptr, out.bytes});
  }
  void arrive(const Packet& packet) {
    if (packet.through_circuit != nullptr) {
      ++delivered;
      packet.through_circuit->agent->handle(now, kCircuit, packet.from, *stun::Message::parse(packet.bytes));
      return;
    }
    if (packet.to == kStun) {
      if (stun_dead) return;
      const BindingServer server({kStun, std::nullopt, true});
      if (const auto answer = server.answer(kStun, packet.from, *stun::Message::parse(packet.bytes)))
        wire_.emplace(now + one_way, Packet{kStun, answer->to, nullptr, answer->bytes});
      return;
    }
    for (auto* side : {&a, &b}) {
      if (side->blocked || packet.to.ip != side->box.outside()) continue;
      if (!side->box.inbound(now, packet.to, packet.from)) continue;
      ++delivered;
      side->agent->handle(now, kSocket, packet.from, *stun::Message::parse(packet.bytes));
    }
  }

 public:
  bool circuit_up = true;

 private:
  std::multimap<Time, Packet> wire_;
};

}  // namespace linnet::nat::ice
