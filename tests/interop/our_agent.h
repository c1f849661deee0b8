// Our agent on real sockets, turned by the same loop as the other.
#pragma once

#include <glib-unix.h>

#include <memory>
#include <string>
#include <vector>

#include "our_relay.h"
#include "our_streams.h"

#include "nat/ice_agent.h"

namespace linnet::interop {

// What it has candidates of.
struct OurMeans {
  bool udp = true;
  bool active = false;                // TCP
  bool passive = false;               // TCP
  std::optional<std::uint16_t> turn;  // port of a server on the loopback (coturn.h)
};

class OurAgent {
 public:
  OurAgent(GMainContext* context, const nat::ice::AgentConfig& config, const OurMeans& means = {});
  ~OurAgent();
  OurAgent(const OurAgent&) = delete;
  OurAgent& operator=(const OurAgent&) = delete;

  nat::ice::Agent& agent() { return agent_; }
  Time now() const;
  void gather();
  // To be called after anything was told to the agent.
  void flush();
  bool send(const std::string& text);

  std::vector<std::string> trickled;  // lines of our candidates
  bool gathered = false;
  bool failed = false;
  std::vector<nat::ice::Way> selections;
  std::vector<nat::ice::Way> lost;
  std::size_t connections() const { return streams_.open(); }
  const OurRelay* relay() const { return relay_.get(); }
  std::vector<std::string> received;

 private:
  static gboolean on_readable(gint fd, GIOCondition condition, gpointer self);
  static gboolean on_timeout(gpointer self);
  void arm();
  void hear(nat::ice::Base base, const Endpoint& from, ByteView bytes);
  void on_event(const nat::ice::Event& event);
  bool transmit(const nat::ice::Outgoing& out);
  OurStreams::Ears ears();

  struct OsRng final : Rng {
    void fill(MutableBytes out) override;
  };

  OsRng rng_;
  OurMeans means_;
  nat::ice::Agent agent_;
  GMainContext* context_;
  OurStreams streams_;
  std::unique_ptr<OurRelay> relay_;
  GSource* readable_ = nullptr;
  GSource* timer_ = nullptr;
  int socket_ = -1;
  Endpoint local_;
};

}  // namespace linnet::interop
