#include "nat/port_map_client.h"

#include <algorithm>

#include "crypto/digest.h"

namespace linnet::nat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// RFC 6887, section 8.1.1: IRT and MRT. RFC 6886, section 3.1: 250 ms, doubled, nine times.
constexpr Duration kPcpFirst = seconds(3);
constexpr Duration kPcpMost = seconds(1024);
constexpr Duration kPmpFirst = milliseconds(250);
constexpr Duration kPmpMost = seconds(64);
constexpr unsigned kPmpTries = 9;
constexpr Duration kPmpAfter = kPcpFirst;  // of silence: some servers of NAT-PMP say nothing to version 2
constexpr seconds kLeastPause{30};         // after an error
constexpr seconds kMostPause{1800};
constexpr Duration kLeastRenewal = seconds(4);  // RFC 6887, section 11.2.1
constexpr Duration kAnnounced = seconds(5);     // over which those who heard a restart ask again (section 14.1.1)
constexpr std::size_t kMaxEntries = 4;
// Between renewals because of a server's clock, doubled as long as it goes on: one that runs back and forth, or two
// servers behind one address, would keep us asking for ever.
constexpr Duration kForgotAgain = seconds(4);
constexpr Duration kForgotMost = seconds(1800);
constexpr Duration kForgotCalm = seconds(3600);  // without one, all is as at first

pcp::Protocol protocol_of(Transport transport) {
  return transport == Transport::udp ? pcp::Protocol::udp : pcp::Protocol::tcp;
}

natpmp::Opcode opcode_of(Transport transport) {
  return transport == Transport::udp ? natpmp::Opcode::map_udp : natpmp::Opcode::map_tcp;
}

}  // namespace

PortMapClient::PortMapClient(Time now, Router router, const std::vector<PortWish>& wishes, seconds lifetime, Rng& rng,
                             const PortOwner& owner)
    : router_(router), lifetime_(lifetime), rng_(rng), owner_(owner), patient_until_(now + kPatience) {
  if (router_.server.ip.is_v4()) address_at_ = now + kPmpAfter;
  set_wishes(now, wishes);
}

// Another router shall not learn what this one was told.
pcp::Nonce PortMapClient::nonce_for(const PortWish& wish) const {
  Writer what(3);
  what.u8(static_cast<std::uint8_t>(wish.transport)).u16(wish.internal);
  const auto hash =
      crypto::hmac_sha256(owner_, {view("linnet-1 pcp"), router_.server.ip.bytes, router_.local.bytes, what.written()});
  pcp::Nonce out{};
  std::copy_n(hash.begin(), out.size(), out.begin());
  return out;
}

void PortMapClient::set_wishes(Time now, const std::vector<PortWish>& wishes) {
  std::vector<Entry> kept;
  for (const auto& wish : wishes) {
    if (kept.size() >= kMaxEntries || wish.internal == 0) continue;
    // Nothing is translated there: a pinhole leads to the port of its own number.
    if (wish.exact && wish.external != wish.internal && !router_.local.is_v4()) continue;
    const auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.wish == wish; });
    if (at != entries_.end()) {
      kept.push_back(*at);
      entries_.erase(at);
      continue;
    }
    Entry fresh;
    fresh.wish = wish;
    fresh.nonce = nonce_for(wish);
    fresh.suggested = {router_.local.is_v4() ? IpAddress::v4(0) : IpAddress{}, wish.external, wish.transport};
    fresh.next = now;
    kept.push_back(fresh);
  }
  for (const auto& gone : entries_) {
    if (!gone.held) continue;
    drop(gone, *gone.held);
    changed_ = true;
  }
  entries_ = std::move(kept);
}

void PortMapClient::send(Bytes bytes) {
  if (out_.size() < 4 * kMaxEntries) out_.push_back({router_.server, std::move(bytes)});
}

std::optional<Transmit> PortMapClient::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

// RT = (1 + RAND) * MIN (2 * RTprev, MRT), RAND within a tenth.
Duration PortMapClient::after(Duration first, Duration before, Duration most) {
  const auto base = before == Duration{} ? first : std::min(2 * before, most);
  const double factor = 0.9 + 0.2 * rng_.unit();
  return Duration(static_cast<std::int64_t>(static_cast<double>(micros(base)) * factor));
}

