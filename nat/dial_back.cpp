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

bool DialBack::reached(const Endpoint& promised) const {
  return std::any_of(checks_.begin(), checks_.end(),
                     [&](const Check& c) { return c.promised == promised && c.reached; });
}

bool DialBack::handle(const Endpoint& from, const stun::Message& message) {
  if (!message.is(stun::Class::success, stun::Method::binding)) return false;
  for (auto& check : checks_) {
    if (check.reached || !check.server || check.id != message.id() || !same_place(*check.server, from)) continue;
    check.reached = true;
    check.next = kNever;
    return true;
  }
  return false;
}

void DialBack::ask(Time now, Check& check, const std::vector<Endpoint>& servers) {
  if (check.tries % kTriesAtOne == 0) {
    std::vector<Endpoint> fitting;
    for (const auto& server : servers) {
      const bool other = !check.server || servers.size() == 1 || !same_place(server, *check.server);
      if (server.ip.is_v4() == check.promised.ip.is_v4() && server.transport == Transport::udp && other)
        fitting.push_back(server);
    }
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

void DialBack::handle_timeout(Time now, const std::vector<Endpoint>& servers) {
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
