#include "node/io/control/service.h"

#include <unistd.h>

#include <algorithm>

#include "node/io/clock.h"
#include "node/io/control/sound_json.h"
#include "node/io/control/view_json.h"
#include "node/io/log.h"
#include "node/io/notify.h"
#include "node/io/sound/wav_recorder.h"

namespace linnet::io {
namespace {

constexpr std::size_t kMaxPending = 1024;

std::string started_line(node::CallId call) {
  return R"({"event":"started","call":)" + std::to_string(static_cast<std::uint64_t>(call)) + "}";
}
std::string call_line(const node::CallView& call) { return R"({"event":"call","call":)" + call_json(call) + "}"; }

// `why` keeps its own exit code; the summary is a JSON object already.
std::string ended_line(const Trouble& why, const std::string& summary) {
  std::string line = error_line(why);
  line.pop_back();
  return line + R"(,"event":"ended","summary":)" + summary + "}";
}

std::string sentence(const node::event::Done& done, const std::string& who) {
  if (!done.text.empty()) return done.text;
  switch (done.outcome) {
    case node::Outcome::bad_address: break;  // no_contact() knows better
    case node::Outcome::not_found: return "Nobody has the name " + who + ".";
    case node::Outcome::no_such_call: return "There is no such call.";  // no_such_call() knows better
    case node::Outcome::busy: return "This node has as many calls as it can hold.";
    case node::Outcome::identity: return "IDENTITY CHANGED: " + who + "'s key is not the one known here. Refused.";
    case node::Outcome::unreachable: return who + " cannot be reached.";
    case node::Outcome::shutting_down: return "The daemon is shutting down.";
    case node::Outcome::ok:
    case node::Outcome::refused: break;
  }
  return "Refused.";
}

}  // namespace

Service::Service(Loop& loop, Driver& driver, Store& store, const Settings& settings)
    : loop_(loop),
      driver_(driver),
      store_(store),
      settings_(settings),
      ringer_(
          loop, [&driver](auto answer) { driver.sound().open_speaker(std::move(answer)); },
          [&driver](auto speaker) { driver.sound().close_speaker(std::move(speaker)); }) {
  ringer_.use(settings.ring_tone, settings.ringback);
  driver_.on_sound([this](node::CallId call, const std::string& text) { tell_sound(call, text); });
  deadline_ = loop_.alarm([this] {
    log_warn("stopped before every call had ended");
    loop_.stop();
  });
}

void Service::on_line(ClientId client, std::string_view line) {
  const auto request = parse_request(line);
  if (!request) return refuse(client, request.error());
  std::visit([&](const auto& r) { handle(client, r); }, *request);
}

void Service::on_closed(ClientId client) {
  watchers_.erase(client);
  asking_.erase(client);
  for (auto& [id, pending] : pending_)
    if (pending.client == client) pending.follow = false;
  if (const auto followed = followers_.find(client); followed != followers_.end()) {
    const auto call = followed->second;
    followers_.erase(followed);
    driver_.command(node::command::Hangup{call});  // whoever held the receiver is gone
  }
}

void Service::handle(ClientId client, const request::Status& status) {
  const std::string line = status_line();
  control_->send(client, line);
  if (status.watch)
    watchers_[client] = line;
  else
    control_->finish(client);
}

Outcome<SoundPlan> Service::plan(const request::Files& files) const {
  SoundPlan out;
  out.card = settings_.sound;
  out.record = files.record.empty() ? settings_.record : files.record;
  if (auto can = check_can_record(out.record); !can) return tl::unexpected(can.error());
  const std::string& play = files.play.empty() ? settings_.play : files.play;
  if (!play.empty()) {
    auto speech = load_speech(play);
    if (!speech) return tl::unexpected(speech.error());
    out.play = std::move(*speech);
  }
  return out;
}

// Asking for sound devices takes PortAudio a fifth of a second: not on the loop.
void Service::with_sound(ClientId client, const request::Files& files, std::function<void(Outcome<SoundPlan>)> then) {
  auto made = plan(files);
  if (!made || made->files() || !made->card) return then(std::move(made));
  if (asking_.size() >= kMaxPending) return then(trouble("The daemon is busy."));
  asking_.insert(client);
  driver_.ask_sound([this, client, silent = files.silent, plan = std::move(*made),
                     then = std::move(then)](const Done& found) mutable {
    if (asking_.erase(client) == 0) return;  // went away meanwhile
    if (!found && !silent) return then(tl::unexpected(found.error()));
    plan.card = found.has_value();
    then(std::move(plan));
  });
}

void Service::handle(ClientId client, const request::Call& call) {
  const auto refused = [this, client, who = call.who](const Trouble& why) {
    control_->send(client, ended_line(why, refused_json(who, node::CallResult::failed)));
    control_->finish(client);
  };
  with_sound(client, call.files, [this, client, call, refused](Outcome<SoundPlan> sound) {
    if (!sound) return refused(sound.error());
    if (pending_.size() >= kMaxPending) return refused({"The daemon is busy.", Exit::failed});
    pending_[driver_.next_command()] = Pending{client, true, true, call.who, std::move(*sound), {}};
    driver_.command(node::command::Call{call.who, call.cold, call.duration});
  });
}

std::optional<node::CallId> Service::ringing(std::optional<node::CallId> asked) const {
  if (asked) return asked;
  for (const auto& call : driver_.node().status(now()).calls)
    if (call.state == node::CallState::incoming) return call.id;
  return std::nullopt;
}

void Service::handle(ClientId client, const request::Answer& answer) {
  const auto call = ringing(answer.call);
  if (!call) return refuse(client, {"No call is ringing.", Exit::not_found});
  with_sound(client, answer.files, [this, client, call, follow = answer.follow](Outcome<SoundPlan> sound) {
    if (!sound) return refuse(client, sound.error());
    driver_.plan_sound(*call, std::move(*sound));
    pending_[driver_.next_command()] = Pending{client, false, follow, {}, {}, call};
    driver_.command(node::command::Answer{call});
  });
}

std::string Service::no_such_call(std::optional<node::CallId> asked) const {
  const auto calls = driver_.node().status(now()).calls;
  if (calls.empty()) return "There is no call.";
  if (!asked && calls.size() > 1) return "There are several calls. Say which: --call ID (see linnet status)";
  const auto id = asked.value_or(calls.front().id);
  const auto call = std::find_if(calls.begin(), calls.end(), [&](const node::CallView& c) { return c.id == id; });
  const auto name = std::to_string(static_cast<std::uint64_t>(id));
  if (call == calls.end()) return "There is no call " + name + ". See: linnet status";
  return "Call " + name + " is " + std::string(to_string(call->state)) + ": this cannot be done now.";
}

void Service::run(ClientId client, const node::Command& command, std::optional<node::CallId> asked) {
  if (pending_.size() >= kMaxPending) return refuse(client, {"The daemon is busy.", Exit::failed});
  pending_[driver_.next_command()] = Pending{client, false, false, {}, {}, asked};
  driver_.command(command);
}

void Service::handle(ClientId client, const request::Hangup& hangup) {
  run(client, node::command::Hangup{hangup.call}, hangup.call);
}
void Service::handle(ClientId client, const request::Hold& hold) {
  run(client, node::command::Hold{hold.call, hold.on}, hold.call);
}
void Service::handle(ClientId client, const request::Mute& mute) {
  run(client, node::command::Mute{mute.call, mute.on}, mute.call);
}

void Service::handle(ClientId client, const request::Dtmf& dtmf) {
  run(client, node::command::Dtmf{dtmf.call, dtmf.digits}, dtmf.call);
}

void Service::handle(ClientId client, const request::Who& who) {
  pending_[driver_.next_command()] = Pending{client, false, false, who.who, {}, {}};
  driver_.command(node::command::Who{who.who});
}

void Service::handle(ClientId client, const request::Log& log) {
  const auto rows = store_.history(log.rows);
  if (!rows) return refuse(client, rows.error());
  for (const auto& row : *rows) {
    std::string line = error_line({row.text, Exit::ok});  // the sentence, escaped
    line.pop_back();
    line += ",\"started\":" + std::to_string(seconds(row.started));
    line += row.direction == node::Direction::outgoing ? ",\"direction\":\"outgoing\"" : ",\"direction\":\"incoming\"";
    if (!control_->send(client, line + ",\"summary\":" + row.json + "}")) return;
  }
  control_->send(client, R"({"ok":true})");
  control_->finish(client);
}

void Service::handle(ClientId client, const request::Counters&) {
  const auto& c = driver_.node().peer().counters();
  const auto pair = [](const char* name, std::uint64_t n) {
    return "\"" + std::string(name) + "\":" + std::to_string(n);
  };
  control_->send(client, "{\"ok\":true," + pair("datagrams_in", c.datagrams_in) + "," +
                             pair("datagrams_out", c.datagrams_out) + "," + pair("bytes_in", c.bytes_in) + "," +
                             pair("bytes_out", c.bytes_out) + "," + pair("malformed", c.malformed) + "," +
                             pair("dropped", c.dropped) + "," + pair("forwarded", c.forwarded) + "," +
                             pair("unsent", driver_.ports().dropped()) + "}");
  control_->finish(client);
}

void Service::handle(ClientId client, const request::Down&) {
  down_ = client;
  leave();
}

void Service::leave() {
  if (leaving_) return loop_.stop();
  leaving_ = true;
  notify_supervisor("STOPPING=1\nSTATUS=Calls end and the node says good-bye.");
  ringer_.set(Bell::silent);
  log_info("leaving");
  deadline_->set(now() + settings_.node_config().drain + std::chrono::seconds(1));
  driver_.command(node::command::Leave{});
}

void Service::on_event(const node::Event& event) {
  if (const auto* done = std::get_if<node::event::Done>(&event)) on(*done);
  if (const auto* who = std::get_if<node::event::WhoResult>(&event)) on(*who);
  if (const auto* people = std::get_if<node::event::PeopleDone>(&event)) on(*people);
  if (const auto* ended = std::get_if<node::event::CallEnded>(&event)) on(*ended);
  if (const auto* changed = std::get_if<node::event::CallChanged>(&event)) tell_followers(changed->call);
  if (const auto* incoming = std::get_if<node::event::IncomingCall>(&event))
    log_info(shown({incoming->from.text()}) + " is calling. Answer: linnet answer");
  if (std::holds_alternative<node::event::Left>(event)) {
    if (down_) control_->send(*down_, R"({"ok":true})");
    loop_.stop();
  }
  ring();
  tell_watchers();
}

void Service::on(const node::event::Done& done) {
  const auto it = pending_.find(done.command);
  if (it == pending_.end()) return;
  if (done.outcome == node::Outcome::ok && !done.call && !it->second.who.empty() && !it->second.call)
    return;  // Who: its result follows
  const Pending pending = std::move(it->second);
  pending_.erase(it);
  if (done.outcome != node::Outcome::ok) {
    const bool no_call = done.outcome == node::Outcome::no_such_call;
    const bool nobody = done.outcome == node::Outcome::bad_address;
    const Trouble why{no_call  ? no_such_call(pending.asked)
                      : nobody ? no_contact(pending.who)
                               : sentence(done, pending.who),
                      exit_of(done.outcome)};
    if (!pending.call) return refuse(pending.client, why);
    control_->send(pending.client, ended_line(why, refused_json(pending.who, result_of(done.outcome))));
    return control_->finish(pending.client);
  }
  if (pending.call && done.call) {
    driver_.plan_sound(*done.call, pending.sound);
    if (!pending.follow || !control_->send(pending.client, started_line(*done.call))) {
      driver_.command(node::command::Hangup{done.call});  // the program went away before its call stood
      return;
    }
    followers_[pending.client] = *done.call;
    return tell_followers(done.call);
  }
  if (pending.follow && done.call) {
    if (!control_->send(pending.client, started_line(*done.call))) return;
    followers_[pending.client] = *done.call;
    return tell_followers(done.call);
  }
  std::string line = R"({"ok":true)";
  if (done.call) line += ",\"call\":" + std::to_string(static_cast<std::uint64_t>(*done.call));
  control_->send(pending.client, line + "}");
  control_->finish(pending.client);
}

void Service::on(const node::event::WhoResult& result) {
  const auto it = pending_.find(result.command);
  if (it == pending_.end()) return;
  const Pending pending = std::move(it->second);
  pending_.erase(it);
  Trouble why{"", exit_of(result.outcome)};
  if (result.outcome != node::Outcome::ok)
    why.text = sentence(node::event::Done{result.command, result.outcome, std::nullopt, {}}, pending.who);
  std::string line = error_line(why);
  line.pop_back();
  control_->send(pending.client, line + ",\"who\":" + who_json(result) + "}");
  control_->finish(pending.client);
}

void Service::on(const node::event::CallEnded& ended) {
  const auto line = ended_line({ended.summary.text, exit_of(ended.summary.result)}, summary_json(ended.summary));
  for (auto it = followers_.begin(); it != followers_.end();) {
    const auto [client, call] = *it;
    if (call != ended.summary.id) {
      ++it;
      continue;
    }
    it = followers_.erase(it);
    control_->send(client, line);
    control_->finish(client);
  }
}

void Service::handle(ClientId client, const request::Audio&) {
  control_->send(client, R"({"ok":true,"audio":)" + sound_json(driver_.sound_in_use()) + "}");
  control_->finish(client);
}

void Service::tell_sound(node::CallId call, const std::string& text) {
  for (const auto& [client, followed] : followers_)
    if (followed == call) control_->send(client, notice_line(text));
}

void Service::refuse(ClientId client, const Trouble& why) {
  control_->send(client, error_line(why));
  control_->finish(client);
}

void Service::every_second() {
  tell_supervisor(driver_.node().status(now()));
  tell_followers(std::nullopt);
  tell_watchers();
}

// One line per change: a line that says what the last one said is not sent.
void Service::tell_watchers() {
  if (watchers_.empty()) return;
  const std::string line = status_line();
  std::vector<ClientId> clients;
  for (auto& [client, last] : watchers_) {
    if (last == line) continue;
    last = line;
    clients.push_back(client);
  }
  for (const auto client : clients) control_->send(client, line);
}

void Service::tell_followers(std::optional<node::CallId> which) {
  std::vector<std::pair<ClientId, node::CallId>> told;
  for (const auto& [client, call] : followers_)
    if (!which || *which == call) told.emplace_back(client, call);
  for (const auto& [client, call] : told)
    if (const auto view = driver_.node().call(now(), call)) control_->send(client, call_line(*view));
}

std::string Service::status_line() const {
  return status_json(driver_.node().status(now()), driver_.ports().bound(), static_cast<int>(::getpid()));
}

}  // namespace linnet::io
