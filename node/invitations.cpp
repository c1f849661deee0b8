#include "node/invitations.h"

#include <algorithm>
#include <utility>

#include "node/claims.h"
#include "node/day.h"

namespace linnet::node {
namespace {

using people_message::Verdict;

constexpr std::chrono::seconds kClockError{300};
constexpr Duration kTryLimit = std::chrono::seconds(20);
constexpr std::size_t kShownId = 8;  // hex digits that name an invitation to a person

Reply refusal(std::string text, Refusal why = Refusal::refused) {
  Reply out;
  out.refusal = why;
  out.text = std::move(text);
  return out;
}

Reply unreadable(Fault fault) {
  switch (fault) {
    case Fault::mismatch: return refusal("This invitation is for another network.");
    case Fault::unsupported: return refusal("This invitation was made by a later version of Linnet.");
    case Fault::bad_signature:
    case Fault::bad_key:
      return refusal("This invitation is forged or damaged: its signature is wrong. Nothing was changed.",
                     Refusal::identity);
    default: break;
  }
  return refusal("This is no invitation, or a part of it is missing. It begins with LINNET-.", Refusal::bad);
}

std::string sentence(Verdict verdict, const std::string& name) {
  switch (verdict) {
    case Verdict::welcome: return name + " is a contact now, and knows you.";
    case Verdict::used: return name + " says that this invitation was used by somebody else already.";
    case Verdict::expired: return name + " says that this invitation has expired.";
    case Verdict::unknown: break;
  }
  return name + " does not know this invitation: it was withdrawn.";
}

bool over(Wall expires, Wall now) { return now - kClockError > expires; }

// Where the inviter can be reached through: attached supernodes first.
std::vector<crypto::InvitationSupernode> ways_in(const Rooms& rooms) {
  std::vector<crypto::InvitationSupernode> out;
  const auto add = [&](const Endpoint& endpoint, const crypto::SessionKey& session) {
    const bool there = std::any_of(out.begin(), out.end(), [&](const auto& v) { return v.session == session; });
    const auto& ip = endpoint.ip;
    if (there || out.size() == crypto::kMaxInvitedVia || ip.is_link_local() || ip.is_unspecified()) return;
    out.push_back({endpoint, session});
  };
  if (rooms.peer.role() == overlay::Role::supernode) {
    for (const auto& own : rooms.config.peer.listen) add(own, rooms.identity.session_key());
  }
  auto all = rooms.peer.supernodes();
  std::stable_partition(all.begin(), all.end(), [](const auto& s) { return s.attached; });
  for (const auto& supernode : all) add(supernode.endpoint, supernode.session);
  return out;
}

}  // namespace

// What has expired is kept a while for the sake of a clear answer, and then goes.
void Invitations::tidy(Rooms& rooms) {
  auto kept = rooms.contacts.memory().invitations;
  std::stable_sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.expires < b.expires; });
  std::size_t count = kept.size();
  for (const auto& invitation : kept) {
    const bool long_over = over(invitation.expires + crypto::kMaxInvitationLife, rooms.wall);
    const bool closed = invitation.used_by || over(invitation.expires, rooms.wall);
    if (!long_over && !(closed && count > kMaxKept)) continue;
    rooms.contacts.drop_invitation(invitation.id);
    --count;
  }
}

