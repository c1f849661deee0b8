#include "nat/dial_back.h"

#include <algorithm>

#include "nat/stun_builder.h"

namespace linnet::nat {
namespace {

constexpr unsigned kTriesAtOne = 3;

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

std::optional<Endpoint> DialBack::reached(const Endpoint& promised) const {
  const auto at = std::find_if(checks_.begin(), checks_.end(), [&](const Check& c) { return c.promised == promised; });
  return at == checks_.end() ? std::nullopt : at->reached;
}

bool DialBack::handle(const Endpoint& from, const stun::Message& message) {
  if (!message.is(stun::Class::success, stun::Method::binding)) return false;
  for (auto& check : checks_) {
    // By another port of the server: so a NAT tells it from what the port under test has with the same server.
    if (check.reached || !check.server || check.id != message.id() || check.server->ip != from.ip) continue;
    const auto seen = message.endpoint(stun::Attr::xor_mapped_address);
    if (!seen || seen->ip.is_v4() != check.promised.ip.is_v4()) continue;
    check.reached = Endpoint{seen->ip, check.promised.port, check.promised.transport};
    check.next = kNever;
    return true;
  }
  return false;
}

void DialBack::ask(Time now, Check& check, const std::vector<Server>& servers) {
  if (check.tries % kTriesAtOne == 0) {
    std::vector<Endpoint> fitting;
    for (const auto& [at, sees_port] : servers) {
      const bool proves = sees_port != check.promised.port && at.transport == Transport::udp;
      if (proves && at.ip.is_v4() == check.promised.ip.is_v4()) fitting.push_back(at);
    }
    if (fitting.size() > 1 && check.server)
      std::erase_if(fitting, [&](const Endpoint& at) { return same_place(at, *check.server); });
    if (fitting.empty()) {
      check.next = now + kNobody;
      return;
    }
    check.server = fitting[rng_.below(fitting.size())];
    check.id = rng_.array<12>();
  }
  stun::Builder request(stun::Class::request, stun::Method::binding, check.id);
  // Long enough for an answer that is no longer.
  request.u16(stun::Attr::response_port, check.promised.port)
      .text(stun::Attr::software, "Linnet dial-back....")
      .fingerprint();
  out_.push_back({*check.server, request.take()});
  ++check.tries;
  check.next = now + kSpacing;
  if (check.tries < kTries) return;
  check.tries = 0;
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

}  // namespace linnet::nat
