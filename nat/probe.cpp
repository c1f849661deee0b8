#include "nat/probe.h"

#include <algorithm>

#include "nat/stun_builder.h"

namespace linnet::nat {
namespace {

using stun::Attr;

// SOFTWARE without meaning, which every server steps over: so that no answer is longer than its request.
constexpr std::size_t kFiller = 72;

}  // namespace

Probe::Probe(Time now, const ProbeConfig& config, Rng& rng) : config_(config), rng_(rng) {
  if (config_.servers.size() > kMaxServers) config_.servers.resize(kMaxServers);
  ask_next_server(now, Ask::contact);
  advance(now);
}

void Probe::ask_next_server(Time now, Ask what) {
  next_server_at_ = kNever;
  if (asked_servers_ == config_.servers.size()) return;
  ask(now, what, config_.servers[asked_servers_++]);
  if (asked_servers_ < config_.servers.size()) next_server_at_ = now + kNext;
}

void Probe::ask(Time now, Ask what, const Endpoint& to, std::uint32_t change) {
  const auto id = rng_.array<12>();
  stun::Builder out(stun::Class::request, stun::Method::binding, id);
  if (change != 0) out.u32(Attr::change_request, change);
  out.bytes(Attr::software, Bytes(kFiller, ' ')).fingerprint();
  if (client_.start(now, to, id, out.take(), config_.plan)) waiting_.push_back({id, what});
}

bool Probe::waits_for(Ask what) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [what](const Waiting& w) { return w.ask == what; });
}

bool Probe::handle(Time now, const Endpoint& from, const stun::Message& message) {
  const auto waits =
      std::find_if(waiting_.begin(), waiting_.end(), [id = message.id()](const Waiting& w) { return w.id == id; });
  if (waits == waiting_.end()) return false;
  const auto what = waits->ask;
  if (message.message_class() == stun::Class::request) {
    if (what != Ask::hairpin) return true;
    client_.cancel(message.id());
    waiting_.erase(waits);
    report_.hairpin = true;
    advance(now);
    return true;
  }
  const auto answered = client_.handle(now, message);
  if (!answered) {
    take_given_up(now);
    advance(now);
    return true;
  }
  waiting_.erase(waits);
  auto mapped = message.endpoint(Attr::xor_mapped_address);
  if (!mapped) mapped = message.endpoint(Attr::mapped_address);
  const auto other = message.endpoint(Attr::other_address);
  const bool good = message.message_class() == stun::Class::success && mapped && changed_as_asked(what, from);
  if (good) {
    on_answer(now, what, answered->asked, *mapped, other ? std::optional(*other) : std::nullopt);
  } else {
    doubt_ = doubt_ || what == Ask::change_both || what == Ask::change_port;
    on_silence(now, what);
  }
  advance(now);
  return true;
}

// What comes from anywhere else than was asked for tells nothing of the filter.
bool Probe::changed_as_asked(Ask what, const Endpoint& from) const {
  if (what == Ask::change_both) return same_place(from, *other_);
  if (what == Ask::change_port) return from.ip == server_.ip && from.port == other_->port;
  return true;
}

bool Probe::is_local(const Endpoint& mapped) const {
  if (mapped.port != config_.local.port) return false;
  if (!config_.local.ip.is_unspecified()) return mapped.ip.bytes == config_.local.ip.bytes;
  return std::any_of(config_.own.begin(), config_.own.end(),
                     [&](const IpAddress& own) { return own.bytes == mapped.ip.bytes; });
}

void Probe::handle_timeout(Time now) {
  client_.handle_timeout(now);
  take_given_up(now);
  if (next_server_at_ <= now) ask_next_server(now, step_ == Step::contact ? Ask::contact : Ask::second);
  advance(now);
}

void Probe::take_given_up(Time now) {
  while (const auto id = client_.poll_given_up()) {
    const auto waits = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.id == *id; });
    if (waits == waiting_.end()) continue;
    const auto what = waits->ask;
    waiting_.erase(waits);
    on_silence(now, what);
  }
}

void Probe::on_answer(Time now, Ask what, const Endpoint& asked, const std::optional<Endpoint>& mapped,
                      const std::optional<Endpoint>& other) {
  if (what != Ask::contact && what != Ask::change_port && what != Ask::second) heard_other_ = true;
  switch (what) {
    case Ask::contact: return on_contact(asked, *mapped, other);
    case Ask::change_both: report_.filtering = Dependence::endpoint_independent; return;
    case Ask::change_port:
      if (report_.filtering != Dependence::endpoint_independent) report_.filtering = Dependence::address;
      return;
    case Ask::other_address: on_second_mapping(now, *mapped); return;
    case Ask::other_both:
      report_.mapping = mapped == second_mapping_ ? Dependence::address : Dependence::address_and_port;
      return;
    case Ask::second:
      if (!second_mapping_) second_mapping_ = mapped;
      return;
    case Ask::hairpin: return;
  }
}

