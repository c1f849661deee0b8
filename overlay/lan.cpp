#include "overlay/lan.h"

#include <algorithm>

namespace linnet::overlay {

bool Lan::heard(const Context& c, const Neighbour& neighbour, const Neighbours::Met& met) {
  if (!neighbours_.heard(c, neighbour, met)) return false;
  looks_ = 0;
  if (look_at_ != kNever) look_at_ = c.now;
  return true;
}

std::vector<Lan::Candidate> Lan::candidates(const Context& c, bool lonely_too) const {
  std::vector<Candidate> out;
  const auto& all = neighbours_.all();
  if (all.empty()) return out;
  const auto first = c.rng.below(all.size());  // sixty newcomers do not all ask the same one
  for (std::size_t i = 0; i < all.size() && out.size() < kAskedAtOnce; ++i) {
    const auto& node = all[(first + i) % all.size()];
    const auto endpoints = node.endpoints();
    if (endpoints.empty()) continue;
    const bool serves = node.text.role == LanRole::supernode || (lonely_too && node.text.role == LanRole::lonely);
    if (serves) out.push_back({endpoints[c.rng.below(endpoints.size())], node.text.session});
    for (const auto& e : node.text.supernodes) out.push_back({e, std::nullopt});
  }
  if (out.size() > kAskedAtOnce) out.resize(kAskedAtOnce);
  return out;
}

bool Lan::ask_due(Time now) {
  if (ask_at_ > now) return false;
  ask_at_ = kNever;
  asked_ = now;
  return true;
}

bool Lan::due(Time now) {
  if (look_at_ > now) return false;
  look_at_ = now + (looks_++ < 5 ? kLookAgain : kLookRarely);
  return true;
}

std::vector<dht::Home> located(const Neighbours& neighbours, const std::vector<dht::Home>& homes,
                               const crypto::SessionKey& self) {
  std::vector<dht::Home> out;
  for (const auto& home : homes) {
    if (!home.endpoint.ip.is_unspecified() || home.session == self) {
      out.push_back(home);
      continue;
    }
    for (const auto& e : neighbours.endpoints_of(home.session)) {
      out.push_back(home);
      out.back().endpoint = e;
    }
  }
  return out;
}

}  // namespace linnet::overlay
