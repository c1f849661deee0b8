#include "cli/up.h"

#include <unistd.h>

#include <cstdlib>

#include "node/io/background.h"
#include "node/io/daemon.h"
#include "node/io/log.h"
#include "node/io/net/interfaces.h"
#include "node/io/store/passphrase.h"
#include "node/io/user.h"

namespace linnet::cli {
namespace {

io::Outcome<io::Settings> settings_of(const Context& context, const verb::Up& flags) {
  io::Settings out;
  if (auto read = io::read_config_files(context.home.configs, out); !read) return tl::unexpected(read.error());
  if (auto set = io::apply_environment([](const char* name) { return std::getenv(name); }, out); !set)
    return tl::unexpected(set.error());
  io::apply_proxy_environment([](const char* name) { return std::getenv(name); }, out);
  if (!flags.listen.empty()) out.listen = flags.listen;
  if (!flags.bootstrap.empty()) out.bootstrap = flags.bootstrap;
  if (flags.relay) out.relay = *flags.relay;
  if (!flags.turn_users.empty()) out.turn_users = flags.turn_users;
  if (!flags.turn_secret.empty()) out.turn_secret = flags.turn_secret;
  out.allow_loopback = flags.allow_loopback;
  if (flags.lan) out.lan = *flags.lan;
  if (flags.auto_answer) out.auto_answer = true;
  if (flags.low_delay) out.low_delay = true;
  if (!flags.play.empty()) out.play = io::absolute(flags.play);
  if (!flags.record.empty()) out.record = io::absolute(flags.record);
  return out;
}

bool is_word(std::string_view value) { return value == "on" || value == "off"; }

verb::Up absolute_paths(verb::Up flags) {
  for (auto* path : {&flags.play, &flags.record})
    if (!path->empty()) *path = io::absolute(*path);
  return flags;
}

// What the person who typed `up` reads: the same from a background daemon as from one in the foreground.
std::string announcement(const Context& context, const io::Daemon::Started& started) {
  std::string listen;
  for (const auto& endpoint : started.listen)
    listen += (listen.empty() ? ""
               : context.json ? ","
                              : ", ") +
              (context.json ? json_text(io::to_text(endpoint)) : io::to_text(endpoint));
  const auto pid = std::to_string(::getpid());
  if (context.json)
    return R"({"schema":1,"pid":)" + pid + R"(,"uri":)" + json_text(started.uri.text()) + R"(,"key_name":)" +
           json_text(started.key_name.text()) + R"(,"listen":[)" + listen + R"(],"new_identity":)" +
           (started.new_identity ? "true" : "false") + "}";
  return started.uri.text() + " is up, listening on " + listen + " (process " + pid + ")";
}

std::string remarks(const Context& context, const io::Daemon::Started& started) {
  std::string out;
  if (started.new_identity)
    out += "There was no identity: " + started.uri.text() + " was made (" + context.home.identity().string() + ").\n";
  for (const auto& name : started.unresolved) out += "No address was found for the bootstrap node " + name + ".\n";
  return out;
}

void print_report(const std::string& remark, const std::string& line) {
  if (!remark.empty()) talk(std::string_view(remark).substr(0, remark.size() - 1));
  say(line);
}

int foreground(const Context& context, const io::Settings& settings, const io::AskPassphrase& ask,
               const io::Daemon::Reread& reread) {
  auto daemon = io::Daemon::start(context.home, settings, io::user_name(), ask, reread);
  if (!daemon) return fail(daemon.error());
  io::open_log({}, settings.log_level);
  print_report(remarks(context, (*daemon)->started()), announcement(context, (*daemon)->started()));
  (*daemon)->run();
  return 0;
}

}  // namespace

int up(const Context& context, const verb::Up& options) {
  const auto settings = settings_of(context, options);
  if (!settings) return fail(settings.error());
  // The daemon leaves this folder: what it reads again on SIGHUP must not depend on it.
  for (const char* name : {"LINNET_PLAY", "LINNET_RECORD", "LINNET_RING_TONE"})
    if (const char* value = std::getenv(name); value != nullptr && value[0] != '\0' && !is_word(value))
      ::setenv(name, io::absolute(value).c_str(), 1);
  const io::Daemon::Reread reread = [&context, flags = absolute_paths(options)] { return settings_of(context, flags); };
  io::keep_files_private();
  // Asked here, where the person is; the background has no terminal.
  std::string passphrase;
  if (io::key_file_locked(context.home.identity())) {
    auto given = io::find_passphrase({options.passphrase_file, "Passphrase of identity.key: "});
    if (!given) return fail({"The key file is locked. " + given.error().text, given.error().exit});
    passphrase = std::move(*given);
  }
  const io::AskPassphrase ask = [&] { return passphrase; };
  if (options.foreground) return foreground(context, *settings, ask, reread);
  const auto started = io::start_in_background(
      [&](const io::Report& report) {
        auto daemon = io::Daemon::start(context.home, *settings, io::user_name(), ask, reread);
        if (!daemon) return report({daemon.error().exit, daemon.error().text, ""});
        io::open_log(context.home.log(), settings->log_level);
        report({io::Exit::ok, remarks(context, (*daemon)->started()), announcement(context, (*daemon)->started())});
        (*daemon)->run();
      },
      waiting(context, "Starting the node ..."));
  if (!started) return fail({started.error().text + " Its log: " + context.home.log().string()});
  if (started->exit != io::Exit::ok) return fail({started->talk, started->exit});
  print_report(started->talk, started->data);
  return 0;
}

}  // namespace linnet::cli
