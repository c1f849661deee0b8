#include "nat/reach_proof.h"

#include <algorithm>

namespace linnet::nat {
namespace {

std::vector<DialBack::Server> never_sent_to(const std::vector<Endpoint>& servers) {
  std::vector<DialBack::Server> out;
  for (const auto& at : servers) out.push_back({at, 0});
  return out;
}

}  // namespace

ReachProof::ReachProof(Time now, Rng& rng, const Endpoint& silent, const Endpoint& own)
    : own_(own), silent_(now, rng, silent), beside_(rng), strange_(rng), streams_(rng) {
  if (own_.ip.is_global()) strange_.set(now, {own_});
}

void ReachProof::follow(Time now) {
  beside_.set(now, silent_.outside() ? std::vector{own_} : std::vector<Endpoint>{});
  // Nobody is asked to dial a port that nobody listens at.
  streams_.set(now, listening_ && datagrams() ? std::vector{stream_port()} : std::vector<Endpoint>{});
}

bool ReachProof::handle_silent(Time now, const Endpoint& from, const stun::Message& message) {
  const auto before = silent_.outside();
  if (!silent_.handle(now, from, message)) return false;
  follow(now);
  if (silent_.outside() != before) beside_.doubt(now);
  return true;
}

bool ReachProof::handle_own(Time now, const Endpoint& from, const stun::Message& message) {
  const bool taken =
      beside_.handle(now, from, message) || strange_.handle(now, from, message) || streams_.handle(now, from, message);
  if (taken) follow(now);
  return taken;
}

void ReachProof::set_listening(Time now, bool listening) {
  listening_ = listening;
  follow(now);
}

void ReachProof::handle_timeout(Time now, const Servers& servers) {
  if (silent_.next_timeout() <= now) silent_.handle_timeout(now, servers.known);
  follow(now);
  const auto known = never_sent_to(beyond_nat(servers.known));
  if (beside_.next_timeout() <= now) beside_.handle_timeout(now, known);
  if (strange_.next_timeout() <= now) strange_.handle_timeout(now, never_sent_to(beyond_nat(servers.strangers)));
  if (streams_.next_timeout() <= now) streams_.handle_timeout(now, known);
  follow(now);
}

Time ReachProof::next_timeout() const {
  return std::min({silent_.next_timeout(), beside_.next_timeout(), strange_.next_timeout(), streams_.next_timeout()});
}

std::optional<Transmit> ReachProof::poll_transmit() {
  if (auto out = silent_.poll_transmit()) return out;
  if (auto out = beside_.poll_transmit()) return out;
  return strange_.poll_transmit();
}

void ReachProof::doubt(Time now) {
  silent_.doubt(now);
  beside_.doubt(now);
  strange_.doubt(now);
  streams_.doubt(now);
}

void ReachProof::again(Time now) {
  if (!datagrams() && own_.ip.is_global()) {
    strange_.set(now, {});
    strange_.set(now, {own_});
  }
  if (!datagrams()) silent_.again(now);
  if (!streams()) streams_.set(now, {});
  follow(now);
}

std::optional<Endpoint> ReachProof::datagrams() const {
  const auto beside = beside_.reached(own_);
  if (beside && silent_.outside() && beside->ip == *silent_.outside()) return beside;
  const auto strange = strange_.reached(own_);
  return strange && strange->ip == own_.ip ? strange : std::nullopt;
}

bool ReachProof::streams() const { return streams_.reached(stream_port()).has_value(); }

bool ReachProof::refuted() const {
  if (!datagrams()) return datagrams_proof() == Proof::none_came;
  return listening_ && streams_proof() == Proof::none_came;
}

Proof ReachProof::datagrams_proof() const {
  if (datagrams()) return Proof::reached;
  return silent_.outside() ? beside_.proof(own_) : silent_.proof();
}

}  // namespace linnet::nat
