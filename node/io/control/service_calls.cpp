// Calls, as programs make and follow them.
#include <algorithm>

#include "node/io/clock.h"
#include "node/io/control/conference_json.h"
#include "node/io/control/lines.h"
#include "node/io/control/service.h"
#include "node/io/control/view_json.h"

namespace linnet::io {
namespace {

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

// Asking for sound devices takes PortAudio a fifth of a second: not on the loop.
void Service::with_sound(ClientId client, const request::Files& files, std::function<void(Outcome<SoundPlan>)> then) {
  auto made = make_plan(settings_.sound, files.play.empty() ? settings_.play : files.play,
                        files.record.empty() ? settings_.record : files.record);
  if (!made || made->files() || !made->card) return then(std::move(made));
  if (asking_.size() >= kMaxPending) return then(tl::unexpected(kBusy));
  asking_.insert(client);
  driver_.sound().present([this, client, silent = files.silent, plan = std::move(*made),
                           then = std::move(then)](const Done& found) mutable {
    if (asking_.erase(client) == 0) return;  // went away meanwhile
    if (!found && !silent) return then(tl::unexpected(found.error()));
    plan.card = found.has_value();
    then(std::move(plan));
  });
}

void Service::begin(ClientId client, const request::Files& files, const std::string& who,
                    const node::Command& command) {
  with_sound(client, files, [this, client, who, command](Outcome<SoundPlan> sound) {
    const auto refused = [&](const Trouble& why) {
      finish(client, lines::never_began(why, who, node::CallResult::failed));
    };
    if (!sound) return refused(sound.error());
    if (full()) return refused(kBusy);
    run(client, command, pending::Call{who, std::move(*sound)});
  });
}

void Service::handle(ClientId client, const request::Call& call) {
  begin(client, call.files, call.who, node::command::Call{call.who, call.cold, call.duration, call.explain});
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
    driver_.sound().plan(*call, std::move(*sound));
    run(client, node::command::Answer{call}, pending::Answer{follow, call});
  });
}

void Service::handle(ClientId client, const request::Hangup& hangup) {
  run(client, node::command::Hangup{hangup.call}, pending::Change{hangup.call});
}
void Service::handle(ClientId client, const request::Hold& hold) {
  run(client, node::command::Hold{hold.call, hold.on}, pending::Change{hold.call});
}
void Service::handle(ClientId client, const request::Mute& mute) {
  run(client, node::command::Mute{mute.call, mute.on}, pending::Change{mute.call});
}

void Service::handle(ClientId client, const request::Dtmf& dtmf) {
  run(client, node::command::Dtmf{dtmf.call, dtmf.digits}, pending::Change{dtmf.call});
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

Trouble Service::why(const node::event::Done& done, const Pending& pending) const {
  std::string who;
  if (const auto* call = std::get_if<pending::Call>(&pending.what)) who = call->who;
  if (const auto* asked = std::get_if<pending::Who>(&pending.what)) who = asked->who;
  if (const auto* examine = std::get_if<pending::Examine>(&pending.what)) who = examine->who;
  std::optional<node::CallId> call;
  if (const auto* answer = std::get_if<pending::Answer>(&pending.what)) call = answer->call;
  if (const auto* change = std::get_if<pending::Change>(&pending.what)) call = change->call;
  const auto exit = exit_of(done.outcome);
  if (const auto* conference = std::get_if<pending::Conference>(&pending.what)) {
    if (done.outcome == node::Outcome::no_such_call) return {no_such_conference(conference->which), exit};
    who = conference->who;
  }
  if (done.outcome == node::Outcome::no_such_call) return {no_such_call(call), exit};
  if (done.outcome == node::Outcome::bad_address) return {no_contact(who), exit};
  return {sentence(done, who), exit};
}

void Service::on(const node::event::Done& done) {
  const auto pending = take(done.command);
  if (!pending) return;
  const auto client = pending->client;
  if (const auto* examine = std::get_if<pending::Examine>(&pending->what)) {
    const auto trouble = done.outcome == node::Outcome::ok ? Trouble{"", Exit::ok} : why(done, *pending);
    return finish(client, lines::examined(trouble, examine->found, driver_.node().status(now()).nat));
  }
  const auto* call = std::get_if<pending::Call>(&pending->what);
  if (done.outcome != node::Outcome::ok) {
    const auto trouble = why(done, *pending);
    if (call == nullptr) return refuse(client, trouble);
    return finish(client, lines::never_began(trouble, call->who, result_of(done.outcome)));
  }
  if (call != nullptr && done.call) {
    driver_.sound().plan(*done.call, call->sound);
    if (!follow(client, *done.call))
      driver_.command(node::command::Hangup{done.call});  // the program went away before its call stood
    return;
  }
  const auto* answer = std::get_if<pending::Answer>(&pending->what);
  if (answer != nullptr && answer->follow && done.call) return (void)follow(client, *done.call);
  finish(client, done.call ? lines::ok(*done.call) : lines::ok());
}

bool Service::follow(ClientId client, node::CallId call) {
  if (!control_->send(client, lines::started(call))) return false;
  followers_[client] = call;
  tell_followers(call);
  return true;
}

void Service::tell_followers(std::optional<node::CallId> which) {
  std::vector<std::pair<ClientId, node::CallId>> told;
  for (const auto& [client, call] : followers_)
    if (!which || *which == call) told.emplace_back(client, call);
  std::vector<node::ConferenceView> conferences;
  if (!told.empty()) conferences = driver_.node().status(now()).conferences;
  for (const auto& [client, call] : told)
    if (const auto view = driver_.node().call(now(), call))
      control_->send(client, lines::call(*view, conference_of(conferences, call)));
}

void Service::on(const node::event::CallEnded& ended) {
  const auto line = lines::ended({ended.summary.text, exit_of(ended.summary.result)}, ended.summary);
  for (auto it = followers_.begin(); it != followers_.end();) {
    const auto [client, call] = *it;
    if (call != ended.summary.id) {
      ++it;
      continue;
    }
    it = followers_.erase(it);
    finish(client, line);
  }
}

void Service::tell_sound(node::CallId call, const std::string& text) {
  for (const auto& [client, followed] : followers_)
    if (followed == call) control_->send(client, lines::notice(text));
}

}  // namespace linnet::io
