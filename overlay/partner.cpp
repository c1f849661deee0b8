#include "overlay/partner.h"

#include <algorithm>

namespace linnet::overlay {

bool Partners::fits(const dht::Contact& contact) const {
  const auto& at = contact.endpoint;
  const bool tried =
      std::any_of(tried_.begin(), tried_.end(), [&](const Tried& t) { return t.who == contact.session; });
  return !tried && at.transport == Transport::udp && at.port == self_.port && at.ip != self_.ip &&
         at.ip.is_v4() == self_.ip.is_v4() && at.ip.is_global() == self_.ip.is_global() &&
         at.ip.is_loopback() == self_.ip.is_loopback();
}

void Partners::choose(const Context& c, Attachments& attachments, const dht::Dht& dht) {
  std::erase_if(tried_, [&](const Tried& t) { return t.until <= c.now; });
  std::vector<dht::Contact> fitting;
  for (const auto& contact : dht.nearest(dht.self().position, kLookAt))
    if (fits(contact)) fitting.push_back(contact);
  if (fitting.empty()) {
    next_ = c.now + kNobody;
    return;
  }
  partner_ = fitting[c.rng.below(fitting.size())];
  attachments.reach(c, partner_.endpoint, partner_.session);
  attachments.hold(partner_.session);
  stage_ = Stage::reaching;
  next_ = c.now + kReach;
}

void Partners::give_up(const Context& c, Attachments& attachments, Duration tried) {
  attachments.release(c, partner_.session);
  if (tried_.size() >= kMostTried) tried_.erase(tried_.begin());
  tried_.push_back({partner_.session, c.now + tried});
  changed_ = changed_ || stage_ == Stage::stands;
  stage_ = Stage::none;
  offered_ = 0;
  next_ = c.now;
}

void Partners::settle(const Context& c, Attachments& attachments, const dht::Dht& dht) {
  expire(c.now);
  if (stage_ == Stage::none) {
    if (c.now >= next_) choose(c, attachments, dht);
    return;
  }
  const auto session = attachments.session_with(partner_.session);
  if (stage_ == Stage::reaching) {
    if (session && c.sessions.send(c.now, *session, Channel::control, control::write(control::PartnerAsk{}))) {
      stage_ = Stage::asked;
    } else if (c.now >= next_) {
      give_up(c, attachments, kTried);
    }
  } else if (!session) {
    give_up(c, attachments, kNobody);  // it was started anew, or the network has a hole
  } else if (c.now >= next_) {
    if (stage_ == Stage::asked || offered_ == 0) return give_up(c, attachments, kTried);
    offered_ = 0;  // until it says so again
    next_ = c.now + kReach;
    (void)c.sessions.send(c.now, *session, Channel::control, control::write(control::PartnerAsk{}));
  }
}

Time Partners::next_timeout() const { return pending_.empty() ? next_ : std::min(next_, pending_.front().by); }

bool Partners::on_message(const Context& c, const Supernode& from, const control::Message& message) {
  const auto* offer = std::get_if<control::PartnerOffer>(&message);
  const auto* sent = std::get_if<control::PartnerSent>(&message);
  if (offer == nullptr && sent == nullptr) return false;
  if (stage_ == Stage::none || from.key != partner_.session) return true;
  if (sent != nullptr) {
    const auto at = std::find_if(pending_.begin(), pending_.end(),
                                 [&](const Pending& p) { return p.order.number == sent->number; });
    if (at == pending_.end()) return true;
    if (!sent->sent) failed_.push_back(at->order);
    pending_.erase(at);
    return true;
  }
  if (offer->second_port != second_port_) return true;  // not the same two ports
  changed_ = changed_ || stage_ != Stage::stands;
  stage_ = Stage::stands;
  offered_ = offer->second_port;
  next_ = c.now + kAgain;
  return true;
}

void Partners::leave(const Context& c, Attachments& attachments) {
  if (stage_ != Stage::none) attachments.release(c, partner_.session);
  stage_ = Stage::none;
}

std::optional<Endpoint> Partners::other() const {
  if (stage_ != Stage::stands) return std::nullopt;
  return Endpoint{partner_.endpoint.ip, second_port_, Transport::udp};
}

Status Partners::ask(const Context& c, const Attachments& attachments, control::PartnerSend order) {
  const auto session = stage_ == Stage::stands ? attachments.session_with(partner_.session) : std::nullopt;
  if (!session) return fail(Fault::refused);
  if (pending_.size() >= kPending) return fail(Fault::full);
  order.number = ++numbers_;
  if (auto sent = c.sessions.send(c.now, *session, Channel::control, control::write(order)); !sent) return sent;
  pending_.push_back({order, c.now + kAnswer});
  return {};
}

void Partners::expire(Time now) {
  while (!pending_.empty() && pending_.front().by <= now) {
    failed_.push_back(pending_.front().order);
    pending_.erase(pending_.begin());
  }
}

std::optional<control::PartnerSend> Partners::poll_failed() {
  if (failed_.empty()) return std::nullopt;
  return failed_.take();
}

}  // namespace linnet::overlay
