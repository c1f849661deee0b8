// Kademlia among supernodes: a core without I/O. A leaf never runs one; it asks through its supernodes.
//
// RPC is one round trip, sealed with Noise NK (NKpsk0 in a closed network): frame type 9 request, 10 answer.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "crypto/identity.h"
#include "dht/contact.h"
#include "dht/floors.h"
#include "dht/network_clock.h"
#include "dht/share.h"

namespace linnet::dht {

inline constexpr std::uint8_t kRequestType = 9;
inline constexpr std::uint8_t kAnswerType = 10;

class Codec;

struct Config {
  crypto::NetworkId network;
  Codec* codec = nullptr;             // of round trips; null: the shipped one. Outlives the Dht
  std::optional<crypto::Secret> psk;  // closed network
  std::size_t k = 16;                 // bucket size
  std::size_t wide_buckets = 3;       // the shallowest, that hold 2, 4, 8 times as many
  std::size_t alpha = 4;              // queries under way in one path
  std::size_t replicas = 6;           // copies of a record in the region; at least 1
  std::size_t salted_replicas = 3;    // and at its salted root, where the region is not the whole network; 0: none
  std::size_t max_records = 100'000;
  std::size_t max_contacts = 4'000;
  std::size_t max_lookups = 256;     // under way at once
  std::vector<Floor> floors;         // of a run before this one
  bool report_floors = false;        // FloorRaised tells of every record that is kept
  double stranger_requests = 2000;   // a second, of addresses not yet proven; beyond that a cookie is the answer
  double requests_per_prefix = 500;  // a second, of a /24 or /48 that proved its addresses
};

enum class LookupId : std::uint64_t {};

struct FindOptions {
  std::size_t paths = 1;                     // disjoint paths
  std::optional<crypto::AccountKey> pinned;  // ends at the first valid record of this account
  Share share = {};                          // of walks by several supernodes, that ask six holders together
};

// Every record that was found for the key, best (highest sequence) first per device; verified and within its time.
struct RecordsFound {
  LookupId lookup{};
  std::vector<SignedRecord> records;
  std::size_t asked = 0;   // RPCs sent
  std::size_t rounds = 0;  // depth of the longest chain of answers
};
// The supernodes nearest the key that answered, nearest first, at most k.
struct NodesFound {
  LookupId lookup{};
  std::vector<Contact> nodes;
};
struct Stored {
  LookupId lookup{};
  std::size_t copies = 0;  // acknowledged, this node's own included
};
// A store refused because of equal sequence with other bytes: somebody signs twice.
struct Alarm {
  crypto::UserKey user;
  crypto::DeviceKey device;
};
// To be stored before the answer leaves: Config::floors of the next run.
struct FloorRaised {
  Floor floor;
};
using Event = std::variant<RecordsFound, NodesFound, Stored, Alarm, FloorRaised>;

struct Counters {
  std::uint64_t requests_in = 0, answers_in = 0, requests_out = 0, timeouts = 0, malformed = 0, refused = 0, stored = 0;
  std::uint64_t unexpected = 0, cookies_out = 0, handed_on = 0;
};

class Dht {
 public:
  using Event = dht::Event;

  // `self` is this supernode's own descriptor; `identity` gives the keys. Both outlive the Dht, as do suite and rng.
  Dht(Config config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity, Endpoint self);
  ~Dht();

  void handle_datagram(Time now, const Datagram& datagram);  // types 9 and 10
  void handle_timeout(Time now);
  // Our own clock, and what supernodes said of theirs elsewhere than in answers of the DHT: records are judged by
  // network_clock().
  void handle_wall(Time now, Wall wall);
  void hear_time(Time now, const IpAddress& from, const crypto::SessionKey& who, Wall said);
  const NetworkClock& network_clock() const;
  void take_over(const NetworkClock& clock);  // of the node that was no supernode before
  Time next_timeout() const;
  std::optional<Transmit> poll_transmit();
  std::optional<Event> poll_event();

  // A contact somebody told us of (bootstrap, session hello): asked once, inserted when it answers.
  void add_hint(Time now, const Contact& contact);
  // The session layer lost this supernode, or heard from it.
  void contact_lost(Time now, const crypto::DeviceKey& device);

  // Fault::full when too many lookups are under way. Results come as events.
  Result<LookupId> find_records(Time now, const crypto::UserKey& key, FindOptions options);
  Result<LookupId> find_nodes(Time now, const Id& target);
  // Stores at the `replicas` supernodes nearest the record's key (itself among them where it is one), then at the
  // `salted_replicas` nearest its salted root; Stored tells of the first.
  // `watched`: who was given it is remembered, for thinned().
  Result<LookupId> publish(Time now, SignedRecord record, bool watched = false);
  // Of those that were given this record of our own two are gone, or have come nearer since and were not.
  bool thinned(const crypto::UserKey& user) const;
  // What this node itself holds.
  std::vector<SignedRecord> local_records(const crypto::UserKey& key) const;

  const Contact& self() const;
  // Others reach this supernode at another endpoint from now on: its place is another one, and its neighbourhood is
  // searched anew. Contacts and records stay; what does not belong here any more is handed on.
  void move_to(Time now, const Endpoint& self);
  // This supernode is about to be none: at most so many of its records go to those that hold them in its place. True:
  // all went, since the first call.
  bool hand_over(Time now, std::size_t most);
  // Config::floors of the next Dht of this node.
  std::vector<Floor> floors() const;
  // Whether the n nearest supernodes to `target` are all in the table: it lies in our own neighbourhood, which was
  // searched. A lookup would find nobody else.
  bool covers(const Id& target, std::size_t n) const;
  // Many supernodes fell silent just now, and those known are asked one after another whether they are there.
  bool looks_around(Time now) const;
  // The supernode with this session key that answered us before.
  std::optional<Contact> contact_by_session(const crypto::SessionKey& key) const;
  // Nearest known contacts, self excluded.
  std::vector<Contact> nearest(const Id& target, std::size_t n) const;
  std::size_t contact_count() const;      // those that stand in buckets and are not known to be bad
  std::size_t book_count() const;         // those and the candidates: what the contact book holds
  double estimated_network_size() const;  // supernodes, by the density around this one
  std::size_t record_count() const;
  std::size_t record_bytes() const;
  std::size_t record_memory_bytes() const;  // what they take here
  std::size_t contact_book_bytes() const;
  std::size_t memory_bytes() const;  // beside records and contact book
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::dht
