#include "cli/run.h"

#include <algorithm>
#include <exception>

#include "cli/arguments.h"
#include "cli/audio.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/conference.h"
#include "cli/demo.h"
#include "cli/doctor.h"
#include "cli/network.h"
#include "cli/people.h"
#include "cli/relay.h"
#include "cli/up.h"
#include "node/io/files.h"

namespace linnet::cli {
namespace {

struct Dispatch {
  const Context& context;

  int operator()(const verb::Up& v) const { return up(context, v); }
  int operator()(const verb::Down&) const { return down(context); }
  int operator()(const verb::Status& v) const { return status(context, v); }
  int operator()(const verb::IdShow& v) const { return id_show(context, v); }
  int operator()(const verb::IdBackup& v) const { return id_backup(context, v); }
  int operator()(const verb::IdRestore& v) const { return id_restore(context, v); }
  int operator()(const verb::IdRevoke& v) const { return id_revoke(context, v); }
  int operator()(const verb::Invite& v) const { return invite(context, v); }
  int operator()(const verb::Accept& v) const { return accept(context, v); }
  int operator()(const verb::ContactAdd& v) const { return contact_add(context, v); }
  int operator()(const verb::ContactList& v) const { return contact_list(context, v); }
  int operator()(const verb::ContactVerify& v) const { return contact_verify(context, v); }
  int operator()(const verb::ContactBlock& v) const { return contact_block(context, v); }
  int operator()(const verb::ContactForget& v) const { return contact_forget(context, v); }
  int operator()(const verb::ContactRequest& v) const { return contact_request(context, v); }
  int operator()(const verb::IdNew& v) const { return id_new(context, v); }
  int operator()(const verb::Call& v) const { return call(context, v); }
  int operator()(const verb::Answer& v) const { return answer(context, v); }
  int operator()(const verb::ConfNew& v) const { return conf_new(context, v); }
  int operator()(const verb::ConfJoin& v) const { return conf_join(context, v); }
  int operator()(const verb::ConfInvite& v) const { return conf_invite(context, v); }
  int operator()(const verb::ConfList&) const { return conf_list(context); }
  int operator()(const verb::ConfLeave& v) const { return conf_leave(context, v); }
  int operator()(const verb::ConfMute& v) const { return conf_mute(context, v); }
  int operator()(const verb::ConfKick& v) const { return conf_kick(context, v); }
  int operator()(const verb::ConfForget& v) const { return conf_forget(context, v); }
  int operator()(const verb::ConfKeepers& v) const { return conf_keepers(context, v); }
  int operator()(const verb::ConfDismiss& v) const { return conf_dismiss(context, v); }
  int operator()(const verb::ConfLock& v) const { return conf_lock(context, v); }
  int operator()(const verb::Hangup& v) const { return hangup(context, v); }
  int operator()(const verb::Hold& v) const { return hold(context, v); }
  int operator()(const verb::Mute& v) const { return mute(context, v); }
  int operator()(const verb::Dtmf& v) const { return dtmf(context, v); }
  int operator()(const verb::Who& v) const { return who(context, v); }
  int operator()(const verb::RelayStatus&) const { return relay_status(context, std::nullopt); }
  int operator()(const verb::RelayMode& v) const { return relay_status(context, v.mode); }
  int operator()(const verb::RelayCredentials& v) const { return relay_credentials(context, v); }
  int operator()(const verb::Netcheck& v) const { return netcheck(context, v); }
  int operator()(const verb::Ping& v) const { return ping(context, v); }
  int operator()(const verb::Doctor& v) const { return doctor(context, v); }
  int operator()(const verb::Log& v) const { return log(context, v); }
  int operator()(const verb::Demo& v) const { return demo(context, v); }
  int operator()(const verb::AudioList&) const { return audio_list(context); }
  int operator()(const verb::AudioStatus&) const { return audio_status(context); }
  int operator()(const verb::AudioSet& v) const { return audio_set(context, v); }
  int operator()(const verb::AudioTest& v) const { return audio_test(context, v); }
  int operator()(const verb::ConfigCheck& v) const { return config_check(context, v); }
  int operator()(const verb::Completion& v) const { return completion(context, v); }
  int operator()(const verb::Print&) const { return 0; }
};

int print(const verb::Print& print, bool json) {
  const auto text = std::string_view(print.text).substr(0, print.text.find_last_not_of('\n') + 1);
  say(json ? R"({"schema":1,)" + json_text(print.what) + ":" + json_text(text) + "}" : std::string(text));
  return 0;
}

int run_checked(const std::vector<std::string>& arguments) {
  const auto invocation = parse_arguments(arguments);
  if (!invocation) return fail(invocation.error());
  if (const auto* text = std::get_if<verb::Print>(&invocation->verb)) return print(*text, invocation->json);
  const auto home = io::find_home(invocation->home);
  if (!home) return fail(home.error());
  const Context context{*home, invocation->json};
  return std::visit(Dispatch{context}, invocation->verb);
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  io::keep_standard_descriptors();
  // Before they are understood: what is wrong with them is JSON too.
  const auto values = std::find(arguments.begin(), arguments.end(), "--");
  if (std::find(arguments.begin(), values, "--json") != values) speak_json();
  try {
    const int exit = run_checked(arguments);
    // Data that never arrived is no success.
    return exit == 0 && !said() ? fail({"Cannot write to the standard output."}) : exit;
  } catch (const std::exception& e) {
    return fail({std::string("Failed: ") + e.what()});
  }
}

}  // namespace linnet::cli
