// An overlay peer on real sockets and a loop, without a daemon around it: many fit into one process.
#pragma once

#include <memory>

#include "node/io/clock.h"
#include "node/io/net/tcp_ports.h"
#include "node/io/net/udp_ports.h"
#include "node/io/random.h"
#include "overlay/peer.h"

namespace linnet::io {

// Sanitizers make everything slower, but not the clock.
#ifdef LINNET_SANITIZED
inline constexpr int kSanitized = 4;
#else
inline constexpr int kSanitized = 1;
#endif

// Runs until the condition holds (looked at every 20 ms) or the limit is over.
inline bool run_to(Loop& loop, const std::function<bool()>& condition, Duration limit) {
  bool held = false;
  const auto until = now() + limit;
  std::unique_ptr<Loop::Alarm> alarm;
  alarm = loop.alarm([&] {
    held = condition();
    if (held || now() >= until) return loop.stop();
    alarm->set(now() + std::chrono::milliseconds(20));
  });
  alarm->set(now());
  loop.run();
  return held;
}

class RealPeer {
 public:
  struct Options {
    overlay::Role role = overlay::Role::leaf;
    std::vector<Endpoint> bootstrap;
    bool udp = true;  // false: nothing leaves by UDP, and nothing comes
    bool tcp = true;
  };

  RealPeer(Loop& loop, const std::string& name, const Options& options) : loop_(loop), udp_(options.udp) {
    identity_ =
        crypto::make_identity(crypto::shipped_suite(), rng_, *crypto::Address::parse(name + "@demo.example"), wall());
    auto ports = UdpPorts::open({*Endpoint::parse("127.0.0.1:0")});
    if (!ports) std::abort();
    ports_ = std::make_unique<UdpPorts>(std::move(*ports));
    if (options.tcp) tcp_ = std::make_unique<TcpPorts>();
    if (tcp_ && options.role == overlay::Role::supernode) (void)tcp_->listen(ports_->bound());
    overlay::PeerConfig config;
    config.network = crypto::network_id("linnet");
    config.role = options.role;
    config.listen = ports_->bound();
    config.bootstrap = options.bootstrap;
    config.tcp = options.tcp;
    peer_ = std::make_unique<overlay::Peer>(config, crypto::shipped_suite(), rng_, identity_, overlay::HostCache());
  }

  void start() {
    alarm_ = loop_.alarm([this] {
      peer_->handle_timeout(now());
      pump();
    });
    const auto receive = [this](const Datagram& d) {
      if (udp_ || d.from.transport != Transport::udp) peer_->handle_datagram(now(), d);
    };
    ports_->start(loop_, receive, [this] { pump(); });
    if (tcp_) {
      tcp_->start(loop_, receive, [this] { pump(); },
                  {[this](const Endpoint& at) { return peer_->stands_on(at); },
                   [this](const Endpoint& at) { return peer_->tries(at); }});
    }
    peer_->start(now(), wall());
    pump();
  }

  void pump() {
    for (bool again = true; again;) {
      while (auto event = peer_->poll_event()) {
        if (const auto* used = std::get_if<overlay::SequenceUsed>(&*event)) peer_->sequence_stored(now(), used->below);
        if (on_event) on_event(*event);
      }
      again = false;
      while (auto transmit = peer_->poll_transmit()) {
        again = true;
        if (transmit->to.transport != Transport::udp) {
          if (tcp_) tcp_->send(*transmit);
        } else if (udp_) {
          ports_->send(std::move(*transmit));
        }
      }
    }
    ports_->flush();
    if (tcp_) tcp_->flush();
    alarm_->set(peer_->next_timeout());
  }

  overlay::Peer& peer() { return *peer_; }
  const crypto::Identity& identity() const { return identity_; }
  Endpoint endpoint() const { return ports_->bound().front(); }
  const TcpPorts& tcp() const { return *tcp_; }
  const UdpPorts& ports() const { return *ports_; }
  bool online() const { return peer_->state() == overlay::State::online; }

  std::function<void(overlay::PeerEvent&)> on_event;

 private:
  Loop& loop_;
  bool udp_;
  SystemRng rng_;
  crypto::Identity identity_;
  std::unique_ptr<UdpPorts> ports_;
  std::unique_ptr<TcpPorts> tcp_;
  std::unique_ptr<overlay::Peer> peer_;
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
