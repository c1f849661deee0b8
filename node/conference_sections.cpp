#include "node/conference_sections.h"

#include <algorithm>
#include <set>

namespace linnet::node::conference {
namespace {

constexpr crypto::DeviceKey kVacant{};

class Placing {
 public:
  explicit Placing(Roster& roster) : roster_(roster), sections_(roster.head.sections) {}

  void run() {
    vacate();
    count();
    fill_vacant();
    seat_leaders();
    lose_vacant();
    push_out();
    for (auto& [device, member] : roster_.members)
      if (member.section == kNowhere) seat(device, member);
    for (std::size_t n = sections_.size(); n > 0 && dissolve(); --n) {
    }
    while (!sections_.empty() && sections_.back() == kVacant) sections_.pop_back();
  }

 private:
  bool leads(const crypto::DeviceKey& device) const {
    return device == roster_.head.mixer || device == roster_.head.deputy ||
           std::find(sections_.begin(), sections_.end(), device) != sections_.end();
  }
  const Member* member(const crypto::DeviceKey& device) const {
    const auto found = roster_.members.find(device);
    return found == roster_.members.end() ? nullptr : &found->second;
  }
  std::size_t carried_by(std::size_t section) const {
    const auto* m = member(section == 0 ? roster_.head.mixer : sections_[section - 1]);
    return m == nullptr ? 0 : capacity(m->claim.claim);
  }
  std::size_t free_in(std::size_t section) const {
    const auto most = carried_by(section);
    return most > loads_[section] ? most - loads_[section] : 0;
  }

  // Who mixed for a section, and is gone or has another duty.
  void vacate() {
    for (auto& device : sections_) {
      const auto* m = member(device);
      const bool stays = m != nullptr && !m->thin && device != roster_.head.mixer && device != roster_.head.deputy &&
                         capacity(m->claim.claim) >= kLeastOfSection && may_lead(device);
      if (!stays) device = kVacant;
    }
  }
  bool may_lead(const crypto::DeviceKey& device) const {
    return !roster_.head.founder_only || !roster_.has(roster_.head.founder) || device == roster_.head.founder;
  }
  void count() {
    loads_.assign(sections_.size() + 1, 0);
    for (auto& [device, m] : roster_.members) {
      if (m.section != kNowhere && m.section > sections_.size()) m.section = kNowhere;
      if (m.section != kNowhere && device != roster_.head.mixer) ++loads_[m.section];
    }
  }
  void move(const crypto::DeviceKey& device, Member& m, std::uint8_t to) {
    const bool counts = device != roster_.head.mixer;
    if (counts && m.section != kNowhere) --loads_[m.section];
    if (counts && to != kNowhere) ++loads_[to];
    m.section = to;
  }

  // The next in rank who has no other duty. Whoever lost his mixer with that section may be lost himself.
  std::optional<crypto::DeviceKey> candidate(std::size_t vacant) {
    if (ranked_.empty()) ranked_ = rank(roster_);
    std::optional<crypto::DeviceKey> best, orphan;
    double worth_of_best = 0;
    for (const auto& device : ranked_) {
      const auto& m = roster_.members.at(device);
      if (leads(device)) continue;
      const auto most = worth(m.claim.claim);
      if (capacity(m.claim.claim) < kLeastOfSection || most < worth_of_best * kAsGood) break;
      if (vacant != 0 && m.section == vacant) {
        if (!orphan) orphan = device;
        continue;
      }
      if (m.section == 0) return device;
      if (best) continue;
      best = device;
      worth_of_best = most;
    }
    return best ? best : orphan;
  }
  // The members of whoever is gone go to one other, together.
  void fill_vacant() {
    for (std::size_t n = 1; n <= sections_.size(); ++n) {
      if (sections_[n - 1] != kVacant || loads_[n] == 0) continue;
      if (const auto next = candidate(n)) sections_[n - 1] = *next;
    }
  }
  void seat_leaders() {
    for (auto& [device, m] : roster_.members)
      if (m.section != 0 && leads(device)) move(device, m, 0);
  }
  void lose_vacant() {
    for (auto& [device, m] : roster_.members)
      if (m.section != 0 && m.section != kNowhere && sections_[m.section - 1] == kVacant) move(device, m, kNowhere);
  }
  // More than a mixer carries: the last ones have to go, if there is anywhere to go to.
  void push_out() {
    for (auto it = roster_.members.rbegin(); it != roster_.members.rend(); ++it) {
      auto& [device, m] = *it;
      if (m.section == kNowhere || leads(device)) continue;
      const auto from = m.section;
      if (loads_[from] <= carried_by(from)) continue;
      move(device, m, kNowhere);
      const auto to = best_section();
      if (to) {
        move(device, m, static_cast<std::uint8_t>(*to));
      } else if (!open_section(device, m)) {
        move(device, m, from);  // it is too much for all of them
      }
    }
  }
  // With room: the mixer's own first, then the emptiest.
  std::optional<std::size_t> best_section() const {
    if (free_in(0) > 0) return 0;
    std::optional<std::size_t> out;
    for (std::size_t n = 1; n <= sections_.size(); ++n) {
      if (free_in(n) > 0 && (!out || free_in(n) > free_in(*out))) out = n;
    }
    return out;
  }
  bool one_could_go(std::size_t section) const {
    return std::any_of(roster_.members.begin(), roster_.members.end(),
                       [&](const auto& entry) { return entry.second.section == section && !leads(entry.first); });
  }
  bool open_section(const crypto::DeviceKey& device, Member& m) {
    auto vacant = std::find(sections_.begin(), sections_.end(), kVacant);
    if (vacant == sections_.end() && sections_.size() >= kMaxSections) return false;
    const auto next = candidate(0);
    if (!next || (*next == device && roster_.members.size() < 3)) return false;
    auto& leader = roster_.members.at(*next);
    if (leader.section != 0 && free_in(0) == 0 && !one_could_go(0)) return false;
    if (vacant == sections_.end()) {
      sections_.push_back(kVacant);
      loads_.push_back(0);
      vacant = sections_.end() - 1;
    }
    *vacant = *next;
    const auto n = static_cast<std::uint8_t>(vacant - sections_.begin() + 1);
    if (leader.section != 0) move(*next, leader, 0);
    if (*next != device) move(device, m, n);
    return true;
  }
  void seat(const crypto::DeviceKey& device, Member& m) {
    if (const auto to = best_section()) return move(device, m, static_cast<std::uint8_t>(*to));
    if (open_section(device, m)) return push_out();
    std::size_t least = 0;
    for (std::size_t n = 1; n <= sections_.size(); ++n) {
      if (sections_[n - 1] != kVacant && over(n) < over(least)) least = n;
    }
    move(device, m, static_cast<std::uint8_t>(least));
  }
  double over(std::size_t section) const {
    return static_cast<double>(loads_[section]) / static_cast<double>(std::max<std::size_t>(1, carried_by(section)));
  }
  // The smallest section, when the others have ample room for it. One at a time.
  bool dissolve() {
    std::size_t smallest = 0, all = loads_[0], most = carried_by(0);
    for (std::size_t n = 1; n <= sections_.size(); ++n) {
      if (sections_[n - 1] == kVacant) continue;
      all += loads_[n];
      most += carried_by(n);
      if (smallest == 0 || loads_[n] < loads_[smallest]) smallest = n;
    }
    if (smallest == 0) return false;
    const auto left = static_cast<double>(most - carried_by(smallest));
    if (static_cast<double>(all) > left * kDissolves) return false;
    sections_[smallest - 1] = kVacant;
    lose_vacant();
    for (auto& [device, m] : roster_.members)
      if (m.section == kNowhere) seat(device, m);
    return true;
  }

