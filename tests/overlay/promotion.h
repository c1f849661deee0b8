// Nodes that may be promoted, in the small network of net.h.
#pragma once

#include "tests/overlay/net.h"

namespace linnet::overlay::test {

inline Node& add_auto(Net& net, const std::string& name, const std::vector<std::string>& bootstrap,
                      const std::function<void(PeerConfig&)>& adjust = {}) {
  return net.add(name, Role::leaf, bootstrap, [&](PeerConfig& config) {
    config.promotable = true;
    if (adjust) adjust(config);
  });
}

inline void set_fit(Net& net, Node& node, bool fit, std::uint32_t leaves = 100) {
  node.peer->set_fit(net.now, fit ? std::optional(Fit{node.endpoint, leaves}) : std::nullopt);
  net.drain(node);
}

inline bool serves(const Node& node) { return node.peer && node.peer->role() == Role::supernode; }

// Three supernodes, and `name` beside them, promoted.
inline Node& promoted(Net& net, const std::string& name = "auto", std::uint32_t leaves = 100) {
  net.start(net.add("s1", Role::supernode));
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.start(net.add("s3", Role::supernode, {"s1"}));
  net.run(std::chrono::seconds(1));
  auto& node = add_auto(net, name, {"s1", "s2", "s3"});
  net.start(node);
  net.run_to([&] { return online(node); });
  set_fit(net, node, true, leaves);
  net.run_to([&] { return serves(node); }, std::chrono::minutes(1));
  return node;
}

// What came and what went of a call's voice, a packet every 20 ms.
class Voice {
 public:
  Voice(Net& net, Node& from, SessionId link, Node& to) : net_(net), from_(from), link_(link), to_(to) {}

  void say_for(Duration d) {
    const auto end = net_.now + d;
    while (net_.now < end) {
      Bytes packet(100, 0x80);
      packet[1] = static_cast<std::uint8_t>(said % 100);
      from_.peer->send_voice(net_.now, link_, packet);
      net_.drain(from_);
      ++said;
      net_.run(std::chrono::milliseconds(20));
      take();
    }
  }
  std::size_t heard() {
    net_.run(std::chrono::seconds(1));
    take();
    return heard_;
  }
  std::size_t said = 0;

 private:
  void take() {
    heard_ += to_.all<LinkVoice>().size();
    std::erase_if(to_.events, [](const PeerEvent& e) { return std::holds_alternative<LinkVoice>(e); });
  }

  Net& net_;
  Node& from_;
  SessionId link_;
  Node& to_;
  std::size_t heard_ = 0;
};

}  // namespace linnet::overlay::test
