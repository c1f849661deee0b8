// One conference, as one of its members knows it: who is in it, who mixes, and what follows when that changes or dies.
// A machine without I/O: legs, messages and the time go in; what to tell, whom to connect and what to drop comes out.
//
// A leg is a call between two members in which one mixes for the other. The mixer has one to everybody. So has the
// deputy, ahead of time: when the mixer falls silent nothing is to be set up. Whoever mixes or is deputy calls; the
// others answer, but only those two (docs/protocol/conference.md).
//
// Where one cannot mix for all (conference_sections.h), others mix for a section each: they call its members, and pass
// on what the mixer tells and what those members say.
//
// Who takes over, and when: the deputy, on its own silence and the word of half of the others; the next in rank, later,
// when the deputy is silent as well. A new term is believed of the deputy and of the mixer, and of another member only
// where both are silent here.
#pragma once

#include <deque>
#include <set>
#include <variant>

#include "base/rng.h"
#include "node/conference_message.h"
#include "node/conference_sections.h"

namespace linnet::node::conference {

enum class Duty : std::uint8_t { joining, member, deputy, mixer, section };
std::string_view to_string(Duty duty);

// For the node to do.
namespace order {
struct Tell {
  crypto::DeviceKey to{};
  Bytes words;
};
struct Connect {  // call this member: we mix for it, or may soon have to
  crypto::DeviceKey device{};
  crypto::Address address;
};
struct Drop {  // end the leg in which we mix for it, or it mixes for us
  crypto::DeviceKey device{};
  bool ours = true;
};
struct Changed {};  // who is here, or who mixes
struct Removed {};  // we are not wanted any more
struct Strange {    // for the log: what a member did that it may not
  crypto::DeviceKey who{};
  std::string_view what;
};
}  // namespace order
using Order = std::variant<order::Tell, order::Connect, order::Drop, order::Changed, order::Removed, order::Strange>;

class Room {
 public:
  // Of the voice, and of the word about it. A mixer sends fifty packets a second, whatever anybody says.
  static constexpr Duration kSilent = std::chrono::milliseconds(80);  // or 2.5 times the longest pause of late
  static constexpr Duration kSilentMost = std::chrono::seconds(1);
  static constexpr Duration kPauses = std::chrono::seconds(5);
  static constexpr Duration kSaysSo = std::chrono::milliseconds(60);       // between words of silence
  static constexpr Duration kBelieved = std::chrono::milliseconds(300);    // that long a word of silence counts
  static constexpr Duration kNextInRank = std::chrono::milliseconds(800);  // for each one before, when both are silent
  static constexpr Duration kSettles = std::chrono::seconds(2);            // of a new term: nobody takes over
  static constexpr Duration kHandsOver = std::chrono::seconds(1);          // until the deputy mixes that was told to
  static constexpr Duration kPublish = std::chrono::milliseconds(100);     // news are gathered for so long
  static constexpr Duration kBeat = std::chrono::seconds(5);               // ... and said again though there are none
  static constexpr Duration kConnectAgain = std::chrono::seconds(2);
  static constexpr Duration kAlone = std::chrono::seconds(1);          // of silence, where nobody else could say a word
  static constexpr Duration kClaims = std::chrono::milliseconds(500);  // between claims until one is in the roster
  static constexpr Duration kComesIn = std::chrono::seconds(10);       // a leg to somebody who is in no roster yet
  static constexpr Duration kDropAfter = std::chrono::seconds(1);      // legs of who mixes no more
  static constexpr Duration kSought = std::chrono::minutes(2);         // who fell silent
  static constexpr Duration kSoughtWhoLeft = std::chrono::seconds(10);
  static constexpr Duration kSoughtOfSections = std::chrono::minutes(1);  // by way of another it is known less well
  static constexpr Duration kSeekEvery = std::chrono::seconds(3);
  static constexpr std::size_t kSoughtAtOnce = 8;
  static constexpr unsigned kMostCostly = 20;    // claims to verify and rosters asked for, of one member in a second
  static constexpr unsigned kMostRelayed = 200;  // ... where it passes on what others say, or brings them in
  static constexpr Duration kNamedAgain = std::chrono::minutes(1);
  static constexpr std::uint64_t kMostTerms = 1000;  // that are skipped at once
  // ... whoever says so: two halves of a room began with the seconds of their clocks. Nobody could follow what is
  // further.
  static constexpr std::uint64_t kTermsAhead = 10ULL * 365 * 86'400;
  static constexpr Duration kGone = std::chrono::seconds(8);         // nothing came of a member
  static constexpr Duration kSectionGone = std::chrono::seconds(1);  // nor of one who mixes for a section
  static constexpr Duration kMoves = std::chrono::seconds(10);       // a leg to who hears another by now
  static constexpr Duration kNobodyCame = std::chrono::seconds(14);  // to a member whose mixer fell silent
  static constexpr Duration kWantsAgain = std::chrono::seconds(3);   // the whole roster
  static constexpr std::size_t kGatheredFor = 100;                   // members: kPublish for each so many

