#include "nat/relay_proof.h"

#include <algorithm>

namespace linnet::nat {
namespace {

// As far as can be told: one's own addresses cost nothing.
bool of_one_owner(const IpAddress& a, const IpAddress& b) {
  return a.is_global() && b.is_global() ? a.prefix() == b.prefix() : a == b;
}

}  // namespace

RelayProof::RelayProof(Time now, Rng& rng, const Endpoint& port) : port_(port), dial_(rng) { dial_.set(now, {port_}); }

std::vector<Endpoint> RelayProof::others(const IpAddress& than, const std::vector<Endpoint>& among) const {
  std::vector<Endpoint> out;
  for (const auto& at : among) {
    if (at.ip.is_v4() == port_.ip.is_v4() && !of_one_owner(at.ip, than)) out.push_back(at);
  }
  return out;
}

std::vector<Endpoint> beyond_nat(std::vector<Endpoint> supernodes) {
  const auto near = [](const Endpoint& at) { return !at.ip.is_global(); };
  if (!std::all_of(supernodes.begin(), supernodes.end(), near)) std::erase_if(supernodes, near);
  return supernodes;
}

bool RelayProof::handle(Time now, const Endpoint& from, const stun::Message& message) {
  if (!dial_.handle(now, from, message)) return false;
  const auto seen = dial_.reached(port_)->ip;
  const bool alone = others(from.ip, known_).empty();
  const bool agreed = claim_ && claim_->seen == seen && !of_one_owner(claim_->by, from.ip);
  if (seen == port_.ip || seen == outside_ || alone || agreed) {
    outside_ = seen;
    claim_.reset();
    return true;
  }
  const bool first = !claim_;
  claim_ = Claim{seen, from.ip};
  if (first) dial_.doubt(now);  // a second one is asked at once; whoever contradicts waits for the next time
  return true;
}

void RelayProof::handle_timeout(Time now, const std::vector<Endpoint>& supernodes) {
  known_ = beyond_nat(others(IpAddress{}, supernodes));
  const auto second = claim_ ? others(claim_->by, known_) : known_;
  std::vector<DialBack::Server> asked;
  for (const auto& at : second.empty() ? known_ : second) asked.push_back({at, 0});
  dial_.handle_timeout(now, asked);
  if (dial_.reached(port_)) return;
  outside_.reset();
  claim_.reset();
}

}  // namespace linnet::nat
