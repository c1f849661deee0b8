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
inline constexpr int kMaxNotifies = 8;  // of one subscription that wait for their answer

struct Limits {
  std::size_t transactions = 1024;
  std::size_t transactions_per_peer = 64;
  std::size_t calls = 256;
  std::size_t calls_per_peer = 8;
  std::size_t subscriptions = 1024;  // ours and theirs
  std::size_t subscriptions_per_peer = 8;
  std::size_t peers = 1024;  // set_peer_identity, set_peer_reliable
  std::size_t events = 1024;
  std::size_t outgoing = 4096;
};

// What others may subscribe to here (RFC 6665).
struct EventPackage {
  std::string name;                // a token, "conference"
  std::vector<std::string> types;  // of its bodies; the first is what a SUBSCRIBE without Accept gets
};

struct Config {
  Uri local_uri;             // our address; Contact of what we answer, sent-by of Via is its host
  std::string display_name;  // UTF-8, may be empty
  std::string user_agent = "Linnet/0.1";
  bool reliable = true;                      // how peers are reached unless set_peer_reliable says otherwise
  std::vector<std::string> info_packages;    // taken in an INFO (RFC 6086); tokens. Others get 469
  std::vector<std::string> info_types;       // bodies taken in an INFO without a package, "application/dtmf-relay"
  std::vector<EventPackage> event_packages;  // others get 489
  std::uint32_t min_expires = 60;            // seconds of a subscription; less gets 423
  std::uint32_t max_expires = 3600;          // more is shortened; also what is given where nothing is asked for
  bool refers = false;                       // REFER comes out as ReferReceived; else it gets 603
  bool replaces = false;  // Replaces and Join are looked at; else they are passed over, and 420 where required
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
  std::string conference;           // Linnet-Conference: a token, or empty
  std::string sdp_offer;            // empty: the peer is to offer, in its 200
  std::vector<HeaderLine> headers;  // further ones; a line break, NUL or bad name in one is refused
  bool focus = false;               // set_focus() from the start
  // The dialog, as the called one has it, that this call is to replace or to join; one of them. A peer that cannot
  // answers 420, one that knows no such dialog 481.
  std::optional<DialogName> replaces;
  bool early_only = false;  // replaces: not if it was answered already, which gets 486
  std::optional<DialogName> joins;
};

struct InfoParams {
  std::string package;  // empty: an INFO of the old kind (RFC 2976)
  std::string content_type;
  std::string body;
};

struct SubscribeParams {
  CallId call = kNoCall;  // inside of it; else:
  PeerId to;
  Uri target;  // Request-URI and To
  Uri from;    // From and Contact; must be an address of ours
  std::string package;
  std::vector<std::string> accept;  // body types; a NOTIFY with another gets 415
  std::uint32_t expires = 3600;     // seconds; 0 asks for the state once
};

struct ReferParams {
  CallId call = kNoCall;  // inside of it; else:
  PeerId to;
  Uri target;  // Request-URI and To
  Uri from;    // From and Contact; must be an address of ours
  Uri refer_to;
  std::string method = "INVITE";
  std::optional<DialogName> replaces;  // as `refer_to` has it
  Uri referred_by;                     // none without a host; must be an address of ours
  bool progress = true;                // false: we want no ReferProgress (RFC 4488), which the peer may still send
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