std::optional<Reply> Invitations::handle(Rooms& rooms, Time, CommandId, const ask::Invite& invite) {
  if (invite.life <= std::chrono::seconds::zero() || invite.life > crypto::kMaxInvitationLife)
    return refusal("An invitation is good for at most 90 days.", Refusal::bad);
  tidy(rooms);
  const auto& all = rooms.contacts.memory().invitations;
  const auto open = std::count_if(
      all.begin(), all.end(), [&](const StoredInvitation& i) { return !i.used_by && !over(i.expires, rooms.wall); });
  if (static_cast<std::size_t>(open) >= kMaxOpen)
    return refusal(std::to_string(kMaxOpen) +
                   " invitations are open already. See them: linnet contact ls --invitations\n  Withdraw one: linnet "
                   "invite --cancel ID");
  crypto::Invitation out;
  out.account = rooms.identity.account_key();
  out.address = rooms.identity.address;
  out.via = ways_in(rooms);
  out.expires = rooms.wall + invite.life;
  out.secret = rooms.rng.array<16>();
  auto code = crypto::write_invitation(rooms.suite, rooms.identity, rooms.config.peer.network, out);
  if (!code) return refusal("The invitation could not be made: " + std::string(to_string(code.error())) + ".");
  rooms.contacts.put(StoredInvitation{out.id(), rooms.wall, out.expires, std::nullopt});
  Reply reply;
  reply.code = std::move(*code);
  reply.id = to_hex(out.id()).substr(0, kShownId);
  reply.expires = out.expires;
  if (out.via.empty())
    reply.text = "You are alone: the invitation names no node to join through. Who accepts it needs one of their own.";
  return reply;
}

std::optional<Reply> Invitations::handle(Rooms& rooms, Time, CommandId, const ask::CancelInvitation& cancel) {
  std::vector<crypto::InvitationId> fits;
  for (const auto& invitation : rooms.contacts.memory().invitations) {
    const auto hex = to_hex(invitation.id);
    if (!cancel.id.empty() && hex.starts_with(cancel.id)) fits.push_back(invitation.id);
  }
  if (fits.empty())
    return refusal("There is no invitation " + cancel.id + ". See: linnet contact ls --invitations",
                   Refusal::not_found);
  if (fits.size() > 1)
    return refusal("Several invitations begin with " + cancel.id + ". Give more of it.", Refusal::bad);
  rooms.contacts.drop_invitation(fits.front());
  Reply reply;
  reply.text = "Invitation " + to_hex(fits.front()).substr(0, kShownId) + " is withdrawn.";
  return reply;
}

std::optional<Reply> Invitations::handle(Rooms& rooms, Time now, CommandId command, const ask::Accept& accept) {
  const auto read = crypto::read_invitation(rooms.suite, rooms.config.peer.network, accept.code);
  if (!read) return unreadable(read.error());
  const auto& invitation = *read;
  if (invitation.account == rooms.identity.account_key())
    return refusal("This is your own invitation. Give it to the person you invite.");
  if (over(invitation.expires, rooms.wall))
    return refusal("This invitation expired on " + day_of(invitation.expires, rooms.wall) + ". Ask " +
                   invitation.address.text() + " for a new one.");
  Contacts::Meeting meeting;
  meeting.key = crypto::key_hash(invitation.account);
  meeting.key_name = invitation.key_name();
  meeting.address = invitation.address;
  meeting.account = invitation.account;
  meeting.source = Source::invitation;
  meeting.now = rooms.wall;
  meeting.name = accept.name;
  if (const auto* known = rooms.contacts.find(meeting.key); known != nullptr && known->blocked)
    return refusal(invitation.address.text() + " is blocked here. First: linnet contact block --off " +
                   invitation.key_name().text());
  if (deliveries_.size() >= kMaxAccepted && deliveries_.count(meeting.key) == 0)
    return refusal(std::to_string(kMaxAccepted) + " accepted invitations wait for their inviters already.");
  const auto met = rooms.contacts.meet(meeting);
  if (!met && met.error() == Fault::mismatch)
    return refusal(explain(invitation.address, IdentityChanged{*rooms.contacts.pin(invitation.address), meeting.key},
                           rooms.contacts.find(invitation.address), rooms.wall),
                   Refusal::identity);
  if (!met && met.error() == Fault::refused)
    return refusal("\"" + accept.name + "\" is another contact's name, or cannot be one.", Refusal::bad);
  if (!met) return refusal("There is no room for another contact.");

  Delivery delivery;
  delivery.what = {meeting.key, invitation.secret, invitation.expires};
  delivery.command = command;
  delivery.patience = now + kAnswerLimit;
  rooms.contacts.put(delivery.what);
  save_people(rooms);
  std::vector<overlay::SupernodeAddress> via;
  for (const auto& v : invitation.via) via.push_back({v.endpoint, v.session});
  if (!via.empty()) rooms.peer.join_through(now, via);
  auto& kept = deliveries_[meeting.key];
  tell_waiting(rooms, kept);  // whoever accepted an earlier one of theirs
  kept = std::move(delivery);
  deliver(rooms, now, kept);
  return std::nullopt;
}

