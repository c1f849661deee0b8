// Other nodes on our own links, as DNS-SD tells of them (protocol.md section 3), and what we tell of ourselves.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dht/contact.h"

namespace linnet::overlay {

struct Context;

enum class LanRole : std::uint8_t {
  lonely,     // found no supernode: serves its own links
  supernode,  // serves everybody
  served,     // has supernodes, and names some of them
  quiet,      // neither: a leaf by its person's choice
};

// TXT of `_linnet._udp.local`: keys and bare supernode addresses, never names of people or machines.
struct LanText {
  crypto::NetworkId network;
  crypto::DeviceKey device;
  crypto::SessionKey session;
  crypto::Signature signature{};  // DK over SK
  LanRole role = LanRole::quiet;
  std::vector<Endpoint> supernodes;  // global addresses; newcomers join through them

  static constexpr std::size_t kMaxSupernodes = 3;
};

std::vector<std::string> write(const LanText& text);
// Unknown keys are passed over (RFC 6763 section 6.4). Fault::mismatch for another network, unsupported for another
// version.
Result<LanText> read_lan_text(const crypto::NetworkId& network, const std::vector<std::string>& strings);

// One announcement as heard on one link. Endpoints: link-local ones with their scope; best first, at most
// kMaxEndpoints.
struct Neighbour {
  LanText text;
  std::vector<Endpoint> endpoints;

  static constexpr std::size_t kMaxEndpoints = 4;

  bool operator==(const Neighbour& other) const;
};

// Who is there now. A copied announcement may add addresses to a key, never take one away.
class Neighbours {
 public:
  static constexpr std::size_t kCapacity = 2048;   // all that is heard by both families of two links
  static constexpr std::size_t kMaxAddresses = 8;  // of one node, all links together

  // True when anything is new. Announcements whose signature does not verify are refused. Where there is no room the
  // oldest of those whom we have not `met` gives way: keys cost nothing.
  using Met = std::function<bool(const LanText&)>;
  bool heard(const Context& c, const Neighbour& neighbour, const Met& met);
  // That announcement ended; the node stays while another one of it stands.
  void lost(const Neighbour& neighbour);

  struct Node {
    LanText text;
    std::vector<Neighbour> announcements;

    std::vector<Endpoint> endpoints() const;
  };
  const std::vector<Node>& all() const { return nodes_; }
  // Where the node with this key is reached; empty when it is none of ours.
  std::vector<Endpoint> endpoints_of(const crypto::SessionKey& key) const;
  // As a contact; the address `turn` of those known.
  static std::optional<dht::Contact> contact(const Node& node, std::size_t turn);
  // As others may be told of it: by an address that means something beyond the link.
  static std::optional<dht::Contact> lasting_contact(const Neighbour& neighbour);
  std::uint64_t refused() const { return refused_; }

 private:
  std::vector<Node> nodes_;  // oldest first
  std::uint64_t refused_ = 0;
};

// Whether only somebody near can send from this address.
inline bool is_near(const IpAddress& ip) { return ip.is_link_local() || ip.is_private() || ip.is_loopback(); }

}  // namespace linnet::overlay
