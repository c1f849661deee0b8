// What programs ask about the network: netcheck, ping, doctor; and who is to be relayed for.
#include "nat/turn_pair.h"
#include "node/io/clock.h"
#include "node/io/control/lines.h"
#include "node/io/control/service.h"

namespace linnet::io {

// By the clock that the server judges them by.
void Service::handle(ClientId client, const request::Credentials& asked) {
  const auto turn = driver_.turn();
  if (!turn || settings_.turn_secret.empty())
    return refuse(client, {"This node serves no TURN to who is not configured: turn.secret is not set.\n"
                           "  Give it one (openssl rand -hex 24) in config.toml, and start the node anew."});
  const auto username = nat::turn::pair_name(driver_.node().peer().wall(now()) + asked.life, asked.name);
  finish(client, lines::credentials(username, nat::turn::pair_password(settings_.turn_secret, username), asked.life,
                                    turn->served));
}

void Service::handle(ClientId client, const request::Relay& relay) {
  if (relay.mode) driver_.set_relay_mode(*relay.mode);
  finish(client, lines::relay(driver_));
}

void Service::handle(ClientId client, const request::Netcheck&) {
  if (checking_.size() >= kMaxPending) return refuse(client, kBusy);
  checking_.insert(client);
  Driver::Probing ears;
  ears.step = [this](const std::string& text) {
    const auto waiting = checking_;
    for (const auto one : waiting) control_->send(one, lines::progress(text));
  };
  ears.done = [this](const node::Probed& found) {
    const auto waiting = std::exchange(checking_, {});
    for (const auto one : waiting) finish(one, lines::netcheck(driver_.node().status(now()), found));
  };
  (void)driver_.probe(std::move(ears));  // one run for all who wait: a second is not begun beside it
}

void Service::handle(ClientId client, const request::Examine& examine) {
  run(client, node::command::Examine{examine.who, examine.count, examine.deep}, pending::Examine{examine.who, {}});
}

void Service::on(const node::event::Examined& examined) {
  const auto it = pending_.find(examined.command);
  if (it == pending_.end()) return;
  auto* pending = std::get_if<pending::Examine>(&it->second.what);
  if (pending == nullptr) return;
  pending->found = examined.found;
  const auto client = it->second.client;  // sending may end it
  control_->send(client, lines::examining(examined.found, examined.answer));
}

}  // namespace linnet::io
