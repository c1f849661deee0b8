// The other driver: clock and chance of a simulated network. Pops the earliest event, sets the time, delivers one
// datagram or one deadline, drains that machine through its NAT and the links back into the queue. Everything follows
// from the seed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sim/actor.h"
#include "sim/address_book.h"
#include "sim/event_queue.h"
#include "sim/nat_box.h"
#include "sim/net_map.h"

namespace linnet::sim {

struct WorldConfig {
  std::uint64_t seed = 1;
  LinkConfig link;
  Wall epoch{1'800'000'000};                       // wall time at virtual zero
  Duration wall_every = std::chrono::seconds(30);  // how often a host is told the wall time
};

// What goes wrong beside loss: shares of datagrams.
struct Weather {
  double duplicated = 0;
  double corrupted = 0;  // one bit of it
};

struct HostCounters {
  std::uint64_t bytes_out = 0;  // UDP payload + 28 bytes of IP and UDP headers
  std::uint64_t bytes_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t deadlines = 0;
};

class World {
 public:
  explicit World(WorldConfig config);

  // `inside` is what the host binds; behind a NAT the world sees `nat->outside()`.
  HostId add(std::unique_ptr<Actor> actor, const Endpoint& inside, bool supernode,
             std::optional<NatBox> nat = std::nullopt);
  // The host vanishes without a word: what is in flight to it is lost.
  void kill(HostId host);
  // Another machine starts where one vanished. Its router still has the mappings of before.
  void revive(HostId host, std::unique_ptr<Actor> actor) { hosts_[index(host)].actor = std::move(actor); }
  // Datagrams pass only among hosts of one side; all begin on side 0.
  void put_on_side(HostId host, std::uint8_t side) { sides_[index(host)] = side; }
  void set_weather(const Weather& weather) { weather_ = weather; }
  // Its router restarts: mappings and filters are gone.
  void forget_mappings(HostId host) {
    if (auto& nat = hosts_[index(host)].nat) nat->forget();
  }
  // Its clock is set; the ordinary ticks set it right again.
  void tell_wall(HostId host, Wall wall);
  std::optional<HostId> host_at(const IpAddress& address) const {
    const auto found = routes_.find(address);
    return found ? std::optional(HostId{*found}) : std::nullopt;
  }
  std::size_t hosts() const { return hosts_.size(); }
  bool alive(HostId host) const { return hosts_[index(host)].actor != nullptr; }

  // Runs `action` at `at`, before datagrams and deadlines of the same instant that were queued later.
  void at(Time at, std::function<void(Time)> action);
  // After a command was given to a machine from outside: drains it and arms its timer anew.
  void settle(HostId host);

  void run_until(Time end);
  Time now() const { return now_; }
  Wall wall() const;
  NetMap& net() { return net_; }

  std::uint64_t events() const { return events_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t unroutable() const { return unroutable_; }
  // Chained over (time, kind, hosts, first byte, size) of every event: equal for equal seed, and equal for both wires.
  std::uint64_t trace_hash() const { return trace_; }
  const HostCounters& counters(HostId host) const { return hosts_[index(host)].counters; }
  // Watches every delivered datagram; for invariants.
  void watch(std::function<void(Time, HostId from, HostId to, ByteView)> watcher) { watcher_ = std::move(watcher); }

 private:
  using Kind = Event::Kind;
  struct Host {
    std::unique_ptr<Actor> actor;
    Time deadline = kNever;  // of the machine
    Time armed = kNever;     // the earliest of its deadlines in the queue; it may have moved later meanwhile
    Endpoint inside;
    std::optional<NatBox> nat;
    HostCounters counters;
  };
  struct Flight {  // a datagram under way
    HostId from{};
    HostId route{};
    Endpoint source;
    Endpoint to;
    Bytes bytes;
  };

  static std::size_t index(HostId host) { return static_cast<std::size_t>(host); }
  void push(Time at, Kind kind, std::uint32_t ref);
  void fire(Time at, std::uint32_t host);
  void deliver(std::uint32_t flight);
  void hand_over(const Flight& flight, MutableBytes bytes);
  void drain(HostId host);
  void launch(HostId host, Transmit transmit);
  void carry(HostId host, HostId to, const Endpoint& source, const Transmit& transmit);
  void arm(HostId host, Time deadline);
  void trace(Kind kind, std::uint64_t a, std::uint64_t b);

  WorldConfig config_;
  Weather weather_;
  SeededRng chance_;  // of the weather
  NetMap net_;
  Time now_{};
  std::vector<Host> hosts_;
  std::vector<std::uint8_t> sides_;  // of hosts, apart: who sends asks for another's
  AddressBook routes_;
  EventQueue queue_;
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_flights_;
  std::vector<std::function<void(Time)>> actions_;
  std::function<void(Time, HostId, HostId, ByteView)> watcher_;
  std::uint64_t events_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t unroutable_ = 0;
  std::uint64_t trace_ = 0;
};

}  // namespace linnet::sim