  // A new session to the peer. What an older one may have swallowed goes out again: INVITE, CANCEL, BYE, SUBSCRIBE
  // and NOTIFY without a final answer, 2xx without their ACK, reliable provisional responses without their PRACK.
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
  Status ring(Time now, CallId call);  // 180
  // 183 with a session description: the answer, or the offer if their INVITE had none. Reliably (RFC 3262) where the
  // peer asks for it, or is able and may lose messages. An offer needs that.
  Status progress(Time now, CallId call, std::string sdp);
  // `sdp` answers theirs, or offers if their INVITE had none; may be empty after progress(). A 200 waits for the PRACK
  // of an answer that went before.
  Status accept(Time now, CallId call, std::string sdp);
  Status reject(Time now, CallId call, int code, std::string_view reason = {});  // 300-699
  // Takes back our INVITE. kElsewhere tells the device not to show a missed call.
  Status cancel(Time now, CallId call, std::string_view reason_text = {});
  Status bye(Time now, CallId call, std::string_view reason_text = {});
  // Hangs up in whatever state the call is: cancel, reject with 603, or bye.
  Status hang_up(Time now, CallId call);
  // Further offers: by a re-INVITE once the call stands, by an UPDATE (RFC 3311) also before. An empty `sdp` asks for
  // theirs in a re-INVITE; in an UPDATE it only tells our Contact. One at a time; 491 is tried again here.
  Status reinvite(Time now, CallId call, std::string sdp);
  Status update(Time now, CallId call, std::string sdp);
  Status answer_reinvite(Time now, CallId call, std::string sdp);  // to any ReinviteOffer, or an Answered that offers
  Status reject_reinvite(Time now, CallId call, int code, std::string_view reason = {});
  // Fault::refused also for a package the peer does not take.
  Status info(Time now, CallId call, InfoParams params);
  // What Contact says of us in that call from the next message on: that we are the focus of a conference (RFC 4579
  // section 5.2, RFC 3840). Before accept() for its 200; in a standing call reinvite() or update() tells it.
  Status set_focus(CallId call, bool focus);

  // Event subscriptions (RFC 6665). Ours is kept alive until end_subscription(), SubscriptionEnded or the end of its
  // call; one for each package in a call. Fault::not_found: no such call or subscription.
  Result<SubscriptionId> subscribe(Time now, SubscribeParams params);
  // Asks for the full state now, as a subscriber does that missed a part (RFC 4575 section 4.6).
  Status refresh_subscription(Time now, SubscriptionId id);
  // Answers SubscriptionRequested and ReferReceived (202). Active: notify() with the full state must follow at once.
  // Pending: the peer is told so.
  Status accept_subscription(Time now, SubscriptionId id, SubscriptionState state = SubscriptionState::active);
  Status reject_subscription(Time now, SubscriptionId id, int code, std::string_view reason = {});  // 300-699
  // The state to a subscriber of ours; makes a pending subscription active. Fault::full while kMaxNotifies of it have
  // no answer: send the full state later. Fault::malformed: not a type of the package.
  Status notify(Time now, SubscriptionId id, std::string_view content_type, std::string body);
  // Ours: a SUBSCRIBE with Expires 0, and SubscriptionEnded when the last NOTIFY has come. Theirs: a NOTIFY that says
  // `reason` (SubscriptionEnded has the list).
  Status end_subscription(Time now, SubscriptionId id, std::string_view reason = "noresource",
                          std::optional<std::uint32_t> retry_after = {});
  // REFER (RFC 3515): ReferAnswered comes, then ReferProgress, and SubscriptionEnded. end_subscription() makes it
  // quiet.
  Result<SubscriptionId> refer(Time now, ReferParams params);
  // What came of the one that was accepted: a status as of the request that was sent; from 200 on it ends.
  Status report_refer(Time now, SubscriptionId id, int code, std::string_view reason = {});
  // The dialog of a call that stands, as this end has it; far() is how the other end has it.
  std::optional<DialogName> dialog(CallId call) const;
  Status options(Time now, const PeerId& peer, const Uri& target);

  const Counters& counters() const;
  std::size_t calls() const;
  std::size_t transactions() const;
  std::size_t subscriptions() const;

  // The text that cancel() turns into `Reason: SIP;cause=200;text="Call completed elsewhere"` (RFC 3326).
  static constexpr std::string_view kElsewhere = "Call completed elsewhere";

 private:
  template <class T>
  T settled(T result);

  std::unique_ptr<class UserAgent> ua_;
};

}  // namespace linnet::sip
