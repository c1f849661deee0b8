// What the daemon does for the programs that talk to it: turns requests into commands of the node, and the node's
// events into lines.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "node/io/control/control_request.h"
#include "node/io/control/control_socket.h"
#include "node/io/driver.h"
#include "node/io/settings/config.h"
#include "node/io/sound/ringer.h"

namespace linnet::io {

class Service {
 public:
  // Driver, store and loop outlive it.
  Service(Loop& loop, Driver& driver, Store& store, const Settings& settings);

  // The control socket speaks through this one; called once, before anything else.
  void attach(ControlSocket& control) { control_ = &control; }
  void on_line(ClientId client, std::string_view line);
  void on_closed(ClientId client);
  void on_event(const node::Event& event);
  void every_second();

  // Drains and stops the loop; a second time it stops at once.
  void leave();
  // The settings were read again: the bell and systemd hear of it. Says what changed.
  void reloaded();

 private:
  struct Pending {  // a command whose outcome somebody waits for
    ClientId client;
    bool call = false;  // an outgoing call
    bool follow = false;
    std::string who;
    SoundPlan sound;
    std::optional<node::CallId> asked;  // the call that the command named
  };

  void handle(ClientId client, const request::Status& status);
  void handle(ClientId client, const request::Call& call);
  void handle(ClientId client, const request::Answer& answer);
  void handle(ClientId client, const request::Hangup& hangup);
  void handle(ClientId client, const request::Hold& hold);
  void handle(ClientId client, const request::Mute& mute);
  void handle(ClientId client, const request::Dtmf& dtmf);
  void handle(ClientId client, const request::Who& who);
  void handle(ClientId client, const request::Log& log);
  void handle(ClientId client, const request::Names& names);
  void handle(ClientId client, const request::Audio& audio);
  void handle(ClientId client, const request::People& people);
  void handle(ClientId client, const request::Contacts& contacts);
  void handle(ClientId client, const request::Counters& counters);
  void handle(ClientId client, const request::Down& down);

  void on(const node::event::Done& done);
  void on(const node::event::WhoResult& result);
  void on(const node::event::PeopleDone& done);
  void on(const node::event::CallEnded& ended);
  // "No contact "alcie". Closest: alice. Or give name@domain."
  std::string no_contact(const std::string& who) const;
  void refuse(ClientId client, const Trouble& why);
  Outcome<SoundPlan> plan(const request::Files& files) const;
  void with_sound(ClientId client, const request::Files& files, std::function<void(Outcome<SoundPlan>)> then);
  void tell_sound(node::CallId call, const std::string& text);
  std::optional<node::CallId> ringing(std::optional<node::CallId> asked) const;
  void run(ClientId client, const node::Command& command, std::optional<node::CallId> asked);
  std::string no_such_call(std::optional<node::CallId> asked) const;
  void tell_watchers();
  void tell_supervisor(const node::Status& status);
  void ring();
  void tell_followers(std::optional<node::CallId> call);
  std::string status_line() const;

  Loop& loop_;
  Driver& driver_;
  Store& store_;
  const Settings& settings_;
  ControlSocket* control_ = nullptr;
  std::map<node::CommandId, Pending> pending_;
  std::map<ClientId, std::string> watchers_;  // the last line each one got
  std::map<ClientId, node::CallId> followers_;
  std::set<ClientId> asking_;  // who waits for the sound devices to be looked up
  std::optional<ClientId> down_;
  bool leaving_ = false;
  Ringer ringer_;
  std::string told_supervisor_;
  std::unique_ptr<Loop::Alarm> deadline_;
};

}  // namespace linnet::io
