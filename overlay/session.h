// One established session: sealed packets on several paths, reliable channels, keepalive, renewal of keys, the end.
#pragma once

#include <memory>
#include <vector>

#include "base/deadline_heap.h"
#include "crypto/replay.h"
#include "overlay/channel_rx.h"
#include "overlay/channel_tx.h"
#include "overlay/path_set.h"
#include "overlay/rekey.h"
#include "overlay/session_context.h"

namespace linnet::overlay {

class Session {
 public:
  struct Start {
    SessionId id{};
    bool initiator = false;
    std::uint32_t local_index = 0;
    std::uint32_t remote_index = 0;
    crypto::SessionKey remote;
    crypto::noise::Split split;
    crypto::Hash512 binding{};
    Path path;
    std::uint64_t received = 0;  // responder: bytes that the handshake brought and cost on this path
    std::uint64_t sent = 0;
    bool returned = false;  // responder: message 3 came from where alone message 2 went
    std::optional<Duration> rtt;
    std::optional<crypto::Mac> reset;  // initiator: the peer's token (reset.h)
    Bytes message3;                    // initiator: sent again until the responder is heard
    crypto::Mac message3_mac{};        // responder: to know it again
  };
  // Announces `up`; in a closed network the initiator waits with that for the responder's first packet, because only
  // that shows that both have the secret (psk3 comes with message 3).
  Session(SessionContext& context, Time now, Start start, SessionUp up);

  // A data packet whose receiver index is ours.
  void receive(SessionContext& context, Time now, const Path& path, const DataHeader& header, MutableBytes packet);
  // Message 3 came again: the responder's first packet was lost.
  void message3_again(Time now, const crypto::Mac& mac, std::size_t size);
  void on_timeout(SessionContext& context, Time now);
  // Puts the packets that may go now into context.out.
  void build(SessionContext& context, Time now);
  Time next_timeout(const SessionsConfig& config) const;

  Status send(Time now, Channel channel, ByteView message);
  void accept(SessionContext& context);
  void close(SessionContext& context, Time now, frame::CloseReason reason, DownReason down);
  void try_path(SessionContext& context, Time now, const Path& path);
  void use_path(SessionContext& context, Time now, const Path& path);
  void drop_path(SessionContext& context, Time now, const Path& path);
  // The peer may be heard from there, and it is a TURN server's (path.h). Of several the latest kMaxRelays.
  void note_relay(const Endpoint& endpoint);

  SessionId id() const { return id_; }
  std::uint32_t local_index() const { return local_index_; }
  std::uint32_t remote_index() const { return remote_index_; }
  // The peer answered one of our latest packets with a reset: it knows this session no more. False when that is forged,
  // or when no answer is waited for.
  bool forgotten(SessionContext& context, Time now, const Path& path, const DataHeader& header, ByteView packet);
  // Known to the owner: neither closing nor gone.
  bool open() const { return state_ == State::unaccepted || state_ == State::open; }
  bool gone() const { return state_ == State::gone; }
  bool accepted() const { return state_ == State::open; }
  const crypto::SessionKey& remote() const { return remote_; }
  const PathSet& paths() const { return paths_; }
  std::optional<Duration> rtt() const;
  Time last_heard() const { return heard_; }
  // Of what was sent since the peer was heard and wants an answer, the first; kNever: nothing.
  Time waiting_since() const { return waiting_since_; }
  Duration answer_within(const SessionsConfig& config) const;
  void ask_whether_there(Time now);
  std::uint8_t key_epoch() const { return keys_.current().epoch; }
  std::size_t memory_bytes() const;

  // While hidden, what comes straight from an address is as if it never came: an answer would show that we are there.
  void hide(bool hidden) { hidden_ = hidden; }
  // Instead of the usual one, for this session; 0: the usual one.
  void set_keepalive(Duration every) { keepalive_ = every; }
  // Asks the peer, on every proven path, to send its voice two ways at once. Urgent: who does not answer is lost soon.
  void ask_both(SessionContext& context, Time now, const frame::Both& both);
  // The peer receives where we send: it answered a challenge there, or message 2.
  bool reached() const { return returned_ || paths_.current().proven; }

  DeadlineHeap::Slot heap_slot = DeadlineHeap::kNone;  // of DeadlineHeap
  // Waits for build().
  bool dirty() const { return dirty_; }
  void set_dirty(bool dirty) { dirty_ = dirty; }

 private:
  enum class State : std::uint8_t { unaccepted, open, closing, gone };
  static constexpr std::size_t kMaxRelays = 4;
  static constexpr std::size_t kChannels = 7;
  static constexpr std::uint8_t kRekeyChannel = 4;

  // Initiator: message 3 and when to send it again.
  struct Unconfirmed {
    Bytes message3;
    Time next;
    Duration spacing;
    std::optional<SessionUp> up;
  };
  struct Closing {
    frame::CloseReason reason;
    int left;
    Time next;
  };
  // What came before the owner accepted.
  struct Held {
    std::vector<MessageIn> messages;
    std::size_t bytes = 0;
  };
  struct Received {
    bool wants_ack = false;
    bool data = false;
    bool probe_only = true;
    bool no_room = false;
    bool broken = false;
    bool peer_closed = false;
    frame::CloseReason reason{};
  };