void PortMapClient::ask(Time now, Entry& entry) {
  ++entry.tries;
  if (speaks_ == Speaks::nat_pmp) {
    if (!external_) {
      entry.next = kNever;  // comes with the address
      return;
    }
    send(natpmp::write({opcode_of(entry.wish.transport), entry.wish.internal, entry.suggested.port, lifetime_}));
    entry.spacing = entry.spacing == Duration{} ? kPmpFirst : std::min(2 * entry.spacing, kPmpMost);
    if (entry.tries >= kPmpTries) entry.spacing = kPcpMost;
  } else {
    pcp::MapRequest out;
    out.client = router_.local;
    out.lifetime = lifetime_;
    out.map = {entry.nonce, protocol_of(entry.wish.transport), entry.wish.internal, entry.suggested};
    out.prefer_failure = entry.wish.exact;  // else some servers try all 65,535 that their rules forbid
    send(pcp::write(out));
    entry.spacing = after(kPcpFirst, entry.spacing, kPcpMost);
  }
  entry.next = now + entry.spacing;
}

void PortMapClient::ask_address(Time now) {
  // A refusal of version 2 can be forged too.
  if (speaks_ == Speaks::nat_pmp && address_tries_ >= kPmpTries) return doubt(now, Duration{});
  send(natpmp::write_address_request());
  const auto pause = address_tries_ < kPmpTries ? kPmpFirst * (1 << address_tries_) : kPcpMost;
  ++address_tries_;
  address_at_ = now + pause;
}

void PortMapClient::speak(Time now, Speaks what) {
  answered_ = true;
  if (speaks_ == what) return;
  speaks_ = what;
  epoch_.reset();
  address_tries_ = 0;
  address_at_ = what == Speaks::nat_pmp && !external_ ? now : kNever;
  for (auto& entry : entries_) {
    entry.spacing = Duration{};
    entry.tries = 0;
  }
}

void PortMapClient::handle(Time now, ByteView bytes, bool announced) {
  if (bytes.empty() || stopped_) return;
  if (bytes[0] == natpmp::kVersion) {
    const auto pmp = natpmp::read_response(bytes);
    if (pmp && pmp->code != natpmp::Code::unsupported_version) {
      if (speaks_ != Speaks::pcp) on_natpmp(now, *pmp, announced);
      return;
    }
  }
  if (const auto response = pcp::read_response(bytes)) on_pcp(now, *response, announced);
}

// Whether it answers MAP in PCP no more: it was asked again, without an answer since.
bool PortMapClient::silent_in_pcp() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.tries > 1; });
}

// Who speaks is to be found out anew. What is held stays as long as it was promised.
void PortMapClient::doubt(Time now, Duration within) {
  speaks_ = Speaks::unknown;
  epoch_.reset();
  external_.reset();
  address_tries_ = 0;
  address_at_ = router_.server.ip.is_v4() ? now + within + kPmpAfter : kNever;
  for (auto& entry : entries_) {
    entry.spacing = Duration{};
    entry.tries = 0;
    entry.next = now + part_of(within);
  }
}

Duration PortMapClient::part_of(Duration whole) {
  return Duration(static_cast<std::int64_t>(rng_.unit() * static_cast<double>(micros(whole))));
}

void PortMapClient::on_version_refused(Time now) {
  if (speaks_ == Speaks::nat_pmp || (speaks_ == Speaks::pcp && !silent_in_pcp())) return;
  if (router_.server.ip.is_v4()) {
    speak(now, Speaks::nat_pmp);
    for (auto& entry : entries_) entry.next = now;
  } else {
    for (auto& entry : entries_) put_off(now, entry, kMostPause);
    patient_until_ = now;
  }
}

