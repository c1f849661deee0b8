// One router that may open ports for us: asked by PCP (RFC 6887), by NAT-PMP (RFC 6886) when it speaks only that.
// Sans-IO.
#pragma once

#include <vector>

#include "base/fifo.h"
#include "base/machine.h"
#include "base/rng.h"
#include "nat/natpmp.h"
#include "nat/pcp.h"
#include "nat/port_mapping.h"

namespace linnet::nat {

// Which port others shall reach.
struct PortWish {
  Transport transport = Transport::udp;
  std::uint16_t internal = 0;
  std::uint16_t external = 0;  // suggested; the router decides
  bool exact = false;          // no other one is of use: it is given back, and one may well go without

  bool operator==(const PortWish&) const = default;
};

using PortOwner = ByteArray<32>;

struct Router {
  Endpoint server;  // its port 5351; a link-local one with its scope
  IpAddress local;  // the address from which our datagrams to it come

  bool operator==(const Router&) const = default;
};

class PortMapClient {
 public:
  static constexpr std::chrono::seconds kLifetime{7200};          // asked for (RFC 6887, section 15, and RFC 6886, 3.3)
  static constexpr std::chrono::seconds kMostLifetime{86400};     // believed
  static constexpr Duration kPatience = std::chrono::seconds(5);  // then something else may be tried beside

  // `owner`: a secret of this node that outlives the process. A mapping is its owner's by the nonce (RFC 6887, section
  // 11.3): after a crash the router knows us by the same one, and would refuse any other until the old mapping ends.
  PortMapClient(Time now, Router router, const std::vector<PortWish>& wishes, std::chrono::seconds lifetime, Rng& rng,
                const PortOwner& owner);

  const Router& router() const { return router_; }
  void set_wishes(Time now, const std::vector<PortWish>& wishes);
  // From the router's address, whatever the port it came to. `announced`: by multicast, to all.
  void handle(Time now, ByteView bytes, bool announced);
  // The router's kernel says that nobody listens there.
  void unreachable(Time now);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Transmit> poll_transmit();
  // Deletes what is held; what then is polled is the last.
  void stop(Time now);

  // Neither protocol brought a mapping, and enough time has passed to look elsewhere.
  bool unhelpful(Time now) const { return unhelpful_at() <= now; }
  // When that is so, unless something comes before; kNever: only what comes could make it so.
  Time unhelpful_at() const;
  std::vector<PortMapping> mappings() const;
  // True once after mappings() changed.
  bool take_changed() { return std::exchange(changed_, false); }

 private:
  enum class Speaks : std::uint8_t { unknown, pcp, nat_pmp };
  struct Entry {
    PortWish wish;
    pcp::Nonce nonce{};
    Endpoint suggested;
    Time next = kNever;  // when it is asked (again)
    Duration spacing{};  // of retransmissions; 0: nothing was sent since the last answer
    unsigned tries = 0;
    bool refused = false;  // the last answer was an error
    bool lost = false;     // the router forgot what is held
    std::optional<PortMapping> held;
  };
  struct Epoch {
    std::chrono::seconds server{};
    Time at{};
  };

  void on_pcp(Time now, const pcp::Response& response, bool announced);
  void on_natpmp(Time now, const natpmp::Response& response, bool announced);
  void on_version_refused(Time now);
  bool silent_in_pcp() const;
  void doubt(Time now, Duration within);
  Duration part_of(Duration whole);
  void speak(Time now, Speaks what);
  void take(Time now, Entry& entry, const Endpoint& external, std::chrono::seconds lifetime, MappedBy by);
  struct Offer {
    MappedBy by{};
    Endpoint external;
  };
  void give_back(Time now, Entry& entry, const Offer& offer);
  void put_off(Time now, Entry& entry, std::chrono::seconds pause);
  Time may_renew_at(Time now);
  void look_at_epoch(Time now, std::chrono::seconds server, bool announced, const Entry* answered);
  pcp::Nonce nonce_for(const PortWish& wish) const;
  void ask(Time now, Entry& entry);
  void ask_address(Time now);
  void drop(const Entry& entry, const PortMapping& held);
  Duration after(Duration first, Duration before, Duration most);
  void send(Bytes bytes);

  Router router_;
  std::chrono::seconds lifetime_;
  Rng& rng_;
  PortOwner owner_;
  Speaks speaks_ = Speaks::unknown;
  std::vector<Entry> entries_;
  Time patient_until_;
  bool answered_ = false;
  std::optional<Epoch> epoch_;
  unsigned forgets_ = 0;  // one after another: the server's clock said that it lost its mappings
  Time forgot_at_{};
  std::optional<IpAddress> external_;  // NAT-PMP tells it apart from the ports
  Time address_at_ = kNever;           // when it is asked for (again)
  unsigned address_tries_ = 0;
  bool changed_ = false;
  bool stopped_ = false;
  Fifo<Transmit> out_;
};

}  // namespace linnet::nat
