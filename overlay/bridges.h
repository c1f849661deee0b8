// One hop more, for who reaches no supernode of the person he calls: his own supernode carries his packets to that one
// (docs/protocol/overlay.md, "Across two supernodes"). FORWARD packets go on as they are, and a circuit of the other
// supernode gets a second piece here under the same number, so that nothing is rewritten.
//
// Never more than one hop: the far supernode is asked for its own leaf, as anybody may ask it. Never a third party: the
// far supernode is one that this one knows itself, by its own round trip, and where it goes is this one's knowledge.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "overlay/attach.h"
#include "overlay/circuit.h"

namespace linnet::overlay {

class Bridges {
 public:
  static constexpr std::size_t kForwards = 1024;
  static constexpr std::size_t kForwardsOfClient = 8;
  static constexpr std::size_t kCircuits = 256;  // asked for, or standing
  static constexpr std::size_t kCircuitsOfClient = 4;
  static constexpr std::size_t kPrefixShare = 8;  // of both: one /24 or /48 has an eighth
  static constexpr std::size_t kFar = 16;         // supernodes at once: sessions with them are ours
  // Of them, those that clients of one prefix brought in, or of one address that is not global.
  static constexpr std::size_t kFarOfPrefix = std::max<std::size_t>(2, kFar / kPrefixShare);
  static constexpr Duration kIdle = std::chrono::seconds(60);
  static constexpr Duration kAnswer = std::chrono::seconds(3);  // of the far supernode

  struct Client {
    SessionId session{};
    Endpoint at;
  };

  // Where all places for supernodes are taken, who brought in none takes one of those that brought in most.

  // Packets of this client with this tag and token go to the supernode `far`, and answers back. Fault::full.
  Status open(Time now, const Client& client, const dht::Contact& far, std::uint64_t tag, std::uint64_t token);
  // Where a packet of `from` goes on to, or an answer of `from`. Nothing: it is of no bridge.
  std::optional<Endpoint> onward(Time now, const Endpoint& from, std::uint64_t tag, std::uint64_t token);
  std::optional<Endpoint> back(Time now, const Endpoint& from, std::uint64_t token);

  // A circuit to the leaf `tag` of the supernode `far`. Fault::full.
  Status open_circuit(Time now, const Client& client, const dht::Contact& far, std::uint64_t tag,
                      const control::PairNonce& nonce);

  // What to say to clients.
  struct Say {
    SessionId client{};
    control::Message message;
  };
  // Sees to sessions with the far supernodes, and asks them; ends the circuits of those that lost their place.
  void settle(const Context& c, Attachments& attachments, CircuitTable& circuits);
  // From a far supernode. False: it is of no bridge.
  bool on_ready(const Context& c, Attachments& attachments, CircuitTable& circuits, const Supernode& from,
                const control::CircuitReady& ready);
  bool on_closed(const Context& c, Attachments& attachments, CircuitTable& circuits, const Supernode& from,
                 const control::CircuitClosed& closed);
  // A client went, or is elsewhere now.
  void on_down(const Context& c, Attachments& attachments, SessionId client);
  void moved(SessionId client, const Endpoint& at);
  // Forgets what is idle, what got no answer, and circuits that stand no longer.
  void handle_timeout(const Context& c, Attachments& attachments, const CircuitTable& circuits);
  Time next_timeout() const { return sweep_at_; }
  std::optional<Say> poll();

  std::size_t forwards() const { return forwards_.size(); }
  std::size_t circuits() const { return asked_.size(); }

 private:
  struct Carried {
    Client client;
    dht::Contact far;
    std::uint64_t tag = 0;
    Time since{};
    Time used{};
  };
  struct Asked {
    enum class Stage : std::uint8_t { reaching, asked, standing };
    Client client;
    dht::Contact far;
    std::uint64_t tag = 0;
    control::PairNonce nonce{};
    Stage stage = Stage::reaching;
    std::uint64_t circuit = 0;
    Time since{};
    bool held = false;  // the session with the far supernode
  };

  // A supernode that something leads to. Who uses it longest has brought it in.
  using Place = std::pair<ByteArray<7>, IpAddress>;  // a prefix, or an address that is not global
  static Place place_of(const Client& client);
  struct Far {
    crypto::SessionKey key;
    Place by;
    Time since{};
    bool shared = false;  // with clients elsewhere
  };
  std::vector<Far> fars() const;
  bool far_room(const Client& client, const dht::Contact& far);
  void put_out(const crypto::SessionKey& far);
  void refuse(const Asked& asked, control::CircuitEnd why);
  void release(const Context& c, Attachments& attachments, const Asked& asked);
  void give_up(const Context& c, Attachments& attachments, const Asked& asked);
  Asked* find(const crypto::SessionKey& far, const control::PairNonce& nonce);
  void sweep_from(Time now);

  std::map<std::uint64_t, Carried> forwards_;  // by token: anybody's packet is looked up, so not by looking at all
  std::vector<Asked> asked_;
  std::vector<Asked> put_out_;
  std::vector<dht::Contact> to_reach_;
  Fifo<Say> out_;
  Time sweep_at_ = kNever;
};

}  // namespace linnet::overlay
