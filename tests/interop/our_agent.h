// Our agent on a real socket, turned by the same loop as the other.
#pragma once

#include <glib-unix.h>

#include <memory>
#include <string>
#include <vector>

#include "nat/ice_agent.h"

namespace linnet::interop {

class OurAgent {
 public:
  OurAgent(GMainContext* context, const nat::ice::AgentConfig& config);
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
  std::vector<std::string> received;

 private:
  static gboolean on_readable(gint fd, GIOCondition condition, gpointer self);
  static gboolean on_timeout(gpointer self);
  void arm();
  void transmit(const Endpoint& to, ByteView bytes);

  struct OsRng final : Rng {
    void fill(MutableBytes out) override;
  };

  OsRng rng_;
  nat::ice::Agent agent_;
  GMainContext* context_;
  GSource* readable_ = nullptr;
  GSource* timer_ = nullptr;
  int socket_ = -1;
  Endpoint local_;
};

}  // namespace linnet::interop
