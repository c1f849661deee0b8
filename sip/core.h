// The SIP user agent of a node (RFC 3261), as a machine without I/O: messages of authenticated peers and the time go
// in; messages to peers, events and the next deadline are polled out.
//
// Rules it keeps. One Core holds every call of the node. A dialog, a transaction and a call belong to the peer they
// were made with: the same Call-ID and tags from another peer do not match (481). Tables are bounded in all and per
// peer; a full one refuses with 503 (486 for a call) and counts. Nothing is trusted about identity: set_peer_identity()
// says which addresses a peer may put into From, Contact and Referred-By, anything else gets 403.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/time.h"
#include "sip/event.h"
#include "sip/header.h"
#include "sip/peer.h"
#include "sip/transaction.h"
#include "sip/uri.h"

namespace linnet::sip {

inline constexpr std::size_t kMaxMessage = 64 * 1024;

struct Limits {
  std::size_t transactions = 1024;
  std::size_t transactions_per_peer = 64;
  std::size_t calls = 256;
  std::size_t calls_per_peer = 8;
  std::size_t peers = 1024;  // set_peer_identity, set_peer_reliable
  std::size_t events = 1024;
  std::size_t outgoing = 4096;
};

struct Config {
  Uri local_uri;             // our address; Contact of what we answer, sent-by of Via is its host
  std::string display_name;  // UTF-8, may be empty
  std::string user_agent = "Linnet/0.1";
  bool reliable = true;  // how peers are reached unless set_peer_reliable says otherwise
  TimerValues timers;
  Limits limits;
};

struct Outgoing {
  PeerId to;
  Bytes bytes;
};

struct InviteParams {
  PeerId to;
  Uri target;  // Request-URI and To
  Uri from;    // From and Contact; must be an address of ours
  std::string call_group;
  std::string sdp_offer;
  std::vector<HeaderLine> headers;  // further ones; a line break, NUL or bad name in one is refused
};

struct Counters {
  std::uint64_t received = 0;
  std::uint64_t malformed = 0;        // answered 400, 505 or 513, or dropped
  std::uint64_t stray = 0;            // responses and ACKs that belong to nothing
  std::uint64_t forbidden = 0;        // 403: not an address of that peer
  std::uint64_t refused_full = 0;     // a bounded table had no room
  std::uint64_t retransmissions = 0;  // that we sent
};

class Core {
 public:
  using Event = sip::Event;

  Core(Config config, Rng& rng);  // `rng` must outlive the core
  ~Core();
  Core(Core&&) noexcept;
  Core& operator=(Core&&) noexcept;

  // Inputs.
  void handle_message(Time now, const PeerId& from, ByteView bytes);
  void handle_timeout(Time now);
  Time next_timeout() const;
  // The session to that peer is gone for good: its calls fail, its transactions and identity are forgotten.
  void peer_lost(Time now, const PeerId& peer);

  // A new session to the peer. What an older one may have swallowed goes out again: BYEs without an answer.
  void peer_reconnected(const PeerId& peer);

  // Outputs.
  std::optional<Outgoing> poll_message();
  std::optional<Event> poll_event();

  // What the peer may call itself: canonical "user@host" (canonical_address()). Without this call anything goes, with
  // an empty list nothing does. Fault::full when too many peers are known.
  Status set_peer_identity(const PeerId& peer, std::vector<std::string> addresses);
  // Whether messages to and from this peer are delivered for sure; if not, the timers of RFC 3261 section 17
  // retransmit.
  Status set_peer_reliable(const PeerId& peer, bool reliable);

  // Commands. Fault::not_found: no such call. Fault::refused: not possible in the state the call is in.
  // Fault::full: a table is full. Fault::malformed: an argument cannot stand in a message.
  Result<CallId> invite(Time now, InviteParams params);
  Status ring(Time now, CallId call);
  Status accept(Time now, CallId call, std::string sdp_answer);
  Status reject(Time now, CallId call, int code, std::string_view reason = {});  // 300-699
  // Takes back our INVITE. kElsewhere tells the device not to show a missed call.
  Status cancel(Time now, CallId call, std::string_view reason_text = {});
  Status bye(Time now, CallId call, std::string_view reason_text = {});
  // Hangs up in whatever state the call is: cancel, reject with 603, or bye.
  Status hang_up(Time now, CallId call);
  Status reinvite(Time now, CallId call, std::string sdp_offer);
  Status answer_reinvite(Time now, CallId call, std::string sdp_answer);
  Status reject_reinvite(Time now, CallId call, int code, std::string_view reason = {});
  Status options(Time now, const PeerId& peer, const Uri& target);

  const Counters& counters() const;
  std::size_t calls() const;
  std::size_t transactions() const;

  // The text that cancel() turns into `Reason: SIP;cause=200;text="Call completed elsewhere"` (RFC 3326).
  static constexpr std::string_view kElsewhere = "Call completed elsewhere";

 private:
  std::unique_ptr<class UserAgent> ua_;
};

}  // namespace linnet::sip
