// Private to peer*.cpp: the owner that moves things between the rooms of a peer.
#pragma once

#include "base/fifo.h"
#include "overlay/bootstrap.h"
#include "overlay/feelers.h"
#include "overlay/finder.h"
#include "overlay/lan.h"
#include "overlay/links.h"
#include "overlay/partner.h"
#include "overlay/promotion.h"
#include "overlay/publisher.h"
#include "overlay/read_back.h"
#include "overlay/supernode_role.h"

namespace linnet::overlay {

struct SessionsLimits {
  bool resets = false;
  std::size_t max_sessions = 0;
};
SessionsLimits sessions_limits(const PeerConfig& config);

struct Peer::Impl {
  Impl(PeerConfig config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity, HostCache cache);

  Context at(Time now) { return {now, wall_at(now), config, suite, rng, identity, sessions}; }
  LinkRooms rooms() {
    return {attachments, forwards, role ? &role->leaves() : nullptr, lan.neighbours(),
            serving_links ? &role->dht() : nullptr};
  }
  const dht::NetworkClock& network_clock() const { return role ? role->dht().network_clock() : clock; }
  Wall wall_at(Time now) const { return network_clock().at(now).value_or(Wall{}); }

  // peer_door.cpp: datagrams in and out.
  void handle(Time now, const Datagram& datagram);
  bool handle_forward(const Context& c, const Datagram& datagram);
  std::optional<Forward> forward(Time now, const Endpoint& from, MutableBytes packet);
  bool deliver_inner(const Context& c, const Path& path, MutableBytes inner);
  void deliver_voice(const Context& c, const Path& path, ByteView packet);
  void voice_out(const Path& path, ByteView packet);
  void deliver_stun(const Path& path, ByteView packet);
  std::optional<Transmit> wrap(PacketOut packet);
  std::optional<Transmit> poll_transmit();
  void flush();

  // peer_events.cpp: what the rooms tell each other.
  void pump(Time now);
  bool pump_once(const Context& c);
  void on(const Context& c, const SessionUp& up);
  void on(const Context& c, const SessionDown& down);
  void on(const Context& c, MessageIn& in);
  void on(const Context& c, const PathProven& proven);
  void on(const Context& c, const PathChanged& changed);
  void on(const Context& c, const PathLost& lost);
  void on(const Context& c, const BothWanted& wanted);
  void on(const Context& c, const PathAnswered& answered);
  void on(const Context& c, const Unanswered& unanswered);
  void on_hello(const Context& c, const SessionUp& up);
  void on_supernode(const Context& c, SessionId session, const control::Message& message);
  void on_dht(const Context& c, const dht::Event& event);
  void on_attachments(const Context& c);
  void order(const Context& c, const Publisher::Order& order);
  void question(const Context& c, const Finder::Question& question);
  void read_back_from(const Context& c, const ReadBack::Question& question);
  void on_read_back(const Context& c, const control::Records& answer);
  bool read_back_records(const Context& c);
  void update_state(const Context& c);
  void settle_partners(const Context& c);

  // peer_life.cpp
  void start(Time now, Wall wall);
  void introduce();
  void introduce_again(Time now);
  void ask_supernodes(Time now, std::optional<SessionId> silent);
  Time all_silent_at() const;
  void look_at_supernodes(const Context& c);
  void set_clock(Time now, Wall own);
  void hear_time(Time now, const IpAddress& from, const crypto::SessionKey& who, Wall said);
  void look_at_clock(Time now);
  void greet(Time now);
  void ask_around(const Context& c);
  void join(const Context& c);
  void leave(Time now);
  void leave_when_said(const Context& c);
  void begin_leaving_role(const Context& c);
  void leave_role(const Context& c);
  void handle_timeout(Time now);
  static constexpr Duration kLookAtHolders = std::chrono::seconds(30);
  static constexpr Duration kTellRelayed = std::chrono::minutes(1);
  void tell_relayed(Time now, Duration least);
  Time next_timeout() const;

  // peer_hosts.cpp: what the host cache is told, and feelers.
  void on(const Context& c, const ProbeAnswered& answered);
  void feel(const Context& c);
  void felt(const Context& c);
  void remember(const control::Nodes& nodes, const IpAddress& by);
  void remember_homes(const Context& c);
  void remember_failure(const Endpoint& where);
  bool among_supernodes() const { return role && !serving_links && role->dht().contact_count() > 0; }

