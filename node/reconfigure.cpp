// What a running node takes over from a changed configuration. Calls that stand keep what they were made with.
#include "node/node_impl.h"

namespace linnet::node {

void Node::reconfigure(const NodeConfig& config) {
  auto& own = impl_->config;
  own.auto_answer = config.auto_answer;
  own.strangers = config.strangers;
  own.ring_timeout = config.ring_timeout;
  own.drain = config.drain;
  own.codec = config.codec;
  own.bitrate = config.bitrate;
  own.frame = config.frame;
  own.low_delay = config.low_delay;
}

void Node::set_bootstrap(std::vector<Endpoint> endpoints) { impl_->peer.set_bootstrap(std::move(endpoints)); }

}  // namespace linnet::node
