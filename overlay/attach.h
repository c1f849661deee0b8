// Our sessions with supernodes: homes (nearest our UserKey), the anchor (nearest by round trip), and those that a call
// needs for a while. Each is a variant of states; a lost home comes back with jitter and back-off, and another takes
// its place meanwhile. One that is full is asked again with a back-off of its own: it answers, so it is none that is
// lost.
#pragma once

#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "overlay/context.h"
#include "overlay/control_message.h"
#include "overlay/peer_event.h"
#include "overlay/ways.h"

namespace linnet::overlay {

struct Idle {};
struct Connecting {
  SessionId session{};
};
struct Connected {  // authenticated; it answers our questions
  SessionId session{};
  Time since{};
};
struct Attaching {
  SessionId session{};
  Time asked{};
};
struct Attached {  // it answers for us, under this tag
  SessionId session{};
  std::uint64_t tag = 0;
};
struct Waiting {
  Time until{};
};
using SupernodeState = std::variant<Idle, Connecting, Connected, Attaching, Attached, Waiting>;

struct Supernode {
  // First what every event looks at, together.
  SupernodeState state = Idle{};
  bool wanted_home = false;
  bool wanted_anchor = false;
  bool own_links = false;  // it serves its own links alone
  bool ends = false;       // it gives its role up, or is crowded: no home or anchor of ours for a while
  unsigned holders = 0;    // links that need it
  unsigned failures = 0;
  unsigned refusals = 0;    // it had no place for us, since it had one or did not answer
  unsigned udp_probes = 0;  // without an answer, since it answered on a stream
  Time used{};
  Time datagrams_at = kNever;  // on a stream: when UDP is tried again
  Time asked_again = kNever;   // it turned us away: no place is asked for before
  Endpoint endpoint;
  Endpoint way;                           // where its session goes
  std::optional<Endpoint> observed;       // our endpoint as it sees it
  std::optional<crypto::SessionKey> key;  // none until a bare address answered
  std::optional<dht::Contact> contact;

  bool wanted() const { return wanted_home || wanted_anchor; }
  std::optional<SessionId> session() const;  // connected or better
  std::optional<std::uint64_t> tag() const;
  // Its place, whatever way was taken.
  Endpoint home() const { return contact ? home_of(way, contact->endpoint) : endpoint; }
  bool connecting() const { return std::holds_alternative<Connecting>(state); }
  bool waiting() const { return std::holds_alternative<Waiting>(state); }
  bool turned_away() const { return asked_again != kNever; }
  // It did not answer when it was tried last, or has no place for us.
  bool failing() const { return ends || waiting() || (failures > 0 && !session()) || (refusals > 0 && !tag()); }
};

class Attachments {
 public:
  static constexpr std::size_t kCapacity = 64;
  static constexpr std::size_t kKnown = 32;
  // Between two asks for a place with one that is full: doubled from the first to the most, and never longer. Who is
  // served elsewhere has time.
  static constexpr Duration kFirstAskAgain = std::chrono::seconds(1);
  static constexpr Duration kMostAskAgain = std::chrono::seconds(30);
  static constexpr Duration kMostAskAgainServed = std::chrono::minutes(5);

  // The stream that worked on this network last, if datagrams did not.
  void set_favourite(std::optional<Way> way) { favourite_ = way; }
  std::optional<Way> favourite() const { return favourite_; }
  // `hello` is what we say to supernodes.
  void set_hello(Bytes hello) {
    hello_ = std::move(hello);
    hello_.shrink_to_fit();
  }

  // How often supernodes hear of us from now on, and are told so.
  void set_keepalive(const Context& c, Duration every);

  // What we could be as a supernode is said to those that answer for us, and again when it changes. 0: nothing.
  void set_standby(const Context& c, std::uint32_t leaves);
  // We are a supernode from now on, and want no homes. Those that answer for us do so until detach(), but for who went.
  void stop_seeking();
  void detach(const Context& c);
  // We are none any more: `near` are the supernodes around our UserKey, as far as we know.
  void seek_homes(const Context& c, const std::vector<dht::Contact>& near);
  // Something rests on the session with who is heard there.
  void touch(Time now, const Endpoint& way);

  // Sees to a session with this supernode. By key when it is known (Noise XK), else by address (XX).
  void reach(const Context& c, const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key);
  // For a place only: not while it has none for us.
  void seek(const Context& c, const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key);
  void hold(const crypto::SessionKey& key);
  void release(const Context& c, const crypto::SessionKey& key);

  // Supernodes near our UserKey that somebody told us of; homes and anchor follow from them.
  // `by`: the address of who told us; somebody far away can know nothing of private addresses near us.
  void learn(const Context& c, const std::vector<dht::Contact>& contacts, const std::optional<IpAddress>& by);

  // What a supernode said of its own clock when its session came up: taken once.
  struct TimeSaid {
    IpAddress from;
    crypto::SessionKey who;
    Wall said{};
  };
  std::optional<TimeSaid> take_time() { return std::exchange(time_said_, std::nullopt); }

