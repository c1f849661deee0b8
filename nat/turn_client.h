// The client's side of TURN (RFC 8656), sans-IO: holds one allocation at one server for as long as it is wanted, and
// sends to and hears from peers through it, by indications first and by a channel where a peer talks much.
//
// The owner connects where event Open wants it, hands over what comes from that server and nobody else, sends what
// comes out there, and closes where event Close wants it. An answer counts only with the tag of who has the password;
// data counts only from addresses that were written to. Every table is bounded.
#pragma once

#include <variant>
#include <vector>

#include "base/fifo.h"
#include "base/rng.h"
#include "base/time.h"
#include "nat/stun_retransmit.h"
#include "nat/turn_login.h"
#include "nat/turn_message.h"

namespace linnet::nat::turn {

struct ClientConfig {
  std::string user;  // at most 508 bytes
  std::string password;
};

// What the server gave.
struct Given {
  std::optional<Endpoint> v4;  // relayed addresses
  std::optional<Endpoint> v6;
  std::optional<Endpoint> mapped;  // where it sees us

  bool operator==(const Given&) const = default;
};

enum class ClientState : std::uint8_t {
  off,         // not wanted
  connecting,  // Open was said
  allocating,
  ready,
  waiting,  // until the next try
};
std::string_view to_string(ClientState state);

namespace client_event {
struct Open {};  // a new socket or stream to the server, one that was not used before
struct Close {};
struct Ready {
  Given given;
};
struct Lost {};  // what was given is gone
}  // namespace client_event
using ClientEvent = std::variant<client_event::Open, client_event::Close, client_event::Ready, client_event::Lost>;

struct ClientStatus {
  ClientState state{};
  std::optional<Given> given;
  std::string trouble;  // why there was no allocation at the last try; empty: there was
  std::size_t permissions = 0;
  std::size_t channels = 0;
  std::uint64_t sent = 0;     // packets to peers
  std::uint64_t heard = 0;    // and of them
  std::uint64_t dropped = 0;  // no permission to be had, no room, of no use
  std::uint64_t forged = 0;   // answers without the right tag
};

class AllocationClient {
 public:
  static constexpr std::size_t kMaxPermissions = 32;
  static constexpr std::size_t kMaxChannels = 32;
  static constexpr std::size_t kMaxHeld = 16;  // packets that wait for a permission
  static constexpr std::size_t kMaxOut = 256;  // that the owner did not take yet
  static constexpr unsigned kTalks = 8;        // packets of a peer: then a channel is worth while
  static constexpr Duration kPermission = std::chrono::minutes(5);
  static constexpr Duration kChannel = std::chrono::minutes(10);
  static constexpr Duration kBefore = std::chrono::seconds(60);     // renewed so long before the end
  static constexpr Duration kKeepalive = std::chrono::seconds(20);  // of a NAT's mapping, over UDP
  static constexpr Duration kFirstRetry = std::chrono::seconds(5);
  static constexpr Duration kMostRetry = std::chrono::minutes(5);
  static constexpr Duration kFullRetry = std::chrono::minutes(1);  // after 486 and 508, at least (section 7.4)

  AllocationClient(const ClientConfig& config, Rng& rng);

  // An allocation is wanted, or no more: then it is given back.
  void start(Time now);
  void stop();

  // After event Open. Of the endpoint the transport counts, and how far its address reaches: private peers are written
  // to through a server in a private range alone.
  void opened(Time now, const Endpoint& server);
  // It could not be opened, or is over.
  void closed(Time now, std::string why);

  struct FromPeer {
    Endpoint peer;
    MutableBytes data;
  };
  // One message or frame of the server's.
  std::optional<FromPeer> handle(Time now, MutableBytes packet);
  void send(Time now, const Endpoint& peer, ByteView data);

  void handle_timeout(Time now);
  Time next_timeout() const;
  // To the server, before the events are looked at.
  std::optional<Bytes> poll_transmit();
  std::optional<ClientEvent> poll_event();

