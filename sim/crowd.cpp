#include "sim/crowd.h"

#include <algorithm>

#include "sim/designs.h"
#include "sim/owner.h"

namespace linnet::sim {
namespace {

constexpr auto kGoodbye = std::chrono::milliseconds(1100);
constexpr auto kLookAround = std::chrono::seconds(1);
constexpr auto kLastAnswers = std::chrono::seconds(6);

WorldConfig world_config(const ScenarioConfig& config, LinkConfig link) {
  WorldConfig w;
  w.seed = config.seed;
  w.link = link;
  if (config.loss) w.link.loss = *config.loss;
  return w;
}

}  // namespace

Crowd::Crowd(const ScenarioConfig& config, Population who, LinkConfig link, std::vector<Placed> placed)
    : config_(config),
      who_(who),
      where_(is_closed(config) ? closed_endpoint : public_endpoint),
      codec_(suite_of(config.wire), crypto::network_id("linnet")),
      shipped_(dht::Sealer(suite_of(config.wire), crypto::network_id("linnet"), std::nullopt)),
      hostile_(who.nodes + placed.size()),
      world_(world_config(config, link)),
      rng_(config.seed ^ 0x63726f77U) {
  world_.watch([this](Time, HostId, HostId, ByteView bytes) {
    oversize_ |= bytes.size() > kMaxDatagram;
    if (!bytes.empty() && (bytes[0] == dht::kRequestType || bytes[0] == dht::kAnswerType)) ++datagrams_;
  });
  for (const auto& one : placed) placed_.push_back(one.endpoint);
  const auto names = names_of(config_, who_.nodes, world_.wall());
  for (std::uint32_t i = 0; i < who_.nodes; ++i) {
    auto identity = identity_for(config_, i, world_.wall());
    identity.address = names[i];
    add(i, std::move(identity));
  }
  for (auto& one : placed) add(hosts(), std::move(one.identity));
}

void Crowd::add(std::uint32_t i, crypto::Identity identity) {
  people_.push_back({std::move(identity), 1, {}, {}, false, false, 0});
  actors_.push_back(nullptr);
  world_.add(nullptr, inside(i), i < fit() || i >= who_.nodes,
             is_supernode(i) ? std::nullopt : std::optional<NatBox>(NatBox(NatKind::port_restricted, outside(i).ip)));
}

std::unique_ptr<PeerActor> Crowd::make(std::uint32_t i) {
  const Working owner(i);
  auto& person = people_[i];
  overlay::PeerConfig p;
  p.network = crypto::network_id("linnet");
  if (config_.wire == Wire::typed) p.codec = &codec_;
  if (hostile_[i]) p.codec = hostile_[i].get();
  p.role = is_supernode(i) ? overlay::Role::supernode : overlay::Role::leaf;
  p.listen = {inside(i)};
  p.bootstrap = bootstrap_for(config_.seed, i, std::min(fit(), who_.supernodes), where_);
  if (i != 0) p.bootstrap.push_back(where_(0));
  p.first_sequence = person.sequence;
  shape(config_, p);
  return std::make_unique<PeerActor>(std::move(p), suite_of(config_.wire),
                                     seed_for(config_.seed + (std::uint64_t{person.lives} << 32), i), person.identity,
                                     person.cache);
}

void Crowd::corrupt(std::uint32_t i, Lie lie) {
  dht::Codec& honest = config_.wire == Wire::typed ? static_cast<dht::Codec&>(codec_) : shipped_;
  hostile_[i] = std::make_unique<HostileCodec>(honest, lie, conspiracy_);
}

void Crowd::start(Time now, std::uint32_t i) {
  if (alive(i)) return;
  auto made = make(i);
  auto& person = people_[i];
  ++person.lives;
  ++report_.lives;
  person.started = now;
  person.counted_online = false;
  person.leaving = false;
  actors_[i] = made.get();
  world_.revive(HostId{i}, std::move(made));
  const Working owner(i);
  actor(i).peer().start(now, world_.wall());
  world_.settle(HostId{i});
}

void Crowd::remember(std::uint32_t i) {
  people_[i].sequence = actor(i).sequence_below();
  people_[i].cache = actor(i).peer().host_cache();
  std::erase_if(asked_, [&](const auto& asked) {
    const bool mute = asked.first.first == i || asked.second.target == i;
    if (mute) --report_.lookups;
    if (mute) outcomes_[asked.second.number].counts = false;
    return mute;
  });
}

void Crowd::die(std::uint32_t i) {
  if (!alive(i)) return;
  remember(i);
  actors_[i] = nullptr;
  world_.kill(HostId{i});
}

void Crowd::leave(Time now, std::uint32_t i) {
  if (!alive(i)) return;
  remember(i);
  people_[i].leaving = true;
  {
    const Working owner(i);
    actor(i).peer().leave(now);
  }
  world_.settle(HostId{i});
  world_.at(now + kGoodbye, [this, i, life = people_[i].lives](Time) {
    if (people_[i].lives == life) die(i);
  });
}

// Who is leaving is not: the records are withdrawn.
bool Crowd::online(std::uint32_t i) const {
  return alive(i) && !people_[i].leaving && actor(i).peer().state() == overlay::State::online;
}

bool Crowd::has_home(std::uint32_t i) const { return alive(i) && (is_supernode(i) || !homes(i).empty()); }

std::vector<std::uint32_t> Crowd::homes(std::uint32_t i) const {
  std::vector<std::uint32_t> out;
  for (const auto& s : actor(i).peer().supernodes()) {
    const auto host = s.attached ? world_.host_at(s.endpoint.ip) : std::nullopt;
    if (host && world_.alive(*host)) out.push_back(static_cast<std::uint32_t>(*host));
  }
  return out;
}

std::uint32_t Crowd::count_online() const {
  std::uint32_t out = 0;
  for (std::uint32_t i = 0; i < hosts(); ++i) out += online(i) ? 1 : 0;
  return out;
}

void Crowd::ask(Time now, std::uint32_t caller, std::uint32_t target) {
  const auto id = [&] {
    const Working host(caller);
    return actor(caller).peer().find(now, people_[target].identity.address, std::nullopt, true);
  }();
  ++report_.lookups;
  if (id) asked_[{caller, static_cast<std::uint64_t>(*id)}] = {target, now, outcomes_.size()};
  outcomes_.push_back({now});
  world_.settle(HostId{caller});
}

// Drawn among all, so that nothing depends on who happens to be online; given up after many that are not.
std::optional<std::uint32_t> Crowd::somebody_online() {
  for (int i = 0; i < 64; ++i) {
    const auto one = static_cast<std::uint32_t>(rng_.below(who_.nodes));
    if (online(one) && honest(one)) return one;
  }
  return std::nullopt;
}

void Crowd::ask_somebody(Time now) {
  const auto caller = somebody_online();
  const auto target = somebody_online();
  if (caller && target && *caller != *target) ask(now, *caller, *target);
}

Time Crowd::moment(Time from, Duration span) {
  return from + Duration(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(micros(span)))));
}

