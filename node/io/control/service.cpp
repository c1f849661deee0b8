#include "node/io/control/service.h"

#include "node/io/clock.h"
#include "node/io/control/lines.h"
#include "node/io/log.h"
#include "node/io/net/tls.h"
#include "node/io/notify.h"
#include "node/io/sound/sound_devices.h"
#include "node/io/sound/sound_line.h"

namespace linnet::io {

Service::Service(Loop& loop, Driver& driver, Store& store, const Settings& settings)
    : loop_(loop),
      driver_(driver),
      store_(store),
      settings_(settings),
      ringer_(
          loop, [&driver](auto answer) { driver.sound().open_speaker(std::move(answer)); },
          [&driver](auto speaker) { driver.sound().close_speaker(std::move(speaker)); }) {
  ringer_.use(settings.ring_tone, settings.ringback);
  driver_.sound().on_said([this](node::CallId call, const std::string& text) { tell_sound(call, text); });
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
  checking_.erase(client);
  for (const auto& [command, pending] : pending_) {
    if (pending.client != client || !std::holds_alternative<pending::Examine>(pending.what)) continue;
    driver_.command(node::command::StopExamining{command});  // Control-C
    pending_.erase(command);
    break;
  }
  if (const auto followed = followers_.find(client); followed != followers_.end()) {
    const auto call = followed->second;
    followers_.erase(followed);
    driver_.command(node::command::Hangup{call});  // whoever held the receiver is gone
  }
}

void Service::on_event(const node::Event& event) {
  if (const auto* done = std::get_if<node::event::Done>(&event)) on(*done);
  if (const auto* who = std::get_if<node::event::WhoResult>(&event)) on(*who);
  if (const auto* examined = std::get_if<node::event::Examined>(&event)) on(*examined);
  if (const auto* people = std::get_if<node::event::PeopleDone>(&event)) on(*people);
  if (const auto* ended = std::get_if<node::event::CallEnded>(&event)) on(*ended);
  if (const auto* said = std::get_if<node::event::ConferenceSaid>(&event)) on(*said);
  if (const auto* changed = std::get_if<node::event::CallChanged>(&event)) tell_followers(changed->call);
  if (const auto* incoming = std::get_if<node::event::IncomingCall>(&event))
    log_info(shown({incoming->from.text()}) +
             (incoming->conference.empty() ? " is calling."
                                           : " invites you to the conference " + incoming->conference + ".") +
             " Answer: linnet answer");
  if (std::holds_alternative<node::event::Left>(event)) {
    if (down_) control_->send(*down_, lines::ok());
    loop_.stop();
  }
  ring();
  tell_watchers();
}

void Service::every_second() {
  tell_supervisor(driver_.node().status(now()));
  tell_followers(std::nullopt);
  tell_watchers();
}

std::optional<Pending> Service::take(node::CommandId command) {
  const auto it = pending_.find(command);
  if (it == pending_.end()) return std::nullopt;
  auto out = std::move(it->second);
  pending_.erase(it);
  return out;
}

void Service::finish(ClientId client, const std::string& line) {
  control_->send(client, line);
  control_->finish(client);
}

void Service::refuse(ClientId client, const Trouble& why) { finish(client, lines::error(why)); }

void Service::handle(ClientId client, const request::Status& status) {
  const std::string line = status_line();
  if (!status.watch) return finish(client, line);
  control_->send(client, line);
  watchers_[client] = lines::lasting(line);
}

void Service::handle(ClientId client, const request::Log& log) {
  const auto rows = store_.history(log.rows);
  if (!rows) return refuse(client, rows.error());
  for (const auto& row : *rows)
    if (!control_->send(client, lines::row(row))) return;
  finish(client, lines::ok());
}

void Service::handle(ClientId client, const request::Audio&) { finish(client, lines::audio(driver_.sound().in_use())); }

void Service::handle(ClientId client, const request::Counters&) {
  finish(client, lines::counters(driver_.node().peer().counters(), driver_.ports().dropped(),
                                 {Tls::started(), sound_started(), SoundLine::cleaning_started()}));
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

}  // namespace linnet::io
