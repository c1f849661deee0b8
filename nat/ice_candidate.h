// ICE candidates (RFC 8445, section 5.1): an address at which an agent may be reached, how it was learned, and how much
// it is wanted. One component: frames, RTP and RTCP share it (RFC 8843, RFC 5761).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"

namespace linnet::nat::ice {

// What sends and receives for the agent: a socket of the owner's, or a circuit. The owner gives the numbers.
using Base = std::uint32_t;

enum class Type : std::uint8_t {
  host,
  peer_reflexive,
  port_mapped,  // by PCP, NAT-PMP or UPnP; to the other side it is server-reflexive
  server_reflexive,
  relayed,  // TURN, or a circuit
};

// Who connects (RFC 6544, section 3). What opens at the same time as its peer is read and written, and pairs with
// nothing.
enum class TcpType : std::uint8_t { none, active, passive, simultaneous };

struct Candidate {
  Type type = Type::host;
  Endpoint endpoint;
  Endpoint related;           // raddr of RFC 8839: the base's endpoint
  Base base = 0;              // of a local one
  std::uint64_t circuit = 0;  // not 0: reaches only the other end of this circuit
  std::uint32_t priority = 0;
  std::string foundation;  // 1 to 32 ice-char
  TcpType tcp = TcpType::none;
};
// The port of a candidate that only connects (RFC 6544, section 4.5).
inline constexpr std::uint16_t kActivePort = 9;

// By what is written on the wire: without scope and socket.
inline bool same_address(const Endpoint& a, const Endpoint& b) { return a.ip.bytes == b.ip.bytes && a.port == b.port; }
// Without what never leaves a machine: the socket, which the Base says, and the scope.
Endpoint without_place(Endpoint endpoint);
// The other side's endpoint as this one reaches it: a link-local one has this one's scope.
Endpoint reached_from(const Endpoint& local, Endpoint remote);

inline constexpr std::size_t kMaxNamed = 16;   // candidates of each side that somebody named
inline constexpr std::size_t kMaxLearned = 8;  // and peer-reflexive ones besides, which take no room from those
inline constexpr std::size_t kMaxCandidates = kMaxNamed + kMaxLearned;
inline constexpr std::size_t kMaxFoundation = 32;
inline constexpr unsigned kComponent = 1;

// Section 5.1.2.2: between 0 and 126, and only server-reflexive ones may be 0 besides relayed ones.
unsigned type_preference(Type type);
// Section 5.1.2.1: (2^24)(type) + (2^8)(local) + (2^0)(256 - component).
std::uint32_t candidate_priority(Type type, std::uint16_t local_preference);
// RFC 6544, section 4.2: (2^13)(direction) + other, and the type preferences are lower than those of UDP.
std::uint32_t tcp_priority(Type type, TcpType tcp, std::uint16_t local_preference);
// What a check says its own address would be worth if the other side has not heard of it (section 7.1.1).
std::uint32_t reflexive_priority(std::uint32_t of_base);
std::uint32_t reflexive_priority(const Candidate& base);

// What stands for the address of a circuit, at both of its ends alike (the discard-only prefix of RFC 6666).
Endpoint circuit_endpoint(std::uint64_t circuit);

// RFC 8839, section 5.1: "candidate:1 1 UDP 2130706431 192.0.2.1 4400 typ host". RFC 6544, section 4.5:
// "candidate:2 1 TCP 1671430143 192.0.2.1 9 typ host tcptype active".
std::string to_sdp(const Candidate& candidate);
// Takes it with and without "a=" and "candidate:". Nothing for another component, another transport, a name, TCP
// without its type.
std::optional<Candidate> from_sdp(std::string_view line);

// The candidates of one side. Indices stay; there is no way to take one back but a restart.
class Candidates {
 public:
  // The index; an equal one that is already there; or nothing when the table is full.
  std::optional<std::size_t> add(Candidate candidate);
  // Same address and transport (and base, and circuit).
  std::optional<std::size_t> find(const Candidate& like) const;
  const Candidate& operator[](std::size_t i) const { return all_[i]; }
  const std::vector<Candidate>& all() const { return all_; }
  std::size_t size() const { return all_.size(); }
  // A learned one is over, and another takes its index.
  void replace(std::size_t index, Candidate learned) { all_[index] = std::move(learned); }
  // Candidates of one type from one base address by one server and transport (section 5.1.1.3).
  std::string foundation(Type type, const IpAddress& base, const std::optional<IpAddress>& server,
                         Transport transport = Transport::udp);

 private:
  struct Origin {
    Type type{};
    IpAddress base;
    std::optional<IpAddress> server;
    Transport transport{};

    bool operator==(const Origin&) const = default;
  };

  std::vector<Candidate> all_;
  std::vector<Origin> origins_;
};

}  // namespace linnet::nat::ice
