// The conferences of a node: rooms (node/conference_room.h) made real by calls, links and sound. To the rest of the
// node and to programs a conference is one call; the calls that it is made of, its legs, are nobody else's concern.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "node/call.h"
#include "node/conference_conduct.h"
#include "node/conference_deadline.h"
#include "node/conference_referrals.h"
#include "node/conference_room.h"
#include "node/conference_sound.h"
#include "node/conference_subscribers.h"
#include "node/conference_view.h"

namespace linnet::node {

class Conferences {
 public:
  // `domain`: of our own address, in the URIs of conferences that we mix.
  explicit Conferences(std::string domain) : subscribers_(std::move(domain)) {}

  static constexpr std::size_t kMax = 4;
  static constexpr std::size_t kMostCalled = 149;  // as a conference begins
  // Looked for and called, of one conference: what more a supernode is asked at once it leaves unanswered.
  static constexpr std::size_t kSoughtAtOnce = 8;
  static constexpr Duration kWithoutLegs = std::chrono::seconds(15);      // nobody mixes for us: it is over
  static constexpr Duration kNeverCameIn = std::chrono::seconds(3);       // ... and nobody told us of the room
  static constexpr Duration kAsk = std::chrono::milliseconds(500);        // a joiner for the room
  static constexpr Duration kLastWords = std::chrono::milliseconds(300);  // between handing over and hanging up

  static constexpr Duration kLookAtAddress = std::chrono::seconds(30);  // certificates run out
  static constexpr Duration kCertifyAgain = std::chrono::seconds(5);    // until a keeper says that it is one
  static constexpr Duration kOthersLater = std::chrono::minutes(2);
  static constexpr Duration kNameAgain = std::chrono::seconds(30);
  static constexpr int kMostCertificates = 20;  // signatures looked at in a second, whoever sends them

  using Means = ConferenceMeans;  // measured by the driver
  // What a conference needs of the node, for one input.
  struct Host {
    Rooms& rooms;
    CallTable& calls;
    std::uint64_t& last_call;
  };

  // From the person. `id` is drawn by the node; the sound of the conference is that call's.
  void begin(Host host, Time now, CallId id, const command::Confer& what);
  Outcome invite(Host host, Time now, CallId id, const std::string& who, std::string& why, bool for_another = false);
  bool leave(Host host, Time now, CallId id);
  bool set_muted(Host host, Time now, CallId id, bool on);
  Outcome remove(Host host, Time now, CallId id, const std::string& who, std::string& why);
  Outcome silence(Host host, Time now, CallId id, const std::string& who, bool on, std::string& why);
  Outcome lock(Time now, CallId id, bool on, std::string& why);
  // The only one, or the one that was meant: by its number or its name.
  std::optional<CallId> pick(const std::string& which) const;

  // conference_begin.cpp. Why that cannot begin, for a person; empty: it can.
  std::string why_not(const Rooms& rooms, const command::Confer& what) const;
  // ... at the address of a room.
  std::string why_not_at(const Rooms& rooms, const command::Confer& what) const;
  bool is_in(const crypto::AccountKey& room) const;
  // An invitation to a conference that is called like one which we began, of somebody whom we invite to ours: the two
  // were begun at once, and the one with the lower number stays, unless somebody came into the other one already.
  // Nothing: it is no such.
  enum class Crossing : std::uint8_t { ours_stays, theirs_stays };
  std::optional<Crossing> crosses(Time now, const ConferenceLeg& leg, const crypto::Address& from) const;
  // Ours stays: who goes by the number alone does not know that somebody is in ours, and is called once more.
  void turn_away(Host host, Time now, const ConferenceLeg& leg, const crypto::Address& from);
  // Theirs takes the place of ours; whom we called is called into it.
  void give_way(Host host, Time now, const ConferenceLeg& leg, const crypto::DeviceKey& from,
                const crypto::Address& address);

