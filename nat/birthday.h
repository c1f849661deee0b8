// A way through a NAT that gives another port for each destination, opposite one that gives the same: by the birthday
// paradox (RFC 5128, section 3.4.2; Ford, Srisuresh, Kegel 2005). The Opener, behind the first, sends from many sockets
// to the one address of the other side; the Prober sends from its one socket to ports of the Opener's address. With 256
// open of 64,512, one of 1,024 probes meets one of them 98 times in 100.
//
// Both are bounded in packets and time. What is sent is for the owner to write: a check of the two ICE agents, which do
// the rest when one arrives. That the address is the other side's own has to be attested before either starts.
#pragma once

#include <optional>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "nat/port_prediction.h"
#include "nat/stun_message.h"

namespace linnet::nat::birthday {

inline constexpr std::size_t kSockets = 256;
inline constexpr std::size_t kProbes = 1024;                         // of either side, in one search
inline constexpr Duration kInterval = std::chrono::milliseconds(5);  // between packets: 200 a second

// One packet to be sent. Empty bytes: the owner writes a check.
struct Shot {
  std::size_t socket = 0;  // index of the Opener's; the Prober has one
  Endpoint to;
  Bytes bytes;
};

// Hands out turns, one each interval; after a late call what was missed comes together, up to kCatchUp.
class Pace {
 public:
  static constexpr int kCatchUp = 8;

  explicit Pace(Time now) : next_(now) {}
  std::size_t due(Time now);
  Time next() const { return next_; }

 private:
  Time next_;
};

class Opener {
 public:
  static constexpr std::size_t kSamples = 4;  // flows of ours, to see how the NAT gives ports
  static constexpr Duration kMeasuring = std::chrono::milliseconds(500);
  static constexpr std::size_t kPasses = 2;  // packets of each socket: one may be lost

  // `server`: a STUN server, asked from the first sockets. Nothing: nothing is measured.
  Opener(Time now, Rng& rng, std::size_t sockets, const std::optional<Endpoint>& server);

  // What came in at a socket from the server.
  void handle(std::size_t socket, const stun::Message& message);
  // As far as it will be: the guess, if there is one, may be told.
  bool measured() const { return measured_; }
  std::optional<PortGuess> guess() const;

  // Sends there from now on, once it has measured.
  void aim(Time now, const Endpoint& target);
  bool aimed() const { return target_.has_value(); }
  bool done() const { return opened_ >= kPasses * sockets_; }

  void handle_timeout(Time now, std::vector<Shot>& out);
  Time next_timeout() const;

 private:
  struct Sample {
    stun::TransactionId id{};
    std::optional<std::uint16_t> port;
  };

  std::size_t sockets_;
  std::optional<Endpoint> server_;
  std::vector<Sample> samples_;
  std::size_t asked_ = 0;
  Time measured_by_;
  bool measured_;
  std::optional<Endpoint> target_;
  std::size_t opened_ = 0;
  Pace pace_;
};

class Prober {
 public:
  // `target`: of the Opener, as attested; its port is not looked at.
  Prober(Time now, const IpAddress& target, std::optional<PortGuess> guess);

  bool done() const { return sent_ >= kProbes; }
  void handle_timeout(Time now, Rng& rng, std::vector<Shot>& out);
  Time next_timeout() const { return done() ? kNever : pace_.next(); }

 private:
  IpAddress target_;
  PortPlan plan_;
  std::size_t sent_ = 0;
  Pace pace_;
};

}  // namespace linnet::nat::birthday
