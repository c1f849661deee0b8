// One person's access line in a town: slow, with a queue of its own each way, and counted by what goes over it. Octets
// are those of the wire, IP and UDP headers with them.
#pragma once

#include <array>
#include <map>
#include <string>

#include "town.h"

namespace linnet::node {

enum class Carried : std::uint8_t { voice, rtcp, consent, link, supernodes, records };
inline constexpr std::array kCarriedNames{"voice", "RTCP", "consent", "link", "supernodes", "records"};
inline constexpr std::size_t kCarriedKinds = kCarriedNames.size();

// What a datagram is for whoever looks at the line, who opens nothing.
inline Carried carried(ByteView bytes, bool to_person) {
  constexpr std::size_t kCircuitHeader = 8;
  const bool circuit = bytes.size() > kCircuitHeader && bytes[0] == 11 && bytes[1] == 5;
  const auto inner = circuit ? bytes.subspan(kCircuitHeader) : bytes;
  if (inner[0] >= 128 && inner[0] <= 191)
    return inner.size() > 1 && inner[1] >= 192 && inner[1] <= 223 ? Carried::rtcp : Carried::voice;
  if (inner[0] <= 3) return Carried::consent;
  if (inner[0] == 9 || inner[0] == 10) return Carried::records;
  return circuit || to_person || inner[0] == 11 ? Carried::link : Carried::supernodes;
}

class NarrowLine {
 public:
  static constexpr Duration kQueue = std::chrono::seconds(1);
  struct Way {
    std::array<std::uint64_t, kCarriedKinds> octets{}, datagrams{};
    std::uint64_t dropped = 0;
    Time busy_until = Time::min();
  };

  // Takes the town's `meddle` and `delay`; before limit() the line is only counted.
  NarrowLine(Town& town, const Resident& owner)
      : town_(town), owner_(owner), way_delay_(town.delay), counted_from_(town.now()) {
    town.meddle = [this](const Endpoint& from, const Endpoint& to, Bytes& bytes) { return carry(from, to, bytes); };
  }

  void limit(int bit_rate) { rate_ = bit_rate; }
  // These two hear nothing of each other but through supernodes; what they try still goes over the line.
  void part(const Resident& a, const Resident& b) {
    parted_[a.endpoint] = b.endpoint;
    parted_[b.endpoint] = a.endpoint;
  }
  void count_anew() {
    for (auto* way : {&up, &down}) way->octets = way->datagrams = {};
    counted_from_ = town_.now();
  }
  // kbit/s since then.
  double rate_of(const Way& way, Carried kind) const {
    return static_cast<double>(way.octets[static_cast<std::size_t>(kind)]) * 8 / millis(town_.now() - counted_from_);
  }
  // All that is not voice.
  double upkeep(const Way& way) const {
    double out = 0;
    for (std::size_t i = 1; i < kCarriedKinds; ++i) out += rate_of(way, static_cast<Carried>(i));
    return out;
  }
  std::string table() const {
    std::string out;
    char line[120];
    for (std::size_t i = 0; i < kCarriedKinds; ++i) {
      const auto kind = static_cast<Carried>(i);
      std::snprintf(line, sizeof line, "%-10s up %6.3f kbit/s in %4llu, down %6.3f in %4llu\n", kCarriedNames[i],
                    rate_of(up, kind), static_cast<unsigned long long>(up.datagrams[i]), rate_of(down, kind),
                    static_cast<unsigned long long>(down.datagrams[i]));
      out += line;
    }
    return out;
  }

  Way up, down;

 private:
  bool person(const Endpoint& at) const {
    for (const auto& one : town_.people) {
      if (one->endpoint == at) return true;
    }
    return false;
  }

  bool carry(const Endpoint& from, const Endpoint& to, const Bytes& bytes) {
    town_.delay = way_delay_;
    const auto parted = parted_.find(from);
    const bool lost = parted != parted_.end() && parted->second == to;
    if (from == owner_.endpoint) return !pass(up, bytes, person(to)) || lost;
    if (to == owner_.endpoint) return lost || !pass(down, bytes, person(from));
    return lost;
  }

  // False: the queue is full.
  bool pass(Way& way, const Bytes& bytes, bool to_person) {
    constexpr std::size_t kIpUdp = 28;
    const auto octets = bytes.size() + kIpUdp;
    if (rate_ > 0) {
      const Duration own(static_cast<std::int64_t>(octets) * 8'000'000 / rate_);
      const auto from = std::max(town_.now(), way.busy_until);
      if (from - town_.now() + own > kQueue) {
        ++way.dropped;
        return false;
      }
      way.busy_until = from + own;
      town_.delay = way_delay_ + (way.busy_until - town_.now());
    }
    const auto kind = static_cast<std::size_t>(carried(bytes, to_person));
    way.octets[kind] += octets;
    ++way.datagrams[kind];
    return true;
  }

  Town& town_;
  const Resident& owner_;
  Duration way_delay_;
  Time counted_from_;
  int rate_ = 0;
  std::map<Endpoint, Endpoint> parted_;
};

}  // namespace linnet::node
