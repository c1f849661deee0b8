#include "cli/call.h"

#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "cli/print_conference.h"
#include "node/io/clock.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"
#include "node/io/files.h"
#include "node/io/terminal.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

constexpr Duration kPlainEvery = std::chrono::seconds(10);
constexpr Duration kSameInterrupt = std::chrono::milliseconds(300);
constexpr double kRelayedLimit = 5;                          // s of talking over a relay, under --require-direct
constexpr Duration kHangupLimit = std::chrono::seconds(12);  // a little more than the drain

void add_files(Json& request, const std::string& play, const std::string& record, bool silent) {
  if (!play.empty()) request["play"] = io::absolute(play);
  if (!record.empty()) request["record"] = io::absolute(record);
  request["silent"] = silent;
}

// The error, and then what scripts read last of a call.
int refused(const std::string& who, const io::Trouble& why) {
  row(error_line(why));
  say(io::refused_line(who, node::CallResult::failed));
  return fail(why);
}

// Follows one call on the control socket: prints it, passes keys and Ctrl-C on.
class Follower {
 public:
  // `who` is called; empty when one's own call is answered.
  Follower(const Context& context, io::Client client, std::string who = {})
      : context_(context), client_(std::move(client)), who_(std::move(who)) {
    live_ = !context_.json && io::on_terminal();
    if (live_) keys_.emplace();
  }

  // How it came about is told afterwards.
  void explain() { explain_ = true; }
  // The call is to end when the voice stays on a relay.
  void require_direct() { require_direct_ = true; }

  int follow(const std::string& request) {
    if (auto sent = client_.send(request); !sent) return fail(sent.error());
    while (true) {
      while (auto line = client_.buffered())
        if (const auto exit = take(*line)) return *exit;
      if (const auto why = wait()) {
        live_line_.clear();
        if (context_.json && !who_.empty()) return refused(who_, *why);
        return fail(*why);
      }
    }
  }

 private:
  // Why there is nothing more to wait for: the daemon is gone, or does not end the call after Ctrl-C.
  std::optional<io::Trouble> wait() {
    const io::Trouble left{"The daemon has not ended the call yet. See: linnet status", io::Exit::interrupted};
    Duration limit = io::kNoLimit;
    if (until_ != kNever) {
      limit = until_ - io::now();
      if (limit <= Duration::zero()) return left;
    }
    const auto ready = io::readable({client_.fd(), interrupts_.fd(), keys_ ? keys_->fd() : -1}, limit);
    if (ready[1]) {
      interrupts_.take();
      interrupted_ = true;
      return hang_up() ? std::nullopt : std::optional(left);
    }
    if (ready[2]) key(keys_->key());
    if (!ready[0] || client_.read_more()) return std::nullopt;
    return io::Trouble{"The daemon went away.", io::Exit::no_daemon};
  }

  // Before the call stands the daemon ends it when this connection closes; a second Ctrl-C gives up at once. One that
  // arrives twice (from the terminal and from a shell that passes it on) is one.
  bool hang_up() {
    const Time at = io::now();
    if (until_ != kNever) return at < asked_ + kSameInterrupt;
    asked_ = at;
    until_ = at + kHangupLimit;
    if (id_) request("hangup");
    return true;
  }

  void request(const char* cmd, std::optional<bool> on = std::nullopt) {
    Json json{{"cmd", cmd}, {"call", *id_}};
    if (on) json["on"] = *on;
    // On a connection of its own: this one belongs to the call.
    (void)io::ask(context_.home, json.dump(), std::chrono::seconds(5));
  }

  void key(char c) {
    if (!id_) return;
    if (c == 'm') request("mute", !muted_);
    if (c == 'h' && conference_.is_null()) request("hold", !held_);
    if (c == 'q') hang_up();
  }

  // The exit code once the call is over.
  std::optional<int> take(const std::string& line) {
    const Json message = Json::parse(line, nullptr, false);
    if (!message.is_object()) return fail({"The daemon's answer cannot be read."});
    const auto event = message.value("event", std::string());
    if (event == "started") {
      id_ = message.value("call", std::uint64_t{0});
      if (until_ != kNever) request("hangup");
      return std::nullopt;
    }
    if (event == "call") {
      progress(message["call"], message.value("conference", Json()));
      return std::nullopt;
    }
    live_line_.clear();
    if (event == "notice") {
      talk(message.value("text", std::string()));
      return std::nullopt;
    }
    if (event == "ended") return ended(line, message);
    return fail({message.value("error", std::string("Failed.")), static_cast<io::Exit>(message.value("exit", 1))});
  }

