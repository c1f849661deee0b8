#include "node/partner_desk.h"

namespace linnet::node {
namespace {

const IpAddress kEverybody{};  // under which a limiter of everybody counts

}  // namespace

bool PartnerDesk::may_hear(const Endpoint& client) const {
  return client.transport == Transport::udp && client.port != 0 && client.ip.is_v4() == own_->primary.ip.is_v4() &&
         client.ip != own_->primary.ip && own_->policy.allows(client);
}

bool PartnerDesk::serves(std::uint16_t port, const Endpoint& from, const nat::stun::Message& request) const {
  if (!own_ || !other_ || (port != own_->primary.port && port != own_->second_port)) return false;
  const auto full = nat::BindingServer::full_size(from.ip.is_v4(), request.has(nat::stun::Attr::fingerprint));
  return may_hear(from) && request.bytes().size() >= full;
}

PartnerDesk::Said PartnerDesk::answer(std::uint16_t port, const Endpoint& from,
                                      const nat::stun::Message& request) const {
  const nat::BindingServer server({own_->primary, other_, true});
  Said out{server.answer({own_->primary.ip, port}, from, request), {}};
  if (!out.answer || out.answer->from.ip == own_->primary.ip) return out;
  const bool fingerprint = request.has(nat::stun::Attr::fingerprint);
  if (out.answer->to.port != from.port) {  // RESPONSE-PORT: of a place that nobody has shown to be his
    out.answer =
        nat::BindingAnswer{{own_->primary.ip, port}, from, nat::BindingServer::not_sent(request.id(), fingerprint)};
    return out;
  }
  Order order;
  order.client = from;
  order.transaction = request.id();
  order.room = static_cast<std::uint16_t>(std::min<std::size_t>(request.bytes().size(), 0xffff));
  order.second_port = out.answer->from.port == other_->port;
  order.fingerprint = fingerprint;
  return {{}, order};
}

bool PartnerDesk::may_ask(Time now, const IpAddress& client, const std::function<bool()>& proven) {
  const auto known = [&] { return looks_.allow(now, kEverybody) && proven(); };
  const bool may =
      asking_.allow(now, client) && (known() || unproven_.allow(now, kEverybody)) && all_asked_.allow(now, kEverybody);
  ++(may ? counters_.asked : counters_.refused);
  return may;
}

std::optional<nat::BindingAnswer> PartnerDesk::send_for(Time now, const IpAddress& asker, const Order& order) {
  const bool good = own_ && may_hear(order.client) && order.client.ip != asker;
  if (good && partners_.allow(now, asker) && heard_.allow(now, order.client.ip) && all_sent_.allow(now, kEverybody)) {
    const Endpoint from{own_->primary.ip, order.second_port ? own_->second_port : own_->primary.port};
    const Endpoint to{order.client.ip, order.client.port};
    auto bytes = nat::BindingServer::for_partner(from, to, order.transaction, order.fingerprint);
    if (bytes.size() <= order.room) {
      ++counters_.sent;
      return nat::BindingAnswer{from, to, std::move(bytes)};
    }
  }
  ++counters_.not_sent;
  return std::nullopt;
}

}  // namespace linnet::node
