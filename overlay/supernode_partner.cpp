// SupernodeRole: what it sends for a partner (partner.h), and for whom.
#include "overlay/supernode_role.h"

namespace linnet::overlay {

// Only a supernode may ask, one that hears us where it says it is: what goes out in its name has somebody to blame.
void SupernodeRole::on_partner(const Context& c, SessionId session, const Client& client,
                               const control::PartnerSend& order) {
  const auto path = c.sessions.current_path(session);
  const bool known = path && path->kind == PathKind::direct && c.sessions.reached(session);
  if (client.supernode && known && c.config.second_port != 0 && partner_wanted_.size() < kMostWanted) {
    partner_wanted_.push_back({session, path->endpoint.ip, order});
    return;
  }
  ++counters_.refused;
  say(c, session, control::PartnerSent{order.number, false});
}

std::optional<PartnerWanted> SupernodeRole::poll_partner_wanted() {
  if (partner_wanted_.empty()) return std::nullopt;
  return partner_wanted_.take();
}

void SupernodeRole::answer_partner(const Context& c, SessionId from, std::uint64_t number, bool sent) {
  if (owns(from)) say(c, from, control::PartnerSent{number, sent});
}

bool SupernodeRole::proves(const Sessions& sessions, const IpAddress& ip) const {
  if (ip.is_global() && of_prefix_.count(ip.prefix()) == 0) return false;
  bool out = false;
  clients_.each([&](SessionId session, const auto& client) {
    if (out || client->from != ip || !sessions.reached(session)) return;
    const auto path = sessions.current_path(session);
    out = path && path->kind == PathKind::direct && path->endpoint.ip == ip;
  });
  return out;
}

}  // namespace linnet::overlay