void Invitations::start(Rooms& rooms, Time now) {
  for (const auto& acceptance : std::vector<Acceptance>(rooms.contacts.memory().acceptances)) {
    if (over(acceptance.expires, rooms.wall) || deliveries_.size() >= kMaxAccepted) {
      rooms.contacts.drop_acceptance(acceptance.inviter);
      continue;
    }
    Delivery delivery;
    delivery.what = acceptance;
    delivery.at = now + kFirstAgain;
    deliveries_.emplace(acceptance.inviter, std::move(delivery));
  }
  save_people(rooms);
}

void Invitations::online(Rooms& rooms, Time now) {
  for (auto& [key, delivery] : deliveries_) {
    if (delivery.step == Delivery::Step::waiting) deliver(rooms, now, delivery);
  }
}

void Invitations::deliver(Rooms& rooms, Time now, Delivery& delivery) {
  const auto* contact = rooms.contacts.find(delivery.what.inviter);
  if (contact == nullptr) return postpone(now, delivery);
  const auto find = rooms.peer.find(now, contact->key_name, contact->account, true);
  if (!find) return postpone(now, delivery);
  delivery.step = Delivery::Step::finding;
  delivery.find = *find;
  rooms.askers.put(*find, asker::Delivery{delivery.what.inviter});
  delivery.at = now + kTryLimit;
}

void Invitations::postpone(Time now, Delivery& delivery) {
  delivery.step = Delivery::Step::waiting;
  delivery.links.clear();
  delivery.at = now + delivery.again;
  delivery.again = std::min(delivery.again * 2, kLastAgain);
}

void Invitations::on_found(Rooms& rooms, Time now, const asker::Delivery& asked, const overlay::Found& found) {
  const auto it = deliveries_.find(asked.inviter);
  if (it == deliveries_.end()) return;
  auto& delivery = it->second;
  if (delivery.step != Delivery::Step::finding || delivery.find != found.find) return;
  delivery.step = Delivery::Step::connecting;
  for (const auto& device : found.devices) {
    if (crypto::key_hash(device.record.account()) != asked.inviter || delivery.links.size() == kMaxDevices) continue;
    if (const auto link = rooms.peer.connect(now, found.address, device, false)) delivery.links.push_back(*link);
  }
  if (delivery.links.empty()) postpone(now, delivery);
}

// The first device that stands is told; its answer ends the matter for the others too.
void Invitations::on(Rooms& rooms, Time now, const overlay::LinkUp& up) {
  for (auto& [key, delivery] : deliveries_) {
    if (delivery.step != Delivery::Step::connecting || crypto::key_hash(up.remote.account) != key) continue;
    if (std::find(delivery.links.begin(), delivery.links.end(), up.link) == delivery.links.end()) continue;
    if (!rooms.peer.send(now, up.link, overlay::Channel::people,
                         people_message::write(people_message::Use{delivery.what.secret})))
      continue;
    delivery.step = Delivery::Step::said;
    delivery.links = {up.link};
    delivery.at = now + kTryLimit;
  }
}

void Invitations::on(Rooms&, Time now, const overlay::LinkDown& down) {
  for (auto& [key, delivery] : deliveries_) {
    if (std::erase(delivery.links, down.link) != 0 && delivery.links.empty()) postpone(now, delivery);
  }
}

void Invitations::on_message(Rooms& rooms, Time now, const overlay::LinkMessage& message) {
  const auto* link = rooms.links.find(message.link);
  const auto read = people_message::read(message.bytes);
  if (link == nullptr || !read) return;
  if (const auto* answer = std::get_if<people_message::Answer>(&*read)) return answered(rooms, *link, *answer);
  const auto& secret = std::get<people_message::Use>(*read).secret;
  const auto verdict = use(rooms, now, *link, secret);
  (void)rooms.peer.send(now, link->id, overlay::Channel::people,
                        people_message::write(people_message::Answer{crypto::invitation_id(secret), verdict}));
}