  // session.cpp: packets in
  void announce(SessionContext& context, SessionUp up);
  void confirmed(SessionContext& context);
  void process(SessionContext& context, Time now, const Path& path, ByteView plain, std::uint64_t number);
  Received read_frames(SessionContext& context, Time now, const Path& path, ByteView plain);
  void on_data(SessionContext& context, Time now, const frame::Data& data, Received& received);
  void deliver(SessionContext& context, Time now, std::uint8_t channel, std::vector<Bytes> messages,
               Received& received);
  void on_ack(SessionContext& context, Time now, const frame::Ack& ack);
  void on_rekey_message(SessionContext& context, Time now, ByteView message, Received& received);
  void on_close(SessionContext& context, Time now, frame::CloseReason reason);
  void down(SessionContext& context, DownReason reason, Closing closing);
  std::uint64_t receive_window(const SessionContext& context) const;
  void resend(const std::vector<SentPacket>& packets);
  void check_keys(SessionContext& context, Time now);
  Time renew_at(const SessionsConfig& config) const;

  // session_send.cpp: packets out
  void build_probes(SessionContext& context, Time now);
  void build_close(SessionContext& context, Time now);
  bool build_packet(SessionContext& context, Time now);
  void add_fragments(Bytes& packet, std::size_t limit, SentPacket& record);
  Bytes start_packet();
  void finish_packet(SessionContext& context, PathState& path, Bytes packet);
  bool has_data() const;
  void on_probe_timeout(SessionContext& context, Time now);
  Time probe_at(const SessionsConfig& config) const;
  Duration keepalive(const SessionsConfig& config) const {
    return keepalive_ > Duration{} ? keepalive_ : config.keepalive;
  }
  Time ping_at(const SessionsConfig& config) const;
  Time dead_at(const SessionsConfig& config) const;

  // session_paths.cpp
  bool is_relay(const Endpoint& endpoint) const;
  Path as_known(const Path& path) const;
  void heard_on(SessionContext& context, Time now, const Path& path, bool newest);
  void on_challenge(Time now, const Path& path, const frame::Challenge& challenge);
  void on_response(SessionContext& context, Time now, const Path& path, std::uint64_t token);
  void consider(SessionContext& context, Time now, PathState& path, bool newly);
  void doubt(SessionContext& context, Time now);
  void move_to(SessionContext& context, Time now, const Path& to);
  void path_timeouts(SessionContext& context, Time now);
  void lost_current(SessionContext& context, Time now);
  void suspect(SessionContext& context, Time now);

  // One that was used, and the next one: most sessions use one.
  struct ChannelEnds {
    std::uint8_t number = 0;
    ChannelTx tx;
    ChannelRx rx;
    std::unique_ptr<ChannelEnds> next;
  };

  ChannelEnds* find_ends(std::uint8_t channel) const;
  ChannelEnds& ends_of(std::uint8_t channel);
  ChannelTx& tx(std::uint8_t channel) { return ends_of(channel).tx; }
  KeyRing::Setup key_setup(SessionContext& context) const;

  SessionId id_{};
  crypto::SessionKey remote_;
  std::uint32_t local_index_ = 0;
  std::uint32_t remote_index_ = 0;
  bool initiator_ = false;
  bool hidden_ = false;
  bool returned_ = false;
  bool dirty_ = false;
  State state_ = State::unaccepted;
  bool ping_due_ = false;
  bool probe_credit_ = false;                      // one packet may pass the congestion window
  std::uint8_t probes_ = 0;                        // probe timeouts since the last acknowledgement
  std::unique_ptr<std::vector<Endpoint>> relays_;  // note_relay; every packet asks for it
  std::uint64_t next_number_ = 0;
  std::uint64_t newest_ = 0;  // highest number of what came but for probes
  Time heard_{};
  Time waiting_since_ = kNever;  // first packet that wants an answer, since the peer was last heard
  Time doubt_from_ = Time::min();
  Duration keepalive_{};    // 0: as all others
  Duration renew_early_{};  // so that sessions of one start do not all renew at once
  crypto::Mac message3_mac_{};
  std::optional<crypto::Mac> reset_;

  KeyRing keys_;
  crypto::ReplayWindow replay_;
  RttEstimator rtt_;
  CongestionWindow window_;
  Flight flight_;
  AckTracker acks_;
  PathSet paths_;
  std::unique_ptr<frame::Both> both_;  // what is asked for on paths that say it
  std::unique_ptr<ChannelEnds> channels_;
  std::unique_ptr<Held> held_;
  std::size_t buffered_ = 0;  // of rx_, counted in SessionContext::reassembly
  std::unique_ptr<Unconfirmed> unconfirmed_;
  std::unique_ptr<Closing> closing_;
};

}  // namespace linnet::overlay
