// libnice's agent, whose event loop also turns our socket: one thread, no waiting but for events.
#pragma once

#include <glib-unix.h>
#include <nice/agent.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nat/ice_agent.h"

namespace linnet::interop {

struct FreeObject {
  void operator()(void* object) const { g_object_unref(object); }
};
struct FreeContext {
  void operator()(GMainContext* context) const { g_main_context_unref(context); }
};
using Context = std::unique_ptr<GMainContext, FreeContext>;

struct ForeignConfig {
  bool controlling = false;
  bool trickle = false;
  bool regular_nomination = true;
  bool consent = false;
  bool tcp = false;                   // in place of UDP
  std::optional<std::uint16_t> turn;  // port of a server on the loopback (coturn.h): by its relays alone
};

class ForeignAgent {
 public:
  ForeignAgent(GMainContext* context, const ForeignConfig& config);
  ~ForeignAgent();
  ForeignAgent(const ForeignAgent&) = delete;
  ForeignAgent& operator=(const ForeignAgent&) = delete;

  void gather();
  nat::ice::Credentials credentials() const;
  std::vector<std::string> candidates() const;  // their lines
  void set_remote(const nat::ice::Credentials& credentials);
  bool add_remote(const std::string& line);
  void end_of_remote();
  bool send(const std::string& text);

  // What it told by itself.
  std::vector<std::string> trickled;
  bool gathered = false;
  bool ready = false;
  bool failed = false;
  std::vector<std::string> received;

 private:
  static void on_candidate(NiceAgent*, NiceCandidate* candidate, gpointer self);
  static void on_gathered(NiceAgent*, guint stream, gpointer self);
  static void on_state(NiceAgent*, guint stream, guint component, guint state, gpointer self);
  static void on_data(NiceAgent*, guint stream, guint component, guint size, gchar* data, gpointer self);

  GMainContext* context_;
  std::unique_ptr<NiceAgent, FreeObject> agent_;
  guint stream_ = 0;
};

}  // namespace linnet::interop
