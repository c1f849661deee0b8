// A supernode by hand: it lets everybody attach, and calls whom it likes.
#pragma once

#include "overlay/control_message.h"
#include "overlay/hello.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {

class Impostor {
 public:
  // `node`: not started; its peer, a leaf, gives its name to the address and answers nobody.
  Impostor(Net& net, Node& node) : net_(net), node_(node) {
    net_.start(node_);
    net_.log = true;
    SessionsConfig config;
    config.network = node_.config.network;
    sessions_ = std::make_unique<Sessions>(config, net_.suite, *node_.rng, node_.identity);
    dht::Contact self;
    self.endpoint = node_.endpoint;
    self.device = node_.identity.device_key();
    self.session = node_.identity.session_key();
    self.signature =
        crypto::sign_session_key(net_.suite, node_.identity.device, node_.config.network, node_.identity.session_key());
    self.position = dht::position(self.endpoint.ip, self.device);
    sessions_->set_greeting(write_greeting(self, kWall));
  }

  void run(Duration d) {
    const auto until = net_.now + d;
    while (net_.now < until) step();
  }
  bool run_to(const std::function<bool()>& condition, Duration limit = std::chrono::seconds(10)) {
    const auto until = net_.now + limit;
    while (!condition() && net_.now < until) step();
    return condition();
  }
  void call() { say(control::Serve{}); }
  void say(const control::Message& message) {
    for (const auto session : clients_) {
      if (sessions_->send(net_.now, session, Channel::control, control::write(message))) ++called;
    }
    flush();
  }

  std::size_t called = 0;

 private:
  void step() {
    net_.run(std::chrono::milliseconds(1));
    for (std::size_t i = 0; i < node_.received.size(); ++i)
      sessions_->handle_packet(net_.now, Path{PathKind::direct, node_.senders[i], 0, false}, node_.received[i]);
    node_.received.clear();
    node_.senders.clear();
    if (sessions_->next_timeout() <= net_.now) sessions_->handle_timeout(net_.now);
    while (auto event = sessions_->poll_event()) {
      if (const auto* up = std::get_if<SessionUp>(&*event)) {
        sessions_->accept(net_.now, up->session);
        clients_.push_back(up->session);
      } else if (const auto* in = std::get_if<MessageIn>(&*event)) {
        answer(*in);
      }
    }
    flush();
  }
  void answer(const MessageIn& in) {
    const auto message = control::read(in.bytes);
    if (!message || !std::holds_alternative<control::Attach>(*message)) return;
    (void)sessions_->send(
        net_.now, in.session, Channel::control,
        control::write(control::Attached{7, Endpoint{IpAddress::v4(10, 0, 0, 9), 1, Transport::udp}}));
  }
  void flush() {
    while (auto packet = sessions_->poll_packet()) net_.send(node_.endpoint, packet->path.endpoint, packet->bytes);
  }

  Net& net_;
  Node& node_;
  std::unique_ptr<Sessions> sessions_;
  std::vector<SessionId> clients_;
};

}  // namespace linnet::overlay::test
