// The inside of Dht: joins table, store, RPC and the lookups under way. Private to this folder.
#pragma once

#include <map>
#include <variant>

#include "dht/dht.h"
#include "dht/lookup.h"
#include "dht/routing_table.h"
#include "dht/rpc.h"
#include "dht/store.h"

namespace linnet::dht {

// What a lookup is for, and what stands beside it.
struct FindRecordsGoal {
  crypto::UserKey key;
  std::optional<crypto::AccountKey> pinned;
  std::vector<SignedRecord> found;  // one for each device
  std::size_t further = 0;          // questions for the next record of a supernode that has several
  std::size_t further_asked = 0;
  bool salted = false;  // nobody around the key had it: the salted root is asked
  std::size_t asked_before = 0;
  std::size_t rounds_before = 0;
};
struct FindNodesGoal {};
// A lookup that stores where it can on its way; then the stores that are missing, the next nearest for each that fails.
struct PublishGoal {
  SignedRecord record;
  std::vector<Contact> targets;
  std::size_t next = 0;
  std::size_t pending = 0;
  std::size_t copies = 0;
  std::size_t strays = 0;   // of the copies: given at once, and not at one of the nearest
  std::size_t overdue = 0;  // of those pending: another is given it meanwhile
  std::size_t refused = 0;
  std::size_t overtaken = 0;             // places that hold something newer: no other takes their place
  std::vector<crypto::DeviceKey> given;  // were told to store it
  std::size_t others = 0;                // so many hold it beside ourselves
  double supernodes = 0;                 // in the network, as far as we know
  std::size_t crowd = 0;                 // holders beyond the planned ones, behind who stands too close together
  Id farthest;                           // of those
  bool watched = false;                  // our own: who has it is remembered
  bool storing = false;
  bool kept = false;     // here
  bool resumed = false;  // too few took it: further ones were looked for
  bool salted = false;
};
struct RefreshGoal {
  bool joining = false;  // goes on with the next stale bucket
  bool own = false;      // around our own place
};

struct Task {
  Lookup lookup;
  std::variant<FindRecordsGoal, FindNodesGoal, PublishGoal, RefreshGoal> goal;
};

struct Dht::Impl {
  static constexpr std::size_t kMaxHints = 32;
  static constexpr std::size_t kMaxPings = 8;
  static constexpr std::size_t kSilentRemembered = 32;
  static constexpr std::size_t kMaxLeaving = 16;
  // Within the distance where chance would put so many places around a key, or its salted root, all are holders however
  // many there are. That chance put nobody honest there has probability exp(-3), at both exp(-5) = 0.7 %.
  static constexpr double kHoldersWithin = 3;
  static constexpr double kSaltedHoldersWithin = 2;
  static constexpr std::size_t kMostTargets = Lookup::kMaxInReach + 8;
  static constexpr std::size_t kPublishSlack = 2;  // so many more than are stored at must have answered

  Impl(Config c, const crypto::Suite& s, Rng& r, const crypto::Identity& id, Endpoint endpoint);

  // Inputs (dht.cpp).
  void dispatch(Time now, RpcEvent event);
  void handle_timeout(Time now);
  Time next_timeout() const;
  void move_to(Time now, const Endpoint& endpoint);
  void wake(Time now);  // starts the maintenance clock at the first input
  std::optional<Wall> wall_at(Time now) const { return clock.at(now); }

  // Answering (serve.cpp).
  void serve(Time now, Incoming incoming);
  std::vector<Contact> contacts_for(const Id& target, const Endpoint& listener) const;
  AnswerStatus store_for(Time now, ByteView wire, const IpAddress& writer);
  AnswerStatus keep(Time now, SignedRecord record, const IpAddress& writer);
  bool belongs_here(const crypto::UserKey& user) const;
  bool within(const Id& place, std::uint64_t reach) const;

  // Lookups (tasks.cpp).
  void drive(Time now, std::uint64_t id);
  void query(Time now, std::uint64_t id, Task& task, const Lookup::Ask& ask);
  bool ask_further(Time now, std::uint64_t id, FindRecordsGoal& goal, const Contact& to, std::uint64_t skip);
  void on_answered(Time now, Answered& answered);
  void on_query_answer(Time now, const Answered& answered);
  void on_further_answer(Time now, const Answered& answered);
  void on_late(Time now, const Purpose& purpose);
  void on_failed(Time now, const Failed& failed);
  void collect(Time now, Task& task, ByteView wire);
  void finish(Time now, std::uint64_t id);
  Lookup lookup_of(Time now, const Id& target, std::size_t paths, std::size_t width) const;
  Lookup lookup_for_records(Time now, const Id& target, const FindOptions& options) const;
  Result<LookupId> start(Time now, Lookup lookup, decltype(Task::goal) goal);
  bool satisfied(const FindRecordsGoal& goal) const;
  bool goes_on(Time now, Task& task) const;
  std::uint64_t reach_of_holders(bool salted) const;
  bool try_salted_root(Time now, Task& task);
  bool has_salted_roots() const { return config.salted_replicas > 0 && table.size() >= 2 * config.replicas; }
  std::vector<Contact> contacts_near(const Id& target, std::size_t n) const;
  void forget_old_deadlines();

