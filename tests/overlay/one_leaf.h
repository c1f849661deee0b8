// What a room of a leaf is handed, with nobody else there.
#pragma once

#include "tests/overlay/net.h"

namespace linnet::overlay::test {

struct OneLeaf {
  Net net{1, crypto::typed_suite()};
  Node& node = net.add("me", Role::leaf);
  SessionsConfig config = [this] {
    SessionsConfig out;
    out.network = node.config.network;
    return out;
  }();
  Sessions sessions{config, net.suite, *node.rng, node.identity};
  Context c{net.now, kWall, node.config, net.suite, *node.rng, node.identity, sessions};
};

}  // namespace linnet::overlay::test