// RFC 5780 wants address and port to differ; a server that names something else cannot be asked. To an address that was
// itself asked as a server the filter is open already.
void Probe::on_contact(const Endpoint& asked, const Endpoint& mapped, const std::optional<Endpoint>& other) {
  if (other_) return;
  const auto end = config_.servers.begin() + static_cast<std::ptrdiff_t>(asked_servers_);
  const bool asked_too =
      other && std::any_of(config_.servers.begin(), end, [&](const Endpoint& s) { return s.ip == other->ip; });
  const bool usable = other && !asked_too && other->ip != asked.ip && other->port != asked.port;
  if (!report_.mapped || usable) {
    if (report_.mapped && asked.ip != server_.ip) second_mapping_ = report_.mapped;
    report_.mapped = mapped;
    report_.nat = !is_local(mapped);
    server_ = asked;
  } else if (asked.ip != server_.ip && !second_mapping_) {
    second_mapping_ = mapped;
  }
  if (usable) other_ = other;
}

void Probe::on_second_mapping(Time now, const Endpoint& mapped) {
  second_mapping_ = mapped;
  if (mapped == report_.mapped) {
    report_.mapping = Dependence::endpoint_independent;
  } else {
    ask(now, Ask::other_both, *other_);
  }
}

void Probe::on_silence(Time, Ask what) {
  if (what == Ask::hairpin && !report_.hairpin) report_.hairpin = false;
}

// Each step begins when nothing of the one before is waited for.
void Probe::advance(Time now) {
  if (step_ == Step::contact) {
    // Who answered without a second address is followed by the next server at once.
    while (!other_ && !waits_for(Ask::contact) && asked_servers_ < config_.servers.size())
      ask_next_server(now, Ask::contact);
    if (!other_ && waits_for(Ask::contact)) return;
    begin_filtering(now);
  }
  if (step_ == Step::filtering && !waits_for(Ask::change_both) && !waits_for(Ask::change_port)) {
    if (other_ && report_.filtering == Dependence::unknown) report_.filtering = Dependence::address_and_port;
    begin_mapping(now);
  }
  if (step_ == Step::mapping && !waits_for(Ask::other_address) && !waits_for(Ask::other_both)) begin_second(now);
  if (step_ == Step::second && (second_mapping_ || (!waits_for(Ask::second) && next_server_at_ == kNever))) {
    judge_mapping();
    begin_hairpin(now);
  }
  if (step_ == Step::hairpin && !waits_for(Ask::hairpin)) step_ = Step::finished;
}

void Probe::begin_filtering(Time now) {
  step_ = Step::filtering;
  next_server_at_ = kNever;
  // The other servers' answers come too late to matter.
  for (const auto& w : waiting_) client_.cancel(w.id);
  waiting_.clear();
  if (!report_.mapped || !other_) return;
  ask(now, Ask::change_both, server_, stun::kChangeAddress | stun::kChangePort);
  ask(now, Ask::change_port, server_, stun::kChangePort);
}

void Probe::begin_mapping(Time now) {
  step_ = Step::mapping;
  if (!report_.mapped) return;
  if (!report_.nat) report_.mapping = Dependence::endpoint_independent;
  // Without a NAT only to hear of it.
  const bool silent = report_.filtering != Dependence::endpoint_independent;
  if (other_ && (report_.nat || silent))
    ask(now, Ask::other_address, Endpoint{other_->ip, server_.port, Transport::udp});
}

// A second address that does not answer tells neither; the mapping then needs one more server.
void Probe::begin_second(Time now) {
  judge_filter();
  step_ = Step::second;
  if (report_.mapped && report_.mapping == Dependence::unknown && !second_mapping_) ask_next_server(now, Ask::second);
}

void Probe::judge_filter() {
  const bool by_silence = report_.filtering == Dependence::address || report_.filtering == Dependence::address_and_port;
  if (by_silence && (doubt_ || !heard_other_)) report_.filtering = Dependence::unknown;
}

// Two servers differ in address, and maybe in port: on which of them it depends is not told.
void Probe::judge_mapping() {
  for (const auto& w : waiting_) client_.cancel(w.id);
  waiting_.clear();
  next_server_at_ = kNever;
  if (!report_.mapped || report_.mapping != Dependence::unknown || !second_mapping_) return;
  report_.mapping = second_mapping_ == report_.mapped ? Dependence::endpoint_independent : Dependence::address_and_port;
}

void Probe::begin_hairpin(Time now) {
  step_ = Step::hairpin;
  if (report_.nat) ask(now, Ask::hairpin, *report_.mapped);
}

void LifetimeSearch::outcome(bool still_there) {
  if (still_there) {
    alive_ = std::max(alive_, next_);
  } else {
    dead_ = std::min(dead_, next_);
    bounded_ = true;
    alive_ = std::min(alive_, dead_);
  }
  next_ = bounded_ ? alive_ + (dead_ - alive_) / 2 : std::min(2 * alive_, dead_);
}

}  // namespace linnet::nat
