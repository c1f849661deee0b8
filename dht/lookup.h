// An iterative lookup as a machine without a network (Kademlia, section 2.3; disjoint paths: Baumgart, Mies,
// S/Kademlia, 2007).
//
// Each path keeps asking the nearest contact it knows and that no other path asked, `alpha` at a time, until the
// `width` nearest that answer have answered. A contact that is late frees its slot for the next one (the hedge); late
// twice, and the path no longer waits for it; its answer still counts whenever it comes.
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

  struct Options {
    Id target;
    std::size_t paths = 1;
    std::size_t alpha = 4;
    std::size_t width = 8;
    Time deadline = kNever;
  };
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
  void stop() { stopped_ = true; }
  void end_by(Time deadline) { options_.deadline = deadline; }

  // Those that answered, nearest first.
  std::vector<Contact> nearest(std::size_t n) const;
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
  };

  void add(const Contact& contact, std::uint8_t paths, std::uint16_t depth);
  Step advance(std::uint8_t path);
  Step ask(std::uint8_t path, Slot slot);
  bool before(const Contact& a, const Contact& b) const;
  void settle(Candidate& candidate, State state);

  Options options_;
  crypto::DeviceKey self_;
  std::vector<Candidate> pool_;
  std::vector<Slot> order_;  // into the pool, nearest first
  std::array<Path, kMaxPaths> paths_{};
  std::uint8_t turn_ = 0;
  std::size_t rounds_ = 0;
  bool stopped_ = false;
};

}  // namespace linnet::dht