void Crowd::ask_around(Time from, Duration span, std::uint64_t questions) {
  for (; questions > 0; --questions) world_.at(moment(from, span), [this](Time now) { ask_somebody(now); });
}

void Crowd::ask_for(std::uint32_t target, Time from, Duration span, std::uint64_t questions) {
  for (; questions > 0; --questions) {
    world_.at(moment(from, span), [this, target](Time now) {
      if (const auto caller = somebody_online(); caller && *caller != target && online(target))
        ask(now, *caller, target);
    });
  }
}

void Crowd::run(std::string_view phase, Time until) {
  while (world_.now() < until) {
    world_.run_until(std::min(until, world_.now() + kLookAround));
    collect();
    if (config_.progress)
      config_.progress({phase, static_cast<double>(micros(world_.now().time_since_epoch())) * 1e-6, world_.events(),
                        count_online()});
  }
}

void Crowd::collect() {
  for (std::uint32_t i = 0; i < hosts(); ++i) {
    if (!alive(i)) continue;
    supernode_seconds_ += i < who_.supernodes ? 1 : 0;
    auto& person = people_[i];
    if (const auto at = actor(i).online_at(); at && !person.counted_online) {
      person.counted_online = true;
      report_.join_ms.push_back(millis(*at - person.started));
    }
    for (auto& answer : actor(i).take_answers()) {
      const auto asked = asked_.find({i, static_cast<std::uint64_t>(answer.found.find)});
      if (asked == asked_.end()) continue;
      judge(asked->second, answer);
      asked_.erase(asked);
    }
  }
}

void Crowd::judge(const Asked& asked, const PeerActor::Answer& answer) {
  const auto before = report_.lookups_ok;
  count_answer(report_, people_[asked.target].identity.account_key(), answer.found, answer.at - asked.at);
  const bool at_home = report_.lookups_ok > before && leads_home(asked.target, answer.found);
  outcomes_[asked.number].at_home = at_home;
  report_.lookups_led_home += at_home ? 1 : 0;
}

// Now, which is up to a second after the answer.
bool Crowd::leads_home(std::uint32_t target, const overlay::Found& found) const {
  const auto there = is_supernode(target) ? std::vector{target} : homes(target);
  for (const auto& device : found.devices) {
    if (device.record.account() != people_[target].identity.account_key()) continue;
    for (const auto& home : device.body.homes) {
      const auto host = world_.host_at(home.endpoint.ip);
      if (host && std::find(there.begin(), there.end(), static_cast<std::uint32_t>(*host)) != there.end()) return true;
    }
  }
  return false;
}

std::optional<double> Crowd::reached_after(Time from) const {
  constexpr auto kStep = std::chrono::seconds(5);
  std::map<std::int64_t, std::pair<double, double>> steps;  // asked, found at home
  for (const auto& one : outcomes_) {
    if (!one.counts || one.at < from) continue;
    auto& [asked, home] = steps[(one.at - from) / kStep];
    asked += 1;
    home += one.at_home ? 1 : 0;
  }
  std::optional<double> out;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->second.second < 0.99 * step->second.first) break;
    out = static_cast<double>(step->first * kStep.count());
  }
  return out;
}

Report Crowd::finish() {
  run("answers", world_.now() + kLastAnswers);
  report_world(report_, config_, who_, world_, oversize_);
  if (config_.wire == Wire::typed) report_.wire_checked_pct = codec_.check().checked_pct();
  for (const auto& what : codec_.check().different()) report_.broken.push_back(what);
  if (report_.wrong_keys > 0) report_.broken.push_back("a lookup gave a wrong key");
  return std::move(report_);
}

}  // namespace linnet::sim
