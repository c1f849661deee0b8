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

struct Candidate {
  Type type = Type::host;
  Endpoint endpoint;
  Endpoint related;           // raddr of RFC 8839: the base's endpoint
  Base base = 0;              // of a local one
  std::uint64_t circuit = 0;  // not 0: reaches only the other end of this circuit
  std::uint32_t priority = 0;
  std::string foundation;  // 1 to 32 ice-char
};

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
// What a check says its own address would be worth if the other side has not heard of it (section 7.1.1).
std::uint32_t reflexive_priority(std::uint32_t of_base);

// What stands for the address of a circuit, at both of its ends alike (the discard-only prefix of RFC 6666).
Endpoint circuit_endpoint(std::uint64_t circuit);

// RFC 8839, section 5.1: "candidate:1 1 UDP 2130706431 192.0.2.1 4400 typ host".
std::string to_sdp(const Candidate& candidate);
// Takes it with and without "a=" and "candidate:". Nothing for another component, a transport other than UDP, a name.
std::optional<Candidate> from_sdp(std::string_view line);

// The candidates of one side. Indices stay; there is no way to take one back but a restart.
class Candidates {
 public:
  // The index; an equal one that is already there; or nothing when the table is full.
  std::optional<std::size_t> add(Candidate candidate);
  // Same address (and base, and circuit).
  std::optional<std::size_t> find(const Candidate& like) const;
  const Candidate& operator[](std::size_t i) const { return all_[i]; }
  const std::vector<Candidate>& all() const { return all_; }
  std::size_t size() const { return all_.size(); }
  // Candidates of one type from one base address by one server (section 5.1.1.3).
  std::string foundation(Type type, const IpAddress& base, const std::optional<IpAddress>& server);

 private:
  struct Origin {
    Type type{};
    IpAddress base;
    std::optional<IpAddress> server;

    bool operator==(const Origin&) const = default;
  };

  std::vector<Candidate> all_;
  std::vector<Origin> origins_;
};

}  // namespace linnet::nat::ice
