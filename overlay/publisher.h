// Our records: built for the homes that answer for us, numbered, stored through a home, refreshed before they expire.
#pragma once

#include <optional>
#include <vector>

#include "base/fifo.h"
#include "overlay/context.h"

namespace linnet::overlay {

// Record sequences never go back, not even after a crash: a block is announced, the driver stores it, then it is used.
class Sequences {
 public:
  static constexpr std::uint64_t kBlock = 100;

  explicit Sequences(std::uint64_t first) : next_(first), announced_(first), confirmed_(first) {}

  // The next block, when the present one runs low.
  std::optional<SequenceUsed> announce();
  // The driver stored it. Never more than was announced.
  void confirm(std::uint64_t below) { confirmed_ = std::max(confirmed_, std::min(below, announced_)); }
  bool ready() const { return next_ < confirmed_; }
  std::uint64_t take() { return next_++; }

 private:
  std::uint64_t next_;
  std::uint64_t announced_;
  std::uint64_t confirmed_;
};

class Publisher {
 public:
  struct Order {
    std::uint64_t request = 0;
    unsigned attempt = 0;  // another home each time
    dht::SignedRecord record;
  };

  Publisher(const PeerConfig& config, const crypto::Identity& identity);

  // `settled`: no further home is on its way. Otherwise the record waits a moment for the others.
  void set_homes(const Context& c, std::vector<dht::Home> homes, bool settled);
  void on_result(const Context& c, std::uint64_t request, std::size_t copies);
  // Our clock was set: what we said about time is wrong, so we say it again.
  void clock_set(const Context& c);
  // What stands now is stored again, as it is: supernodes came or went.
  void store_again(const Context& c);
  // The same through the home of that number, for who was not found there.
  void store_through(const Context& c, const crypto::UserKey& user, unsigned home);
  // Of those that stand, the ones that the DHT finds thinned out.
  void store_thinned(const Context& c, const dht::Dht& dht);
  // Names of another account, a room's, which certified this device: said with ours until withdraw(), for a short life.
  void publish_also(const Context& c, const crypto::Address& address, const AlsoKnown& as);
  // Nobody is there any more: a record that says so takes the place of the last one.
  void withdraw(const Context& c, const crypto::Address& address);
  // Records that say: nobody here. They shadow those before them until these expire.
  std::vector<dht::SignedRecord> withdrawals(const Context& c);

  void handle_timeout(const Context& c);
  Time next_timeout() const;
  std::optional<Order> poll();
  // A home says that it stored it.
  struct Kept {
    crypto::UserKey user;
    unsigned home = 0;  // Order::attempt
  };
  std::optional<Kept> poll_kept();

  Sequences& sequences() { return sequences_; }
  // The record of a name as we say it to people we call. Null before the first was built.
  const dht::SignedRecord* record(const crypto::Address& address) const;
  const dht::SignedRecord* record(const crypto::UserKey& user) const;
  bool stored() const;  // every name of our own
  // And nothing newer is to be built or stored.
  bool settled() const;

 private:
  struct Name {
    crypto::Address address;
    std::optional<dht::SignedRecord> record;
    std::uint64_t request = 0;  // not 0: under way
    unsigned attempts = 0;
    bool stored = false;
    Time store_at = kNever;
    Time give_up_at = kNever;
    std::optional<AlsoKnown> also;  // else it is our own
    Time renew_at = kNever;         // of those alone: theirs expire sooner
    Time gone_at = kNever;          // withdrawn: until that is stored, or then
    bool says_homes() const { return gone_at == kNever; }
  };
  static constexpr std::size_t kMostAlso = 32;

  void build(const Context& c);
  // Else its time may be over, and it waits for a home or a block of sequences.
  bool may_renew() const { return !homes_.empty() && sequences_.ready(); }
  std::size_t leads_by(const std::vector<dht::Home>& homes) const;
  void draw_lot(const Context& c, std::size_t led, std::size_t changed);
  Result<dht::SignedRecord> make(const Context& c, const Name& name, const std::vector<dht::Home>& homes);
  bool build(const Context& c, Name& name);
  Name* named(const crypto::Address& address);

  std::vector<Name> names_;
  std::vector<dht::Home> homes_;
  std::vector<dht::Home> said_;  // in the record that stands
  Sequences sequences_;
  Time build_at_ = kNever;
  std::size_t waits_ = 0;  // changes for which build_at_ was drawn by lot; 0: it was not
  Time renew_at_ = kNever;
  bool of_another_time_ = false;  // the record that stands was made by a clock that was set since
  std::optional<Time> built_at_;
  std::optional<Time> first_built_at_;
  Time rebuild_from_ = Time::min();
  Duration rebuild_pause_{};
  std::uint64_t requests_ = 0;
  Fifo<Order> orders_;
  Fifo<Kept> kept_;
};

}  // namespace linnet::overlay
