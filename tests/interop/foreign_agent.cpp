#include "foreign_agent.h"

#include <gtest/gtest.h>

namespace linnet::interop {
namespace {

NiceAgentOption options_of(const ForeignConfig& config) {
  unsigned out = NICE_AGENT_OPTION_NONE;
  if (config.regular_nomination) out |= NICE_AGENT_OPTION_REGULAR_NOMINATION;
  if (config.trickle) out |= NICE_AGENT_OPTION_ICE_TRICKLE;
  if (config.consent) out |= NICE_AGENT_OPTION_CONSENT_FRESHNESS;
  return static_cast<NiceAgentOption>(out);
}

std::string taken(gchar* text) {
  std::string out = text;
  g_free(text);
  return out;
}

}  // namespace

ForeignAgent::ForeignAgent(GMainContext* context, const ForeignConfig& config)
    : context_(context), agent_(nice_agent_new_full(context, NICE_COMPATIBILITY_RFC5245, options_of(config))) {
  auto* agent = agent_.get();
  g_object_set(agent, "controlling-mode", config.controlling ? TRUE : FALSE, "upnp", FALSE, "ice-tcp",
               config.tcp ? TRUE : FALSE, "ice-udp", config.tcp ? FALSE : TRUE, nullptr);
  NiceAddress address;
  nice_address_init(&address);
  EXPECT_TRUE(nice_address_set_from_string(&address, "127.0.0.1"));
  nice_agent_add_local_address(agent, &address);
  stream_ = nice_agent_add_stream(agent, 1);
  if (config.turn) {
    g_object_set(agent, "force-relay", TRUE, nullptr);
    EXPECT_TRUE(nice_agent_set_relay_info(agent, stream_, 1, "127.0.0.1", *config.turn, "phone", "long and secret",
                                          NICE_RELAY_TYPE_TURN_UDP));
  }
  g_signal_connect(agent, "new-candidate-full", G_CALLBACK(&ForeignAgent::on_candidate), this);
  g_signal_connect(agent, "candidate-gathering-done", G_CALLBACK(&ForeignAgent::on_gathered), this);
  g_signal_connect(agent, "component-state-changed", G_CALLBACK(&ForeignAgent::on_state), this);
  nice_agent_attach_recv(agent, stream_, 1, context, &ForeignAgent::on_data, this);
}

ForeignAgent::~ForeignAgent() {
  g_signal_handlers_disconnect_by_data(agent_.get(), this);
  nice_agent_attach_recv(agent_.get(), stream_, 1, context_, nullptr, nullptr);
}

void ForeignAgent::gather() { EXPECT_TRUE(nice_agent_gather_candidates(agent_.get(), stream_)); }

nat::ice::Credentials ForeignAgent::credentials() const {
  gchar* ufrag = nullptr;
  gchar* password = nullptr;
  EXPECT_TRUE(nice_agent_get_local_credentials(agent_.get(), stream_, &ufrag, &password));
  auto name = taken(ufrag);
  return {std::move(name), taken(password)};
}

std::vector<std::string> ForeignAgent::candidates() const {
  std::vector<std::string> out;
  auto* list = nice_agent_get_local_candidates(agent_.get(), stream_, 1);
  for (auto* item = list; item != nullptr; item = item->next)
    out.push_back(
        taken(nice_agent_generate_local_candidate_sdp(agent_.get(), static_cast<NiceCandidate*>(item->data))));
  g_slist_free_full(list, [](gpointer c) { nice_candidate_free(static_cast<NiceCandidate*>(c)); });
  return out;
}

void ForeignAgent::set_remote(const nat::ice::Credentials& c) {
  EXPECT_TRUE(nice_agent_set_remote_credentials(agent_.get(), stream_, c.ufrag.c_str(), c.password.c_str()));
}

bool ForeignAgent::add_remote(const std::string& line) {
  auto* candidate = nice_agent_parse_remote_candidate_sdp(agent_.get(), stream_, ("a=" + line).c_str());
  if (candidate == nullptr) return false;
  auto* list = g_slist_append(nullptr, candidate);
  const int taken_in = nice_agent_set_remote_candidates(agent_.get(), stream_, 1, list);
  g_slist_free_full(list, [](gpointer c) { nice_candidate_free(static_cast<NiceCandidate*>(c)); });
  return taken_in == 1;
}

void ForeignAgent::end_of_remote() { (void)nice_agent_peer_candidate_gathering_done(agent_.get(), stream_); }

bool ForeignAgent::send(const std::string& text) {
  return nice_agent_send(agent_.get(), stream_, 1, static_cast<guint>(text.size()), text.data()) ==
         static_cast<gint>(text.size());
}

void ForeignAgent::on_candidate(NiceAgent* agent, NiceCandidate* candidate, gpointer self) {
  static_cast<ForeignAgent*>(self)->trickled.push_back(
      taken(nice_agent_generate_local_candidate_sdp(agent, candidate)));
}

void ForeignAgent::on_gathered(NiceAgent*, guint, gpointer self) { static_cast<ForeignAgent*>(self)->gathered = true; }

void ForeignAgent::on_state(NiceAgent*, guint, guint, guint state, gpointer self) {
  auto& agent = *static_cast<ForeignAgent*>(self);
  agent.ready = state == NICE_COMPONENT_STATE_READY;
  agent.failed = agent.failed || state == NICE_COMPONENT_STATE_FAILED;
}

void ForeignAgent::on_data(NiceAgent*, guint, guint, guint size, gchar* data, gpointer self) {
  static_cast<ForeignAgent*>(self)->received.emplace_back(data, size);
}

}  // namespace linnet::interop