  Roster& roster_;
  std::vector<crypto::DeviceKey>& sections_;
  std::vector<std::size_t> loads_;
  std::vector<crypto::DeviceKey> ranked_;
};

}  // namespace

std::optional<crypto::DeviceKey> mixer_of(const Roster& roster, const crypto::DeviceKey& member) {
  const auto found = roster.members.find(member);
  if (found == roster.members.end() || member == roster.head.mixer) return std::nullopt;
  const std::size_t section = found->second.section;
  const auto& sections = roster.head.sections;
  const bool of_one = section > 0 && section <= sections.size() && sections[section - 1] != kVacant;
  return of_one ? sections[section - 1] : roster.head.mixer;
}

std::optional<std::uint8_t> section_led_by(const Roster& roster, const crypto::DeviceKey& device) {
  const auto& sections = roster.head.sections;
  if (device == kVacant || device == roster.head.mixer) return std::nullopt;
  const auto found = std::find(sections.begin(), sections.end(), device);
  if (found == sections.end() || !roster.has(device)) return std::nullopt;
  return static_cast<std::uint8_t>(found - sections.begin() + 1);
}

bool carries(const Roster& roster, const crypto::DeviceKey& device, const crypto::DeviceKey& member) {
  if (device == member || !roster.has(member)) return false;
  if (device == roster.head.mixer) return mixer_of(roster, member) == device;
  if (device == roster.head.deputy) return member == roster.head.mixer || mixer_of(roster, member) == roster.head.mixer;
  return section_led_by(roster, device) && mixer_of(roster, member) == device;
}

std::size_t heard_by_mixer(const Roster& roster) {
  return static_cast<std::size_t>(std::count_if(roster.members.begin(), roster.members.end(), [&](const auto& entry) {
    return carries(roster, roster.head.mixer, entry.first);
  }));
}

std::size_t capacity(const Claim& claim) { return std::max<std::size_t>(1, static_cast<std::size_t>(worth(claim))); }

void place(Roster& roster) {
  if (!roster.has(roster.head.mixer)) return;
  Placing(roster).run();
}

void choose_claims(Roster& roster, const std::map<crypto::DeviceKey, SignedClaim>& known) {
  const auto restore = [&](Member& m) {
    const auto claim = known.find(m.device());
    if (!m.thin || claim == known.end()) return;
    m.claim = claim->second;
    m.thin = false;
  };
  if (roster.members.size() <= kAllWithClaims) {
    for (auto& entry : roster.members) restore(entry.second);
    return;
  }
  struct Row {
    bool has_duty;
    double worth;
    bool thin;
    Member* member;
  };
  std::vector<Row> rows;
  const std::set<crypto::DeviceKey> sections(roster.head.sections.begin(), roster.head.sections.end());
  for (auto& [device, m] : roster.members) {
    const auto claim = known.find(device);
    if (m.thin && claim == known.end()) continue;
    const bool duty = device == roster.head.mixer || device == roster.head.deputy || device == roster.head.founder ||
                      sections.contains(device);
    rows.push_back({duty, worth(m.thin ? claim->second.claim : m.claim.claim), m.thin, &m});
  }
  // Of equals whoever is told with a claim already; then by their keys.
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (a.has_duty != b.has_duty) return a.has_duty;
    if (a.worth != b.worth) return a.worth > b.worth;
    return !a.thin && b.thin;
  });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i < kWithClaims) {
      restore(*rows[i].member);
    } else if (!rows[i].member->thin) {
      *rows[i].member = thinned(*rows[i].member);
    }
  }
}

}  // namespace linnet::node::conference