  struct Self {  // outlives the room
    const crypto::Suite* suite;
    const crypto::Identity* identity;
    Rng* rng;
  };
  // Ours: alone in it at first.
  static Room found(Self self, Time now, std::string name, Claim claim);
  // The same under the number of a room with an address, which every conference there has. `term`: higher than those of
  // earlier ones, whose rosters are worth nothing any more.
  static Room found(Self self, Time now, std::string name, Claim claim, const RoomId& number, std::uint64_t term);
  // Theirs: `introducer` told us of it, and its word of who mixes is believed at first.
  static Room join(Self self, Time now, const RoomId& room, const crypto::DeviceKey& introducer, Claim claim);

  // Inputs. What this device is good for, measured anew.
  void set_claim(Time now, Claim claim);
  // A leg stands or has ended. Ours: we mix for that device in it.
  void leg(Time now, const crypto::DeviceKey& device, bool ours, bool stands);
  // A call to it failed: it is tried again later.
  void connect_failed(Time now, const crypto::DeviceKey& device);
  // A packet of voice came on the leg.
  void heard(Time now, const crypto::DeviceKey& device, bool ours);
  // What was found of it outside its messages, to be named as what it sent.
  void misbehaves(Time now, const crypto::DeviceKey& who, std::string_view what) { name_strange(now, who, what); }
  // Certificates run out: of a member that shows no new one, it ends his being here; ours is shown when it is new.
  void handle_wall(Time now, Wall wall);
  void handle_message(Time now, Wall wall, const crypto::DeviceKey& from, const Message& message);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Order> poll();
  bool has_orders() const { return !orders_.empty(); }
  // It is in a conference of this number too, as was found at the room's address: two halves of one. The one mixer
  // seeks the other.
  void other_half(Time now, const crypto::DeviceKey& device, const crypto::Address& address);
  // Put out of it: not to be let in again.
  bool put_out(const crypto::DeviceKey& device) const { return removed_.contains(device); }
  // The roster as it was told last, to somebody with a leg to us who does not have it.
  void tell_roster(const crypto::DeviceKey& to);
  // We leave. True: the deputy was told to mix, and should be given a moment.
  bool abdicate(Time now);

  // Whether a call of that device is one of this conference's: it mixes, or is the deputy, or brought us here.
  bool expects(const crypto::DeviceKey& device) const;
  // From a person here. False: only who started it may do that.
  bool lock(Time now, bool on);
  bool mute(Time now, const crypto::DeviceKey& device, bool on);
  bool remove(Time now, const crypto::DeviceKey& device);
  // Everybody is to see it, and whoever comes to mix later as well.
  void recording(Time now, bool on);

