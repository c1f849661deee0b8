// What the NAT in front of this socket does (RFC 5780, RFC 4787): mapping, filtering, hairpin. One run, sans-IO.
//
// Filtering is asked first, while the socket has sent to nothing but the server's primary address: a socket that talks
// to the server's other addresses besides makes the filter look more open than it is. So servers are asked one after
// another, until one has a second address that was not asked itself: it may be another server's (a partner's). Without
// one nothing is told of filtering, and of mapping only beside a second server. A silence counts as a filter only when
// the second address is heard of later.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "nat/stun_client.h"

namespace linnet::nat {

// RFC 4787, section 4.1 and 5: on what of the remote endpoint the mapping, or the filter, depends.
enum class Dependence : std::uint8_t { unknown, endpoint_independent, address, address_and_port };

struct ProbeConfig {
  Endpoint local;                 // of the socket, as bound
  std::vector<Endpoint> servers;  // the first that answers is asked; others stand in for a second address
  std::vector<IpAddress> own;     // of the machine, where the socket is bound to the unspecified address
  stun::RetransmitPlan plan{std::chrono::milliseconds(300), 4, 4};
};

struct ProbeReport {
  std::optional<Endpoint> mapped;  // nothing: no server answered
  bool nat = false;                // mapped is not the local endpoint
  Dependence mapping = Dependence::unknown;
  Dependence filtering = Dependence::unknown;
  std::optional<bool> hairpin;  // nothing without a NAT
};

class Probe {
 public:
  static constexpr std::size_t kMaxServers = 4;
  static constexpr Duration kNext = std::chrono::milliseconds(250);  // without an answer, until another server is asked

  Probe(Time now, const ProbeConfig& config, Rng& rng);

  // Any STUN datagram of the socket. True when it was the probe's: also its own request that came back by hairpin.
  bool handle(Time now, const Endpoint& from, const stun::Message& message);
  void handle_timeout(Time now);
  Time next_timeout() const { return std::min(client_.next_timeout(), next_server_at_); }
  std::optional<Transmit> poll_transmit() { return client_.poll_transmit(); }
  bool finished() const { return step_ == Step::finished; }
  const ProbeReport& report() const { return report_; }

 private:
  enum class Step : std::uint8_t { contact, filtering, mapping, second, hairpin, finished };
  enum class Ask : std::uint8_t { contact, change_both, change_port, other_address, other_both, second, hairpin };
  struct Waiting {
    stun::TransactionId id{};
    Ask ask{};
  };

  void ask(Time now, Ask what, const Endpoint& to, std::uint32_t change = 0);
  void ask_next_server(Time now, Ask what);
  void on_contact(const Endpoint& asked, const Endpoint& mapped, const std::optional<Endpoint>& other);
  void judge_filter();
  void judge_mapping();
  void on_answer(Time now, Ask what, const Endpoint& asked, const std::optional<Endpoint>& mapped,
                 const std::optional<Endpoint>& other);
  bool is_local(const Endpoint& mapped) const;
  bool changed_as_asked(Ask what, const Endpoint& from) const;
  void take_given_up(Time now);
  void on_silence(Time now, Ask what);
  void advance(Time now);
  void begin_filtering(Time now);
  void begin_mapping(Time now);
  void begin_second(Time now);
  void begin_hairpin(Time now);
  void on_second_mapping(Time now, const Endpoint& mapped);
  bool waits_for(Ask what) const;

  ProbeConfig config_;
  Rng& rng_;
  stun::Client client_;
  std::vector<Waiting> waiting_;
  Step step_ = Step::contact;
  ProbeReport report_;
  Endpoint server_;
  std::optional<Endpoint> other_;
  std::optional<Endpoint> second_mapping_;
  std::size_t asked_servers_ = 0;
  Time next_server_at_ = kNever;
  bool heard_other_ = false;  // by whatever: the second address lives
  bool doubt_ = false;        // an answer that was asked for from elsewhere could not be given
};

// How long a mapping that nothing refreshes lives, by trial (RFC 5780, section 4.6). The owner waits `next()` after the
// last packet on the socket under test, asks from another port with RESPONSE-PORT set to the first one's mapping, and
// tells what happened. Each trial halves the distance; it ends when the answer is known to an eighth, or to be under a
// second.
class LifetimeSearch {
 public:
  LifetimeSearch(Duration first = std::chrono::seconds(15), Duration dead = std::chrono::minutes(10))
      : dead_(dead), next_(std::min(first, dead)) {}

  bool finished() const { return dead_ - alive_ <= alive_ / 8 || dead_ <= kLeast; }
  Duration next() const { return next_; }
  void outcome(bool still_there);
  // The mapping was there after so long; 0: after no trial yet.
  Duration known() const { return alive_; }

 private:
  static constexpr Duration kLeast = std::chrono::seconds(1);

  Duration alive_{};
  Duration dead_;
  Duration next_;
  bool bounded_ = false;
};

}  // namespace linnet::nat