  // conference_address.cpp: of rooms with an address (docs/decisions/041). Nobody was in the one that was called.
  void begin_at(Host host, Time now, const Facts& call);
  // Who asks to be let in shows that he keeps that room.
  static bool is_keeper(const Rooms& rooms, const ConferenceLeg& leg, const crypto::DeviceKey& from);
  // Whoever still keeps it and has a link to us is certified in the epoch that began.
  void keeper_dismissed(Host host, Time now, const StoredRoom& room);
  // That device keeps a room that we founded: it is certified for as long again.
  void certify(Host host, Time now, const Link& link);
  // Who says at a room's address that he is in it.
  void on_found(Host host, Time now, const asker::OtherHalf& asked, const overlay::Found& found);
  // Who has the name of a room that we are to keep.
  void on_found(Host host, Time now, const asker::NewRoom& asked, const overlay::Found& found);
  std::vector<RoomView> room_views(const Rooms& rooms) const;
  // A person here keeps it no more: nor does its founder make him a keeper again before the next conference there.
  void address_forgotten(Time now, const conference::RoomId& room);

  // How an INVITE with a Linnet-Conference is met: nothing means 480, `refused` 403. An invitation rings like a call.
  enum class Meeting : std::uint8_t { rings, expected, lets_in, refused };
  std::optional<Meeting> meet(const ConferenceLeg& leg, const crypto::DeviceKey& from);
  // For a leg that was let in or is expected: what it belongs to.
  void seat(ConferenceLeg& leg, const crypto::DeviceKey& from) const;

  void on_message(Host host, Time now, const crypto::DeviceKey& from, ByteView bytes);
  // Voice of a device's link: whether it is looked at, of which leg it was, or that it was of none.
  bool admits(Time now, const crypto::DeviceKey& from) { return conduct_.admits(now, from); }
  void heard(Time now, const Facts& facts, const crypto::DeviceKey& from);
  void heard_foreign(Time now, const crypto::DeviceKey& from);
  void on(Host host, Time now, const sip::SubscriptionRequested& asked);
  void on(Host host, Time now, const sip::SubscriptionRefreshed& again);
  void on(Host host, Time now, const sip::ReferReceived& asked);
  void on(const sip::SubscriptionEnded& ended) {
    subscribers_.on(ended);
    referrals_.on(ended);
  }
  void call_over(Host host, Time now, const Call& call);
  // After each input: calls that came to stand, and what the rooms want done. True: something moved.
  bool settle(Host host, Time now);
  bool wants() const;  // a room wants something done
  void handle_timeout(Host host, Time now);
  Time next_timeout() const;
  void set_recording(Time now, CallId id, bool on);
  void set_means(Time now, const Means& means);
  // The line is another: what was measured of it is not known any more.
  void addresses_changed(Rooms rooms, Time now);
  void handle_wall(Time now, Wall wall);
  // Frames mixed, ever: the driver sees by it whether there is something to measure.
  std::uint64_t frames() const { return frames_; }
  // What handle_timeout() mixed has been sent; it began so long ago, on the driver's clock.
  // True: something changed by it.
  bool frames_took(Host host, Time now, Duration took);
  const DeadlineMeter& meter() const { return meter_; }
  Time next_frame() const;  // kNever while we mix nowhere
  void end_all(Host host, Time now);

  // Sound, as of a call.
  bool has(CallId id) const { return conferences_.contains(id); }
  void capture(Host host, Time now, CallId id, std::span<const std::int16_t> samples);
  std::size_t play(Host host, Time now, CallId id, std::span<std::int16_t> out);

  std::vector<ConferenceView> views(const Rooms& rooms, const CallTable& calls) const;
  std::optional<CallView> call_view(const Rooms& rooms, const CallTable& calls, Time now, CallId id) const;
  std::size_t size() const { return conferences_.size(); }
  bool full() const { return size() >= kMax; }
  std::vector<CallId> ids() const;

 private:
  struct Conference {
    Conference(CallId i, conference::Room r, ConferenceSound s) : id(i), room(std::move(r)), sound(std::move(s)) {}

