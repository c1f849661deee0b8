// What follows from an input until nothing moves any more, and what the clock does.
#include <algorithm>
#include <utility>

#include "node/node_impl.h"

namespace linnet::node {
namespace {

// One input leads to a handful of steps; a loop between two rooms would be our mistake, not a peer's chance.
constexpr int kMaxSteps = 1000;

sip::Config sip_config(const NodeConfig& config, const crypto::Identity& identity) {
  sip::Config out;
  out.local_uri = uri_of(identity.address);
  out.user_agent = config.user_agent;
  out.event_packages = {{std::string(sip::kConferencePackage), {std::string(sip::kConferenceInfoType)}}};
  out.refers = true;                     // members of conferences; others are refused
  out.reliable = true;                   // the sip channel of a session delivers
  out.limits.calls = Links::kMax + 128;  // a mixer has one on each link, and sometimes two
  return out;
}

}  // namespace

Node::Impl::Impl(NodeConfig config_in, const crypto::Suite& suite_in, Rng& rng_in, crypto::Identity identity_in,
                 overlay::HostCache cache, Memory memory)
    : config(std::move(config_in)),
      suite(suite_in),
      rng(rng_in),
      identity(std::move(identity_in)),
      book(memory.rooms),
      contacts(std::move(memory)),
      peer(config.peer, suite, rng, identity, std::move(cache)),
      stun(config.sockets, config.one_address),
      sip(sip_config(config, identity), rng),
      conferences(std::string(identity.address.domain())) {}

void Node::Impl::settle(Time now) {
  for (int step = 0; step < kMaxSteps; ++step) {
    bool moved = false;
    while (auto event = peer.poll_event()) {
      moved = true;
      std::visit([&](auto& what) { on(now, what); }, *event);
    }
    while (auto event = sip.poll_event()) {
      moved = true;
      std::visit([&](const auto& what) { on(now, what); }, *event);
    }
    while (const auto message = sip.poll_message()) {
      moved = true;
      deliver(now, *message);
    }
    if (traversal.settle(traversal_rooms(now))) moved = true;
    if (settle_conferences(now)) moved = true;
    if (!moved) break;
  }
  auto r = rooms();
  for (auto& entry : calls) {
    if (auto* talking = entry.second.talking()) talking->send(r, now);
  }
  reap(now);
  if (std::exchange(calls_moved, false)) keep_links(now);
  tend_fan();
  tend_streams(now);
  leave_step(now);
}

// A packet of voice moves its call and nothing else. Who mixes for a hundred hears five thousand in a second: what
// other inputs make us look at, all calls and all links, is not looked at for each. False: more is to be settled.
bool Node::Impl::settle_voice(Time now) {
  auto event = peer.poll_event();
  if (!event) return false;
  auto* voice = std::get_if<overlay::LinkVoice>(&*event);
  if (voice == nullptr || leaving != Leaving::no) {
    std::visit([&](auto& what) { on(now, what); }, *event);
    return false;
  }
  const auto link = voice->link;
  auto* call = hear(now, *voice);
  if (call == nullptr) return false;
  if (traversal.settle(traversal_rooms(now), link) || conferences.wants()) return false;
  if (auto* talking = call->talking()) {
    auto r = rooms();
    talking->send(r, now);
  }
  tend_fan();
  return !peer.has_events();
}

void Node::Impl::keep_links(Time now) {
  for (const auto& [id, link] : links.all()) {
    peer.keep(now, id, in_use(calls, link.peer()));
    traversal.talk(id, talking_on(calls, id));
  }
}

// Where we listen, and what a router lets in to it.
void Node::Impl::tell_streams() {
  auto all = taken_streams;
  for (const auto& at : outside.streams()) {
    if (std::find(all.begin(), all.end(), at) == all.end()) all.push_back(at);
  }
  streams.set(std::move(all));
}

void Node::Impl::tend_streams(Time now) {
  for (const auto& [id, link] : links.all()) {
    const auto path = peer.path(id);
    const bool relayed = path && path->kind != overlay::PathKind::direct;
    const Streams::Facts facts{link.shared, talking_on(calls, id), relayed};
    if (auto words = streams.say(id, facts)) (void)peer.send(now, id, overlay::Channel::candidates, std::move(*words));
    for (const auto& at : streams.look(now, id, facts))
      peer.offer_path(now, id, {overlay::PathKind::direct, at, 0, false}, false);
  }
}

void Node::Impl::tend_fan() {
  if (const auto wish = traversal.poll_fan_wish()) {
    if (*wish == Traversal::FanWish::open) {
      out.push(event::OpenFan{nat::birthday::kSockets});
    } else {
      out.push(event::CloseFan{});
    }
  }
  while (const auto socket = traversal.poll_unneeded()) out.push(event::CloseSocket{*socket});
}

// Without a link the message is lost; SIP's transactions end by their own timers.
void Node::Impl::deliver(Time now, const sip::Outgoing& message) {
  if (auto* link = links.to(message.to)) (void)peer.send(now, link->id, overlay::Channel::sip, message.bytes);
}

// With what the node itself had to do before anybody could call.
CallSummary Node::Impl::summary_of(const Call& call) const {
  auto summary = call.summary();
  auto& e = summary.explain;
  e.node_age_ms = millis(call.facts().began - began);
  if (came_online) e.joined_ms = millis(*came_online - began);
  if (const auto at = nat.known_since()) e.detected_ms = millis(*at - began);
  if (e.our_nat.empty() && nat.type() != NatType::unknown) e.our_nat = to_string(nat.type());
  return summary;
}

void Node::Impl::reap(Time now) {
  for (auto it = calls.begin(); it != calls.end();) {
    if (!it->second.over()) {
      ++it;
      continue;
    }
    calls_moved = true;
    if (const auto& room = it->second.facts().room; room && room->begins && leaving == Leaving::no) {
      const auto facts = it->second.facts();
      calls.erase(it++);
      auto r = rooms();
      conferences.begin_at(host(r), now, facts);
      continue;
    }
    out.ended(it->first);
    auto ended = calls.extract(it++);
    auto r = rooms();
    conferences.call_over(host(r), now, ended.mapped());
    if (!ended.mapped().facts().hidden()) out.push(event::CallEnded{summary_of(ended.mapped())});
    out.status_changed();
    for (auto& entry : links.all()) {
      if (!in_use(calls, entry.second.peer())) entry.second.idle_since = std::max(entry.second.idle_since, now);
    }
  }
}

Call* Node::Impl::owner(sip::CallId call) {
  for (auto& entry : calls) {
    if (entry.second.owns(call)) return &entry.second;
  }
  return nullptr;
}

void Node::Impl::close_idle_links(Time now) {
  std::vector<overlay::SessionId> idle;
  for (auto& entry : links.all()) {
    auto& link = entry.second;
    if (in_use(calls, link.peer())) link.idle_since = now;
    if (now - link.idle_since >= Links::kIdle) idle.push_back(link.id);
  }
  for (const auto id : idle) {
    peer.close(now, id);
    on(now, overlay::LinkDown{id, overlay::DownReason::closed});
  }
  idle_check = links.size() == 0 ? kNever : now + kIdleCheck;
}

void Node::Impl::handle_timeout(Time now) {
  if (now >= peer.next_timeout()) peer.handle_timeout(now);
  if (now >= traversal.next_timeout()) traversal.handle_timeout(traversal_rooms(now));
  if (now >= sip.next_timeout()) sip.handle_timeout(now);
  for (auto& entry : calls) {
    if (now < entry.second.next_timeout()) continue;
    auto r = rooms();
    if (!entry.second.handle(r, now, input::Tick{})) continue;
    calls_moved = true;
    out.changed(entry.first);
  }
  if (now >= conferences.next_timeout()) {
    auto r = rooms();
    conferences.handle_timeout(host(r), now);
  }
  if (now >= idle_check) close_idle_links(now);
  look_at_nat(now);
  if (now >= examiner.next_timeout()) {
    auto r = rooms();
    examiner.handle_timeout(r, now);
  }
  if (now >= invitations.next_timeout()) {
    auto r = rooms();
    invitations.handle_timeout(r, now);
  }
  settle(now);
}

void Node::Impl::look_at_nat(Time now) {
  if (now >= nat.next_timeout() && nat.begin(now)) out.push(event::ProbeNat{});
  if (now < binding.next_timeout()) return;
  if (const auto server = binding.begin(now, peer.supernodes())) out.push(event::MeasureBinding{*server});
}

Time Node::Impl::next_timeout() const {
  if (leaving == Leaving::left && !out.empty()) return Time{};  // Left came while transmits were polled: fetch it
  Time out_at = std::min({peer.next_timeout(), traversal.next_timeout(), sip.next_timeout(), idle_check, last_words_by,
                          invitations.next_timeout(), nat.next_timeout(), binding.next_timeout(),
                          examiner.next_timeout(), streams.next_timeout(), conferences.next_timeout()});
  if (leaving != Leaving::no && leaving != Leaving::left) out_at = std::min(out_at, drained_by);
  for (const auto& entry : calls) out_at = std::min(out_at, entry.second.next_timeout());
  return out_at;
}

void Node::Impl::look_at_clock(Time now) {
  wall = peer.wall(now);
  if (renew_certificate(wall)) peer.identity_changed(now);
  book.renew(suite, identity, wall);
  auto r = rooms();
  save_people(r);
  conferences.handle_wall(now, wall);
}

bool Node::Impl::renew_certificate(Wall now) {
  if (!crypto::needs_renewal(identity.certificate, now)) return false;
  crypto::renew_certificate(suite, identity, now);
  out.push(event::SaveIdentity{});
  return true;
}

}  // namespace linnet::node
