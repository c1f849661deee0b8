#include "node/conference_subscribers.h"

#include <algorithm>

#include "node/links.h"
#include "sip/conference_view.h"

namespace linnet::node {
namespace {

constexpr Duration kWhenThereIsRoom = std::chrono::seconds(1);

std::string uri(const crypto::Address& address) { return uri_of(address).to_string(); }

sip::ConferenceUser user_of(const conference::Room& room, const crypto::DeviceKey& device,
                            const conference::Member& member) {
  const auto& head = room.roster().head;
  const auto& address = member.claim.claim.address;
  sip::ConferenceUser out;
  out.entity = uri(address);
  out.display_text = std::string(address.user());
  std::vector<std::string> roles{"participant"};
  if (device == head.founder) roles.emplace_back("moderator");
  if (device == head.mixer) roles.emplace_back("focus");
  out.roles = std::move(roles);
  sip::ConferenceEndpoint endpoint;
  endpoint.entity = out.entity + ";device=" + to_hex(ByteView(device.bytes).first(8));
  endpoint.status = member.muted ? sip::EndpointStatus::muted_via_focus : sip::EndpointStatus::connected;
  endpoint.joining_method = device == head.mixer ? sip::JoiningMethod::focus_owner : sip::JoiningMethod::dialed_out;
  sip::ConferenceMedia media;
  media.id = "1";
  media.type = "audio";
  media.src_id = std::to_string(conference::source_of(room.id(), device));
  media.status = sip::MediaStatus::sendrecv;
  endpoint.media.push_back(std::move(media));
  out.endpoints.push_back(std::move(endpoint));
  return out;
}

}  // namespace

sip::ConferenceInfo conference_info(const conference::Room& room, std::string_view domain, std::uint32_t version) {
  const auto& roster = room.roster();
  sip::ConferenceInfo out;
  out.entity = "sip:conference-" + to_hex(room.id()) + "@" + std::string(domain);
  out.version = version;
  out.description.emplace();
  out.description->subject = roster.head.name;
  out.description->maximum_user_count = static_cast<std::uint32_t>(conference::kMaxMembers);
  out.conference_state.emplace();
  out.conference_state->user_count = static_cast<std::uint32_t>(roster.members.size());
  out.conference_state->active = true;
  out.conference_state->locked = roster.head.locked;
  out.users_state = sip::InfoState::full;
  for (const auto& [device, member] : roster.members) {
    auto user = user_of(room, device, member);
    // One person at two devices is one user with two endpoints.
    const auto same = std::find_if(out.users.begin(), out.users.end(),
                                   [&](const sip::ConferenceUser& u) { return u.entity == user.entity; });
    if (same == out.users.end()) {
      out.users.push_back(std::move(user));
    } else {
      same->endpoints.push_back(std::move(user.endpoints.front()));
    }
  }
  return out;
}

void ConferenceSubscribers::on(sip::Core& sip, Time now, const sip::SubscriptionRequested& asked,
                               const conference::Room* room, CallId id) {
  if (room == nullptr || room->duty() != conference::Duty::mixer)
    return (void)sip.reject_subscription(now, asked.subscription, 403);
  if (!sip.accept_subscription(now, asked.subscription)) return;
  auto& subscriber = subscribers_[asked.subscription];
  subscriber.conference = id;
  tell(sip, now, asked.subscription, subscriber, *room);
}

void ConferenceSubscribers::on(sip::Core& sip, Time now, const sip::SubscriptionRefreshed& again,
                               const conference::Room* room) {
  const auto found = subscribers_.find(again.subscription);
  if (found == subscribers_.end() || room == nullptr) return;
  found->second.told.reset();
  tell(sip, now, again.subscription, found->second, *room);
}

void ConferenceSubscribers::changed(Time now, CallId id) {
  for (auto& entry : subscribers_) {
    auto& subscriber = entry.second;
    if (subscriber.conference == id && subscriber.tell_at == kNever) subscriber.tell_at = now + kEvery;
  }
}

Time ConferenceSubscribers::next_timeout() const {
  Time out = kNever;
  for (const auto& entry : subscribers_) out = std::min(out, entry.second.tell_at);
  return out;
}

void ConferenceSubscribers::tell(sip::Core& sip, Time now, sip::SubscriptionId id, Subscriber& to,
                                 const conference::Room& room) {
  const auto full = conference_info(room, domain_, to.version + 1);
  const auto document = to.told ? sip::conference_changes(*to.told, full) : full;
  if (!sip.notify(now, id, sip::kConferenceInfoType, sip::to_xml(document))) {
    to.told.reset();
    to.tell_at = now + kWhenThereIsRoom;
    return;
  }
  to.version = full.version;
  to.told = full;
}

}  // namespace linnet::node