  // peer_lan.cpp: neighbours on our own links.
  bool lonely(const Context& c);
  bool nobody_to_ask(const Context& c);
  void serve_links(const Context& c);
  void stop_serving_links(const Context& c);
  void serve_own_links(Time now, bool may);
  void look_around(const Context& c);
  void meet_neighbours(const Context& c);
  bool has_met(const LanText& neighbour) const;
  void heard(const Context& c, const Neighbour& neighbour);
  void ask_neighbours(const Context& c);
  std::optional<LanText> lan_text() const;
  bool open_to(const IpAddress& from) const { return role && (!serving_links || is_near(from)); }

  // peer_role.cpp: promoted and demoted while it runs.
  void make_role(const Context& c, const Endpoint& self);
  void drop_role(const Context& c);
  void set_role(Role to);
  void promote(const Context& c);
  void joined(const Context& c);
  void begin_handing_over(const Context& c);
  void hand_over(const Context& c);
  bool hardly_needed() const;
  void end_role(const Context& c);
  void offer_standby(const Context& c);
  void look_at_promotion(const Context& c);
  void look_at_old_homes(const Context& c);
  void on_serve(const Context& c, const Supernode& from);
  void promotion_timeouts(const Context& c);
  void serve(Time now);
  void heed_wish(const Context& c);
  void set_fit(Time now, std::optional<Fit> fit);
  bool ends_role() const { return promotion && promotion->ends(); }
  // Our own DHT is asked, and given what we publish; else our homes.
  bool asks_itself() const { return role && !(promotion && promotion->between() && attachments.any_serves()); }

  void emit(PeerEvent event) { events.push_back(std::move(event)); }
  std::optional<Endpoint> self_endpoint() const;

  // peer_place.cpp: where others find a supernode, and whom we ask to dial us.
  void follow_place(Time now);
  void set_outside(Time now, std::optional<Endpoint> by_router);
  void set_second_port(std::uint16_t port);
  void ask_dial(const Context& c, const Endpoint& supernode, const control::DialAsk& ask);
  void say_dials(const Context& c);

  PeerConfig config;
  const crypto::Suite& suite;
  Rng& rng;
  const crypto::Identity& identity;
  HostCache cache;
  Feelers feelers;

  Sessions sessions;
  Attachments attachments;
  Bootstrap bootstrap;
  Publisher publisher;
  ReadBack read_back;  // of a leaf: a supernode stores its own
  Finder finder;
  ForwardSources forwards;
  Links links;
  std::unique_ptr<SupernodeRole> role;   // null in a leaf
  std::unique_ptr<Partners> partners;    // of a supernode with one address
  std::unique_ptr<Promotion> promotion;  // of one that may be promoted
  Lan lan;
  bool serving_links = false;       // the role is for our own links alone
  std::optional<Endpoint> outside;  // opened by a router, and proven
  struct DialWish {
    crypto::SessionKey to;
    control::DialAsk ask;
    Time until{};
  };
  static constexpr std::size_t kDialWishes = 4;
  std::vector<DialWish> dial_wishes;  // that wait for a session
  std::size_t met = 0;                // neighbours that had answered when last looked at

  struct OwnLookup {
    dht::LookupId lookup{};
    std::uint64_t request = 0;
  };
  std::vector<OwnLookup> own_finds;
  std::vector<OwnLookup> own_stores;
  std::optional<dht::LookupId> joining;
  std::size_t contacts_seen = 0;
  Time asked_all_at = kNever;      // whether our supernodes still hear us
  Time look_at_holders = kNever;   // of a supernode's own records
  Time publish_alone_at = kNever;  // a supernode that finds no other publishes with itself

  dht::NetworkClock clock;       // a leaf's; a supernode's DHT has its own
  std::uint32_t leaps_seen = 0;  // of network_clock()
  Wall greeting_of{};            // the second our greeting tells
  Wall introduced_from{};        // validity of the certificate that our hello shows
  Wall introduced_until{};
  bool running = false;
  RelayedMonth relayed_told;
  Time relayed_at{};         // when it was told last
  Time leaving_by = kNever;  // good-byes that nobody confirmed, and until when they are waited for
  bool strangers_spared = false;
  Time goodbye_step_at = kNever;  // of the role: leaves are told, records go elsewhere
  std::vector<std::uint64_t> goodbyes;
  std::vector<dht::LookupId> goodbye_stores;
  State state = State::starting;
  Fifo<PeerEvent> events;
  Fifo<Transmit> outbox;
  Counters counters;
  mutable Counters shown;  // with what the rooms counted
};

}  // namespace linnet::overlay
