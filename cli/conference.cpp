#include "cli/conference.h"

#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/print_conference.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"

namespace linnet::cli {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr Duration kRuled = std::chrono::seconds(15);

// What the daemon answers. Trouble: its own, or why there is no answer.
io::Outcome<Ordered> answer_to(const Context& context, const Ordered& request) {
  const auto line = io::ask(context.home, request.dump(-1, ' ', false, Ordered::error_handler_t::replace), kRuled);
  if (!line) return tl::unexpected(line.error());
  auto answer = Ordered::parse(*line, nullptr, false);
  if (!answer.is_object()) return io::trouble("The daemon's answer cannot be read.");
  const auto exit = static_cast<io::Exit>(answer.value("exit", 0));
  if (exit != io::Exit::ok) return io::trouble(answer.value("error", std::string("Failed.")), exit);
  return answer;
}

int rule(const Context& context, const char* what, const std::string& which, const std::string& who = {}) {
  const Ordered request{{"cmd", "conference"}, {"rule", what}, {"which", which}, {"who", who}};
  const auto answer = answer_to(context, request);
  if (!answer) return fail(answer.error());
  if (context.json) say(R"({"schema":1,"ok":true})");
  return 0;
}

// What is called, for a person: the name, or everybody.
std::string called(const verb::ConfNew& options) {
  if (!options.name.empty()) return options.name;
  if (!options.at.empty()) return options.at;
  std::string out;
  for (const auto& word : options.words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

int conf_new(const Context& context, const verb::ConfNew& options) {
  nlohmann::json request{{"cmd", "confer"}, {"words", options.words}};
  if (!options.name.empty()) request["name"] = options.name;
  if (!options.at.empty()) request["at"] = options.at;
  if (options.duration) request["duration"] = *options.duration;
  const Conferring conferring{called(options), "Calling people into a conference ...", options.play, options.record};
  return follow_conference(context, conferring, std::move(request));
}

int conf_join(const Context& context, const verb::ConfJoin& options) {
  nlohmann::json request{{"cmd", "join"}, {"who", options.who}};
  if (options.duration) request["duration"] = *options.duration;
  const Conferring conferring{options.who, "Joining the conference of " + options.who + " ...", options.play,
                              options.record};
  return follow_conference(context, conferring, std::move(request));
}

int conf_list(const Context& context) {
  const auto answer = answer_to(context, Ordered{{"cmd", "conferences"}});
  if (!answer) return fail(answer.error());
  const auto view = answer->value("conferences", Ordered());
  if (!view.is_object()) return fail({"The daemon's answer cannot be read."});
  if (context.json) {
    say(io::line_of(view));
    return 0;
  }
  const auto all = nlohmann::json(view).value("conferences", nlohmann::json::array());
  const auto rooms = nlohmann::json(view).value("rooms", nlohmann::json::array());
  if (all.empty()) say("No conference. Begin one: linnet conf new NAME WHO...");
  for (const auto& conference : all) say(conference_table(conference));
  if (!rooms.empty()) say(room_table(rooms));
  return 0;
}

int conf_invite(const Context& context, const verb::ConfInvite& options) {
  return rule(context, "invite", options.conference, options.who);
}
int conf_leave(const Context& context, const verb::ConfLeave& options) {
  return rule(context, "leave", options.conference);
}
int conf_mute(const Context& context, const verb::ConfMute& options) {
  return rule(context, options.off ? "unmute" : "mute", options.conference, options.who);
}
int conf_kick(const Context& context, const verb::ConfKick& options) {
  return rule(context, "remove", options.conference, options.who);
}
int conf_forget(const Context& context, const verb::ConfForget& options) {
  return rule(context, "forget", options.room);
}
int conf_keepers(const Context& context, const verb::ConfKeepers& options) {
  const auto answer = answer_to(context, Ordered{{"cmd", "keepers"}, {"which", options.room}});
  if (!answer) return fail(answer.error());
  const auto view = answer->value("keepers", Ordered());
  if (!view.is_object()) return fail({"The daemon's answer cannot be read."});
  say(context.json ? io::line_of(view) : keeper_table(view));
  return 0;
}
int conf_dismiss(const Context& context, const verb::ConfDismiss& options) {
  return rule(context, "dismiss", options.room, options.who);
}
int conf_lock(const Context& context, const verb::ConfLock& options) {
  return rule(context, options.off ? "unlock" : "lock", options.conference);
}

}  // namespace linnet::cli
