// Links to other people's devices. A link starts through FORWARD at one of the other's homes, gets a circuit there and
// a spare one at a second home, and moves to a direct path once both ends have shared their endpoints.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "overlay/attach.h"
#include "overlay/forward_source.h"
#include "overlay/hello.h"
#include "overlay/lan.h"
#include "overlay/leaf_registry.h"

namespace linnet::overlay {

// One circuit of a link, at one supernode.
struct CircuitLeg {
  enum class Stage : std::uint8_t { wanted, reaching, asked, ready, failed };
  explicit CircuitLeg(const dht::Home& at_home) : home(at_home) {}

  dht::Home home;
  // We reach no home of the other: this supernode of ours carries it there (bridges.h).
  std::optional<crypto::SessionKey> via;
  const crypto::SessionKey& asked() const { return via ? *via : home.session; }
  Stage stage = Stage::wanted;
  bool held = false;  // the session with that supernode, for this leg
  control::PairNonce nonce{};
  Time at{};  // of the stage
  std::optional<Path> path;
  std::optional<control::CircuitEnd> end;  // what the supernode said when it failed
};

struct Link {
  SessionId session{};
  bool initiator = false;
  bool up = false;
  bool kept = false;  // a call stands on it
  Remote remote;
  std::vector<CircuitLeg> legs;               // circuits that we open: at the other's homes
  std::vector<control::CircuitOffer> offers;  // answering side: circuits that the other announced
  std::vector<std::pair<control::PairNonce, Path>> answered;
  std::optional<Path> ended;  // a circuit that was closed just now: voice may be under way on it
  Time ended_until{};
  std::vector<Path> proven;
  bool shown = false;  // we let the other learn our endpoints
  Time used{};
  Time voice_out = Time::min();  // latest
  Time voice_in = Time::min();
  int voices = 0;                   // packets of it, up to kYoung
  Time health_at = kNever;          // next look at the voice
  Time legs_at = kNever;            // next look at the circuits
  Time both_until = Time::min();    // our voice goes two ways
  Time urgent_until = Time::min();  // and is not heard by the way that it went when that was asked first
  std::optional<Path> unheard_by;
  bool narrow = false;  // there is no room for both
  bool slow = false;    // nor for many questions
  int silent_looks = 0;
};

// What a link needs of the other rooms.
struct LinkRooms {
  Attachments& attachments;
  ForwardSources& forwards;
  const LeafRegistry* leaves;  // of a supernode, else null
  const Neighbours& neighbours;
  const dht::Dht* link_dht;  // of one that serves its own links, else null
};

class Links {
 public:
  static constexpr std::size_t kCapacity = 512;
  static constexpr std::size_t kMaxOffers = 8;
  static constexpr Duration kVoiceSilence = std::chrono::milliseconds(200);
  static constexpr Duration kSlowSilence =
      std::chrono::milliseconds(1200);  // on a slow path: a queue may drain so long
  // Until so many packets came nothing is known of their pace: a line may be filling up.
  static constexpr Duration kYoungSilence = std::chrono::milliseconds(600);
  static constexpr int kYoung = 10;
  static constexpr std::size_t kLegs = 2;  // the circuit in use and a spare
  // How often a call looks whether its circuits still answer, and how long it tries to mend them by the same home.
  static constexpr Duration kLookAtLegs = std::chrono::milliseconds(1500);
  static constexpr Duration kLookSeldom = std::chrono::seconds(24);  // on a slow path
  static constexpr Duration kMostBoth = std::chrono::seconds(5);     // one asking lasts no longer

  // `hello`: our name and record. Fault::not_found when the device has no way in, Fault::full.
  Result<SessionId> connect(const Context& c, const LinkRooms& rooms, const crypto::Address& address,
                            const FoundDevice& device, bool cold, const Bytes& hello);
  bool owns(SessionId session) const { return links_.count(session) != 0; }

  void on_up(const Context& c, const LinkRooms& rooms, const SessionUp& up);
  // Somebody calls; the session is accepted already.
  Status on_person(const Context& c, const SessionUp& up, const PersonHello& hello);
  void on_down(const Context& c, const LinkRooms& rooms, const SessionDown& down);
  void on_message(const Context& c, const LinkRooms& rooms, MessageIn message);
  void on_path(const LinkRooms& rooms, const PathProven& proven);
  void on_path(const Context& c, const LinkRooms& rooms, const PathChanged& changed);
  void on_path(const Context& c, const LinkRooms& rooms, const PathLost& lost);

  // From a supernode, about circuits.
  void supernodes_changed(const Context& c, const LinkRooms& rooms);
  void on_circuit_ask(const Context& c, const LinkRooms& rooms, const Supernode& from, const control::CircuitAsk& ask);
  void on_circuit_ready(const Context& c, const Supernode& from, const control::CircuitReady& ready);
  void on_circuit_closed(const Context& c, const LinkRooms& rooms, const Supernode& from,
                         const control::CircuitClosed& closed);
  void on_circuit_seen(const Supernode& from, const control::CircuitSeen& seen);
  // Peer::show_on_circuit.
  void show_on(const Context& c, const LinkRooms& rooms, SessionId link, const Path& circuit);

