#include "overlay/finder.h"

#include <algorithm>
#include <map>
#include <set>

namespace linnet::overlay {
namespace {

// How much longer than the first path the others may take: as long again four times over, within bounds.
constexpr Duration kLeastWait = std::chrono::milliseconds(50);
constexpr Duration kMostWait = std::chrono::seconds(1);
constexpr std::ptrdiff_t kAgree = 2;  // that looked, where a third says nothing

// An account's highest epoch among the records is its own word that what it certified before is void.
void drop_revoked(std::vector<FoundDevice>& devices) {
  std::map<crypto::AccountKey, std::uint32_t> epochs;
  for (const auto& d : devices) {
    auto& epoch = epochs[d.record.account()];
    epoch = std::max(epoch, d.record.certificate.epoch);
  }
  std::erase_if(devices, [&](const FoundDevice& d) { return d.record.certificate.epoch < epochs[d.record.account()]; });
}

}  // namespace

void RecordCache::put(Time now, const crypto::Address& address, std::vector<FoundDevice> devices) {
  std::erase_if(entries_, [&](const Entry& e) { return e.address == address || e.until <= now; });
  if (devices.empty()) return;
  if (entries_.size() >= kCapacity) entries_.erase(entries_.begin());
  entries_.push_back({address, std::move(devices), now + kLife});
}

const std::vector<FoundDevice>* RecordCache::get(Time now, Wall wall, const crypto::Address& address) {
  const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.address == address; });
  if (it == entries_.end()) return nullptr;
  const bool fresh = std::all_of(it->devices.begin(), it->devices.end(),
                                 [&](const FoundDevice& d) { return dht::check_time(d.record, wall).has_value(); });
  if (fresh && now < it->until) return &it->devices;
  entries_.erase(it);
  return nullptr;
}

void RecordCache::forget(const crypto::Address& address) {
  std::erase_if(entries_, [&](const Entry& e) { return e.address == address; });
}

Result<FindId> Finder::find(const Context& c, const crypto::Address& address, std::optional<crypto::AccountKey> pinned,
                            bool cold, const std::vector<SessionId>& sessions, bool own_dht) {
  const FindId id{++ids_};
  if (!cold) {
    if (const auto* devices = cache_.get(c.now, c.wall, address)) {
      found_.push_back({id, address, *devices, {}});
      return id;
    }
  }
  if (searches_.size() >= kMaxSearches) return fail(Fault::full);
  auto& search = searches_.emplace_back();
  search.id = id;
  search.request = static_cast<std::uint64_t>(id);
  search.address = address;
  search.user = crypto::user_key(address);
  search.pinned = pinned;
  search.started = c.now;
  search.deadline = c.now + c.config.lookup_timeout;
  if (own_dht) {
    search.asked.emplace_back();
    questions_.push_back({search.request, std::nullopt, search.user, pinned, {}});
  } else {
    ask(c, search, sessions);
  }
  return id;
}

void Finder::ask(const Context& c, Search& search, const std::vector<SessionId>& sessions) {
  const auto n = std::min(sessions.size(), kPaths);
  for (std::size_t i = 0; i < n; ++i) put(c, search, sessions[i], {i, n}, true);
  search.spare.assign(sessions.begin() + static_cast<std::ptrdiff_t>(n), sessions.end());
}

void Finder::put(const Context& c, Search& search, SessionId session, dht::Share share, bool first) {
  search.asked.push_back(
      {session, share, first, false, false, false, 0, c.now, c.now + c.sessions.answer_within(session)});
  questions_.push_back({search.request, session, search.user, search.pinned, share});
}

// Sessions acknowledge at once what they are asked: who does not may be dead, long before his session is.
void Finder::look_for_late(const Context& c, Search& search) {
  for (std::size_t i = 0; i < search.asked.size(); ++i) {
    auto& a = search.asked[i];
    if (a.late_at > c.now) continue;
    a.late_at = kNever;
    if (!a.open() || !a.session || c.sessions.last_heard(*a.session).value_or(Time::min()) > a.at) continue;
    a.late = true;
    hand_on(c, search, a.share);  // moves `a`
  }
}

