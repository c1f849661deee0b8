// What the daemon does for the programs that talk to it: turns requests into commands of the node, and the node's
// events into lines.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <variant>

#include "node/io/control/control_request.h"
#include "node/io/control/control_socket.h"
#include "node/io/driver.h"
#include "node/io/settings/config.h"
#include "node/io/sound/ringer.h"

namespace linnet::io {

// A command whose outcome a program waits for, by its kind.
namespace pending {
struct Call {  // is followed from the moment it stands until it has ended
  std::string who;
  SoundPlan sound;
};
struct Answer {
  bool follow = false;
  std::optional<node::CallId> call;
};
struct Change {  // of a call: hang up, hold, mute, digits
  std::optional<node::CallId> call;
};
struct Conference {  // of one: who is called, put out, muted; locked, left
  std::string which;
  std::string who;
};
struct Who {  // event WhoResult answers it
  std::string who;
};
struct People {};  // event PeopleDone answers it
struct Examine {   // event Examined comes each time something was learnt
  std::string who;
  node::Examination found;
};
}  // namespace pending

struct Pending {
  ClientId client{};
  std::variant<pending::Call, pending::Answer, pending::Change, pending::Conference, pending::Who, pending::People,
               pending::Examine>
      what;
};

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
  static constexpr std::size_t kMaxPending = 1024;
  static inline const Trouble kBusy{"The daemon is busy.", Exit::failed};

  // service.cpp: what is answered at once.
  void handle(ClientId client, const request::Status& status);
  void handle(ClientId client, const request::Log& log);
  void handle(ClientId client, const request::Audio& audio);
  void handle(ClientId client, const request::Counters& counters);
  void handle(ClientId client, const request::Down& down);
  // service_calls.cpp
  void handle(ClientId client, const request::Call& call);
  void handle(ClientId client, const request::Answer& answer);
  void handle(ClientId client, const request::Hangup& hangup);
  void handle(ClientId client, const request::Hold& hold);
  void handle(ClientId client, const request::Mute& mute);
  void handle(ClientId client, const request::Dtmf& dtmf);
  // service_conferences.cpp
  void handle(ClientId client, const request::Confer& confer);
  void handle(ClientId client, const request::Join& join);
  void handle(ClientId client, const request::Conferences& conferences);
  void handle(ClientId client, const request::Conference& conference);
  void handle(ClientId client, const request::Keepers& asked);
  void on(const node::event::ConferenceSaid& said);
  // Why these cannot all be called; nothing: they can.
  bool is_room(const std::string& word) const;
  std::optional<Trouble> cannot_call(const std::vector<std::string>& who) const;
  std::string no_such_conference(const std::string& which) const;
  // service_people.cpp
  void handle(ClientId client, const request::Who& who);
  void handle(ClientId client, const request::Names& names);
  void handle(ClientId client, const request::People& people);
  void handle(ClientId client, const request::Contacts& contacts);

  // service_network.cpp
  void handle(ClientId client, const request::Credentials& credentials);
  void handle(ClientId client, const request::Relay& relay);
  void handle(ClientId client, const request::Netcheck& netcheck);
  void handle(ClientId client, const request::Examine& examine);
  void on(const node::event::Examined& examined);

  void on(const node::event::Done& done);
  void on(const node::event::WhoResult& result);
  void on(const node::event::PeopleDone& done);
  void on(const node::event::CallEnded& ended);

  // Gives the command to the node; its outcome comes back to the client.
  template <class Kind>
  void run(ClientId client, const node::Command& command, Kind kind) {
    if (full()) return refuse(client, kBusy);
    pending_.emplace(driver_.command(command), Pending{client, std::move(kind)});
  }
  bool full() const { return pending_.size() >= kMaxPending; }
  std::optional<Pending> take(node::CommandId command);
  Trouble why(const node::event::Done& done, const Pending& pending) const;
  // The last line of an answer.
  void finish(ClientId client, const std::string& line);
  void refuse(ClientId client, const Trouble& why);

  // service_calls.cpp
  // A call that its client follows from now on, with that sound.
  void begin(ClientId client, const request::Files& files, const std::string& who, const node::Command& command);
  void with_sound(ClientId client, const request::Files& files, std::function<void(Outcome<SoundPlan>)> then);
  std::optional<node::CallId> ringing(std::optional<node::CallId> asked) const;
  std::string no_such_call(std::optional<node::CallId> asked) const;
  // The client hears of that call from now on. False when it is gone.
  bool follow(ClientId client, node::CallId call);
  void tell_followers(std::optional<node::CallId> call);
  void tell_sound(node::CallId call, const std::string& text);

  // service_people.cpp
  bool is_contact(const std::string& who) const;
  // "No contact "alcie". Closest: alice. Or give name@domain."
  std::string no_contact(const std::string& who) const;

  // service_talk.cpp: what it says by itself.
  void ring();
  void tell_supervisor(const node::NodeStatus& status);
  void tell_watchers();
  std::string status_line() const;

  Loop& loop_;
  Driver& driver_;
  Store& store_;
  const Settings& settings_;
  ControlSocket* control_ = nullptr;
  std::map<node::CommandId, Pending> pending_;
  std::map<ClientId, std::string> watchers_;  // what the last line of each one said
  std::map<ClientId, node::CallId> followers_;
  std::set<ClientId> checking_;  // who waits for the network to be looked at
  std::set<ClientId> asking_;    // who waits for the sound devices to be looked up
  std::optional<ClientId> down_;
  bool leaving_ = false;
  Ringer ringer_;
  std::string told_supervisor_;
  std::unique_ptr<Loop::Alarm> deadline_;
};

}  // namespace linnet::io