void PortMapClient::on_pcp(Time now, const pcp::Response& response, bool announced) {
  if (response.version != pcp::kVersion) {
    if (!announced) on_version_refused(now);
    return;
  }
  if (response.opcode == pcp::Opcode::announce) {
    if (response.code != pcp::Code::success) return;
    if (speaks_ == Speaks::pcp) return look_at_epoch(now, response.epoch, announced, nullptr);
    // Its software may be another one now. But anybody can say so in its name: only an answer to our nonce tells.
    if (speaks_ == Speaks::nat_pmp && announced) doubt(now, kAnnounced);
    return;
  }
  if (speaks_ == Speaks::nat_pmp) return;
  if (announced || !response.map) return;
  const auto& map = *response.map;
  for (auto& entry : entries_) {
    if (map.nonce != entry.nonce || map.internal != entry.wish.internal ||
        map.protocol != protocol_of(entry.wish.transport))
      continue;
    speak(now, Speaks::pcp);
    if (response.code == pcp::Code::success) {
      take(now, entry, map.external, response.lifetime, MappedBy::pcp);
    } else {
      put_off(now, entry, response.lifetime);
    }
    return look_at_epoch(now, response.epoch, false, &entry);
  }
}

void PortMapClient::on_natpmp(Time now, const natpmp::Response& response, bool announced) {
  if (response.opcode == natpmp::Opcode::external_address) {
    if (speaks_ == Speaks::unknown && announced) return;  // PCP is asked first
    speak(now, Speaks::nat_pmp);
    address_at_ = kNever;
    if (response.code != natpmp::Code::success || response.address.is_unspecified() ||
        response.address == IpAddress::v4(0)) {
      address_at_ = now + kLeastPause;
      return;
    }
    const bool first = !external_;
    const bool moved = external_ && *external_ != response.address;
    external_ = response.address;
    for (auto& entry : entries_) {
      if (first || moved) entry.next = now;
    }
    return look_at_epoch(now, response.epoch, announced, nullptr);
  }
  if (announced || !external_) return;
  for (auto& entry : entries_) {
    if (opcode_of(entry.wish.transport) != response.opcode || response.internal != entry.wish.internal) continue;
    if (entry.spacing == Duration{}) continue;  // nothing was asked
    if (response.code == natpmp::Code::success) {
      take(now, entry, {*external_, response.external, entry.wish.transport}, response.lifetime, MappedBy::nat_pmp);
    } else {
      put_off(now, entry, kMostPause);
    }
    return look_at_epoch(now, response.epoch, false, &entry);
  }
}

void PortMapClient::take(Time now, Entry& entry, const Endpoint& external, seconds lifetime, MappedBy by) {
  if (entry.wish.exact && lifetime.count() == 0) return;  // it was given back
  if (external.port == 0 || external.ip.is_unspecified() || external.ip == IpAddress::v4(0) || lifetime.count() == 0)
    return put_off(now, entry, kLeastPause);
  if (entry.wish.exact && external.port != entry.wish.external) return give_back(now, entry, {by, external});
  const PortMapping got{by, entry.wish.internal, external, now + std::min(lifetime, kMostLifetime), router_.local};
  changed_ = changed_ || !entry.held || !entry.held->same_place_as(got);
  entry.held = got;
  entry.suggested = external;
  entry.refused = false;
  entry.lost = false;
  entry.spacing = Duration{};
  entry.tries = 0;
  // Between half and five eighths of what is left; later ones again so of the rest (RFC 6887, section 11.2.1).
  const auto left = static_cast<double>(micros(got.until - now));
  entry.next = now + std::max(kLeastRenewal, Duration(static_cast<std::int64_t>(left * (0.5 + rng_.unit() / 8))));
}

// Somebody else has the port that alone would be of use.
void PortMapClient::give_back(Time now, Entry& entry, const Offer& offer) {
  PortMapping unwanted;
  unwanted.by = offer.by;
  unwanted.internal = entry.wish.internal;
  unwanted.external = offer.external;
  drop(entry, unwanted);
  entry.lost = entry.held.has_value();
  put_off(now, entry, kMostPause);
}

// After an error. What is held stays as long as the router promised, if it knows of it.
void PortMapClient::put_off(Time now, Entry& entry, seconds pause) {
  if (std::exchange(entry.lost, false) && entry.held) {
    entry.held.reset();
    changed_ = true;
  }
  entry.refused = true;
  entry.spacing = Duration{};
  entry.tries = 0;
  entry.next = now + std::clamp(pause, kLeastPause, kMostPause);
}