  ClientStatus status() const;
  // Room in all queues and tables.
  std::size_t memory_bytes() const;

 private:
  enum class Stage : std::uint8_t { idle, asking, standing, refused };
  enum class Kind : std::uint8_t { allocate, refresh, permission, channel };
  struct Permission {
    IpAddress ip;
    Stage stage = Stage::idle;
    Time until = kNever;  // of a standing or refused one
    Time renew = kNever;
    Time used{};
  };
  struct Channel {
    Endpoint peer;
    std::uint16_t number = 0;  // 0: none yet
    Stage stage = Stage::idle;
    Time until = kNever;
    Time renew = kNever;
    Time used{};
    unsigned heard = 0;
  };
  struct Request {
    stun::TransactionId id{};
    Kind kind{};
    Endpoint about;            // of a permission or a channel
    std::uint16_t number = 0;  // of a channel
    bool is_signed = false;
    int challenges = 0;  // that were answered by asking again
    Bytes bytes;
    stun::Retransmission when;
  };
  struct Held {
    Endpoint peer;
    Bytes data;
  };

  // turn_client.cpp: the allocation.
  void allocate(Time now);
  void ask(Time now, Kind kind, const Endpoint& about, std::uint16_t number = 0, int challenges = 0);
  Bytes write(const Request& request) const;
  void on_answer(Time now, const stun::Message& message);
  bool counts(const Request& request, const stun::Message& message);
  void on_success(Time now, const Request& request, const stun::Message& message);
  void on_error(Time now, const Request& request, const stun::Message& message);
  void on_challenge(Time now, const Request& request, const stun::Message& message, stun::ErrorCode code);
  void on_allocated(Time now, const stun::Message& message);
  void on_refusal(Time now, stun::ErrorCode code);
  void on_unanswered(Time now, const Request& request);
  void take_lifetime(Time now, const stun::Message& message);
  void fail(Time now, std::string why, Duration least);
  void release();
  bool on_stream() const { return server_.transport != Transport::udp; }

  // turn_client_peers.cpp: permissions, channels, data.
  bool reachable(const Endpoint& peer) const;
  Permission* permission(const IpAddress& ip);
  Permission* permission_for(Time now, const IpAddress& ip);
  Channel* channel(const Endpoint& peer);
  std::optional<FromPeer> hear(Time now, const Endpoint& peer, MutableBytes data);
  std::optional<FromPeer> on_channel_data(Time now, MutableBytes packet);
  std::optional<FromPeer> on_indication(Time now, const stun::Message& message, MutableBytes packet);
  void count_talk(Time now, const Endpoint& peer);
  void on_permitted(Time now, const IpAddress& ip);
  void on_bound(Time now, const Endpoint& peer);
  void on_peer_refused(Time now, Kind kind, const Endpoint& about);
  void forget_peer(Kind kind, const Endpoint& about);
  void transmit_to(Time now, const Endpoint& peer, ByteView data);
  void renew_peers(Time now);
  Time next_peer_timeout() const;

  ClientConfig config_;
  Rng& rng_;
  Login login_;
  ClientState state_ = ClientState::off;
  Endpoint server_;
  bool v6_only_ = false;  // the server has no IPv4
  std::optional<Given> given_;
  Time refresh_ = kNever;
  Time keepalive_ = kNever;
  Time retry_ = kNever;
  Duration pause_ = kFirstRetry;
  std::string trouble_;
  std::vector<Request> requests_;
  std::vector<Permission> permissions_;
  std::vector<Channel> channels_;
  std::uint16_t next_channel_ = kFirstChannel;
  Fifo<Held> held_;
  Fifo<Bytes> out_;
  Fifo<ClientEvent> events_;
  std::uint64_t sent_ = 0, heard_ = 0, dropped_ = 0, forged_ = 0;
};

}  // namespace linnet::nat::turn
