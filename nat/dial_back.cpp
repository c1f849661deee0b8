#include "nat/dial_back.h"

#include <algorithm>

#include "nat/stun_builder.h"

namespace linnet::nat {
namespace {

constexpr unsigned kGoesUntilLost = 2;

}  // namespace

void DialBack::set(Time now, const std::vector<Endpoint>& promised) {
  std::vector<Check> next;
  for (const auto& endpoint : promised) {
    if (next.size() >= kMost) break;
    const auto before =
        std::find_if(checks_.begin(), checks_.end(), [&](const Check& c) { return c.promised == endpoint; });
    if (before != checks_.end()) {
      next.push_back(*before);
    } else {
      Check fresh;
      fresh.promised = endpoint;
      fresh.next = now;
      next.push_back(fresh);
    }
  }
  checks_ = std::move(next);
}

void DialBack::doubt(Time now) {
  for (auto& check : checks_) {
    if (check.reached && check.turn == 0) check.next = now;
  }
}

std::optional<Endpoint> DialBack::reached(const Endpoint& promised) const {
  const auto at = std::find_if(checks_.begin(), checks_.end(), [&](const Check& c) { return c.promised == promised; });
  return at == checks_.end() ? std::nullopt : at->reached;
}

Proof DialBack::proof(const Endpoint& promised) const {
  const auto at = std::find_if(checks_.begin(), checks_.end(), [&](const Check& c) { return c.promised == promised; });
  return at == checks_.end() ? Proof::asking : at->proof;
}

// The server says where it sees the port under test. Where that is the promised port, another server is asked.
bool DialBack::on_seen(Time now, Check& check, const stun::Message& message) {
  const auto seen = message.endpoint(stun::Attr::xor_mapped_address);
  if (!seen || check.sees_port || check.look_id != message.id()) return false;
  check.sees_port = seen->port;
  check.seen_there = check.seen_there || seen->port == check.promised.port;
  check.left = seen->port == check.promised.port ? 0 : kTries;
  check.next = now;
  return true;
}

bool DialBack::handle(Time now, const Endpoint& from, const stun::Message& message) {
  if (!message.is(stun::Class::success, stun::Method::binding)) return false;
  for (auto& check : checks_) {
    if (!check.server || check.stream() != (from.transport != Transport::udp)) continue;
    // By another port of the server: so a NAT tells it from what the port under test has with the same server. A stream
    // may leave a server by another of its addresses; the id came to it under seal.
    if (!check.stream() && check.server->ip != from.ip) continue;
    if (!check.stream() && on_seen(now, check, message)) return true;
    if (check.id != message.id()) continue;
    const auto seen = message.endpoint(stun::Attr::xor_mapped_address);
    if (!seen || seen->ip.is_v4() != check.promised.ip.is_v4()) continue;
    check.reached = Endpoint{seen->ip, check.promised.port, check.promised.transport};
    check.proof = Proof::reached;
    begin_anew(check);
    check.failed = 0;
    check.next = now + kProvenAgain;
    return true;
  }
  return false;
}

// Another one each time, of those that may prove it.
bool DialBack::choose(Time now, Check& check, const std::vector<Server>& servers) {
  std::vector<Server> fitting;
  bool family = false;
  for (const auto& server : servers) {
    if (server.at.transport != Transport::udp || server.at.ip.is_v4() != check.promised.ip.is_v4()) continue;
    family = true;
    if (check.stream() || server.sees_port != check.promised.port) fitting.push_back(server);
  }
  const auto fresh = [&](const Server& s) {
    return std::none_of(check.asked.begin(), check.asked.end(), [&](const Endpoint& a) { return same_place(a, s.at); });
  };
  if (check.stream() || std::any_of(fitting.begin(), fitting.end(), fresh)) {
    std::erase_if(fitting, [&](const Server& s) { return !fresh(s); });
  } else if (fitting.size() > 1 && !check.asked.empty()) {
    std::erase_if(fitting, [&](const Server& s) { return same_place(s.at, check.asked.back()); });
  }
  if (fitting.empty() && !check.asked.empty()) {
    end_go(now, check);
    return false;
  }
  if (fitting.empty()) {
    if (!check.reached) check.proof = family ? Proof::seen_there : Proof::nobody;
    check.next = now + kNobody;
    return false;
  }
  const auto& server = fitting[rng_.below(fitting.size())];
  check.server = server.at;
  check.sees_port = check.stream() ? 0 : server.sees_port;
  check.asked.push_back(server.at);
  check.id = rng_.array<12>();
  check.look_id = rng_.array<12>();
  return true;
}

void DialBack::send(Check& check) {
  if (check.stream()) {
    asks_.push_back({*check.server, check.id, check.promised.port});
  } else if (!check.sees_port) {
    stun::Builder look(stun::Class::request, stun::Method::binding, check.look_id);
    look.text(stun::Attr::software, "Linnet dial-back....").fingerprint();  // long enough for an answer
    from_port_.push_back({check.promised, {*check.server, look.take()}});
    return;
  } else {
    stun::Builder request(stun::Class::request, stun::Method::binding, check.id);
    // Long enough for an answer that is no longer.
    request.u16(stun::Attr::response_port, check.promised.port)
        .text(stun::Attr::software, "Linnet dial-back....")
        .fingerprint();
    out_.push_back({*check.server, request.take()});
  }
  check.useful = true;
}

void DialBack::ask(Time now, Check& check, const std::vector<Server>& servers) {
  if (check.left == 0) {
    if (check.turn == kServers) return end_go(now, check);
    if (!choose(now, check, servers)) return;
    ++check.turn;
    check.left = check.stream() ? 1 : kTries;
  }
  send(check);
  --check.left;
  check.next = now + (check.stream() ? kStreamSpacing : kSpacing);
}

void DialBack::begin_anew(Check& check) {
  check.turn = check.left = 0;
  check.asked.clear();
  check.useful = check.seen_there = false;
}

// Nothing came. What was proven gets a second go before it is given up.
void DialBack::end_go(Time now, Check& check) {
  const auto found = check.useful ? Proof::none_came : check.seen_there ? Proof::seen_there : Proof::nobody;
  begin_anew(check);
  if (check.reached && ++check.failed < kGoesUntilLost) {
    check.next = now + kDoubted;
    return;
  }
  check.reached.reset();
  check.failed = 0;
  check.proof = found;
  check.next = now + kAgain;
}

void DialBack::handle_timeout(Time now, const std::vector<Server>& servers) {
  for (auto& check : checks_) {
    if (check.next <= now) ask(now, check, servers);
  }
}

Time DialBack::next_timeout() const {
  Time next = kNever;
  for (const auto& check : checks_) next = std::min(next, check.next);
  return next;
}

std::optional<Transmit> DialBack::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

std::optional<DialBack::FromPort> DialBack::poll_from_port() {
  if (from_port_.empty()) return std::nullopt;
  return from_port_.take();
}

std::optional<DialBack::Ask> DialBack::poll_ask() {
  if (asks_.empty()) return std::nullopt;
  return asks_.take();
}

}  // namespace linnet::nat