// RFC 6887, section 8.5: did the server's clock run as ours did? NAT-PMP's rule (RFC 6886, section 3.6) is the lower
// half of it, with an eighth.
void PortMapClient::look_at_epoch(Time now, seconds server, bool announced, const Entry* answered) {
  const auto before = std::exchange(epoch_, Epoch{server, now});
  if (!before) return;
  const auto ours = std::chrono::duration_cast<seconds>(now - before->at).count();
  const auto theirs = (server - before->server).count();
  bool forgot = false;
  if (speaks_ == Speaks::nat_pmp) {
    forgot = theirs < ours * 7 / 8 - 2;
  } else {
    forgot = theirs < -1 || ours + 2 < theirs - theirs / 16 || theirs + 2 < ours - ours / 16;
  }
  if (!forgot) return;
  const auto earliest = may_renew_at(now);
  for (auto& entry : entries_) {
    if (&entry == answered) continue;  // what it holds is new
    entry.lost = true;
    entry.spacing = Duration{};
    entry.tries = 0;
    const auto soon = std::max(earliest, announced ? now + part_of(kAnnounced) : now);
    entry.next = std::max(now, std::min(entry.next, soon));
  }
}

// The first time at once.
Time PortMapClient::may_renew_at(Time now) {
  if (forgets_ > 0 && now >= forgot_at_ + kForgotCalm) forgets_ = 0;
  const auto pause =
      forgets_ == 0 ? Duration{} : std::min<Duration>(kForgotMost, kForgotAgain * (1LL << std::min(forgets_ - 1, 10U)));
  const auto at = forgets_ == 0 ? now : std::max(now, forgot_at_ + pause);
  // What is planned already is the answer to this one too.
  if (forgets_ == 0 || at == now) {
    ++forgets_;
    forgot_at_ = now;
  }
  return at;
}

void PortMapClient::unreachable(Time now) {
  if (answered_) return;
  patient_until_ = std::min(patient_until_, now);
}

void PortMapClient::handle_timeout(Time now) {
  if (stopped_) return;
  if (address_at_ <= now) ask_address(now);
  for (auto& entry : entries_) {
    if (entry.held && entry.held->until <= now) {
      entry.held.reset();
      changed_ = true;
    }
    if (entry.next <= now) ask(now, entry);
  }
}

Time PortMapClient::next_timeout() const {
  if (stopped_) return kNever;
  Time next = address_at_;
  for (const auto& entry : entries_) {
    next = std::min(next, entry.next);
    if (entry.held) next = std::min(next, entry.held->until);
  }
  return next;
}

void PortMapClient::drop(const Entry& entry, const PortMapping& held) {
  if (held.by == MappedBy::nat_pmp)
    return send(natpmp::write({opcode_of(entry.wish.transport), held.internal, 0, seconds(0)}));
  pcp::MapRequest out;
  out.client = router_.local;
  out.map = {entry.nonce, protocol_of(entry.wish.transport), held.internal, {}};
  out.map.external.ip = router_.local.is_v4() ? IpAddress::v4(0) : IpAddress{};
  send(pcp::write(out));
}

void PortMapClient::stop(Time) {
  stopped_ = true;
  for (auto& entry : entries_) {
    if (!entry.held) continue;
    drop(entry, *entry.held);
    entry.held.reset();
    changed_ = true;
  }
}

Time PortMapClient::unhelpful_at() const {
  const auto without = [](const Entry& e) { return !e.held && !e.wish.exact; };
  if (stopped_ || std::none_of(entries_.begin(), entries_.end(), without)) return kNever;
  const bool refused =
      std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return without(e) && e.refused; });
  return refused ? Time::min() : patient_until_;
}

std::vector<PortMapping> PortMapClient::mappings() const {
  std::vector<PortMapping> out;
  for (const auto& entry : entries_) {
    if (entry.held) out.push_back(*entry.held);
  }
  return out;
}

}  // namespace linnet::nat