  // Publishing (publishing.cpp).
  Result<LookupId> start_publishing(Time now, const Id& place, PublishGoal goal);
  std::size_t copies_of(const PublishGoal& goal) const {
    return goal.crowd + (goal.salted ? config.salted_replicas : config.replicas);
  }
  void on_store_late(Time now, std::uint64_t id, Task& task, Lookup::Slot slot);
  bool store_at_once(Time now, std::uint64_t id, Task& task, Lookup::Slot slot, const Contact& to);
  void on_stored_at_once(Time now, const Answered& answered);
  void on_store_at_once_failed(Time now, const Purpose& purpose);
  void begin_storing(Time now, std::uint64_t id, PublishGoal& goal, const Id& key, std::vector<Contact> near);
  std::size_t crowd_among(const PublishGoal& goal, const Id& key) const;
  void store_next(Time now, std::uint64_t id);
  bool look_further(Time now, std::uint64_t id, Task& task);
  void give(PublishGoal& goal, const Id& place, const Contact& to);
  void watch(const PublishGoal& goal);
  bool thinned(const crypto::UserKey& user) const;
  void on_stored(Time now, std::uint64_t id, AnswerStatus status);

  // Keeping the table and the copies (upkeep.cpp).
  void learn(Time now, const Contact& contact, bool first);
  void ping(Time now, const Contact& contact);
  void ping_hints(Time now);
  void on_new_contact(Time now, const Contact& contact);
  void hand_on(Time now, const Contact& contact);
  void tick(Time now);
  bool hand_over(Time now, std::size_t most);
  std::vector<Contact> heirs(const crypto::UserKey& key) const;
  void check_liveness(Time now);
  void look_after_silence(Time now);
  void look_at_some(Time now);
  bool looks_around(Time now) const;
  void let_go_of_far_records(Time now);
  void let_go(Time now, const crypto::UserKey& key);
  void on_let_go(std::uint64_t id, bool kept);
  bool covers(const Id& target, std::size_t n) const;
  void refresh_self(Time now);
  void refresh_stale(Time now, bool joining);

  Status ask(Time now, const Contact& to, Request request, const Purpose& purpose);
  const crypto::Mac* cookie_of(Time now, const Contact& to) const;  // of the last answer, while it is good
  Duration timeout_for(const Contact& to) const;
  bool believable(const Contact& told, const Contact& by) const;
  bool fell_silent(Time now, const Contact& contact) const;
  bool seems_dead(Time now, const Contact& contact) const;

  Config config;
  const crypto::Suite& suite;
  Rng& rng;
  const crypto::Identity& identity;
  Contact self;
  Counters counters;
  RoutingTable table;
  RecordStore store;
  Rpc rpc;
  BoundedQueue<Event> events;

  std::map<std::uint64_t, Task> tasks;
  std::uint64_t next_task = 1;
  Fifo<std::pair<Time, std::uint64_t>> lookup_deadlines;  // all lookups live equally long: in order of start
  std::vector<Contact> hints;
  std::vector<crypto::DeviceKey> pinging;
  struct Silent {
    Time since{};
    crypto::DeviceKey device;
    bool alone = false;  // others answered meanwhile: it is not our own link that is dead
  };
  std::vector<Silent> silent;  // the latest that did not answer: hearsay about them is not followed
  Time answered_at = Time::min();
  RttEstimate everybody;  // for contacts that were never measured
  std::size_t samples = 0;

  NetworkClock clock{true};
  Time wall_set_at{};
  Time tick_at = kNever;
  Time purge_from = kNever;
  Time self_refresh_at = kNever;
  Duration self_refresh_every{};
  bool searched_own = false;  // our own neighbourhood, since we know anybody
  std::size_t liveness_cursor = 0;
  // Since many fell silent at once: when the next few are asked, how many are left, who was heard since need not be.
  Time look_at = kNever;
  std::size_t look_left = 0;
  Time look_from = Time::min();
  crypto::UserKey store_cursor;
  std::uint64_t swept = ~std::uint64_t{0};  // generation of the table for which every record was looked at
  std::uint64_t sweeping = 0;               // generation when the present sweep began
  bool sweep_is_clean = true;               // it found nothing that belongs elsewhere

  // Who was given a record of our own: gone ones are seen, and nearer ones that came later.
  struct Watched {
    crypto::UserKey user;
    Id farthest;
    std::vector<std::pair<crypto::DeviceKey, bool>> given;  // and whether it was met then
  };
  std::vector<Watched> watched;

  // Records that others are to hold instead: dropped here when all of them are taken.
  struct Leaving {
    crypto::UserKey key;
    std::size_t pending = 0;
    bool all_kept = true;
  };
  std::map<std::uint64_t, Leaving> leaving;
  std::uint64_t next_leaving = 1;
  std::optional<crypto::UserKey> handed_over;  // to here, of a supernode that ends; the zero key: nothing yet
};

}  // namespace linnet::dht