Verdict Invitations::use(Rooms& rooms, Time now, const Link& link, const crypto::InvitationSecret& secret) {
  const auto& all = rooms.contacts.memory().invitations;
  const auto id = crypto::invitation_id(secret);
  const auto it = std::find_if(all.begin(), all.end(), [&](const StoredInvitation& i) { return i.id == id; });
  const auto& remote = link.remote;
  if (it == all.end() || rooms.contacts.blocked(remote.account)) return Verdict::unknown;
  const auto key = crypto::key_hash(remote.account);
  if (it->used_by) return *it->used_by == key ? Verdict::welcome : Verdict::used;
  if (over(it->expires, rooms.wall)) return Verdict::expired;
  Contacts::Meeting meeting;
  meeting.key = key;
  meeting.key_name = remote.key_name;
  meeting.address = remote.key_name;  // the plain name once it was looked up
  meeting.account = remote.account;
  meeting.source = Source::invitation;
  meeting.now = rooms.wall;
  if (!rooms.contacts.meet(meeting)) return Verdict::unknown;
  auto used = *it;
  used.used_by = key;
  rooms.contacts.put(used);
  save_people(rooms);  // before the answer leaves
  ask_claim(rooms, now, remote.address, remote.account);
  share_endpoints(rooms, now, link.id);
  return Verdict::welcome;
}

void Invitations::answered(Rooms& rooms, const Link& link, const people_message::Answer& answer) {
  const auto found = deliveries_.find(crypto::key_hash(link.remote.account));
  if (found == deliveries_.end() || answer.id != crypto::invitation_id(found->second.what.secret)) return;
  auto delivery = std::move(found->second);
  deliveries_.erase(found);
  rooms.contacts.drop_acceptance(delivery.what.inviter);
  save_people(rooms);
  const auto* contact = rooms.contacts.find(delivery.what.inviter);
  Reply reply;
  if (contact != nullptr) reply.contact = *contact;
  reply.text = sentence(answer.verdict, contact != nullptr ? contact->name : link.remote.key_name.text());
  if (answer.verdict != Verdict::welcome) {
    reply.refusal = Refusal::refused;
    reply.text += " You have them as a contact; they do not have you.";
  }
  tell(rooms, delivery, std::move(reply));
}

void Invitations::tell(Rooms& rooms, Delivery& delivery, Reply reply) {
  if (delivery.command) rooms.out.push(event::PeopleDone{*delivery.command, std::move(reply)});
  delivery.command.reset();
  delivery.patience = kNever;
}

void Invitations::tell_waiting(Rooms& rooms, Delivery& delivery) {
  Reply reply;
  if (const auto* contact = rooms.contacts.find(delivery.what.inviter)) reply.contact = *contact;
  reply.waiting = true;
  reply.text = (reply.contact ? reply.contact->name : std::string("The inviter")) +
               " is a contact now, and is told of you as soon as both are online.";
  tell(rooms, delivery, std::move(reply));
}

void Invitations::handle_timeout(Rooms& rooms, Time now) {
  for (auto it = deliveries_.begin(); it != deliveries_.end();) {
    auto& delivery = it->second;
    if (delivery.patience <= now) tell_waiting(rooms, delivery);
    if (over(delivery.what.expires, rooms.wall) || rooms.contacts.find(it->first) == nullptr) {
      rooms.contacts.drop_acceptance(it->first);
      save_people(rooms);
      it = deliveries_.erase(it);
      continue;
    }
    if (delivery.at <= now) {
      if (delivery.step == Delivery::Step::waiting) {
        deliver(rooms, now, delivery);
      } else {
        postpone(now, delivery);
      }
    }
    ++it;
  }
}

Time Invitations::next_timeout() const {
  Time next = kNever;
  for (const auto& entry : deliveries_) next = std::min({next, entry.second.at, entry.second.patience});
  return next;
}

}  // namespace linnet::node
