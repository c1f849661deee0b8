// Measures how long the NAT in front of us keeps a mapping that nothing refreshes (RFC 5780, section 4.6), over minutes
// and with a packet now and then. Sans-IO, on two sockets: the one under test talks to the server and is silent then;
// after a while the other one asks the server to answer there (RESPONSE-PORT).
//
// The first trial waits for next to nothing: where even that brings no answer (a NAT with several addresses, a server
// that knows no RESPONSE-PORT), nothing can be measured. A mapping is called dead only after the server has answered
// once more, else the server may have died instead. A server can still lie about a long life, by packets that die on
// the way behind the NAT: only a second one's word makes it sure (node/binding_watch).
#pragma once

#include <optional>

#include "base/machine.h"
#include "base/rng.h"
#include "nat/probe.h"

namespace linnet::nat {

class BindingLife {
 public:
  // Linux, and routers made of it, keep a mapping longer once both ends have talked for two seconds: as sessions do.
  static constexpr Duration kSettle = std::chrono::seconds(3);
  static constexpr Duration kFirst = std::chrono::seconds(15);   // what is tried first
  static constexpr Duration kLongest = std::chrono::minutes(3);  // what lives so long lives long enough
  static constexpr unsigned kMostFailures = 3;                   // in a row, of the server

  enum class By : std::uint8_t { tested, other };
  struct Shot {
    By by{};
    Transmit datagram;
  };
  struct Found {
    Duration alive{};              // it was there after so long; 0: not known
    std::optional<Duration> dead;  // it was gone after so long
    bool finished = false;         // known to an eighth, or it lives longer than anybody asks
    bool failed = false;           // this server cannot tell

    bool operator==(const Found&) const = default;
  };

  BindingLife(Time now, const Endpoint& server, Rng& rng);

  // From the server.
  void handle(Time now, By by, const stun::Message& message);
  // Anything else came to the tested socket, from whomever. While it shall be quiet that spoils the measurement: many
  // NATs let what comes in refresh a mapping, and a server that lies would have us believe in a long life.
  void disturbed(Time now);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Shot> poll_transmit();
  bool over() const { return found_.finished || found_.failed; }
  // Each time something was learnt.
  std::optional<Found> poll_found();

 private:
  // open: a mapping is made; settling; refreshing: its last packet; quiet; asking: is it still there.
  enum class Step : std::uint8_t { open, settling, refreshing, quiet, asking, pausing, over };

  void request(Time now, Step step);
  void ask(Time now);
  void on_contact(Time now, const stun::Message& message);
  void on_late(Time now, const stun::Message& message);
  Duration trial() const;
  void take_given_up(Time now);
  void on_no_server(Time now);
  void still_there(Time now);
  void gone(Time now);
  void conclude(bool still_there);
  void fail();

  Endpoint server_;
  Rng& rng_;
  stun::Client tested_;  // transactions of the tested socket
  stun::Client asker_;   // the question of the other one, whose answer comes in by the tested one
  stun::TransactionId waits_for_{};
  LifetimeSearch search_;
  Step step_ = Step::open;
  Time at_ = kNever;
  Time quiet_since_{};
  std::uint16_t mapped_port_ = 0;
  bool proven_ = false;  // this way of asking works here
  bool silent_ = false;  // no answer came; the server has yet to show that it lives
  unsigned failures_ = 0;
  Found found_;
  bool news_ = false;
};

}  // namespace linnet::nat
