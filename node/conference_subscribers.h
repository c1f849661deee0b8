// Who follows the roster of a conference that we mix by SIP's own means (RFC 4575): phones and programs that know
// nothing of our statements. The first document is whole, the next ones say what changed.
#pragma once

#include <map>

#include "node/command.h"
#include "node/conference_room.h"
#include "sip/conference_info.h"
#include "sip/core.h"

namespace linnet::node {

class ConferenceSubscribers {
 public:
  static constexpr Duration kEvery = std::chrono::milliseconds(200);  // news are gathered for so long

  explicit ConferenceSubscribers(std::string domain) : domain_(std::move(domain)) {}

  // Somebody whom we mix for asks. `room` is the conference of his call; nothing: there is none, and it is refused.
  void on(sip::Core& sip, Time now, const sip::SubscriptionRequested& asked, const conference::Room* room, CallId id);
  // He asks again: all of it goes to him once more.
  void on(sip::Core& sip, Time now, const sip::SubscriptionRefreshed& again, const conference::Room* room);
  void on(const sip::SubscriptionEnded& ended) { subscribers_.erase(ended.subscription); }
  // The conference of those subscribers has changed: they hear of it soon.
  void changed(Time now, CallId id);
  // `room_of` gives the room of a conference, or nothing where it is over.
  template <class RoomOf>
  void handle_timeout(sip::Core& sip, Time now, RoomOf room_of) {
    for (auto& [subscription, subscriber] : subscribers_) {
      if (now < subscriber.tell_at) continue;
      subscriber.tell_at = kNever;
      if (const conference::Room* room = room_of(subscriber.conference))
        tell(sip, now, subscription, subscriber, *room);
    }
  }
  Time next_timeout() const;

 private:
  struct Subscriber {
    CallId conference{};
    std::optional<sip::ConferenceInfo> told;  // nothing: the next document is whole
    std::uint32_t version = 0;
    Time tell_at = kNever;
  };
  void tell(sip::Core& sip, Time now, sip::SubscriptionId id, Subscriber& to, const conference::Room& room);

  std::string domain_;                                     // of the conference's URI: ours
  std::map<sip::SubscriptionId, Subscriber> subscribers_;  // bounded by sip::Core
};

// The roster as such a document, whole.
sip::ConferenceInfo conference_info(const conference::Room& room, std::string_view domain, std::uint32_t version);

}  // namespace linnet::node
