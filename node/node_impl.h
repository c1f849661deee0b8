// What Node is made of. It owns the rooms and carries things from one to the next; every decision is made in them.
#pragma once

#include "node/binding_watch.h"
#include "node/call.h"
#include "node/conferences.h"
#include "node/examiner.h"
#include "node/invitations.h"
#include "node/node.h"
#include "node/outside.h"
#include "node/reception.h"
#include "node/streams.h"
#include "node/stun_door.h"

namespace linnet::node {

struct Node::Impl {
  Impl(NodeConfig config, const crypto::Suite& suite, Rng& rng, crypto::Identity identity, overlay::HostCache cache,
       Memory memory);

  // node_impl.cpp: everything that follows from an input, until nothing moves any more.
  void settle(Time now);
  bool settle_voice(Time now);
  void deliver(Time now, const sip::Outgoing& message);
  void reap(Time now);
  CallSummary summary_of(const Call& call) const;
  void handle_timeout(Time now);
  Time next_timeout() const;
  void look_at_clock(Time now);
  bool renew_certificate(Wall wall);
  void close_idle_links(Time now);
  void keep_links(Time now);
  void tend_fan();
  void look_at_nat(Time now);
  void tend_streams(Time now);
  void tell_streams();

  // node_events.cpp: from the overlay.
  void on(Time now, const overlay::StateChanged&);
  void on(Time now, const overlay::Found& found);
  void on(Time now, const overlay::LinkUp& up);
  void on(Time now, const overlay::LinkDown& down);
  void on(Time now, const overlay::LinkMessage& message);
  void on(Time now, const overlay::LinkPath& moved);
  void on(Time now, overlay::LinkVoice& voice) { (void)hear(now, voice); }
  Call* hear(Time now, overlay::LinkVoice& voice);
  void on(Time now, const overlay::LinkCircuit& circuit);
  void on(Time now, const overlay::LinkStun& check);
  void on(Time now, const overlay::LinkSilent& silent);
  void on(Time now, const overlay::LinkSeen& seen);
  void on(Time now, const overlay::LinkAnswered& answered);
  void on(Time now, const overlay::SequenceUsed& used);
  void on(Time now, const overlay::FloorRaised& raised);
  void on(Time now, const overlay::Relayed& relayed);
  void on(Time now, const overlay::ClockMoved&);
  void on(Time now, const overlay::PartnerWanted& wanted);
  void on(Time now, const overlay::PartnerFailed& failed);
  void on(Time now, const overlay::PartnerChanged&);
  void ask_partner(Time now);
  void on(Time now, const overlay::SupernodesChanged&);
  void on(Time now, const overlay::HostCacheChanged&);
  void on(Time now, const overlay::DialWanted& dial);
  void on(Time now, const overlay::PlaceChanged&);
  void on(Time now, const overlay::RoleChanged& changed);

  // node_events.cpp: from SIP.
  void on(Time now, const sip::IncomingCall& call);
  void on(Time, const sip::OptionsAnswered&) {}
  void on(Time, const sip::InfoReceived&) {}
  void on(Time, const sip::InfoAnswered&) {}
  void on(Time now, const sip::Answered& answered);
  void on(Time now, const sip::SubscriptionRequested& asked);
  void on(Time now, const sip::SubscriptionRefreshed& again);
  void on(Time now, const sip::ReferReceived& asked);
  void on(Time, const sip::SubscriptionEnded& ended) { conferences.on(ended); }
  template <class E>
  void on(Time now, const E& event) {
    if (auto* call = owner(event.call)) tell(now, *call, event);
  }

