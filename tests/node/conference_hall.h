// A conference of rooms alone: links deliver after a while, legs stand when both want them, who mixes is heard fifty
// times a second. No sound, no SIP; time is virtual.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>

#include "base/overloaded.h"
#include "node/conference_room.h"

namespace linnet::node::conference {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Hall {
  static constexpr Duration kWay = milliseconds(20);
  static constexpr Duration kSetup = milliseconds(60);
  static constexpr Duration kStep = milliseconds(5);
  static constexpr Duration kFrame = milliseconds(20);

  struct Person {
    crypto::Identity identity;
    std::unique_ptr<SeededRng> rng;
    std::optional<Room> room;
    bool alive = true;
    bool deaf_to_mixer = false;
    Time heard{};        // voice of whoever mixes
    Duration longest{};  // without it
    std::uint32_t mixes = 100;
    std::uint32_t uplink_kbps = 0;
    std::vector<std::string> strange;
    bool removed = false;
  };

  explicit Hall(std::uint64_t seed = 1) : rng(seed) {}

  std::size_t add(std::uint32_t mixes = 100) {
    auto& p = people.emplace_back();
    p.rng = std::make_unique<SeededRng>(rng.below(1u << 30));
    const auto name = "member" + std::to_string(people.size()) + "@hall.example";
    p.identity = crypto::make_identity(suite, *p.rng, *crypto::Address::parse(name), wall);
    p.mixes = mixes;
    return people.size() - 1;
  }
  Claim claim(const Person& p) const {
    Claim out;
    out.mixes = p.mixes;
    out.uplink_kbps = p.uplink_kbps;
    return out;
  }
  Room::Self self(Person& p) { return {&suite, &p.identity, p.rng.get()}; }
  crypto::DeviceKey key(std::size_t i) const { return people[i].identity.device_key(); }
  std::optional<std::size_t> index(const crypto::DeviceKey& device) const {
    for (std::size_t i = 0; i < people.size(); ++i)
      if (key(i) == device) return i;
    return std::nullopt;
  }

  void found(std::size_t i) { people[i].room = Room::found(self(people[i]), now, "team", claim(people[i])); }
  // `from` is in the room and invites `to`.
  void invite(std::size_t from, std::size_t to) {
    auto& p = people[to];
    p.room = Room::join(self(p), now, people[from].room->id(), key(from), claim(p));
    p.heard = now;
    people[from].room->leg(now, key(to), true, true);
  }
  void kill(std::size_t i) { people[i].alive = false; }

  void later(Duration after, std::function<void()> what) { events.emplace(now + after, std::move(what)); }

