// One link in virtual time with multicast DNS machines on it: what one says to the group, all hear, itself included.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "overlay/mdns.h"

namespace linnet::overlay::mdns::test {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline const dns::Name kService = dns::name("_linnet._udp.local");

// fe80::n on interface 1 of every machine.
inline IpAddress link_local(unsigned n, std::uint32_t scope = 1) {
  IpAddress ip;
  ip.bytes[0] = 0xfe;
  ip.bytes[1] = 0x80;
  ip.bytes[14] = static_cast<std::uint8_t>(n >> 8);
  ip.bytes[15] = static_cast<std::uint8_t>(n);
  ip.scope = scope;
  return ip;
}

struct Machine {
  IpAddress ip;
  std::unique_ptr<SeededRng> rng;
  std::unique_ptr<Mdns> mdns;  // null: gone without a word
  std::vector<MdnsEvent> events;
  std::vector<std::pair<Time, Transmit>> sent;

  std::vector<Found> found() const {
    std::map<std::string, Found> here;
    for (const auto& e : events) {
      if (const auto* f = std::get_if<Found>(&e)) here[f->instance] = *f;
      if (const auto* l = std::get_if<Lost>(&e)) here.erase(l->instance);
    }
    std::vector<Found> out;
    for (const auto& [key, f] : here) out.push_back(f);
    return out;
  }
};

class Cable {
 public:
  explicit Cable(std::uint64_t seed = 1) : seed_(seed) {}

  Machine& add(const std::optional<Service>& service = Service{4400, {"v=1"}}) {
    const auto n = static_cast<unsigned>(machines_.size() + 1);
    auto& m = *machines_.emplace_back(std::make_unique<Machine>());
    m.ip = link_local(n);
    m.rng = std::make_unique<SeededRng>(seed_ * 1000 + n);
    m.mdns = std::make_unique<Mdns>(Link{false, 1, {{m.ip, 64}}}, kService, *m.rng);
    m.mdns->start(now);
    if (service) m.mdns->announce(now, *service);
    drain(m);
    return m;
  }

  // From anywhere to everybody, or to one machine's port.
  void send(const Endpoint& from, const Endpoint& to, const Bytes& bytes) {
    if (lose && lose(from, bytes)) return;
    wire_.emplace(now + milliseconds(1), Packet{from, to, bytes});
  }
  void say(const Endpoint& from, Bytes bytes) { send(from, Link{false, 1, {}}.group(), std::move(bytes)); }

  void drain(Machine& m) {
    while (auto t = m.mdns->poll_transmit()) {
      m.sent.emplace_back(now, *t);
      send({m.ip, kPort, Transport::udp}, t->to, t->bytes);
    }
    while (auto e = m.mdns->poll_event()) m.events.push_back(std::move(*e));
  }

  void run_until(Time until) {
    while (step(until)) {
    }
    now = until;
  }
  void run(Duration d) { run_until(now + d); }
  bool run_to(const std::function<bool()>& holds, Duration limit) {
    const auto until = now + limit;
    while (!holds()) {
      if (!step(until)) return holds();
    }
    return true;
  }

  Time now{};
  std::function<bool(const Endpoint&, const Bytes&)> lose;
  std::vector<std::unique_ptr<Machine>>& machines() { return machines_; }

  // Everything that reached other machines than ours.
  std::vector<std::pair<Endpoint, Bytes>> elsewhere;

 private:
  struct Packet {
    Endpoint from;
    Endpoint to;
    Bytes bytes;
  };

  bool step(Time until) {
    Machine* due = nullptr;
    Time next = kNever;
    for (auto& m : machines_) {
      if (!m->mdns || m->mdns->next_timeout() >= next) continue;
      next = m->mdns->next_timeout();
      due = m.get();
    }
    const bool packet = !wire_.empty() && wire_.begin()->first <= next;
    const auto at = packet ? wire_.begin()->first : next;
    if (at > until) return false;
    now = std::max(now, at);
    if (!packet) {
      due->mdns->handle_timeout(now);
      drain(*due);
      return true;
    }
    const auto p = std::move(wire_.begin()->second);
    wire_.erase(wire_.begin());
    deliver(p);
    return true;
  }

  void deliver(const Packet& p) {
    bool known = p.to.ip.is_multicast();
    for (auto& m : machines_) {
      if (!p.to.ip.is_multicast() && !(m->ip == p.to.ip && p.to.port == kPort)) continue;
      known = true;
      if (!m->mdns) continue;
      auto bytes = p.bytes;
      m->mdns->handle_datagram(now, Datagram{p.from, bytes});
      drain(*m);
    }
    if (!known) elsewhere.emplace_back(p.to, p.bytes);
  }

  std::uint64_t seed_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::multimap<Time, Packet> wire_;
};

}  // namespace linnet::overlay::mdns::test
