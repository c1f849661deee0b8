// An iterative lookup as a machine without a network (Kademlia, section 2.3; disjoint paths: Baumgart, Mies,
// S/Kademlia, 2007).
//
// Each path keeps asking the nearest contact it knows and that no other path asked, `alpha` at a time, until the
// `width` nearest that answer have answered, those of one place (place.h) after one of each place. A contact that is
// late frees its slot for the next one (the hedge); late twice, and the path no longer waits for it; its answer still
// counts whenever it comes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "base/time.h"
#include "dht/contact.h"

namespace linnet::dht {

class Lookup {
 public:
  static constexpr std::size_t kMaxPaths = 8;
  static constexpr std::size_t kMaxCandidates = 64;  // for each path
  static constexpr std::size_t kMaxAsked = 48;       // by each path
  // At one place so many are asked for one that is nearer still; and so many are kept when there is no more room.
  static constexpr std::size_t kMaxAtOnePlace = 3;

  struct Options {
    Id target;
    std::size_t paths = 1;
    std::size_t alpha = 4;
    std::size_t width = 8;
    Time deadline = kNever;
    // Others walk to the same target, and each asks first whom no other asks: of the nearest known the rank-th of every
    // `stride`, and for who is late or fails whoever is nearest. One path then.
    std::size_t rank = 0;
    std::size_t stride = 1;
    std::optional<Id> own_place = std::nullopt;  // counts as one of the nearest, for others count it
    std::uint64_t reach = 0;                     // the first 8 bytes of a distance, see below
  };
  static constexpr std::size_t kMaxInReach = 20;
  using Slot = std::uint32_t;
  struct Ask {
    Slot slot;
    const Contact* contact;  // until the next call
  };
  struct Wait {};
  struct Finished {};
  using Step = std::variant<Ask, Wait, Finished>;

  // Seeds are dealt out to the paths in turn, so hand them in nearest first.
  Lookup(const Options& options, const crypto::DeviceKey& self, std::span<const Contact> seeds);

  // What to do now. Call until it says Wait or Finished; again after every input.
  Step next(Time now);
  void on_answer(Slot slot, std::span<const Contact> contacts);
  void on_late(Slot slot);
  void on_failure(Slot slot);
  // It answered, but not as it was meant to: another takes its place.
  void on_refusal(Slot slot, std::span<const Contact> contacts);
  void stop() { stopped_ = true; }
  // Goes on until so many have answered, whatever their rank.
  void widen(std::size_t width, std::uint64_t reach = 0);
  std::uint64_t reach() const { return options_.reach; }
  bool strides() const { return options_.stride > 1; }
  void end_by(Time deadline) { options_.deadline = deadline; }

  // Those that answered: the nearest of each place, nearest first, then the others.
  std::vector<Contact> nearest(std::size_t n) const;
  bool overdue(Slot slot) const { return pool_[slot].state == State::overdue; }
  // How many known ones, that have not failed, come before it.
  std::size_t rank_of(Slot slot) const;
  const Contact& contact(Slot slot) const { return pool_[slot].contact; }
  const Id& target() const { return options_.target; }
  Time deadline() const { return options_.deadline; }
  std::size_t asked() const;
  std::size_t rounds() const { return rounds_; }

 private:
  enum class State : std::uint8_t { fresh, asked, late, overdue, answered, failed };
  struct Candidate {
    Contact contact;
    State state = State::fresh;
    std::uint8_t known_to = 0;      // a bit for each path that heard of it
    std::uint8_t path = kMaxPaths;  // the one that asked it
    std::uint16_t depth = 1;
  };
  struct Path {
    std::size_t active = 0;  // slots of alpha in use
    std::size_t asked = 0;
    std::size_t answered = 0;
    bool done = false;
    bool strained = false;  // somebody was late or failed
  };

  void add(const Contact& contact, std::uint8_t paths, std::uint16_t depth);
  std::optional<std::size_t> whom_to_forget(const Contact& newcomer) const;
  bool ours(const Candidate& candidate, std::uint8_t path) const;
  std::size_t one_of_place(std::uint8_t path, std::size_t from, std::size_t end) const;
  // Those of a path that have not failed, as they come in turn; ends when `visit` says false.
  template <class Visit>
  void in_order(std::uint8_t path, Visit visit) const;
  Step advance(std::uint8_t path);
  Step advance_shared();
  Step ask(std::uint8_t path, Slot slot);
  // The first 8 bytes of the distance to the target.
  std::uint64_t far(const Contact& contact) const { return lead(contact.position) ^ lead(options_.target); }
  bool before(const Contact& a, const Contact& b) const;
  void settle(Candidate& candidate, State state);
  bool in_turn(const Candidate& candidate, std::size_t rank) const;
  void take(Slot slot, State state, std::span<const Contact> contacts);

  Options options_;
  crypto::DeviceKey self_;
  std::vector<Candidate> pool_;
  std::vector<std::uint64_t> far_;  // beside the pool: most comparisons end here
  std::vector<Slot> order_;         // into the pool, nearest first
  std::array<Path, kMaxPaths> paths_{};
  std::uint8_t turn_ = 0;
  std::size_t rounds_ = 0;
  bool stopped_ = false;
};

}  // namespace linnet::dht