  bool owns(SessionId session) const { return find(session) != nullptr; }
  // The descriptor in its greeting, when it verified: the host cache wants it.
  std::optional<dht::Contact> on_up(const Context& c, const SessionUp& up);
  // The contact that failed or was lost.
  std::optional<dht::Contact> on_down(const Context& c, const SessionDown& down);
  void on_attached(const Context& c, SessionId session, const control::Attached& message);
  void on_refused(const Context& c, SessionId session, const control::AttachRefused& message);
  void on_nodes(const Context& c, SessionId session, const control::Nodes& message);
  void on_handover(const Context& c, SessionId session, const control::Handover& message);
  void on_crowded(const Context& c, SessionId session);
  void handle_timeout(const Context& c);
  Time next_timeout() const;
  // Connects again to all: what they were told of us when their sessions came up was wrong. The sessions that went.
  std::vector<SessionId> introduce_again(const Context& c);
  // Detaches and closes everything.
  void leave(const Context& c);
  // Closes sessions that are neither home, anchor nor held.
  void drop_idle(const Context& c);

  std::optional<SessionId> session_with(const crypto::SessionKey& key) const;
  const Supernode* by_session(SessionId session) const { return find(session); }
  const Supernode* by_key(const crypto::SessionKey& key) const;
  const std::vector<Supernode>& all() const { return supernodes_; }
  // For the record: homes first, nearest first, the anchor last.
  std::vector<dht::Home> record_homes() const;
  // Every home we want and can have is attached.
  bool settled() const;
  // Sessions for questions: those that are heard before those that are silent, those that answer for us before those
  // merely connected, then in the order in which they were met. Not the nearest first: who is near many by the clock
  // would be whom they all ask (docs/decisions/035).
  std::vector<SessionId> for_questions(const Context& c, std::size_t n) const;
  // Sessions with those that answer for us, nearest our UserKey first: the first is the one that replicates our
  // records.
  std::vector<SessionId> for_publishing(const Context& c, std::size_t n) const;
  // The session with the supernode that is there, or whose session goes there.
  std::optional<SessionId> session_at(const Endpoint& endpoint) const;
  // A supernode that answers for us is at this endpoint.
  bool serves(const Endpoint& endpoint) const;
  // Where packets to this supernode go: as its session does, else as our other sessions do.
  Endpoint way_to(const dht::Home& home) const;
  void on_path(const Context& c, const PathChanged& changed);
  // Sessions on streams try UDP now and then, `free`: while nothing rests on them.
  void try_datagrams(const Context& c, bool free);
  // What became of the datagrams to those that we have a session with.
  struct UdpReach {
    unsigned probes = 0;
    unsigned answers = 0;
  };
  UdpReach udp_reach() const;
  const std::vector<dht::Contact>& known() const { return known_; }
  bool any_up() const;  // of those that serve more than their own links
  bool any_connecting() const;
  bool any_serves() const;  // it answers for us
  bool any_full() const;    // one that answers has no place for us
  std::vector<Observed> observed() const;
  // True once after homes, sessions or tags changed.
  bool take_changed() { return std::exchange(changed_, false); }

 private:
  Supernode* find(SessionId session);
  const Supernode* find(SessionId session) const { return const_cast<Attachments*>(this)->find(session); }
  Supernode* find(const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key);
  dht::Contact known_better(const dht::Contact& told) const;
  void hear_of_itself(const Context& c, Supernode& s, const std::vector<dht::Contact>& contacts);
  Supernode* add(const Context& c, const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key);
  std::optional<dht::Contact> merge(const Context& c, Supernode& bare, const SessionUp& up,
                                    const dht::Contact& contact);
  void connect(const Context& c, Supernode& s);
  void attach(const Context& c, Supernode& s);
  void went_up(const Context& c, Supernode& s, const SessionUp& up);
  void take_way(const Context& c, Supernode& s, const Endpoint& way);
  void set_back(const Context& c, Supernode& s, bool back);
  void turn_away(const Context& c, Supernode& s);
  void ask_again_soon(const Context& c);
  void lost_home(const Context& c);
  bool knows_too_few(const Context& c) const;
  void give_up(const Context& c, Supernode& s);
  void try_again(const Context& c);
  void choose(const Context& c);
  void forget_farthest();
  std::vector<dht::Contact> pick_homes(const Context& c) const;
  void pick_anchor(const Context& c);
  void release_unwanted(const Context& c);
  void evaluate(const Context& c);
  void forget_unused(const Context& c);

  control::Attach attach_message(const Context& c) const;
  void attach_again(const Context& c, const Supernode& s) const;

  Bytes hello_;
  std::optional<Duration> keepalive_;  // none: the usual one
  std::uint32_t standby_ = 0;
  std::optional<Way> favourite_;
  std::vector<Supernode> supernodes_;
  std::vector<dht::Contact> known_;  // nearest our UserKey first
  Time evaluate_at_ = kNever;
  std::uint64_t evaluation_ = 0;  // request id of the question under way
  unsigned evaluations_ = 0;
  unsigned unanswered_ = 0;        // of them, in a row
  Time hold_until_ = Time::min();  // after a loss: no new home before
  std::size_t turn_ = 0;
  bool changed_ = false;
  std::optional<TimeSaid> time_said_;
};

}  // namespace linnet::overlay
