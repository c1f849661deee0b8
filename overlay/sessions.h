// Sealed links to other nodes: handshakes, frames, channels and paths of all sessions of one node. A core: packets and
// time go in, packets with the path to send them on are polled out. The owner (Peer) wraps and unwraps forward and
// circuit headers.
//
// First byte of a packet: 4, 5, 6 handshake messages; 7 cookie; 8 data (protocol.md section 4).
// Noise XK when the peer's SK is known, XX for a bare address (XKpsk3, XXpsk3 in a closed network).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "crypto/identity.h"
#include "overlay/path.h"

namespace linnet::overlay {

enum class SessionId : std::uint64_t {};

// Channels of reliable ordered messages. Up to 64 KiB a message, reassembled under a cap.
enum class Channel : std::uint8_t {
  control = 0,  // overlay: attach, lookups, publication, circuits
  sip = 1,
  candidates = 2,
  chat = 3,
  people = 5,  // contacts and invitations (4 renews keys)
  conference = 6,
};

// Versions, networks and secrets that differ do not connect; nothing is negotiated down.
inline constexpr std::uint8_t kProtocolVersion = 3;  // 2: before greetings told the time

struct SessionsConfig {
  crypto::NetworkId network;
  std::optional<crypto::Secret> psk;
  std::uint8_t version = kProtocolVersion;
  std::size_t max_sessions = 4096;
  std::size_t max_half_open = 256;    // responder side, before message 3
  std::size_t cookies_over = 32;      // half-open count from which a cookie is asked for
  double handshakes_per_prefix = 20;  // a second
  std::uint32_t run = 0;              // of this process: greater than in any run before. Read where resets are given
  bool resets = false;  // who goes on with a session we do not know is told so: it learns that somebody is here
  Duration keepalive = std::chrono::seconds(25);
  bool slow = false;                              // Sessions::set_slow
  Duration dead_after = std::chrono::seconds(8);  // without an answer, probes included
  Duration rekey_after = std::chrono::minutes(15);
  Duration refuse_after = std::chrono::minutes(20);
};

struct ConnectTo {
  std::optional<crypto::SessionKey> remote;  // none: Noise XX, the key is learned
  std::vector<Path> paths;  // tried side by side with a short head start each; the first that answers carries on
  Bytes hello;              // payload of message 3: who we are, opaque here
  Duration give_up = std::chrono::seconds(10);
  // Before streams are tried beside datagrams (RFC 8305).
  Duration streams_after = std::chrono::milliseconds(300);
  // Only whether it is there: ends with message 2, by which it proved its key, and nothing was said of us
  // (ProbeAnswered).
  bool probe = false;
};

enum class DownReason : std::uint8_t { closed, peer_closed, timed_out, refused, expired, full, forgotten };

// Handshake complete. The responder's owner must accept() or reject() before anything else is delivered;
// the initiator's session is ready at once.
struct SessionUp {
  SessionId session{};
  bool initiator = false;
  crypto::SessionKey remote;
  Bytes hello;  // initiator's hello at the responder; the responder's greeting at the initiator
  Path path;
};
struct SessionDown {
  SessionId session{};
  DownReason reason = DownReason::closed;
};
// Of ConnectTo::probe, before its SessionDown. The greeting is that of SessionUp.
struct ProbeAnswered {
  SessionId session{};
  crypto::SessionKey remote;
  Bytes greeting;
  Path path;
  std::optional<Duration> rtt;  // none when message 1 went twice
};
struct MessageIn {
  SessionId session{};
  Channel channel{};
  Bytes bytes;
};
// A path answered its challenge: it is proven and its round trip known.
struct PathProven {
  SessionId session{};
  Path path;
  Duration rtt{};
};
// Frames (and the owner's voice) now go over `to`.
struct PathChanged {
  SessionId session{};
  Path from;
  Path to;
};
// A path that carried traffic stopped answering and was removed.
struct PathLost {
  SessionId session{};
  Path path;
};
// The peer does not hear our voice as it should (ask_both).
struct BothWanted {
  SessionId session{};
  Duration lease{};
  bool urgent = false;
};
// A challenge of a path was answered, the first or a later one.
struct PathAnswered {
  SessionId session{};
  Path path;
  Duration rtt{};
};
// Twice somebody was asked for a sign of life and gave none.
struct Unanswered {
  SessionId session{};
};

using SessionsEvent = std::variant<SessionUp, SessionDown, ProbeAnswered, MessageIn, PathProven, PathChanged, PathLost,
                                   BothWanted, PathAnswered, Unanswered>;

struct PacketOut {
  Path path;
  Bytes bytes;
};

// Rules for the owner:
// - A peer reached by some way has one Path value: packets that come by it are handed in under the value they are sent
// on with.
// - After any input drain poll_packet() and poll_event(), then ask next_timeout(). Packets are built while they are
// polled, so that what
//   is sent in answer to an event shares a packet with the acknowledgement.
// - Every session, announced or not, ends with one SessionDown: also after close() and reject(), and for a connect()
// that failed.
class Sessions {
 public:
  using Event = SessionsEvent;

