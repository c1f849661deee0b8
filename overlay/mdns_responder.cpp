#include "overlay/mdns_responder.h"

#include <algorithm>
#include <tuple>

namespace linnet::overlay::mdns {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// RFC 6762 section 10: records with a host's name or address, and all others.
constexpr std::uint32_t kHostTtl = 120;
constexpr std::uint32_t kOtherTtl = 4500;
constexpr std::uint32_t kLegacyTtl = 10;  // section 6.7
constexpr Duration kProbeEvery = milliseconds(250);
constexpr Duration kOncePerSecond = seconds(1);        // section 6: the same record is not multicast sooner
constexpr Duration kProbeDefence = milliseconds(250);  // ... but for a probe
constexpr unsigned kManyConflicts = 15;                // section 8.1: fifteen within ten seconds
constexpr Duration kConflictWindow = seconds(10);
constexpr Duration kConflictPause = seconds(5);
constexpr std::size_t kLabelBytes = 10;  // 16 characters

Duration between(Rng& rng, Duration low, Duration high) {
  return low + Duration(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

bool unique(const dns::Record& r) { return r.flush; }

}  // namespace

Responder::Responder(const Link& link, dns::Name service, Rng& rng, Mdns::Counters& counters)
    : link_(link), type_(std::move(service)), rng_(rng), counters_(counters) {}

void Responder::name_ourselves() {
  const auto label = to_base32(rng_.array<kLabelBytes>());
  instance_ = dns::prefixed(label, type_);
  host_ = dns::prefixed("linnet-" + label, dns::name("local"));
}

void Responder::build_records() {
  own_.clear();
  const auto add = [&](const dns::Name& name, dns::Type type, bool flush, std::uint32_t ttl, dns::Data data) {
    Own own;
    own.record = {name, type, dns::kInternet, flush, ttl, std::move(data)};
    own.extra = type == dns::Type::nsec;
    own_.push_back(std::move(own));
  };
  add(type_, dns::Type::ptr, false, kOtherTtl, dns::Ptr{instance_});
  add(dns::name("_services._dns-sd._udp.local"), dns::Type::ptr, false, kOtherTtl, dns::Ptr{type_});
  add(instance_, dns::Type::srv, true, kHostTtl, dns::Srv{0, 0, service_.port, host_});
  add(instance_, dns::Type::txt, true, kOtherTtl, dns::Txt{service_.txt});
  dns::Nsec host{host_, {}};
  for (const auto& prefix : link_.prefixes) {
    const auto type = prefix.ip.is_v4() ? dns::Type::a : dns::Type::aaaa;
    auto ip = prefix.ip;
    ip.scope = 0;
    add(host_, type, true, kHostTtl, dns::Host{ip});
    if (std::find(host.types.begin(), host.types.end(), type) == host.types.end()) host.types.push_back(type);
  }
  add(instance_, dns::Type::nsec, true, kOtherTtl, dns::Nsec{instance_, {dns::Type::txt, dns::Type::srv}});
  if (!host.types.empty()) add(host_, dns::Type::nsec, true, kHostTtl, host);
}

void Responder::announce(Time now, Service service) {
  if (stage_ != Stage::idle && service == service_) return;
  service_ = std::move(service);
  if (stage_ == Stage::idle) {
    name_ourselves();
    build_records();
    begin_probing(now + between(rng_, Duration(0), kProbeEvery));
    return;
  }
  build_records();
  if (stage_ == Stage::probing) return;
  stage_ = Stage::announcing;  // the names are ours already
  said_ = 0;
  next_ = std::max(next_ == kNever ? now : next_, now);
}

void Responder::begin_probing(Time at) {
  stage_ = Stage::probing;
  said_ = 0;
  next_ = at;
}

void Responder::withdraw(Out& out) {
  if (announced()) {
    dns::Builder builder(true, kMaxPacket);
    for (const auto& own : own_) {
      auto record = own.record;
      record.ttl = 0;
      // The list of service types is everybody's.
      if (!own.extra && record.name != dns::name("_services._dns-sd._udp.local"))
        builder.add(dns::Builder::Section::answer, record);
    }
    out.send(link_.group(), builder.take());
  }
  stage_ = Stage::idle;
  next_ = kNever;
  own_.clear();
}

void Responder::probe(Time now, Out& out) {
  dns::Builder builder(false, kMaxPacket);
  builder.add(dns::Question{instance_, dns::Type::any});
  builder.add(dns::Question{host_, dns::Type::any});
  for (const auto& own : own_) {
    if (unique(own.record) && !own.extra) builder.add(dns::Builder::Section::authority, own.record);
  }
  out.send(link_.group(), builder.take());
  next_ = now + kProbeEvery;
}

void Responder::conflict(Time now) {
  ++counters_.conflicts;
  if (conflicts_ == 0 || now - conflicts_since_ > kConflictWindow) {
    conflicts_ = 0;
    conflicts_since_ = now;
  }
  ++conflicts_;
  name_ourselves();
  build_records();
  begin_probing(now + (conflicts_ >= kManyConflicts ? kConflictPause : between(rng_, Duration(0), kProbeEvery)));
}

// Section 8.2: the later list of records, in the order of class, type and content, wins.
bool Responder::loses_against(const dns::Message& probe) const {
  using Key = std::tuple<std::uint16_t, std::uint16_t, Bytes>;
  const auto key = [](const dns::Record& r) {
    return Key{r.cls, static_cast<std::uint16_t>(r.type), dns::data_bytes(r.data)};
  };
  for (const auto& name : {instance_, host_}) {
    std::vector<Key> theirs;
    std::vector<Key> mine;
    for (const auto& r : probe.authorities)
      if (r.name == name) theirs.push_back(key(r));
    for (const auto& own : own_)
      if (own.record.name == name && !own.extra) mine.push_back(key(own.record));
    if (theirs.empty()) continue;
    std::sort(theirs.begin(), theirs.end());
    std::sort(mine.begin(), mine.end());
    if (mine < theirs) return true;
  }
  return false;
}

std::vector<Responder::Own*> Responder::matching(const dns::Question& q) {
  std::vector<Own*> out;
  if (q.cls != dns::kInternet && q.cls != dns::kAnyClass) return out;
  for (auto& own : own_) {
    if (own.record.name == q.name && !own.extra && (q.type == own.record.type || q.type == dns::Type::any))
      out.push_back(&own);
  }
  if (!out.empty()) return out;
  // Ours, but nothing of that type: that is an answer too.
  for (auto& own : own_) {
    if (own.record.name == q.name && own.extra) out.push_back(&own);
  }
  return out;
}

bool Responder::known_to(const dns::Message& query, const Own& own) const {
  return std::any_of(query.answers.begin(), query.answers.end(),
                     [&](const dns::Record& r) { return r.ttl >= own.record.ttl / 2 && r.same(own.record); });
}

void Responder::on_query(Time now, const Endpoint& from, const dns::Message& query, Out& out) {
  if (stage_ == Stage::probing && std::any_of(query.authorities.begin(), query.authorities.end(),
                                              [&](const dns::Record& r) { return ours(r.name); })) {
    if (loses_against(query)) begin_probing(now + kOncePerSecond);
    return;
  }
  if (!announced()) return;
  for (auto& own : own_) own.known = known_to(query, own);
  // Known answers that a truncated query's sender had no room for.
  for (auto& own : own_) {
    if (own.due == kNever || own.held_for != from || !own.known) continue;
    own.due = kNever;
    ++counters_.suppressed;
  }
  std::vector<Own*> unicast;
  std::vector<Own*> legacy;
  const bool probing = !query.authorities.empty();
  for (const auto& question : query.questions) {
    for (auto* own : matching(question)) {
      if (from.port != kPort) {
        legacy.push_back(own);
        continue;
      }
      if (own->known) {
        ++counters_.suppressed;
        continue;
      }
      const auto quarter = seconds(own->record.ttl) / 4;
      if (question.unicast && own->sent != Time::min() && now - own->sent < quarter) {
        unicast.push_back(own);
        continue;
      }
      const auto delay = query.truncated       ? between(rng_, milliseconds(400), milliseconds(500))
                         : unique(own->record) ? Duration(0)
                                               : between(rng_, milliseconds(20), milliseconds(120));
      const auto apart = probing ? kProbeDefence : kOncePerSecond;
      const auto at = own->sent == Time::min() ? now + delay : std::max(now + delay, own->sent + apart);
      if (own->due <= at) {
        own->held_for = {};  // another asks too
        continue;
      }
      own->due = at;
      own->held_for = query.truncated ? from : Endpoint{};
    }
  }
  if (!legacy.empty() && may_unicast(now)) answer_legacy(from, query, legacy, out);
  if (!unicast.empty()) answer_unicast(now, from, unicast, out);
}

bool Responder::may_unicast(Time now) {
  const double since = filled_ == Time::min() ? 0 : static_cast<double>(micros(now - filled_)) / 1e6;
  filled_ = now;
  tokens_ = std::min(Mdns::kUnicastPerSecond, tokens_ + since * Mdns::kUnicastPerSecond);
  if (tokens_ < 1) {
    ++counters_.limited;
    return false;
  }
  tokens_ -= 1;
  return true;
}

// RFC 6763 section 12: who asks for an instance wants the rest next.
void Responder::add_extras(dns::Builder& builder, const std::vector<Own*>& answers, std::uint32_t ttl_most,
                           bool nsec) const {
  const auto about = [&](dns::Type type, const dns::Name& name) {
    return std::any_of(answers.begin(), answers.end(),
                       [&](const Own* own) { return own->record.type == type && own->record.name == name; });
  };
  const bool pointed = about(dns::Type::ptr, type_);
  const bool located = pointed || about(dns::Type::srv, instance_);
  const bool host = located || about(dns::Type::a, host_) || about(dns::Type::aaaa, host_);
  for (const auto& own : own_) {
    if (std::find(answers.begin(), answers.end(), &own) != answers.end() || own.record.type == dns::Type::ptr) continue;
    const bool of_host = own.record.name == host_;
    const bool wanted = own.extra ? nsec && host && of_host : of_host ? host : pointed;
    if (!wanted) continue;
    auto record = own.record;
    record.ttl = std::min(record.ttl, ttl_most);
    record.flush = record.flush && nsec;
    builder.add(dns::Builder::Section::additional, record);
  }
}

// Section 6.7: as an ordinary DNS server would, with short times, and never far.
void Responder::answer_legacy(const Endpoint& to, const dns::Message& query, const std::vector<Own*>& answers,
                              Out& out) {
  dns::Builder builder(true, kMaxPacket, query.id);
  for (auto question : query.questions) {
    question.unicast = false;
    if (!builder.add(question)) return;
  }
  for (const auto* own : answers) {
    auto record = own->record;
    record.flush = false;
    record.ttl = std::min(record.ttl, kLegacyTtl);
    if (!own->extra && !builder.add(dns::Builder::Section::answer, record)) break;
  }
  add_extras(builder, answers, kLegacyTtl, false);
  out.send(to, builder.take());
}

void Responder::answer_unicast(Time now, const Endpoint& to, const std::vector<Own*>& answers, Out& out) {
  if (!may_unicast(now)) return;
  dns::Builder builder(true, kMaxPacket);
  for (const auto* own : answers) {
    if (!builder.add(dns::Builder::Section::answer, own->record)) break;
  }
  add_extras(builder, answers, kOtherTtl, true);
  out.send(to, builder.take());
}

void Responder::on_response(Time now, const dns::Message& response) {
  if (stage_ == Stage::idle) return;
  for (const auto* section : {&response.answers, &response.additionals}) {
    for (const auto& r : *section) {
      const auto same = std::find_if(own_.begin(), own_.end(), [&](const Own& own) { return own.record.same(r); });
      if (same != own_.end()) {
        // Somebody gave our answer (a shared record): ours is needless.
        if (same->due != kNever && !unique(same->record) && r.ttl >= same->record.ttl / 2) {
          same->due = kNever;
          same->sent = now;
          ++counters_.suppressed;
        }
        continue;
      }
      if (!ours(r.name) || r.ttl == 0) continue;
      const bool claimed = std::any_of(own_.begin(), own_.end(), [&](const Own& own) {
        return own.record.name == r.name && own.record.type == r.type;
      });
      // While probing any record of the name is somebody else's; later only one that says otherwise than ours.
      if (claimed || stage_ == Stage::probing) return conflict(now);
    }
  }
}

void Responder::say(Time now, std::vector<Own*> answers, Out& out, std::uint32_t ttl_most) {
  if (answers.empty()) return;
  dns::Builder builder(true, kMaxPacket);
  for (auto* own : answers) {
    own->sent = now;
    own->due = kNever;
    builder.add(dns::Builder::Section::answer, own->record);
  }
  add_extras(builder, answers, ttl_most, true);
  out.send(link_.group(), builder.take());
}

void Responder::handle_timeout(Time now, Out& out) {
  if (next_ <= now && stage_ == Stage::probing) {
    if (said_ < kProbes) {
      ++said_;
      probe(now, out);
    } else {
      stage_ = Stage::announcing;
      said_ = 0;
    }
  }
  if (next_ <= now && stage_ == Stage::announcing) {
    std::vector<Own*> all;
    for (auto& own : own_)
      if (!own.extra) all.push_back(&own);
    say(now, all, out, kOtherTtl);
    next_ = ++said_ < kAnnouncements ? now + kOncePerSecond : kNever;
    if (next_ == kNever) stage_ = Stage::running;
  }
  std::vector<Own*> due;
  for (auto& own : own_) {
    if (own.due <= now) due.push_back(&own);
  }
  if (announced()) say(now, due, out, kOtherTtl);
}

Time Responder::next_timeout() const {
  Time next = next_;
  for (const auto& own : own_) next = std::min(next, own.due);
  return next;
}

}  // namespace linnet::overlay::mdns