  void progress(const Json& call, const Json& conference) {
    if (conference.is_object()) conference_ = conference;
    const std::string change = call.value("state", std::string()) + " " + path_text(call) + " " +
                               call.value("digits", std::string()) + conference_change(conference);
    const bool changed = change != last_change_;
    last_change_ = change;
    muted_ = call.value("muted", false);
    held_ = call.value("on_hold", false);
    warn(call);
    if (require_direct_ && !only_relayed_ && call.value("path", std::string()) == "relayed" &&
        call.contains("seconds") && call["seconds"].is_number() && call["seconds"].get<double>() >= kRelayedLimit) {
      only_relayed_ = true;
      hang_up();
    }
    if (context_.json) {
      if (!changed) return;
      nlohmann::ordered_json out{{"schema", 1}};
      for (const char* key : {"id", "peer", "state", "path", "via", "reason", "protected", "digits"})
        out[key] = call[key];
      if (conference.is_object()) out["conference"] = conference;
      return row(io::line_of(out));
    }
    const auto line = conference.is_object() ? conference_line(call, conference) : live_line(call);
    if (live_) {
      if (!hinted_) say(conference.is_object() ? "[m]ute [q]uit" : "[m]ute [h]old [q]uit");
      hinted_ = true;
      return live_line_.show(line);
    }
    const Time at = io::now();
    if (!changed && at < next_plain_) return;
    next_plain_ = at + kPlainEvery;
    say(line);
  }

  // Once: who else claims to be this.
  void warn(const Json& call) {
    const auto note = call.find("note");
    if (warned_ || note == call.end() || !note->is_string()) return;
    warned_ = true;
    live_line_.clear();
    talk(note->get<std::string>());
  }

  int ended(const std::string& line, const Json& message) {
    const auto trouble = trouble_of(message);
    if (context_.json) {
      if (!trouble.text.empty()) row(error_line(trouble));
      auto read = nlohmann::ordered_json::parse(line, nullptr, false);
      if (explain_) read["summary"]["explain"] = read["explain"];
      say(io::line_of(read["summary"]));
    } else {
      say(conference_.is_null() ? summary_text(message["summary"]) : conference_over(conference_, message["summary"]));
      if (explain_ && message.contains("explain")) say(explain_text(message["explain"], message["summary"]));
    }
    return fail(trouble);
  }

  // Who hung up with Ctrl-C knows why.
  io::Trouble trouble_of(const Json& message) const {
    if (interrupted_) return {{}, io::Exit::interrupted};
    if (only_relayed_)
      return {"There was only a path over a relay, and --require-direct was given.", io::Exit::relayed};
    const auto exit = static_cast<io::Exit>(message.value("exit", 1));
    return {exit == io::Exit::ok ? std::string() : message.value("error", std::string()), exit};
  }

  const Context& context_;
  io::Client client_;
  std::string who_;
  io::Interrupts interrupts_;
  std::optional<io::RawKeys> keys_;
  io::LiveLine live_line_;
  bool live_ = false;
  std::optional<std::uint64_t> id_;
  bool muted_ = false;
  bool held_ = false;
  Json conference_;  // as it was last; null: a call of two
  bool hinted_ = false;
  bool interrupted_ = false;
  bool warned_ = false;
  bool require_direct_ = false;
  bool explain_ = false;
  bool only_relayed_ = false;
  Time asked_{};  // to end the call
  Time until_ = kNever;
  Time next_plain_{};
  std::string last_change_;
};

}  // namespace

int call(const Context& context, const verb::Call& options) {
  auto client = io::Client::connect(context.home);
  if (!client) return context.json ? refused(options.who, client.error()) : fail(client.error());
  Json request{{"cmd", "call"}, {"who", options.who}, {"cold", options.cold}, {"explain", options.explain}};
  if (options.duration) request["duration"] = *options.duration;
  // A script on a machine without sound gets a silent call; a person is told that nobody would hear them.
  add_files(request, options.play, options.record, context.json || !io::on_terminal());
  if (!context.json) talk("Calling " + options.who + " ...");  // a sound card may take its time to wake up
  Follower follower(context, std::move(*client), options.who);
  if (options.require_direct) follower.require_direct();
  if (options.explain) follower.explain();
  return follower.follow(request.dump());
}

int follow_conference(const Context& context, const Conferring& conferring, Json request) {
  auto client = io::Client::connect(context.home);
  if (!client) return context.json ? refused(conferring.who, client.error()) : fail(client.error());
  add_files(request, conferring.play, conferring.record, context.json || !io::on_terminal());
  if (!context.json) talk(conferring.said);
  Follower follower(context, std::move(*client), conferring.who);
  return follower.follow(request.dump(-1, ' ', false, Json::error_handler_t::replace));
}

int answer(const Context& context, const verb::Answer& options) {
  auto client = io::Client::connect(context.home);
  if (!client) return fail(client.error());
  const bool follow = !context.json && io::on_terminal();
  Json request{{"cmd", "answer"}, {"follow", follow}};
  if (options.call) request["call"] = *options.call;
  add_files(request, options.play, options.record, !follow);
  if (follow) {
    Follower follower(context, std::move(*client));
    return follower.follow(request.dump());
  }
  const auto line = io::ask(context.home, request.dump(), std::chrono::seconds(15));
  if (!line) return fail(line.error());
  const Json reply = Json::parse(*line, nullptr, false);
  if (!reply.is_object()) return fail({"The daemon's answer cannot be read."});
  if (reply.value("exit", 0) != 0)
    return fail({reply.value("error", std::string("Failed.")), static_cast<io::Exit>(reply.value("exit", 1))});
  if (context.json)
    say(R"({"schema":1,"call":)" + std::to_string(reply.value("call", std::uint64_t{0})) + R"(,"result":"answered"})");
  return 0;
}

}  // namespace linnet::cli