// To one that was not asked, or else to one of several that live: one alone is asked for all (ask_whole).
void Finder::hand_on(const Context& c, Search& search, dht::Share share) {
  if (search.asked.size() >= kWhom) return;
  if (!search.spare.empty()) {
    const auto next = search.spare.front();
    search.spare.erase(search.spare.begin());
    return put(c, search, next, share, false);
  }
  std::set<SessionId> living;
  for (const auto& a : search.asked) {
    if (a.session && !a.late && (!a.answered || a.useful)) living.insert(*a.session);
    if (!a.first && a.share == share) return;  // once is enough
  }
  if (living.size() > 1) put(c, search, *living.begin(), share, false);
}

// Each was asked to ask a part of the holders. Where one alone did, it asks the others' part too.
bool Finder::ask_whole(const Context& c, Search& search) {
  if (search.whole || search.asked.size() < kPaths || c.now >= search.deadline || has_pinned(search)) return false;
  const auto useful = [](const Asked& a) { return a.useful; };
  const auto at = std::find_if(search.asked.begin(), search.asked.end(), useful);
  if (at == search.asked.end()) return false;
  auto& one = *at;
  if (std::any_of(search.asked.begin(), search.asked.end(),
                  [&](const Asked& a) { return a.useful && a.session != one.session; }))
    return false;
  one.answered = false;
  one.late_at = kNever;
  search.whole = true;
  search.started = c.now;
  search.wait_until = c.now + kMostWait;
  questions_.push_back({search.request, one.session, search.user, search.pinned, {}});
  return true;
}

bool Finder::has_pinned(const Search& search) {
  return search.pinned && std::any_of(search.devices.begin(), search.devices.end(), [&](const FoundDevice& d) {
           return d.record.account() == *search.pinned && !d.body.homes.empty();
         });
}

void Finder::supernodes_changed(const Context& c, const std::vector<SessionId>& sessions) {
  for (auto& search : searches_) {
    const bool heard =
        std::any_of(search.asked.begin(), search.asked.end(), [](const Asked& a) { return a.open() || a.useful; });
    if (heard || sessions.empty()) continue;
    search.asked.clear();
    search.whole = false;
    search.started = c.now;
    ask(c, search, sessions);
  }
}

// One supernode that lies can bring a listful of others who claim the name. The pinned account is not crowded out.
void Finder::make_room(Search& search, const dht::SignedRecord& record) {
  if (!search.pinned || record.account() != *search.pinned) return;
  const auto other = std::find_if(search.devices.begin(), search.devices.end(),
                                  [&](const FoundDevice& d) { return d.record.account() != *search.pinned; });
  if (other != search.devices.end()) search.devices.erase(other);
}

// True: it is among what was found, and newest of its device.
bool Finder::take(const Context& c, Search& search, ByteView wire) {
  auto record = dht::read_record(c.suite, c.config.network, wire);
  if (!record || record->user != search.user || !dht::check_time(*record, c.wall)) return false;
  if (search.address.is_key_name() && !search.address.proves(record->account())) return false;
  auto body = dht::open_record(c.suite, *record, search.address);
  if (!body) return false;
  const auto it = std::find_if(search.devices.begin(), search.devices.end(),
                               [&](const FoundDevice& d) { return d.record.device() == record->device(); });
  if (it != search.devices.end()) {
    if (it->record.sequence > record->sequence) return false;
    if (it->record.sequence == record->sequence) return true;
    *it = {std::move(*record), std::move(*body)};
    for (auto& a : search.asked) a.shown = 0;  // they showed an older one
    return true;
  }
  if (search.devices.size() >= kMaxDevices) make_room(search, *record);
  if (search.devices.size() >= kMaxDevices) return false;
  search.devices.push_back({std::move(*record), std::move(*body)});
  return true;
}