  Status send(const Context& c, SessionId link, Channel channel, Bytes message);
  void show(const Context& c, SessionId link);
  void close(const Context& c, const LinkRooms& rooms, SessionId link);
  void close_idle(const Context& c, const LinkRooms& rooms);
  void close_all(const Context& c, const LinkRooms& rooms);
  void keep(const Context& c, SessionId link, bool kept);
  // The way of the link's frames. FORWARD carries no voice: while the frames still go there, the first other path that
  // is proven (the answering end moves its frames only when the other's next one comes), else an agreed circuit.
  std::optional<Path> voice_path(const Context& c, SessionId link) const;
  // Protect mode (Peer::ask_both): beside it a proven path at another place, while our voice goes two ways. Where there
  // is no room for both and nothing is heard by the first, the other takes its place.
  struct VoiceWays {
    Path first;
    std::optional<Path> second;
  };
  std::optional<VoiceWays> voice_ways(const Context& c, SessionId link) const;
  void ask_both(const Context& c, SessionId link, Duration lease, bool urgent);
  void on_both(const Context& c, const BothWanted& wanted);
  void set_room(const Context& c, SessionId link, Room room);
  // A link stands to the device with this key.
  bool up_with(const crypto::SessionKey& key) const;
  // A call's line has no room for questions.
  bool any_slow() const;
  bool goes_both(Time now, SessionId link) const;
  // Voice went out, or came.
  void voice_sent(Time now, SessionId link);
  void voice_heard(Time now, SessionId link);

  // The link on which this path is proven, or is a circuit that was agreed on for it: voice goes there before it is
  // proven. The youngest when there are several. Of a call also one by which the other end's frames came, who may have
  // proven the path before we have, and for a moment a circuit that has ended: `known` is false then.
  struct OnLink {
    SessionId link{};
    Path path;  // as the link knows it
    bool known = true;
  };
  std::optional<OnLink> on(const Context& c, const Path& path);
  // The link that agreed on this circuit, proven or not.
  std::optional<SessionId> with_circuit(const Path& path) const;
  bool has_circuit(SessionId session, const Path& path) const;
  bool has_circuit_at(SessionId session, const Endpoint& supernode) const;
  bool any_circuit_at(const Endpoint& supernode) const;
  // The owner wants this path no more.
  void dropped(SessionId session, const Path& path);
  const Link* find(SessionId session) const;
  // What came of the circuits of this link.
  static std::vector<CircuitTry> tries(const LinkRooms& rooms, const Link& link);
  void handle_timeout(const Context& c, const LinkRooms& rooms);
  Time next_timeout() const;
  std::optional<PeerEvent> poll_event();
  std::size_t size() const { return links_.size(); }
  std::size_t memory_bytes() const;

 private:
  static std::optional<Path> beside(const Link& link, const Path& first);
  void go_both(const Context& c, Link& link, Duration lease, bool urgent) const;
  struct HeldAsk {  // a supernode's question that came before the other end's offer
    control::CircuitAsk ask;
    crypto::SessionKey supernode;
    Time at;
  };

  Link* find(SessionId session);
  static Duration pause_between_looks(const Link& link) { return link.slow ? kLookSeldom : kLookAtLegs; }
  std::vector<Path> first_paths(const Context& c, const LinkRooms& rooms, const FoundDevice& device,
                                const std::vector<dht::Home>& homes) const;
  void add_bridges(const Context& c, const LinkRooms& rooms, const FoundDevice& device, Link& link,
                   std::vector<Path>& paths) const;
  void advance(const Context& c, const LinkRooms& rooms, Link& link);
  // A FORWARD path to the other by way of this leg's supernode.
  std::optional<Path> open_forward(const Context& c, const LinkRooms& rooms, const crypto::SessionKey& leaf,
                                   const CircuitLeg& leg) const;
  // Whether what comes from `endpoint` comes by the supernode that this leg asks.
  static bool goes_by(const LinkRooms& rooms, const CircuitLeg& leg, const Endpoint& endpoint);
  void try_forward(const Context& c, const LinkRooms& rooms, const Link& link, const CircuitLeg& leg) const;
  void begin_anew(const Context& c, const LinkRooms& rooms, Link& link) const;
  CircuitLeg* next_leg(Link& link) const;
  void begin_leg(const Context& c, const LinkRooms& rooms, Link& link, CircuitLeg& leg);
  void open_leg(const Context& c, Link& link, CircuitLeg& leg, SessionId supernode);
  void accept(const Context& c, Link& link, const Supernode& from, const control::CircuitAsk& ask);
  void on_offer(const Context& c, const LinkRooms& rooms, Link& link, const control::CircuitOffer& offer);
  void fail_leg(const Context& c, const LinkRooms& rooms, Link& link, CircuitLeg& leg);
  static void note_ended(Time now, Link& link, const std::optional<Path>& path);
  void forget(const Context& c, const LinkRooms& rooms, const Link& link);
  void tick(const Context& c, const LinkRooms& rooms, Link& link);
  void look_at_voice(const Context& c, Link& link);
  void look_at_legs(const Context& c, const LinkRooms& rooms, Link& link);
  Time next_of(const Link& link) const;

  static std::optional<OnLink> proven_on(const Link& link, const Path& path);

  // Where packets of voice from there went last: they are many, and so may links be. It holds for a while, and until a
  // link or a proven path is new, since the youngest link with a path counts.
  static constexpr Duration kHintGood = std::chrono::seconds(1);
  struct Hint {
    SessionId link{};
    Time until{};
  };
  std::map<std::pair<Endpoint, std::uint64_t>, Hint> hints_;
  std::map<SessionId, Link> links_;
  std::vector<HeldAsk> held_;
  Fifo<PeerEvent> events_;
};

}  // namespace linnet::overlay
