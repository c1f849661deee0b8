// A small town of whole nodes on a virtual network: what ships, driven by virtual time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "media/audio_device.h"
#include "node/node.h"

namespace linnet::node {

// One node with its person: who they are, what happened to them, what they said and heard.
struct Resident {
  std::string name;
  Endpoint endpoint;
  std::unique_ptr<Rng> rng;
  const crypto::Suite* suite = nullptr;
  std::unique_ptr<Node> node;
  NodeConfig config;
  bool alive = true;
  bool disk_full = false;        // nothing can be stored
  bool answers = false;          // by hand, as soon as it rings
  std::int64_t clock_off_s = 0;  // what the clock on the wall shows too much
  std::vector<Event> events;
  std::vector<CallId> sounding;    // between AudioStart and AudioStop
  std::vector<CallId> sounded;     // ever
  std::vector<std::int16_t> says;  // 48 kHz; silence afterwards
  std::size_t said = 0;
  std::optional<Duration> encoding_takes;  // of each 10 ms of sound, as a driver would have measured it
  std::optional<Duration> mixing_takes;    // of each frame of a conference, until it is sent
  std::vector<std::int16_t> heard;         // from the first sample that was played
  Time next_sound = kNever;
  std::uint64_t last_command = 0;

  template <class E>
  const E* last() const {
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      if (const auto* e = std::get_if<E>(&*it)) return e;
    }
    return nullptr;
  }
  template <class E>
  std::size_t count() const {
    std::size_t n = 0;
    for (const auto& e : events) n += std::holds_alternative<E>(e) ? 1 : 0;
    return n;
  }
  // What the driver was told to store, in order.
  template <class C>
  std::vector<C> stored() const {
    std::vector<C> out;
    for (const auto& e : events) {
      const auto* people = std::get_if<event::SavePeople>(&e);
      if (people == nullptr) continue;
      for (const auto& change : people->changes) {
        if (const auto* c = std::get_if<C>(&change)) out.push_back(*c);
      }
    }
    return out;
  }
  std::vector<Pin> pins() const { return stored<Pin>(); }
  const CallSummary* summary() const {
    const auto* e = last<event::CallEnded>();
    return e == nullptr ? nullptr : &e->summary;
  }
};

class Town {
 public:
  explicit Town(const crypto::Suite& suite = crypto::shipped_suite(), std::uint64_t seed = 1);

  // Supernodes 198.51.1.1, 198.51.2.1, ...: global addresses in prefixes of their own.
  void build(int supernodes = 3);
  Resident& add(const std::string& address, const std::function<void(NodeConfig&)>& tweak = {}, Memory memory = {});
  Resident& add(crypto::Identity identity, const std::function<void(NodeConfig&)>& tweak = {}, Memory memory = {});
  // The same person on another device.
  crypto::Identity another_device_of(const Resident& person);
  crypto::Identity identity(const std::string& address);

  // A machine on a cable: fe80::NR on interface 7, no other address and nobody configured.
  Resident& add_on_cable(const std::string& address, std::uint8_t nr);
  // What multicast DNS does: `who` hears the announcement of `of`.
  void hears(Resident& who, const Resident& of);

  CommandId tell(Resident& person, const Command& command);
  CommandId call(Resident& from, const std::string& whom, std::optional<Duration> length = {});
  void run_for(Duration d) {
    run_until([] { return false; }, d);
  }
  // True when it came true in time.
  bool run_until(const std::function<bool()>& done, Duration limit);
  bool all_online(Duration limit = std::chrono::seconds(20));
  void kill(Resident& person) { person.alive = false; }
  // kill -9 and started again, with what a driver stored.
  void restart(Resident& person);

  Time now() const { return now_; }
  Duration delay = std::chrono::milliseconds(2);
  // Randomness of residents that come from now on, by their seed; none: the town's.
  std::function<std::unique_ptr<Rng>(std::uint64_t seed)> next_rng;
  const crypto::Suite* next_suite = nullptr;  // of residents that come from now on; null: the town's
  std::function<void(const Resident& to, const Endpoint& from, ByteView bytes)> delivered;
  bool disks_full = false;        // of residents that come from now on
  std::int64_t clocks_off_s = 0;  // likewise
  // What happens to a datagram on the way: it may be changed; true: it never arrives.
  std::function<bool(const Endpoint& from, const Endpoint& to, Bytes& bytes)> meddle;
  // A NAT before somebody, of the test's own: takes what leaves (true), what a search sends, and what comes to nobody.
  std::function<bool(Resident& from, const Endpoint& to, Bytes& bytes)> leaving;
  std::function<void(Resident& from, FanShot shot)> searching;
  std::function<void(const Endpoint& from, const Endpoint& to, MutableBytes bytes)> to_nobody;
  void send(const Endpoint& from, const Endpoint& to, Bytes bytes) {
    packets_.emplace(std::pair(now_ + delay, ++sequence_), Packet{from, to, std::move(bytes)});
  }
  void drain(Resident& person);
  double loss = 0;                                  // share of datagrams that never arrive
  std::set<std::pair<Endpoint, Endpoint>> blocked;  // as between two networks that let nothing in from each other
  std::vector<std::unique_ptr<Resident>> supernodes, people;
  std::set<std::pair<Endpoint, Endpoint>> flows;  // who sent datagrams to whom

 private:
  struct Packet {
    Endpoint from, to;
    Bytes bytes;
  };
  Resident& place(std::vector<std::unique_ptr<Resident>>& where, crypto::Identity identity, Endpoint endpoint,
                  NodeConfig config, Memory memory);
  void raise(Resident& person, crypto::Identity identity, overlay::HostCache cache, Memory memory);
  void on_event(Resident& person, const Event& event);
  void sound(Resident& person);
  Resident* at(const Endpoint& endpoint);
  std::vector<Resident*> everybody();

  const crypto::Suite& suite_;
  SeededRng rng_;
  Time now_{std::chrono::seconds(1000)};
  Time next_wall_ = now_;
  std::map<std::pair<Time, std::uint64_t>, Packet> packets_;
  std::uint64_t sequence_ = 0;
};

std::vector<std::int16_t> tone(double hz, Duration length);
// How strong `hz` is in the samples against all that is in them: 1 for the pure tone.
double share_of(double hz, const std::vector<std::int16_t>& samples);

}  // namespace linnet::node
