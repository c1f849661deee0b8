#include "nat/stun_client.h"

#include <algorithm>

namespace linnet::nat::stun {
namespace {

Endpoint without_socket(Endpoint endpoint) {
  endpoint.socket = 0;
  return endpoint;
}

}  // namespace

Status Client::start(Time now, const Endpoint& to, const TransactionId& id, Bytes request,
                     std::optional<RetransmitPlan> plan) {
  if (requests_.size() >= kMaxRequests) return fail(Fault::full);
  if (requests_.count(id) != 0) return fail(Fault::refused);
  if (!plan) {
    plan.emplace();
    const auto known = servers_.find(without_socket(to));
    if (known != servers_.end() && now - known->second.at < kRoundTripKept)
      plan->rto = known->second.trip.rto(plan->rto);
  }
  requests_.emplace(id, Request{to, std::move(request), Retransmission(now, *plan)});
  handle_timeout(now);
  return {};
}

std::optional<Client::Answered> Client::handle(Time now, const Message& message) {
  if (message.message_class() != Class::success && message.message_class() != Class::error) return std::nullopt;
  const auto found = requests_.find(message.id());
  if (found == requests_.end()) return std::nullopt;
  if (!message.understood_answer()) {
    given_up_.push_back(found->first);
    requests_.erase(found);
    return std::nullopt;
  }
  Answered out{found->first, found->second.to, found->second.when.round_trip(now)};
  requests_.erase(found);
  if (out.rtt) remember(now, without_socket(out.asked), *out.rtt);
  return out;
}

void Client::remember(Time now, const Endpoint& server, Duration rtt) {
  if (servers_.size() >= kMaxServers && servers_.count(server) == 0) {
    servers_.erase(std::min_element(servers_.begin(), servers_.end(),
                                    [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  }
  auto& entry = servers_[server];
  if (now - entry.at >= kRoundTripKept) entry.trip = RoundTrip();
  entry.trip.sample(rtt);
  entry.at = now;
}

void Client::handle_timeout(Time now) {
  for (auto it = requests_.begin(); it != requests_.end();) {
    auto& request = it->second;
    if (request.when.over(now)) {
      given_up_.push_back(it->first);
      it = requests_.erase(it);
      continue;
    }
    if (request.when.due(now)) out_.push_back({request.to, request.bytes});
    ++it;
  }
}

Time Client::next_timeout() const {
  Time next = kNever;
  for (const auto& [id, request] : requests_) next = std::min(next, request.when.next());
  return next;
}

std::optional<Transmit> Client::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

std::optional<TransactionId> Client::poll_given_up() {
  if (given_up_.empty()) return std::nullopt;
  return given_up_.take();
}

}  // namespace linnet::nat::stun
