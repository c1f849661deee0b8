#include "cli/commands.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"
#include "node/io/process.h"
#include "node/io/terminal.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

constexpr Duration kAnswer = std::chrono::seconds(15);
constexpr Duration kEnd = std::chrono::seconds(5);

std::string with_call(const char* cmd, const std::optional<std::uint64_t>& call, std::optional<bool> on) {
  Json request{{"cmd", cmd}};
  if (call) request["call"] = *call;
  if (on) request["on"] = *on;
  return request.dump();
}

// Error of the daemon's answer, if it is one.
std::optional<io::Trouble> error_of(const Json& answer) {
  if (!answer.is_object()) return io::Trouble{"The daemon's answer cannot be read."};
  const int exit = answer.value("exit", 0);
  if (exit == 0) return std::nullopt;
  return io::Trouble{answer.value("error", std::string("Failed.")), static_cast<io::Exit>(exit)};
}

int simple(const Context& context, const std::string& request) {
  const auto line = io::ask(context.home, request, kAnswer);
  if (!line) return fail(line.error());
  const Json answer = Json::parse(*line, nullptr, false);
  if (const auto error = error_of(answer)) return fail(*error);
  if (context.json) say(R"({"schema":1,"ok":true})");
  return 0;
}

std::string when(std::int64_t unix_seconds) {
  const std::time_t t = unix_seconds;
  std::tm local{};
  localtime_r(&t, &local);
  char out[32];
  std::strftime(out, sizeof out, "%Y-%m-%d %H:%M", &local);
  return out;
}

}  // namespace

int down(const Context& context) {
  auto client = io::Client::connect(context.home);
  if (!client) return fail(client.error());
  client->when_slow(waiting(context, "Calls end and the node says good-bye ..."));
  // Says when the process is gone, and with it the lock: the next `up` must not meet the old daemon.
  const io::ProcessWatch process(client->pid());
  if (auto sent = client->send(R"({"cmd":"down"})"); !sent) return fail(sent.error());
  while (true) {
    const auto line = client->line(kAnswer);
    if (!line) return fail(line.error());
    if (!*line) break;
  }
  if (!process.gone(kEnd))
    return fail({"The daemon (process " + std::to_string(client->pid()) + ") has not ended yet."});
  if (context.json) say(R"({"schema":1,"ok":true})");
  return 0;
}

namespace {

int once(const Context& context, io::Client& client) {
  const auto line = client.line(kAnswer);
  if (!line) return fail(line.error());
  if (!*line) return fail({"The daemon went away.", io::Exit::no_daemon});
  const Json answer = Json::parse(**line, nullptr, false);
  if (const auto error = error_of(answer)) return fail(*error);
  say(context.json ? **line : status_text(answer));
  return 0;
}

// A line for every change: on a terminal the same one, written over.
int watch(const Context& context, io::Client& client) {
  const bool live = !context.json && io::on_terminal();
  io::Interrupts interrupts;
  io::LiveLine line_on_screen;
  std::string said;  // in words, which tell less than the whole status
  bool any = false;
  while (true) {
    const auto line = client.line(any ? io::Client::kForever : kAnswer, interrupts.fd());
    if (!line || !*line) line_on_screen.clear();
    if (!line && line.error().exit == io::Exit::interrupted) return code(io::Exit::interrupted);
    if (!line) return fail(line.error());
    if (!*line) break;
    const Json answer = Json::parse(**line, nullptr, false);
    if (const auto error = error_of(answer)) return fail(*error);
    any = true;
    if (live) {
      line_on_screen.show(status_line(answer));
    } else if (auto words = context.json ? **line : status_line(answer); words != said) {
      row(words);
      said = std::move(words);
    }
  }
  return any ? 0 : fail({"The daemon went away.", io::Exit::no_daemon});
}

}  // namespace

int status(const Context& context, const verb::Status& options) {
  auto client = io::Client::connect(context.home);
  if (!client) return fail(client.error());
  const Json request{{"cmd", "status"}, {"watch", options.watch}};
  if (auto sent = client->send(request.dump()); !sent) return fail(sent.error());
  return options.watch ? watch(context, *client) : once(context, *client);
}

int hangup(const Context& context, const verb::Hangup& o) {
  return simple(context, with_call("hangup", o.call, std::nullopt));
}
int hold(const Context& context, const verb::Hold& o) { return simple(context, with_call("hold", o.call, !o.off)); }
int mute(const Context& context, const verb::Mute& o) { return simple(context, with_call("mute", o.call, !o.off)); }

int dtmf(const Context& context, const verb::Dtmf& o) {
  Json request{{"cmd", "dtmf"}, {"digits", o.digits}};
  if (o.call) request["call"] = *o.call;
  return simple(context, request.dump());
}

int who(const Context& context, const verb::Who& options) {
  const auto line = io::ask(context.home, Json{{"cmd", "who"}, {"who", options.who}}.dump(), kAnswer,
                            waiting(context, "Looking for " + options.who + " ..."));
  if (!line) return fail(line.error());
  const Json answer = Json::parse(*line, nullptr, false);
  const auto error = error_of(answer);
  const Json result = answer.is_object() ? answer.value("who", Json()) : Json();
  if (!result.is_object()) return fail(error.value_or(io::Trouble{"The daemon's answer cannot be read."}));
  if (context.json) {
    if (!error) say(io::line_of(nlohmann::ordered_json::parse(*line, nullptr, false)["who"]));
  } else {
    for (const auto& device : result["devices"]) {
      say(result.value("address", std::string()) + (result.value("pinned", false) ? "  known key" : "  new key"));
      say("  key name     " + device.value("key_name", std::string()));
      say("  fingerprint  " + device.value("fingerprint", std::string()));
      std::string homes;
      for (const auto& home : device["homes"]) homes += (homes.empty() ? "" : "  ") + home.get<std::string>();
      say("  homes        " + homes);
      say("  record good for " + std::to_string(device.value("expires_in_s", 0)) + " s more");
    }
  }
  return error ? fail(*error) : 0;
}

int log(const Context& context, const verb::Log& options) {
  auto client = io::Client::connect(context.home);
  if (!client) return fail(client.error());
  Json request{{"cmd", "log"}};
  if (options.rows > 0) request["rows"] = options.rows;
  if (auto sent = client->send(request.dump()); !sent) return fail(sent.error());
  while (true) {
    const auto line = client->line(kAnswer);
    if (!line) return fail(line.error());
    if (!*line) return fail({"The daemon went away.", io::Exit::no_daemon});
    const Json row = Json::parse(**line, nullptr, false);
    if (const auto error = error_of(row)) return fail(*error);
    if (row.contains("ok")) return 0;
    if (!row.contains("summary")) continue;
    if (context.json) {
      cli::row(io::line_of(nlohmann::ordered_json::parse(**line, nullptr, false)["summary"]));
      continue;
    }
    const auto why = row.value("error", std::string());
    say(when(row.value("started", std::int64_t{0})) +
        (row.value("direction", std::string()) == "outgoing" ? "  to    " : "  from  ") + summary_text(row["summary"]) +
        (why.empty() ? "" : "  " + why));
  }
}

}  // namespace linnet::cli
