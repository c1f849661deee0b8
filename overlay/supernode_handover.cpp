// SupernodeRole: standbys that could be supernodes beside it, and the end of the role with its leaves handed over.
#include <algorithm>

#include "overlay/supernode_role.h"

namespace linnet::overlay {

// Who is attached has proven its address.
void SupernodeRole::on_standby(Time now, SessionId session, const Client& client) {
  if (client.standby && !retiring_ && !dht_.self().serves_its_link()) {
    line_.offer(now, session, client.from, dht::position(client.from, client.device));
  } else {
    line_.withdraw(session);
  }
}

// A place in the line may be free by now for who found none, or lost the one it had.
void SupernodeRole::offer_again(Time now) {
  if (offer_again_at_ > now) return;
  offer_again_at_ = now + kOfferAgain;
  clients_.each([&](SessionId session, const auto& client) {
    if (client->standby && leaves_.serves(session)) on_standby(now, session, *client);
  });
}

// Homes, anchor and the copies of a record are to have places of their own, and nobody is to be turned away.
void SupernodeRole::look_for_another(const Context& c) {
  if (retiring_) return;
  const bool few =
      dht_.contact_count() + 1 < kFewSupernodes || (turned_away_ != Time::min() && c.now - turned_away_ < kTurnedAway);
  const bool many = leaves_.size() > c.config.leaves_wanted;
  if (!few && !many) return line_.no_need();
  if (line_.size() > 0) call_standby(c, few, many);
  if (many && line_.followed()) tell_crowded(c);
}

// With more leaves than wanted somebody is called who takes some of them. Nobody may stand near: leaves are not spread
// evenly, and those who are called elsewhere for it would soon be many. But with twice as many, there may be too few
// supernodes everywhere.
void SupernodeRole::call_standby(const Context& c, bool few, bool many) {
  std::optional<StandbyLine::Near> near;
  if (many) near.emplace(StandbyLine::Near{dht_.self().position, std::nullopt});
  if (!few && leaves_.size() <= 2 * c.config.leaves_wanted) {
    const auto around = dht_.nearest(dht_.self().position, kTakeLeaves);
    if (around.size() == kTakeLeaves) near->limit = around.back().position;
  }
  if (const auto session = line_.call(c.now, c.rng, near)) say(c, *session, control::Serve{});
}

// One after another, so that those who went in vain are few.
void SupernodeRole::tell_crowded(const Context& c) {
  const auto next = clients_where(
      [&](SessionId session, const Client&) { return session > told_crowded_ && leaves_.serves(session); });
  const auto n = std::min(next.size(), 1 + leaves_.size() / kSweepsToTell);
  told_crowded_ = n == 0 ? SessionId{} : next[n - 1];
  for (std::size_t i = 0; i < n; ++i) say(c, next[i], control::Crowded{});
}

void SupernodeRole::set_most_leaves(std::size_t most) { leaves_.set_capacity(most); }

void SupernodeRole::retire() {
  retiring_ = true;
  to_tell_ = clients_where([&](SessionId session, const Client&) { return leaves_.serves(session); });
  tell_at_once_ = 1 + to_tell_.size() / kStepsToEnd;
}

// A few at a time: they all go to the same neighbours.
void SupernodeRole::tell_leaves(const Context& c) {
  const auto n = std::min(tell_at_once_, to_tell_.size());
  if (n == 0) return;
  const control::Handover message{dht_.nearest(dht_.self().position, kAlternatives)};
  for (std::size_t i = 0; i < n; ++i) {
    if (owns(to_tell_[i])) say(c, to_tell_[i], message);
  }
  to_tell_.erase(to_tell_.begin(), to_tell_.begin() + static_cast<std::ptrdiff_t>(n));
}

// They go on until the role ends: what is under way still arrives.
void SupernodeRole::tell_circuits_end(const Context& c) { tell_closed(c, circuits_.all()); }

void SupernodeRole::leave_but_circuits(const Context& c) {
  const auto free = [&](SessionId session, const Client&) { return circuits_.held_by(session) == 0; };
  for (const auto session : clients_where(free)) drop(c, session);
}

void SupernodeRole::end(const Context& c, Attachments& attachments) {
  for (const auto session : clients_where([](SessionId, const Client&) { return true; })) drop(c, session);
  settle_bridges(c, attachments);
}

}  // namespace linnet::overlay
