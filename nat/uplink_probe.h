// How much this machine can send: a train of full datagrams goes out at once, and the narrowest link on the way pulls
// it apart. Each is a Binding request with PADDING (RFC 5780, section 7.6), which is never returned, so that the
// answers are small and keep the spacing (Dovrolis, Ramanathan and Moore, "Packet-Dispersion Techniques and a
// Capacity-Estimation Methodology", IEEE/ACM Transactions on Networking, 2004). Sans-IO.
//
// One train to each of three servers; the median counts, since one server may be slow, or hold its answers back to make
// us look fast. A line that lets a burst pass before it brakes looks as fast as the burst.
#pragma once

#include <optional>
#include <vector>

#include "base/fifo.h"
#include "base/machine.h"
#include "base/rng.h"
#include "nat/stun_message.h"

namespace linnet::nat {

class UplinkProbe {
 public:
  static constexpr std::size_t kTrain = 32;  // datagrams: less than a server answers one prefix at once
  static constexpr std::size_t kTrains = 3;
  static constexpr std::size_t kEnough = 8;                       // answers of a train that say something
  static constexpr Duration kPatience = std::chrono::seconds(4);  // for them: 38 KB at 100 kbit/s take three
  static constexpr std::size_t kSize = kMaxDatagram;
  static constexpr std::uint64_t kMost = 1'000'000'000;  // bits a second; more is not told apart

  // The first `kTrains` of `servers` are asked.
  UplinkProbe(Time now, Rng& rng, std::vector<Endpoint> servers);

  void handle(Time now, const Endpoint& from, const stun::Message& message);
  void handle_timeout(Time now);
  Time next_timeout() const { return over() ? kNever : until_; }
  std::optional<Transmit> poll_transmit();

  bool over() const { return done_ >= servers_.size(); }
  // Bits a second, with the headers of UDP and IP. Nothing: no server answered enough of a train.
  std::optional<std::uint64_t> found() const;

 private:
  struct Answer {
    std::size_t number = 0;
    Time at{};
  };
  void begin(Time now);
  void end(Time now);
  std::optional<std::uint64_t> rate() const;

  Rng& rng_;
  std::vector<Endpoint> servers_;
  std::size_t done_ = 0;
  Time until_{};
  std::vector<stun::TransactionId> ids_;  // of the train under way, in the order in which it left
  std::vector<Answer> answers_;
  std::vector<std::uint64_t> rates_;
  Fifo<Transmit> out_;
};

}  // namespace linnet::nat
