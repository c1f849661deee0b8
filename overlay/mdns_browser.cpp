#include "overlay/mdns_browser.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace linnet::overlay::mdns {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFirstPause = seconds(1);  // RFC 6762 section 5.2: then twice as long each time
constexpr Duration kLongestPause = std::chrono::minutes(60);
constexpr Duration kGoodbye = seconds(1);  // section 10.1
constexpr std::uint32_t kLongestTtl = 7200;
constexpr unsigned kRefreshes = 4;  // at 80, 85, 90 and 95 per cent of a pointer's life
constexpr unsigned kResolves = 3;
constexpr Duration kResolveAgain = seconds(1);

Duration jitter(Rng& rng) { return milliseconds(20) + Duration(static_cast<std::int64_t>(rng.below(100'000))); }
Duration life_of(const dns::Record& r) { return r.ttl == 0 ? kGoodbye : seconds(std::min(r.ttl, kLongestTtl)); }

}  // namespace

Browser::Browser(const Link& link, dns::Name service, Rng& rng, Mdns::Counters& counters)
    : link_(link), type_(std::move(service)), rng_(rng), counters_(counters) {}

void Browser::start(Time now) {
  ask_at_ = now + jitter(rng_);
  pause_ = kFirstPause;
}

void Browser::plan_refresh(Instance& instance, Rng& rng, Time born) {
  if (instance.refreshed >= kRefreshes) {
    instance.refresh = kNever;
    return;
  }
  const auto percent = 80 + 5 * instance.refreshed;
  const auto spread = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(instance.life.count()) / 50 + 1));
  instance.refresh = born + instance.life * static_cast<int>(percent) / 100 + Duration(spread);
}

// Sources cost nothing to forge. Whoever fills the table drives out what nobody has met, the oldest first and what is
// not whole before that: so a neighbour is in again with its next announcement, and who was met stays.
void Browser::make_room(const IpAddress& from) {
  const auto of_it =
      std::count_if(instances_.begin(), instances_.end(), [&](const auto& entry) { return entry.second.from == from; });
  const bool of_one = static_cast<std::size_t>(of_it) >= Mdns::kMaxOfOneSource;
  if (!of_one && instances_.size() < Mdns::kMaxInstances) return;
  ++counters_.full;
  const auto worth = [](const Instance& i) { return std::tuple(i.met, i.told.has_value(), i.born); };
  auto least = instances_.end();
  for (auto at = instances_.begin(); at != instances_.end(); ++at) {
    if (of_one && at->second.from != from) continue;
    if (least == instances_.end() || worth(at->second) < worth(least->second)) least = at;
  }
  lose(least);
}

void Browser::prove(const std::string& label) {
  for (auto& [key, instance] : instances_) instance.met = instance.met || instance.label == label;
}

void Browser::take_pointer(Time now, const dns::Record& r, const IpAddress& from, const dns::Name& own) {
  const auto* ptr = std::get_if<dns::Ptr>(&r.data);
  if (!ptr || !(r.name == type_) || ptr->target == own) return;
  if (ptr->target.labels.size() != type_.labels.size() + 1 || !ptr->target.ends_with(type_)) return;
  const auto key = ptr->target.key();
  auto at = instances_.find(key);
  if (at == instances_.end()) {
    if (r.ttl == 0) return;
    make_room(from);
    at = instances_.emplace(key, Instance{}).first;
    at->second.from = from;
    at->second.born = now;
    at->second.name = ptr->target;
    at->second.label = ptr->target.labels.front();
  }
  auto& instance = at->second;
  instance.life = life_of(r);
  instance.until = now + instance.life;
  instance.refreshed = 0;
  instance.refresh = kNever;
  if (r.ttl != 0) plan_refresh(instance, rng_, now);
  if (!instance.told && instance.resolve_at == kNever && instance.asked < kResolves)
    instance.resolve_at = now + jitter(rng_);
}

void Browser::take_details(const dns::Record& r) {
  const auto at = instances_.find(r.name.key());
  if (at == instances_.end()) return;
  auto& instance = at->second;
  if (const auto* srv = std::get_if<dns::Srv>(&r.data)) {
    instance.srv = *srv;
    lead(instance, srv->target);
  } else if (const auto* txt = std::get_if<dns::Txt>(&r.data)) {
    instance.txt = *txt;
  }
}

void Browser::lead(Instance& instance, const dns::Name& target) {
  const auto at = hosts_.try_emplace(target.key()).first;
  ++at->second.users;
  release(instance);
  instance.host = at;
}

void Browser::release(Instance& instance) {
  if (instance.host && --(*instance.host)->second.users == 0) hosts_.erase(*instance.host);
  instance.host.reset();
}

void Browser::take_address(Time now, const dns::Record& r) {
  const auto* host = std::get_if<dns::Host>(&r.data);
  if (!host) return;
  const auto at = hosts_.find(r.name.key());
  if (at == hosts_.end()) return;  // nobody's
  auto ip = host->ip;
  if (ip.is_link_local() && !ip.is_v4()) ip.scope = link_.scope;
  if (ip.is_loopback() || ip.is_multicast() || ip.is_unspecified() || !link_.on_link(ip)) return;
  auto& entry = at->second;
  if (r.flush) {
    for (auto& a : entry.addresses) {
      if (now - a.heard > kGoodbye) a.until = std::min(a.until, now + kGoodbye);  // section 10.2
    }
  }
  const auto same =
      std::find_if(entry.addresses.begin(), entry.addresses.end(), [&](const Address& a) { return a.ip == ip; });
  if (same != entry.addresses.end()) {
    *same = {ip, now, now + life_of(r)};
  } else if (r.ttl != 0 && entry.addresses.size() < kMaxAddresses) {
    entry.addresses.push_back({ip, now, now + life_of(r)});
  }
}

// Answers and additional records stand in any order: pointers are taken before what they lead to.
void Browser::on_response(Time now, const dns::Message& response, const IpAddress& from, const dns::Name& own) {
  const auto each = [&](auto take) {
    for (const auto* section : {&response.answers, &response.additionals}) {
      for (const auto& r : *section) {
        if (r.cls == dns::kInternet) take(r);
      }
    }
  };
  each([&](const dns::Record& r) { take_pointer(now, r, from, own); });
  each([&](const dns::Record& r) { take_details(r); });
  each([&](const dns::Record& r) { take_address(now, r); });
  for (auto& [key, instance] : instances_) settle(now, instance);
}

// Tells of an instance when all of it is known, and again when it changed. Asked of all with each message of a
// stranger: what was told already is compared in place.
void Browser::settle(Time now, Instance& instance) {
  if (!instance.srv || !instance.txt || instance.until <= now || instance.srv->port == 0) return;
  std::array<IpAddress, kMaxAddresses> live;
  std::size_t n = 0;
  for (const auto& a : (*instance.host)->second.addresses) {
    if (a.until > now) live[n++] = a.ip;
  }
  if (n == 0) return;
  instance.resolve_at = kNever;
  const auto end = live.begin() + static_cast<std::ptrdiff_t>(n);
  const auto& told = instance.told;
  if (told && told->port == instance.srv->port && told->txt == instance.txt->strings &&
      std::equal(told->addresses.begin(), told->addresses.end(), live.begin(), end))
    return;
  instance.told = Found{instance.label, {live.begin(), end}, instance.srv->port, instance.txt->strings};
  events_.push_back(*instance.told);
}

void Browser::lose(std::map<std::string, Instance>::iterator at) {
  release(at->second);
  if (at->second.told) events_.push_back(Lost{at->second.label});
  instances_.erase(at);
}

// Another host asks what we would have asked, and its known answers are no more than ours (section 7.3).
void Browser::on_query(Time now, const dns::Message& query, ByteView bytes) {
  if (query.truncated || ask_at_ == kNever || equal(bytes, asked_)) return;
  const bool ours = std::any_of(query.questions.begin(), query.questions.end(), [&](const dns::Question& q) {
    return q.name == type_ && q.type == dns::Type::ptr && !q.unicast;
  });
  if (!ours || ask_at_ - now > pause_ / 2) return;
  for (const auto& r : query.answers) {
    const auto* ptr = std::get_if<dns::Ptr>(&r.data);
    if (ptr && instances_.count(ptr->target.key()) == 0) return;
  }
  ++counters_.suppressed;
  ask_at_ = now + pause_ + jitter(rng_);
  pause_ = std::min(2 * pause_, kLongestPause);
}

// Known answers fill as many messages as they need; all but the last are marked (section 7.2).
void Browser::ask(Time now, const dns::Name& own, Out& out) {
  dns::Builder builder(false, kMaxPacket);
  builder.add(dns::Question{type_, dns::Type::ptr});
  if (!own.labels.empty())
    builder.add(dns::Builder::Section::answer,
                {type_, dns::Type::ptr, dns::kInternet, false, kLongestTtl, dns::Ptr{own}});
  for (const auto& [key, instance] : instances_) {
    if (instance.refresh != kNever && instance.refresh <= now) continue;  // asked for again
    const auto left = instance.until - now;
    if (left < instance.life / 2) continue;
    dns::Record known{type_,
                      dns::Type::ptr,
                      dns::kInternet,
                      false,
                      static_cast<std::uint32_t>(std::chrono::duration_cast<seconds>(left).count()),
                      dns::Ptr{instance.name}};
    if (builder.add(dns::Builder::Section::answer, known)) continue;
    builder.set_truncated();
    out.send(link_.group(), builder.take());
    builder = dns::Builder(false, kMaxPacket);
    builder.add(dns::Builder::Section::answer, known);
  }
  asked_ = builder.take();
  out.send(link_.group(), asked_);
}

void Browser::resolve(Time now, Instance& instance, dns::Builder& builder) {
  instance.resolve_at = ++instance.asked < kResolves ? now + kResolveAgain * instance.asked : kNever;
  if (!instance.srv) builder.add(dns::Question{instance.name, dns::Type::srv});
  if (!instance.txt) builder.add(dns::Question{instance.name, dns::Type::txt});
  if (!instance.srv) return;
  builder.add(dns::Question{instance.srv->target, dns::Type::aaaa});
  builder.add(dns::Question{instance.srv->target, dns::Type::a});
}

void Browser::handle_timeout(Time now, const dns::Name& own, Out& out) {
  bool refresh = false;
  dns::Builder questions(false, kMaxPacket);
  for (auto at = instances_.begin(); at != instances_.end();) {
    auto here = at++;
    auto& instance = here->second;
    if (instance.until <= now) {
      lose(here);
      continue;
    }
    if (instance.resolve_at <= now) resolve(now, instance, questions);
    refresh = refresh || instance.refresh <= now;
  }
  if (!questions.empty()) out.send(link_.group(), questions.take());
  if (ask_at_ <= now || refresh) {
    ask(now, own, out);
    if (ask_at_ <= now) {
      ask_at_ = now + pause_;
      pause_ = std::min(2 * pause_, kLongestPause);
    }
  }
  for (auto& [key, instance] : instances_) {
    if (instance.refresh > now) continue;
    ++instance.refreshed;
    plan_refresh(instance, rng_, instance.until - instance.life);
  }
}

Time Browser::next_timeout() const {
  Time next = ask_at_;
  for (const auto& [key, instance] : instances_)
    next = std::min({next, instance.until, instance.refresh, instance.resolve_at});
  return next;
}

std::optional<MdnsEvent> Browser::poll_event() {
  if (events_.empty()) return std::nullopt;
  auto out = std::move(events_.front());
  events_.pop_front();
  return out;
}

}  // namespace linnet::overlay::mdns
