#include "overlay/publisher.h"

#include <algorithm>

namespace linnet::overlay {
namespace {

constexpr Duration kGatherHomes = std::chrono::milliseconds(100);
constexpr Duration kSettling = std::chrono::seconds(2);  // how long a record that stands waits for the last home
constexpr Duration kLostHome = std::chrono::milliseconds(500);
// Over so much, for each home that changed, are spread the records that still lead here by two; those that lead by one
// over so much once.
constexpr Duration kSpreadRecords = std::chrono::seconds(60);
constexpr Duration kMostSpread = std::chrono::minutes(5);  // for each, where records stood for long: few die there
constexpr Duration kJoining = std::chrono::seconds(10);    // until homes are those that will stay
constexpr Duration kSpreadNames = std::chrono::seconds(10);
constexpr Duration kStoreAnswer = std::chrono::seconds(3);  // doubled with each attempt: who is slow is not asked more
constexpr unsigned kStoreAnswerDoubled = 3;
constexpr Duration kFirstRebuild = std::chrono::milliseconds(300);  // between records while homes come and go; doubled
constexpr Duration kMaxRebuild = std::chrono::seconds(30);
constexpr Duration kCalm = std::chrono::seconds(10);
constexpr Duration kStoreAgain = std::chrono::milliseconds(500);
constexpr Duration kStoreAgainMost = std::chrono::seconds(30);
constexpr Duration kWithdrawn = std::chrono::seconds(30);

Duration lot_of(const Context& c, Duration spread) {
  return Duration(static_cast<std::int64_t>(c.rng.unit() * static_cast<double>(micros(spread))));
}

}  // namespace

std::optional<SequenceUsed> Sequences::announce() {
  if (next_ + kBlock / 4 < announced_) return std::nullopt;
  announced_ = next_ + kBlock;
  return SequenceUsed{announced_};
}

Publisher::Publisher(const PeerConfig& config, const crypto::Identity& identity)
    : sequences_(std::max<std::uint64_t>(1, config.first_sequence)) {
  names_.emplace_back().address = identity.address;
  if (const auto key_name = identity.key_name(); key_name != identity.address) names_.emplace_back().address = key_name;
}

// By how many homes who has the record that stands still reaches us.
std::size_t Publisher::leads_by(const std::vector<dht::Home>& homes) const {
  if (std::none_of(names_.begin(), names_.end(), [](const Name& n) { return n.stored; })) return 0;
  return static_cast<std::size_t>(std::count_if(said_.begin(), said_.end(), [&](const dht::Home& h) {
    return std::find(homes.begin(), homes.end(), h) != homes.end();
  }));
}

void Publisher::set_homes(const Context& c, std::vector<dht::Home> homes, bool settled) {
  if (homes == homes_) {
    if (settled && build_at_ != kNever && !waits_) build_at_ = std::max(c.now, rebuild_from_);
    return;
  }
  const bool lost = homes.size() < homes_.size();
  homes_ = std::move(homes);
  const auto led = leads_by(homes_);
  const auto changed = std::max(said_.size(), homes_.size()) - led;
  if (of_another_time_ && !homes_.empty()) {
    build_at_ = c.now;
    return;
  }
  if (led > 0 && changed == 0) return;  // the same in another order
  const bool joining = !first_built_at_ || c.now - *first_built_at_ < kJoining;
  if (!joining && led > 0) return draw_lot(c, led, changed);
  waits_ = 0;
  const auto wait = lost ? kLostHome : settled ? Duration(0) : led > 0 ? kSettling : kGatherHomes;
  const auto at = std::max(c.now + wait, rebuild_from_);
  build_at_ = build_at_ == kNever || settled ? at : std::min(build_at_, at);
}

// When many supernodes die at once, all their leaves have something new to say and can be reached as they are.
void Publisher::draw_lot(const Context& c, std::size_t led, std::size_t changed) {
  const auto stood = built_at_ ? (c.now - *built_at_) / 2 : Duration{};
  const auto each = std::clamp<Duration>(stood, 2 * kSpreadRecords, kMostSpread);
  const auto spread = led > 1 ? each * static_cast<int>(changed) : kSpreadRecords;
  const auto at = std::max(c.now + kSettling + lot_of(c, spread), rebuild_from_);
  if (build_at_ == kNever || (led > 1 && changed > waits_)) {
    build_at_ = at;
  } else if (led == 1) {
    build_at_ = std::min(build_at_, at);
  }
  waits_ = std::max(waits_, changed);
}

Result<dht::SignedRecord> Publisher::make(const Context& c, const Name& name, const std::vector<dht::Home>& homes) {
  dht::RecordBody body;
  body.session = c.identity.session_key();
  body.homes = homes;
  if (!name.also)
    return dht::make_record(c.suite, c.identity, c.config.network, name.address, body, sequences_.take(), c.wall,
                            c.config.record_life);
  body.keeper = c.identity.key_name();
  return dht::make_record(c.suite, c.identity.device, name.also->certificate, c.config.network, name.address, body,
                          sequences_.take(), c.wall, name.also->life);
}

bool Publisher::build(const Context& c, Name& name) {
  auto record = make(c, name, homes_);
  if (!record) return false;
  name.record = std::move(*record);
  name.request = 0;
  name.give_up_at = kNever;
  name.attempts = 0;
  if (name.also) name.renew_at = c.now + std::chrono::duration_cast<Duration>(name.also->life) / 3;
  return true;
}

Publisher::Name* Publisher::named(const crypto::Address& address) {
  const auto found = std::find_if(names_.begin(), names_.end(), [&](const Name& n) { return n.address == address; });
  return found == names_.end() ? nullptr : &*found;
}

void Publisher::publish_also(const Context& c, const crypto::Address& address, const AlsoKnown& as) {
  auto* name = named(address);
  if (name == nullptr && names_.size() >= kMostAlso) return;
  if (name == nullptr) {
    name = &names_.emplace_back();
    name->address = address;
  } else if (!name->also) {
    return;  // nobody takes our own names from us
  } else if (name->says_homes() && *name->also == as) {
    return;
  }
  name->also = as;
  name->gone_at = kNever;
  name->renew_at = c.now;
}

void Publisher::withdraw(const Context& c, const crypto::Address& address) {
  auto* name = named(address);
  if (name == nullptr || !name->also || !name->says_homes()) return;
  auto record = name->record && sequences_.ready() ? make(c, *name, {}) : fail(Fault::not_found);
  if (!record) return (void)std::erase_if(names_, [&](const Name& n) { return &n == name; });
  name->record = std::move(*record);
  name->request = 0;
  name->give_up_at = kNever;
  name->attempts = 0;
  name->renew_at = kNever;
  name->store_at = c.now;
  name->gone_at = c.now + kWithdrawn;
}

void Publisher::build(const Context& c) {
  build_at_ = kNever;
  const auto between = waits_ > 0 ? kSpreadNames : Duration(0);
  waits_ = 0;
  if (homes_.empty()) return;  // what was published stands until it expires or a home comes back
  const bool calm = !built_at_ || c.now - *built_at_ > kCalm;
  rebuild_pause_ = calm ? kFirstRebuild : std::min(2 * rebuild_pause_, kMaxRebuild);
  built_at_ = c.now;
  if (!first_built_at_) first_built_at_ = c.now;
  said_ = homes_;
  of_another_time_ = false;
  rebuild_from_ = c.now + rebuild_pause_;
  renew_at_ = c.now + std::chrono::duration_cast<Duration>(c.config.record_life) / 3;
  for (auto& name : names_) {
    if (!name.says_homes() || !build(c, name)) continue;
    name.store_at = c.now + (&name == names_.data() ? Duration(0) : lot_of(c, between));
  }
}

void Publisher::clock_set(const Context& c) {
  if (renew_at_ == kNever) return;
  build_at_ = std::min(build_at_, c.now);
  of_another_time_ = true;
}

void Publisher::store_again(const Context& c) {
  for (auto& name : names_) {
    if (name.record && name.request == 0) name.store_at = c.now;
  }
}

void Publisher::store_through(const Context& c, const crypto::UserKey& user, unsigned home) {
  for (auto& name : names_) {
    if (!name.record || name.record->user != user || name.request != 0) continue;
    name.attempts = home;
    name.store_at = c.now;
  }
}

void Publisher::store_thinned(const Context& c, const dht::Dht& dht) {
  for (auto& name : names_) {
    const bool stands = name.record && name.request == 0 && name.store_at == kNever;
    if (stands && dht.thinned(name.record->user)) name.store_at = c.now + lot_of(c, kSpreadNames);
  }
}

std::vector<dht::SignedRecord> Publisher::withdrawals(const Context& c) {
  std::vector<dht::SignedRecord> out;
  for (auto& name : names_) {
    if (!name.record || !sequences_.ready()) continue;
    if (auto record = make(c, name, {})) out.push_back(std::move(*record));
    name.record.reset();
    name.request = 0;
    name.stored = false;
    name.store_at = kNever;
    name.give_up_at = kNever;
    name.renew_at = kNever;  // nobody says again that he is in a room
  }
  build_at_ = kNever;
  renew_at_ = kNever;
  return out;
}

void Publisher::on_result(const Context& c, std::uint64_t request, std::size_t copies) {
  for (auto& name : names_) {
    if (name.request != request || request == 0) continue;
    name.request = 0;
    name.give_up_at = kNever;
    if (copies > 0) {
      name.stored = true;
      if (!name.says_homes()) name.gone_at = c.now;
      if (name.record && name.attempts > 0) kept_.push_back({name.record->user, name.attempts - 1});
      name.attempts = 0;
    } else {
      const auto pause = std::min<Duration>(kStoreAgainMost, kStoreAgain * (1LL << std::min(name.attempts, 8U)));
      name.store_at = c.now + c.jittered(pause);
    }
  }
}

void Publisher::handle_timeout(const Context& c) {
  if (may_renew() && renew_at_ <= c.now) build_at_ = std::min(build_at_, c.now);
  if (build_at_ <= c.now && sequences_.ready()) build(c);
  std::erase_if(names_, [&](const Name& n) { return n.gone_at <= c.now; });
  for (auto& name : names_) {
    if (name.renew_at <= c.now && may_renew()) {
      name.renew_at = c.now + kStoreAgainMost;
      if (build(c, name)) name.store_at = c.now;
    }
    if (name.give_up_at <= c.now) on_result(c, name.request, 0);
    if (name.store_at > c.now || !name.record) continue;
    name.store_at = kNever;
    name.request = ++requests_;
    name.give_up_at = c.now + kStoreAnswer * (1 << std::min(name.attempts, kStoreAnswerDoubled));
    orders_.push_back({name.request, name.attempts++, *name.record});
  }
}

Time Publisher::next_timeout() const {
  Time next = may_renew() ? renew_at_ : kNever;
  if (sequences_.ready()) next = std::min(next, build_at_);
  for (const auto& name : names_) {
    next = std::min({next, name.store_at, name.give_up_at, name.gone_at});
    if (may_renew()) next = std::min(next, name.renew_at);
  }
  return next;
}

std::optional<Publisher::Order> Publisher::poll() {
  if (orders_.empty()) return std::nullopt;
  return orders_.take();
}

const dht::SignedRecord* Publisher::record(const crypto::Address& address) const {
  for (const auto& name : names_) {
    if (name.address == address && name.record) return &*name.record;
  }
  return nullptr;
}

const dht::SignedRecord* Publisher::record(const crypto::UserKey& user) const {
  for (const auto& name : names_) {
    if (name.record && name.record->user == user) return &*name.record;
  }
  return nullptr;
}

std::optional<Publisher::Kept> Publisher::poll_kept() {
  if (kept_.empty()) return std::nullopt;
  return kept_.take();
}

bool Publisher::settled() const {
  return build_at_ == kNever && stored() && std::all_of(names_.begin(), names_.end(), [](const Name& n) {
           return n.request == 0 && n.store_at == kNever;
         });
}

bool Publisher::stored() const {
  return std::all_of(names_.begin(), names_.end(), [](const Name& n) { return n.stored || n.also; });
}

}  // namespace linnet::overlay