void Finder::on_records(const Context& c, std::optional<SessionId> from, const control::Records& answer) {
  for (auto& search : searches_) {
    if (search.request != answer.request) continue;
    const auto it = std::find_if(search.asked.begin(), search.asked.end(),
                                 [&](const Asked& a) { return a.session == from && !a.answered; });
    if (it == search.asked.end()) continue;  // we did not ask that one
    it->answered = true;
    it->useful = it->useful || !answer.busy;  // asked again it may be busy: what it said before counts
    search.rounds = std::max<std::size_t>(search.rounds, answer.rounds);
    for (const auto& wire : answer.records) it->shown += take(c, search, wire) ? 1 : 0;
    agree(c, search);
    if (!answer.busy && search.wait_until == kNever) {
      search.wait_until = c.now + std::clamp((c.now - search.started) * 4, kLeastWait, kMostWait);
    }
  }
  settle(c);
}

void Finder::on_session_down(const Context& c, SessionId session) {
  for (auto& search : searches_) {
    std::erase(search.spare, session);
    for (std::size_t i = 0; i < search.asked.size(); ++i) {
      auto& a = search.asked[i];
      if (a.session != session || a.answered) continue;
      a.answered = true;
      if (!a.late) hand_on(c, search, a.share);  // moves `a`
    }
  }
  settle(c);
}

// Two show the same, and nobody shows more. A third that lives is not waited for as long as where they differ.
void Finder::agree(const Context& c, Search& search) {
  const auto n = search.devices.size();
  const auto same = [&](const Asked& a) { return n > 0 && a.shown == n; };
  if (std::count_if(search.asked.begin(), search.asked.end(), same) < kAgree) return;
  search.wait_until = std::min(search.wait_until, c.now + std::max((c.now - search.started) / 4, kLeastWait));
}

// Two looked and found it. Of a third nothing is heard, and who was asked in its place need not be waited for.
bool Finder::enough(const Search& search) {
  const auto useful = [](const Asked& a) { return a.useful; };
  if (search.devices.empty() || std::count_if(search.asked.begin(), search.asked.end(), useful) < kAgree) return false;
  return std::none_of(search.asked.begin(), search.asked.end(), [](const Asked& a) { return a.first && a.open(); });
}

bool Finder::done(const Context& c, Search& search) const {
  if (c.now >= search.deadline) return true;
  if (search.asked.empty()) return false;
  if (has_pinned(search) || enough(search)) return true;
  const bool useful = std::any_of(search.asked.begin(), search.asked.end(), [](const Asked& a) { return a.useful; });
  const bool all = std::none_of(search.asked.begin(), search.asked.end(), [](const Asked& a) { return a.open(); });
  if (all) return useful;  // nobody looked: others are asked as they come, until the deadline
  return c.now >= search.wait_until;
}

void Finder::finish(const Context& c, Search& search) {
  const bool useful = std::any_of(search.asked.begin(), search.asked.end(), [](const Asked& a) { return a.useful; });
  drop_revoked(search.devices);
  // A record without homes says: not here any more.
  std::erase_if(search.devices, [](const FoundDevice& d) { return d.body.homes.empty(); });
  std::stable_sort(search.devices.begin(), search.devices.end(),
                   [](const FoundDevice& a, const FoundDevice& b) { return a.record.device() < b.record.device(); });
  Found out{search.id, search.address, std::move(search.devices), {}, search.rounds};
  if (!useful) out.status = fail(Fault::timed_out);
  if (useful) cache_.put(c.now, search.address, out.devices);
  found_.push_back(std::move(out));
}

void Finder::settle(const Context& c) {
  std::erase_if(searches_, [&](Search& search) {
    look_for_late(c, search);
    if (!done(c, search) || ask_whole(c, search)) return false;
    finish(c, search);
    return true;
  });
}

void Finder::handle_timeout(const Context& c) { settle(c); }

Time Finder::next_timeout() const {
  Time next = kNever;
  for (const auto& s : searches_) {
    next = std::min(next, s.deadline);
    for (const auto& a : s.asked) {
      if (a.open()) next = std::min({next, s.wait_until, a.late_at});
    }
  }
  return next;
}

std::optional<Finder::Question> Finder::poll_question() {
  if (questions_.empty()) return std::nullopt;
  return questions_.take();
}

std::optional<Found> Finder::poll_found() {
  if (found_.empty()) return std::nullopt;
  return found_.take();
}

}  // namespace linnet::overlay