  // commands.cpp: from the person.
  void command(Time now, CommandId id, const command::Call& call);
  void command(Time now, CommandId id, const command::Answer& answer);
  void command(Time now, CommandId id, const command::Hangup& hangup);
  void command(Time now, CommandId id, const command::Hold& hold);
  void command(Time now, CommandId id, const command::Mute& mute);
  void command(Time now, CommandId id, const command::Dtmf& dtmf);
  void command(Time now, CommandId id, const command::Who& who);
  void command(Time now, CommandId id, const command::Examine& examine);
  void command(Time now, CommandId id, const command::StopExamining& stop);
  void command(Time now, CommandId id, const command::People& people);
  void command(Time now, CommandId id, const command::Confer& what);
  void command(Time now, CommandId id, const command::JoinConference& join);
  void command(Time now, CommandId id, const command::InviteToConference& invite);
  void command(Time now, CommandId id, const command::RuleConference& rule);
  void command(Time now, CommandId id, const command::Leave&);
  void place_call(Time now, CommandId id, const command::Call& call, Facts facts);
  void confer_at(Time now, CommandId id, const command::Confer& what);
  void note_room(Facts& facts) const;
  void rule_room(Time now, CommandId id, const command::RuleConference& rule);
  std::optional<PersonKey> person_called(const std::string& who) const;
  std::optional<std::vector<KeeperView>> keepers(const std::string& which) const;
  std::optional<Reply> revoke(Time now);
  void done(CommandId id, Outcome outcome = Outcome::ok, std::optional<CallId> call = {}, std::string text = {});
  template <class Fits>
  Call* pick(std::optional<CallId> wanted, Fits fits);
  Call* pick_talking(CommandId id, std::optional<CallId> wanted);

  // conferring.cpp
  void meet_conference(Time now, const sip::IncomingCall& incoming, ConferenceLeg leg);

  // leaving.cpp: calls end, then the overlay is told, then the driver.
  void leave_step(Time now);
  void leave_polled(bool nothing_left);

  template <class E>
  void tell(Time now, Call& call, const E& what) {
    auto r = rooms();
    if (call.handle(r, now, what)) calls_moved = true;
    out.changed(call.facts().id);
  }
  template <class E>
  void tell_all(Time now, const E& what) {
    for (auto& entry : calls) tell(now, entry.second, what);
  }
  Call* owner(sip::CallId call);
  Rooms rooms() {
    return {config, suite, identity, rng, peer, traversal, sip, contacts, links, askers, out, wall, nat, book};
  }
  Conferences::Host host(Rooms& r) { return {r, calls, last_call}; }
  std::size_t visible_calls() const;
  bool settle_conferences(Time now);
  TraversalRooms traversal_rooms(Time now) { return {now, rng, peer, config.peer.listen}; }

  static constexpr Duration kIdleCheck = std::chrono::seconds(15);  // of links
  // How long a BYE may wait for its answer before the overlay is left.
  static constexpr Duration kLastWords = std::chrono::milliseconds(500);
  enum class Leaving : std::uint8_t { no, ending_calls, saying_goodbye, left };

  NodeConfig config;
  const crypto::Suite& suite;
  Rng& rng;
  crypto::Identity identity;
  RoomBook book;  // before the contacts, which take the rest of the memory
  Contacts contacts;
  overlay::Peer peer;
  StunDoor stun;
  Traversal traversal;
  Streams streams;
  sip::Core sip;
  Links links;
  Askers askers;
  Reception reception;
  Invitations invitations;
  Examiner examiner;
  NatWatch nat;
  BindingWatch binding;
  Outside outside;
  std::vector<Endpoint> taken_streams;  // where the driver takes them
  Outbox out;
  CallTable calls;
  Conferences conferences;
  std::uint64_t last_call = 0;
  bool calls_moved = false;  // a call began, ended or went into another state
  Time began{};              // start()
  std::optional<Time> came_online;
  Wall wall{};  // of the peer: the median of supernodes' clocks where there is one
  Time idle_check = kNever;
  Leaving leaving = Leaving::no;
  Time drained_by = kNever;     // Left comes then at the latest
  Time last_words_by = kNever;  // BYEs have had their time then
  bool last_words_over = false;
};

}  // namespace linnet::node