  const RoomId& id() const { return roster_.head.room; }
  const Roster& roster() const { return roster_; }
  Duty duty() const;
  const crypto::DeviceKey& self() const { return me_; }
  // Whose voice is to be played, and to whom ours goes; nothing while we mix.
  std::optional<crypto::DeviceKey> mixer() const;
  // Where we mix for a section: to whom its sum goes, and from whom the others' comes.
  std::optional<crypto::DeviceKey> trunk() const;
  std::optional<crypto::DeviceKey> deputy() const { return roster_.head.deputy; }
  // We mix now: as the mixer, for a section, or as a deputy that streams beside it.
  bool mixes() const;
  // Who the other end of a leg of ours is to hear of: everybody in the roster with a leg.
  bool has_leg(const crypto::DeviceKey& device, bool ours) const;

 private:
  struct Legs {
    bool ours = false, theirs = false;  // stand
    Time heard_ours{}, heard_theirs{};
    Time connect_at = Time::min();
    bool connecting = false;
    Time silent_said = Time::min();  // when it last said that it does not hear the mixer
    Time drop_ours = kNever, drop_theirs = kNever;
    Time named = Time::min();  // in the log
    Time put_right = Time::min();
    Time costly_since = Time::min();  // words of its that cost much are counted from then on
    unsigned costly = 0;
    Time ours_since = Time::min(), theirs_since = Time::min();
    Time moved = Time::min();        // it hears another by now
    Time guest_since = Time::min();  // it came in by us, though another mixes
  };
  Room(Self self, const RoomId& room, Claim claim, Time now);

  // conference_room.cpp
  void claim_again(Claim claim);
  void push(Order order);
  void tell(const crypto::DeviceKey& to, const Message& message);
  void settle(Time now);
  void tend_legs(Time now);
  void drop_if_idle(Time now, const crypto::DeviceKey& device, Legs& legs);
  void drop_if_passed(Time now, const crypto::DeviceKey& device, Legs& legs);
  bool needs(Time now, const crypto::DeviceKey& device, const Legs& legs) const;
  bool is_claimed() const;
  void claim_a_place(Time now);
  void tell_recording(Time now);
  bool all_connected() const;
  bool calls(const crypto::DeviceKey& device) const { return carries(roster_, me_, device); }
  bool is_heard(Time now, const crypto::DeviceKey& device) const;

  // conference_rule.cpp: as the mixer, and who becomes it
  void change(Time now);
  void publish(Time now);
  void enter(Time now, const SignedClaim& claim);
  void leave(Time now, const crypto::DeviceKey& device, Duration sought = kSoughtWhoLeft);
  enum class Fate : std::uint8_t { alive, silent };
  void take_over(Time now, std::uint64_t term, Fate of_the_last);
  void hand_over(Time now);
  void hand_to_deputy(Time now);
  bool hands_over(Time now) const;
  void note_former(Time now, const crypto::DeviceKey& device, const crypto::Address& address, Duration life = kSought);
  void seek_former(Time now);
  void yield_to(const crypto::DeviceKey& by, const Roster& roster, const RosterNews& news);
  void watch_members(Time now);
  void put_right_without(Time now);
  void watch_mixer(Time now);
  void note_pause(Time now, Duration pause);
  Duration silence() const;
  bool mixer_silent(Time now) const;
  bool mixer_gone(Time now) const;
  bool deputy_silent(Time now) const;
  std::size_t silent_words(Time now) const;
  std::optional<std::size_t> place_in_line() const;

