// Our TURN client (nat/turn_client) on a UDP socket, turned by the same loop as everything else.
#pragma once

#include <glib-unix.h>

#include <functional>
#include <optional>

#include "nat/turn_client.h"

namespace linnet::interop {

class OurRelay {
 public:
  struct Ears {
    std::function<void(const Endpoint& relayed)> ready;
    std::function<void(const Endpoint& peer, ByteView)> receive;
  };

  // Of a server on the loopback (coturn.h).
  OurRelay(GMainContext* context, Rng& rng, std::uint16_t port, Ears ears);
  ~OurRelay();
  OurRelay(const OurRelay&) = delete;
  OurRelay& operator=(const OurRelay&) = delete;

  void send(const Endpoint& peer, ByteView bytes);
  const Endpoint& server() const { return server_; }
  nat::turn::ClientStatus status() const { return client_.status(); }

 private:
  static gboolean on_readable(gint fd, GIOCondition condition, gpointer self);
  static gboolean on_timeout(gpointer self);
  void flush();
  void arm();

  GMainContext* context_;
  Endpoint server_;
  Ears ears_;
  nat::turn::AllocationClient client_;
  GSource* readable_ = nullptr;
  GSource* timer_ = nullptr;
  int socket_ = -1;
};

}  // namespace linnet::interop
