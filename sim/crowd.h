// A crowd of overlay peers: who lives, who asks for whom, and what came back. Scenarios decide what happens to it.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "sim/hostile.h"
#include "sim/outcome.h"
#include "sim/peer_actor.h"
#include "sim/population.h"
#include "sim/scenario.h"
#include "sim/sybils.h"
#include "sim/typed_codec.h"

namespace linnet::sim {

class Crowd {
 public:
  // The first `supernodes` of the nodes are that; the others live behind routers. Nobody lives yet. Those that have
  // their places given are supernodes as well, and come after the nodes. `who`: population_of() (designs.h), but where
  // a scenario has its own.
  Crowd(const ScenarioConfig& config, Population who, LinkConfig link = {}, std::vector<Placed> placed = {});

  World& world() { return world_; }
  Report& report() { return report_; }
  std::uint32_t nodes() const { return who_.nodes; }
  std::uint32_t supernodes() const { return who_.supernodes; }
  // Hosts with a fast line: they start first, and are known to others.
  std::uint32_t fit() const { return who_.fit != 0 ? who_.fit : who_.supernodes; }
  // The nodes and those with given places.
  std::uint32_t hosts() const { return static_cast<std::uint32_t>(people_.size()); }
  bool is_supernode(std::uint32_t i) const { return i < who_.supernodes || i >= who_.nodes; }
  bool alive(std::uint32_t i) const { return world_.alive(HostId{i}); }
  bool online(std::uint32_t i) const;
  // A leaf that a living supernode has accepted; a supernode that lives.
  bool has_home(std::uint32_t i) const;
  // The living supernodes that a living leaf is attached to.
  std::vector<std::uint32_t> homes(std::uint32_t i) const;
  std::uint32_t count_online() const;

  // From its next life on.
  void corrupt(std::uint32_t i, Lie lie);
  bool honest(std::uint32_t i) const { return hostile_[i] == nullptr; }
  // Of the DHT, so far.
  std::uint64_t datagrams() const { return datagrams_; }
  // How long supernodes have lived, all together.
  std::uint64_t supernode_seconds() const { return supernode_seconds_; }

  // A life begins: the first, or one more, with the sequence and the host cache that the last one left behind.
  void start(Time now, std::uint32_t i);
  // Vanishes without a word.
  void die(std::uint32_t i);
  // Says good-bye; vanishes once that is said.
  void leave(Time now, std::uint32_t i);
  // Both must live until the answer is there, or it counts for nothing.
  void ask(Time now, std::uint32_t caller, std::uint32_t target);
  // So many questions in `span`, from honest peers that are online to others that are, drawn when their moment comes.
  void ask_around(Time from, Duration span, std::uint64_t questions);
  // The same, all for one name.
  void ask_for(std::uint32_t target, Time from, Duration span, std::uint64_t questions);

  void run(std::string_view phase, Time until);
  // Seconds after `from` from which on, in steps of five, 99 of 100 that were asked for were found at home.
  std::optional<double> reached_after(Time from) const;
  // Until all that was asked is answered or too late; then what was found.
  Report finish();

  SeededRng& rng() { return rng_; }
  Time moment(Time from, Duration span);

 private:
  struct Person {  // what outlives a life
    crypto::Identity identity;
    std::uint64_t sequence = 1;
    overlay::HostCache cache;
    Time started{};
    bool counted_online = false;
    bool leaving = false;
    std::uint32_t lives = 0;
  };
  struct Asked {
    std::uint32_t target;
    Time at;
    std::size_t number;  // of outcomes_
  };
  struct Outcome {
    Time at;
    bool counts = true;  // both lived until the answer was there
    bool at_home = false;
  };

  PeerActor& actor(std::uint32_t i) const { return *actors_[i]; }
  std::unique_ptr<PeerActor> make(std::uint32_t i);
  Endpoint outside(std::uint32_t i) const { return i < who_.nodes ? where_(i) : placed_[i - who_.nodes]; }
  Endpoint inside(std::uint32_t i) const { return is_supernode(i) ? outside(i) : private_endpoint(i); }
  void add(std::uint32_t i, crypto::Identity identity);
  void ask_somebody(Time now);
  std::optional<std::uint32_t> somebody_online();
  void remember(std::uint32_t i);
  void collect();
  void judge(const Asked& asked, const PeerActor::Answer& answer);
  bool leads_home(std::uint32_t target, const overlay::Found& found) const;

  ScenarioConfig config_;
  Population who_;
  Endpoint (*where_)(std::uint32_t);
  std::vector<Endpoint> placed_;
  TypedCodec codec_;  // this and those who lie outlive the peers of the world
  dht::NoiseCodec shipped_;
  Conspiracy conspiracy_;
  std::vector<std::unique_ptr<HostileCodec>> hostile_;  // null: an honest one
  World world_;
  SeededRng rng_;
  std::vector<Person> people_;
  std::vector<PeerActor*> actors_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Asked> asked_;
  std::vector<Outcome> outcomes_;  // of all questions, in order
  bool oversize_ = false;
  std::uint64_t datagrams_ = 0;
  std::uint64_t supernode_seconds_ = 0;
  Report report_;
};

}  // namespace linnet::sim