  // conference_relay.cpp: of sections
  void pass(const Message& message);
  void tell_news(const RosterNews& news, const std::vector<crypto::DeviceKey>& to);
  bool is_guest(Time now, const crypto::DeviceKey& device) const;
  void pass_on(Time now, const RosterNews& news);
  void note_calls(Time now, const Roster& before);
  void watch_section_mixer(Time now);
  void watch_section_members(Time now);
  bool may_bring(const crypto::DeviceKey& from, const crypto::DeviceKey& device) const;
  std::optional<RosterNews> gather(const crypto::DeviceKey& from, const RosterNews& page);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Introduce& introduce);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Missed& missed);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Passed& passed);

  // conference_words.cpp: messages
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const SignedClaim& claim);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const RosterNews& news);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Want& want);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Silent& silent);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Ready& ready);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Take& take);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Bring& bring);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Remove& remove);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Setting& setting);
  void on(Time now, Wall wall, const crypto::DeviceKey& from, const Records& records);
  void on(Time, Wall, const crypto::DeviceKey&, const Certified&) {}  // its node takes that (conference_address.cpp)
  void on_setting_here(Time now, const Setting& setting);
  void on_remove_here(Time now, const crypto::DeviceKey& device);
  void take_news(Time now, Wall wall, const crypto::DeviceKey& from, const RosterNews& news);
  void put_right(Time now, const crypto::DeviceKey& who);
  void name_strange(Time now, const crypto::DeviceKey& who, std::string_view what);
  bool costs_too_much(Time now, const crypto::DeviceKey& who, unsigned most = kMostCostly);
  bool outnumbers(const RosterNews& news) const;
  bool told_by_former(const crypto::DeviceKey& from, const RosterNews& news) const;
  bool newer(const RosterNews& news, bool by_former) const;
  bool may_sign(Time now, const Head& head, const crypto::DeviceKey& from) const;
  bool believable(Wall wall, const Roster& roster) const;
  void adopt(Time now, Roster roster, const crypto::Signature& signature);

  Self self_;
  crypto::DeviceKey me_{};
  SignedClaim claim_;
  Roster roster_;
  Roster published_;               // of the mixer: what the members were told last
  crypto::Signature signature_{};  // of the head and the members as they were told last
  std::map<crypto::DeviceKey, Legs> legs_;
  std::optional<crypto::DeviceKey> introducer_;           // while the first roster has not come
  std::map<crypto::DeviceKey, crypto::Address> brought_;  // are to come in
  struct Former {
    crypto::Address address;
    Time until{};
  };
  std::map<crypto::DeviceKey, Former> former_;  // fell silent, and may be found again
  std::set<crypto::DeviceKey> other_half_;      // of former_: by the room's address, whatever their term
  Time seek_at_ = kNever;
  crypto::DeviceKey sought_last_{};
  std::set<crypto::DeviceKey> removed_;
  std::deque<Order> orders_;
  Time publish_at_ = kNever;
  Time beat_at_ = kNever;     // whoever missed something asks for it
  Time since_ = Time::min();  // of this term here
  Time said_silent_ = Time::min();
  std::optional<std::uint64_t> told_ready_;  // of which term, and how many members
  std::size_t ready_members_ = 0;
  Time wanted_ = Time::min();                          // when the whole roster was last asked for
  std::map<crypto::DeviceKey, SignedClaim> claims_;    // of the mixer: of all, thin entries too
  std::map<crypto::DeviceKey, std::uint64_t> passed_;  // of the mixer: the last number of each
  std::uint64_t passed_number_ = 0;
  struct Gathered {
    crypto::DeviceKey from{};
    RosterNews news;
  };
  std::optional<Gathered> gathered_;
  bool hears_nobody_ = false;
  bool was_heard_ = false;  // whoever mixes for us or may have to, ever
  bool deputy_ready_ = false;
  struct Handing {
    crypto::DeviceKey to{};
    std::uint64_t term = 0;
    Time until{};
  };
  std::optional<Handing> handing_;  // of the mixer: whom it told to mix, in its term
  bool records_ = false;
  Time tell_records_at_ = Time::min();
  Duration pause_{}, pause_before_{};  // the longest between packets of the mixer
  Time pauses_since_ = Time::min();
  Time claim_at_ = kNever;
  Time next_look_ = kNever;
};

}  // namespace linnet::node::conference
