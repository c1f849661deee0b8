// A TURN server (RFC 8656) without I/O, for ordinary WebRTC and SIP clients by UDP, TCP and TLS. Static users, static
// tables; what it relays is decided in place and allocates nothing. RFC 8489 authentication, IPv4 and IPv6, dual
// allocations; TCP to peers (RFC 6062) is not spoken.
//
// The owner asks from_client() and from_peer() about every packet and sends what they say. `core` is for
// handle_request(); then events and transmits are to be polled.
#pragma once

#include <memory>
#include <unordered_map>
#include <variant>

#include "base/machine.h"
#include "crypto/guard.h"
#include "nat/turn_allocation.h"
#include "nat/turn_config.h"
#include "nat/turn_counters.h"
#include "nat/turn_message.h"

namespace linnet::nat::turn {

// What becomes of a packet. `bytes` lie where the packet did.
struct Onward {
  enum class To : std::uint8_t { nobody, peer, client, core };

  To to = To::nobody;
  bool dont_fragment = false;
  RelayId relay = 0;  // by which it leaves to a peer
  Endpoint endpoint;
  MutableBytes bytes;
};

namespace event {
// Open relayed sockets, and tell opened().
struct Open {
  std::uint32_t allocation = 0;
  Endpoint client;
  bool v4 = false;
  bool v6 = false;
  bool even = false;
  bool and_next = false;  // keep the port above it as well
};
struct Close {
  RelayId relay = 0;
};
}  // namespace event

class Server {
 public:
  using Event = std::variant<event::Open, event::Close>;

  static constexpr auto kLifetime = std::chrono::seconds(600);
  static constexpr auto kMaxLifetime = std::chrono::seconds(3600);
  static constexpr Duration kReservationLife = std::chrono::seconds(30);
  static constexpr double kUnknownPerPrefix = 100;  // answers a second to who is not authenticated, for one /24 or /48
  static constexpr double kUnknownBurst = 200;
  static constexpr std::size_t kMaxWaiting = 256;

  // What was opened; an id of 0: not.
  struct Opened {
    Relay v4, v6, next;
  };

  Server(ServerConfig config, Rng& rng);

  // `client`: as it is seen, with its transport. A whole message of a stream, or a datagram.
  Onward from_client(Time now, const Endpoint& client, MutableBytes packet);
  // A datagram that came to a relayed address, with room around it.
  Onward from_peer(Time now, RelayId relay, const Endpoint& peer, Room datagram);
  void handle_request(Time now, const Endpoint& client, ByteView packet);
  // What time it is, now and then: until then no pair of a short life is good.
  void handle_wall(Time now, Wall wall);
  void opened(Time now, std::uint32_t allocation, const Opened& what);
  // Its stream is over.
  void client_gone(const Endpoint& client);

  void handle_timeout(Time now);
  Time next_timeout() const { return allocations_.empty() && reservations_.empty() ? kNever : swept_ + kSweep; }
  std::optional<Transmit> poll_transmit();
  std::optional<Event> poll_event();

  void set_own(std::vector<Endpoint> own) { config_.policy.own = std::move(own); }
  // What stands toward other ranges ends when it is to be refreshed.
  void set_lan_ranges(std::vector<Range> ranges) { config_.policy.lan_ranges = std::move(ranges); }
  bool serves(const Endpoint& client) const { return allocations_.contains(client); }
  std::size_t size() const { return allocations_.size(); }
  const Counters& counters() const { return counters_; }
  std::size_t memory_bytes() const;  // of the allocations

 private:
  static constexpr Duration kSweep = std::chrono::seconds(1);

  struct Hash {
    std::uint64_t secret;
    std::size_t operator()(const Endpoint& e) const noexcept;
  };
  struct Reservation {
    std::uint64_t token = 0;
    Relay relay;
    std::uint64_t user = 0;
    Time until{};
  };
  struct Peer {
    Endpoint at;
    bool allowed = false;
  };
  // A request whose sender is known.
  struct Asked {
    Time now;
    const Endpoint& client;
    const stun::Message& message;
    Credentials::Known who;
    Allocation* allocation;
  };
  // What an Allocate wants (section 7.2), or why not.
  struct Wanted {
    bool v4 = false, v6 = false, even = false, and_next = false;
    std::optional<stun::ErrorCode> no_v6;
    std::optional<std::uint64_t> token;
  };

  Allocation* find(const Endpoint& client);
  Onward send(Time now, Allocation& from, const Endpoint& peer, MutableBytes data, bool dont_fragment);
  Onward on_send_indication(Time now, const Endpoint& client, MutableBytes packet);
  Onward dropped();
  bool pay(std::size_t bytes);

  // turn_requests.cpp
  void on_allocate(const Asked& asked);
  void on_refresh(const Asked& asked);
  void on_create_permission(const Asked& asked);
  void on_channel_bind(const Asked& asked);
  // turn_allocate.cpp
  tl::expected<Wanted, stun::ErrorCode> wanted(const stun::Message& message) const;
  std::optional<stun::ErrorCode> no_room(const Endpoint& client, std::uint64_t user) const;
  void begin(const Asked& asked, const Wanted& wanted);
  void take_reserved(const Asked& asked, std::uint64_t token);
  void answer_allocate(Allocation& allocation);
  std::chrono::seconds lifetime(const stun::Message& message) const;

  Result<Peer> peer_in(const Asked& asked, const stun::Message::Attribute& attribute) const;
  // The reason to refuse it, if there is one.
  std::optional<stun::ErrorCode> refused(const Allocation& allocation, const Peer& peer);
  void challenge(Time now, const Endpoint& client, const stun::Message& request, stun::ErrorCode code);
  void refuse(const Asked& asked, stun::ErrorCode code, const stun::AttrList& unknown = {});
  void answer(const Asked& asked, stun::Builder& out);
  void send_to(const Endpoint& client, Bytes bytes);
  Allocation& add(const Asked& asked);
  void settle_relay(Allocation& allocation, const Relay& relay);
  void close(Relay& relay);
  void remove(const Endpoint& client);
  stun::TransactionId indication_id();
  std::optional<Wall> wall(Time now) const;

  ServerConfig config_;
  Rng& rng_;
  Credentials credentials_;
  struct ToldTime {
    Time at{};
    Wall wall{};
  };
  std::optional<ToldTime> clock_;
  crypto::PrefixLimiter limiter_{kUnknownPerPrefix, kUnknownBurst};
  std::unordered_map<Endpoint, std::unique_ptr<Allocation>, Hash> allocations_;
  std::vector<Allocation*> by_relay_;  // at RelayId
  Allocation* last_ = nullptr;         // whose client sent last: packets come in trains
  std::vector<Reservation> reservations_;
  std::uint32_t last_id_ = 0;
  ByteArray<12> indication_{};
  std::uint64_t indications_ = 0;
  Time swept_{};
  Fifo<Transmit> out_;
  Fifo<Event> events_;
  Counters counters_;
};

}  // namespace linnet::nat::turn