    CallId id{};
    conference::Room room;
    ConferenceSound sound;
    std::map<crypto::DeviceKey, CallId> ours, theirs;  // legs that stand
    std::map<CallId, crypto::Address> inviting;
    // To be called as soon as fewer are sought: by the room, and by the person.
    std::deque<conference::order::Connect> to_connect;
    std::deque<crypto::Address> to_invite;
    std::set<crypto::Address> invited;              // ever
    std::optional<conference::RoomId> turned_away;  // whoever calls us into that one again has people there
    std::optional<crypto::Address> called_again;    // by us, for that reason
    bool calls_again = false;                       // ... as soon as he has turned our first call away
    crypto::Address with;                           // who invited us, or ourselves
    Direction direction = Direction::outgoing;
    Time began{};
    Wall started{};
    Time until = kNever;
    Time next_frame = kNever;  // while we mix
    Time alone_since = kNever;
    Time leave_at = kNever;
    std::optional<Time> play_start, record_start;
    std::set<crypto::DeviceKey> recorders;                 // that were named to the person
    std::uint64_t packets_sent = 0, packets_received = 0;  // of legs that are over
    std::string codec;
    std::string text;
    CallResult result = CallResult::ended;
    bool over = false;
    bool keeps = false;                           // this device may publish its address
    std::optional<overlay::AlsoKnown> published;  // it does, under these names
    std::vector<crypto::Address> published_as;
    Time address_at = Time::min();  // when that is looked at next
    Time others_at = kNever;        // when it is looked for others at the address
    unsigned looks = 0;
    bool forgotten = false;      // by a person here, while in it
    Time name_at = Time::min();  // when it is looked again who has the name of a room new to us
    Duration others_later = Conferences::kOthersLater;
    bool steps_in = false;  // those whose turn it is were not found there
  };

  // conferences.cpp
  conference::Claim claim(bool keeps = false) const;
  void claim_anew(Time now);
  Conference* find(CallId id);
  Conference* find(const conference::RoomId& room);
  Conference* of_leg(Host host, sip::CallId call);
  static conference::Room::Self self_of(const Rooms& rooms) { return {&rooms.suite, &rooms.identity, &rooms.rng}; }
  static ConferenceSound sound_for(const Rooms& rooms, const conference::RoomId& room);
  const Conference* crossed(const ConferenceLeg& leg, const crypto::Address& from) const;
  static bool nobody_came(const Conference& conference);
  Conference& add(Host host, Time now, CallId id, conference::Room room);
  bool took_place(Host host, Time now);
  void stands(Host host, Time now, Call& call);
  Conference* come_in(Host host, Time now, Call& call);
  static void tell_was_in(Host host, const Facts& facts, const Conference& conference);
  CallId hide(Host host, CallId id, CallId conference);
  void ask_for_room(Host host, Time now);
  void end(Host host, Conference& conference, Time now);

  // conference_address.cpp
  void tend_address(Host host, Time now, Conference& conference);
  bool publishes(Time now, Conference& conference) const;
  void publish(Host host, Time now, Conference& conference, const StoredRoom* room);
  void certify_members(Host host, Time now, Conference& conference, const StoredRoom& room);
  bool tell_certificate(Host host, Time now, const Link& link, const StoredRoom& room);
  void take_certificate(Host host, Time now, const crypto::DeviceKey& from, const conference::Certified& what);
  bool is_invited(const crypto::DeviceKey& from, const conference::Certified& what);
  void ask_for_name(Host host, Time now, const crypto::DeviceKey& from, const conference::Certified& what);
  void look_for_others(Host host, Time now, Conference& conference, const StoredRoom& room);

  // conference_orders.cpp
  bool carry_out(Host host, Time now, Conference& conference);
  void name_offenders(Time now);
  void dial(Host host, Time now, Conference& conference, const crypto::Address& address, ConferenceLeg leg);
  void dial_waiting(Host host, Time now, Conference& conference);
  void drop(Host host, Time now, Conference& conference, const conference::order::Drop& drop);
  void leave_step(Host host, Time now, Conference& conference);
  static Time given_up_at(const Conference& conference);
  void name_recorders(Host host, Conference& conference) const;

  // conference_voices.cpp
  void mix(Host host, Time now, Conference& conference);
  void tend_frames(Time now, Conference& conference);
  void spare();
  void ask_for_means(const Rooms& rooms, Time now);
  Voice* voice_of(Host host, const Conference& conference, const std::optional<crypto::DeviceKey>& device) const;

  std::map<CallId, Conference> conferences_;
  std::map<crypto::DeviceKey, Time> certified_;  // when it was told last
  Time certificates_since_ = Time::min();
  int certificates_ = 0;            // came since then
  std::map<CallId, Time> wanting_;  // calls to be let in somewhere, and when they ask again
  ConferenceSubscribers subscribers_;
  ConferenceConduct conduct_;
  ConferenceReferrals referrals_;
  Means means_;
  Time asked_{};  // for them, last
  DeadlineMeter meter_;
  std::uint64_t frames_ = 0;
  // Of the frames that were mixed last and are not measured yet.
  int unmeasured_ = 0;
  Duration late_{};  // the first of them
  std::size_t mixed_for_ = 0;
};

}  // namespace linnet::node