  Sessions(SessionsConfig config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity);
  ~Sessions();
  // What a responder says in message 2 (a supernode's descriptor). Message 2 is never longer than message 1: a greeting
  // of more than 846 bytes is not said at all.
  void set_greeting(Bytes greeting);

  void handle_packet(Time now, const Path& path, MutableBytes packet);  // types 4..8
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<PacketOut> poll_packet();
  std::optional<Event> poll_event();

  Result<SessionId> connect(Time now, ConnectTo to);
  void accept(Time now, SessionId session);
  void reject(Time now, SessionId session);
  void close(Time now, SessionId session);  // tells the peer

  // Reliable and ordered per channel. Fault::full when the send window's queue is full, Fault::too_big over 64 KiB.
  Status send(Time now, SessionId session, Channel channel, Bytes message);

  // Challenges a path; bytes to an unproven address never exceed bytes received plus a small fixed number of challenges
  // (3 x 64 bytes). When proven and better (direct before circuit before forward; then round trip) frames move to it.
  void try_path(Time now, SessionId session, const Path& path);
  // The peer's voice does not come as it should: asks for it two ways at once, for so long, on every proven path.
  // Urgent, when none comes: those are challenged too, and who does not answer soon is lost.
  void ask_both(Time now, SessionId session, Duration lease, bool urgent);
  // The same, and what the owner chooses: the initiator moves there once it is proven, and prefers nothing to it.
  void use_path(Time now, SessionId session, const Path& path);
  // The last proven path stays until the session ends.
  void drop_path(Time now, SessionId session, const Path& path);
  void note_relay(SessionId session, const Endpoint& endpoint);
  // Hidden: packets that come straight from an address we do not use for this session are dropped before they are
  // opened, so that nobody who guesses our address learns that he is right.
  void hide(SessionId session, bool hidden);
  // Answers may wait a second in a queue before our line, or the peer's of a call: they are given that time.
  void set_slow(bool slow);
  bool slow() const;
  // Asks now for a sign of life, unless somebody was heard just now or is asked already.
  void ask_whether_there(Time now, SessionId session);
  // Of a node that became a supernode, or is none any more: SessionsConfig.
  void set_serving(bool resets, std::size_t max_sessions);
  // How often a quiet session is asked for a sign of life; the responder waits half as long again. Of all that have
  // none of their own, or of one.
  void set_keepalive(Time now, Duration every);
  void set_keepalive(Time now, SessionId session, Duration every);
  // Somebody received what we sent on the current path: its endpoint is not forged.
  bool reached(SessionId session) const;
  std::optional<Path> current_path(SessionId session) const;
  std::vector<Path> proven_paths(SessionId session) const;
  // Whether the peer of this session was heard by this path, proven or not.
  bool heard_by(SessionId session, const Path& path) const;
  // The session for which this path is proven: voice is demultiplexed by it.
  std::optional<SessionId> session_on(const Path& path) const;

  // A handshake waits for an answer that comes from this endpoint.
  bool tries(const Endpoint& endpoint) const;

  std::optional<crypto::SessionKey> remote(SessionId session) const;
  std::optional<Duration> rtt(SessionId session) const;
  std::optional<Time> last_heard(SessionId session) const;
  // Until an answer to what was just sent is here, mostly: a round trip and what it varies by.
  Duration answer_within(SessionId session) const;
  // It was sent something that wants an answer, and for longer than that nothing was heard.
  bool silent(Time now, SessionId session) const;
  std::size_t size() const;
  std::size_t memory_bytes() const;

  struct Counters {
    std::uint64_t malformed = 0, bad_mac = 0, replayed = 0, cookies_sent = 0, refused = 0, half_open_full = 0,
                  retransmitted = 0;
  };
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::overlay
