// SupernodeRole: lookups and publications that it walks for its clients.
#include <algorithm>

#include "overlay/supernode_role.h"

namespace linnet::overlay {

std::vector<dht::Contact> SupernodeRole::with_self(const dht::Id& target, std::vector<dht::Contact> nodes) const {
  const auto is_self = [&](const dht::Contact& n) { return n.device == dht_.self().device; };
  if (std::none_of(nodes.begin(), nodes.end(), is_self)) nodes.push_back(dht_.self());
  std::sort(nodes.begin(), nodes.end(),
            [&](const dht::Contact& a, const dht::Contact& b) { return dht::nearer(target, a.position, b.position); });
  if (nodes.size() > control::kMaxContacts) nodes.resize(control::kMaxContacts);
  return nodes;
}

void SupernodeRole::wait(dht::LookupId lookup, SessionId session, Client& client, std::uint64_t request,
                         const dht::Id& target) {
  ++client.pending;
  count(walks_of_prefix_, client.from, 1);
  pending_[lookup] = {session, request, target, client.from};
}

void SupernodeRole::on_find_nodes(const Context& c, SessionId session, Client& client,
                                  const control::FindNodes& message) {
  // Where a leaf belongs it asks again and again: a home knows its own neighbourhood, and while there is much to do or
  // many die, what we know will do.
  const bool known =
      dht_.contact_count() == 0 || dht_.looks_around(c.now) || dht_.covers(message.target, control::kMaxContacts / 2);
  if (!known && may_walk(client) && pending_.size() < kWalksForNodes) {
    if (const auto lookup = dht_.find_nodes(c.now, message.target)) {
      wait(*lookup, session, client, message.request, message.target);
      return;
    }
  }
  const auto nearest = dht_.nearest(message.target, control::kMaxContacts);
  say(c, session,
      control::Nodes{message.request, with_self(message.target, nearest), dht_.network_clock().own_at(c.now)});
}

void SupernodeRole::on_find_records(const Context& c, SessionId session, Client& client,
                                    const control::FindRecords& message) {
  if (may_walk(client)) {
    if (const auto lookup = dht_.find_records(c.now, message.user, {1, message.pinned, message.share})) {
      wait(*lookup, session, client, message.request, {});
      return;
    }
  }
  ++counters_.limited;
  say(c, session, control::Records{message.request, true, {}});
}

void SupernodeRole::on_publish(const Context& c, SessionId session, Client& client, const control::Publish& message) {
  auto record = dht::read_record(c.suite, c.config.network, message.record);
  const bool own = record && record->device() == client.device;  // a client publishes for itself alone
  if (own && may_walk(client)) {
    if (const auto lookup = dht_.publish(c.now, std::move(*record))) {
      wait(*lookup, session, client, message.request, {});
      return;
    }
  }
  ++counters_.refused;
  say(c, session, control::Published{message.request, 0});
}

std::optional<SupernodeRole::Pending> SupernodeRole::take_pending(dht::LookupId lookup) {
  const auto* at = pending_.find(lookup);
  if (at == nullptr) return std::nullopt;
  const auto out = *at;
  pending_.erase(lookup);
  count(walks_of_prefix_, out.from, -1);
  if (auto* client = client_of(out.session)) --client->pending;
  return out;
}

bool SupernodeRole::on_dht_event(const Context& c, const dht::Event& event) {
  if (const auto* found = std::get_if<dht::RecordsFound>(&event)) {
    const auto pending = take_pending(found->lookup);
    if (!pending) return false;
    control::Records out{pending->request, false, {}, found->rounds};
    for (const auto& r : found->records) out.records.push_back(r.wire);
    say(c, pending->session, out);
    return true;
  }
  if (const auto* nodes = std::get_if<dht::NodesFound>(&event)) {
    const auto pending = take_pending(nodes->lookup);
    if (!pending) return false;
    say(c, pending->session,
        control::Nodes{pending->request, with_self(pending->target, nodes->nodes), dht_.network_clock().own_at(c.now)});
    return true;
  }
  if (const auto* stored = std::get_if<dht::Stored>(&event)) {
    const auto pending = take_pending(stored->lookup);
    if (!pending) return false;
    say(c, pending->session, control::Published{pending->request, stored->copies});
    return true;
  }
  return false;
}

}  // namespace linnet::overlay