  Duration jitter() {
    if (most_jitter == Duration{}) return {};
    return Duration(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(most_jitter.count()))));
  }
  // A link delivers words in their order.
  void later_in_order(std::size_t from, std::size_t to, std::function<void()> what) {
    auto& last = delivered[{from, to}];
    last = std::max(last, now + kWay + jitter());
    events.emplace(last, std::move(what));
  }

  void carry_out(std::size_t from, const Order& what) {
    auto& p = people[from];
    std::visit(Overloaded{[&](const order::Tell& tell) {
                            const auto to = index(tell.to);
                            if (!to) return;
                            ++told;
                            octets += tell.words.size();
                            if (rng.below(1000) < static_cast<std::uint64_t>(loss * 1000)) return;
                            later_in_order(from, *to, [this, from, to = *to, words = tell.words] {
                              auto& there = people[to];
                              if (!there.alive || !there.room || !people[from].alive || cut(from, to)) return;
                              const auto message = read(words);
                              ASSERT_TRUE(message.has_value());
                              there.room->handle_message(now, wall, key(from), *message);
                            });
                          },
                          [&](const order::Connect& connect) {
                            const auto to = index(connect.device);
                            later(kSetup + jitter(), [this, from, to] { set_up(from, *to); });
                          },
                          [&](const order::Drop& drop) {
                            const auto to = index(drop.device);
                            p.room->leg(now, drop.device, drop.ours, false);
                            later(kWay, [this, from, to, ours = drop.ours] {
                              auto& there = people[*to];
                              if (there.alive && there.room && !cut(from, *to))
                                there.room->leg(now, key(from), !ours, false);
                            });
                          },
                          [&](const order::Changed&) {}, [&](const order::Removed&) { p.removed = true; },
                          [&](const order::Strange& strange) { p.strange.emplace_back(strange.what); }},
               what);
  }
  void set_up(std::size_t from, std::size_t to) {
    auto& a = people[from];
    auto& b = people[to];
    if (!a.alive || !a.room) return;
    if (!b.alive || !b.room || cut(from, to) || !b.room->expects(key(from)))
      return a.room->connect_failed(now, key(to));
    b.room->leg(now, key(from), false, true);
    a.room->leg(now, key(to), true, true);
  }
  // A frame of everybody who sends, to everybody he sends to.
  void speak() {
    for (std::size_t from = 0; from < people.size(); ++from) {
      auto& p = people[from];
      if (!p.alive || !p.room) continue;
      for (std::size_t to = 0; to < people.size(); ++to) {
        auto& q = people[to];
        if (to == from || !q.alive || !q.room || cut(from, to)) continue;
        if (p.room->mixes() && p.room->has_leg(key(to), true)) later(kWay, [this, from, to] { hear(from, to, false); });
        if (q.room->mixes() && p.room->has_leg(key(to), false)) later(kWay, [this, from, to] { hear(from, to, true); });
      }
    }
  }
  void hear(std::size_t from, std::size_t to, bool ours) {
    auto& q = people[to];
    if (!q.alive || !q.room) return;
    const bool mixer = q.room->mixer() == key(from);
    if (!ours && mixer && q.deaf_to_mixer) return;
    q.room->heard(now, key(from), ours);
    if (ours || !(mixer || q.room->deputy() == key(from))) return;
    q.longest = std::max(q.longest, now - q.heard);
    q.heard = now;
  }
  // By legs that stand, from whom he hears to the mixer of all: nothing that leads nowhere, in a ring, or past a
  // section's mixer who is not heard himself.
  bool hears_all(std::size_t i) const {
    const auto& room = *people[i].room;
    if (room.duty() == Duty::mixer) return true;
    const auto from = room.duty() == Duty::section ? room.trunk() : room.mixer();
    const auto there = from ? index(*from) : std::nullopt;
    if (!there || !people[*there].alive || !people[*there].room || !room.has_leg(*from, false)) return false;
    const auto& other = *people[*there].room;
    if (!other.has_leg(key(i), true) || !other.roster().has(key(i))) return false;
    if (room.roster().head.mixer == *from) return other.duty() == Duty::mixer;
    return room.duty() != Duty::section && other.duty() == Duty::section && hears_all(*there);
  }
  // Those who live and are in it.
  bool all_hear_all() const {
    for (std::size_t i = 0; i < people.size(); ++i) {
      const auto& p = people[i];
      if (!p.alive || !p.room || p.removed || !p.room->roster().has(p.identity.device_key())) continue;
      if (!hears_all(i)) return false;
    }
    return true;
  }
  bool cut(std::size_t a, std::size_t b) const { return parted && (a < *parted) != (b < *parted); }

  void run(Duration length) {
    const Time end = now + length;
    while (now < end) {
      now += kStep;
      const auto before = wall;
      wall = Wall{0} + std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()) + wall_ahead;
      for (auto& p : people)
        if (wall != before && p.alive && p.room) p.room->handle_wall(now, wall);
      while (!events.empty() && events.begin()->first <= now) {
        auto what = std::move(events.begin()->second);
        events.erase(events.begin());
        what();
      }
      if (now >= next_frame) {
        next_frame = now + kFrame;
        speak();
      }
      for (std::size_t i = 0; i < people.size(); ++i) {
        auto& p = people[i];
        if (!p.alive || !p.room) continue;
        if (now >= p.room->next_timeout()) p.room->handle_timeout(now);
        while (auto order = p.room->poll()) carry_out(i, *order);
      }
    }
  }
  void forget_silence() {
    for (auto& p : people) {
      p.longest = {};
      p.heard = now;
    }
  }
  // Everybody who lives and came in names the same mixer and the same members. Whom only a dead one knew of is nowhere
  // in it, and gives up (Conferences::kWithoutLegs).
  bool agree() const {
    const Roster* first = nullptr;
    for (const auto& p : people) {
      if (!p.alive || !p.room || p.removed || !p.room->roster().has(p.identity.device_key())) continue;
      if (first == nullptr) first = &p.room->roster();
      const auto& r = p.room->roster();
      if (r.head.mixer != first->head.mixer || r.head.term != first->head.term || r.hash() != first->hash())
        return false;
    }
    return true;
  }
  std::string tell_of(std::size_t i) const {
    const auto& p = people[i];
    if (!p.alive || !p.room) return {};
    const auto& r = p.room->roster();
    return std::to_string(i) + ": " + std::string(to_string(p.room->duty())) + " term " + std::to_string(r.head.term) +
           "." + std::to_string(r.head.version) + " mixer " + std::to_string(index(r.head.mixer).value_or(99)) +
           " of " + std::to_string(r.members.size()) + " sections " + std::to_string(r.head.sections.size()) +
           " hears " + std::to_string(p.room->mixer() ? index(*p.room->mixer()).value_or(99) : i) +
           (hears_all(i) ? "" : " NOT ALL") + "\n";
  }
  std::size_t mixer() const {
    for (const auto& p : people)
      if (p.alive && p.room) return index(p.room->roster().head.mixer).value_or(people.size());
    return people.size();
  }

  const crypto::Suite& suite = crypto::typed_suite();
  SeededRng rng;
  Time now{};
  Wall wall{};
  Time next_frame{};
  std::multimap<Time, std::function<void()>> events;
  std::deque<Person> people;
  std::optional<std::size_t> parted;  // those before it, and the others
  double loss = 0;                    // of words; a link delivers, so this is one that broke
  std::uint64_t told = 0, octets = 0;
  seconds wall_ahead{};
  Duration most_jitter{};  // of words and of calls; 0: all take as long
  std::map<std::pair<std::size_t, std::size_t>, Time> delivered;
};

}  // namespace linnet::node::conference
