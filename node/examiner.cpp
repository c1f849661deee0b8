#include "node/examiner.h"

#include <algorithm>
#include <utility>

#include "node/alone.h"
#include "node/last_seen.h"
#include "node/legs.h"
#include "node/own_clock.h"
#include "node/path_reason.h"
#include "node/path_watch.h"

namespace linnet::node {
namespace {

constexpr Duration kOtherPaths = std::chrono::milliseconds(200);  // their answers to the last round
constexpr Duration kSlack = std::chrono::seconds(2);              // the overlay bounds lookups and connects itself

std::string nobody(const Rooms& rooms, const crypto::Address& address, bool contact, const overlay::Found& found) {
  if (rooms.peer.state() == overlay::State::alone) return std::string(kAlone);
  if (!found.status) return "The overlay did not answer in time." + wrong_clock(rooms);
  if (contact) return not_online(rooms, address.text(), rooms.contacts.find(address));
  return "Nobody has the name " + address.text() + "." + wrong_clock(rooms);
}

}  // namespace

void Examiner::refuse(Rooms& rooms, CommandId id, Outcome outcome, std::string text) {
  rooms.out.push(event::Done{id, outcome, std::nullopt, std::move(text)});
  running_.erase(id);
}

void Examiner::begin(Rooms& rooms, Time now, CommandId id, const command::Examine& what) {
  const auto* contact = rooms.contacts.find(what.who);
  const auto address = contact != nullptr ? contact->address : crypto::Address::parse(what.who);
  if (!address) return refuse(rooms, id, Outcome::bad_address, {});
  if (*address == rooms.identity.address || *address == rooms.identity.key_name())
    return refuse(rooms, id, Outcome::refused, address->text() + " is your own address.");
  if (contact != nullptr && contact->blocked)
    return refuse(rooms, id, Outcome::refused,
                  what.who + " is blocked here. First: linnet contact block --off " + what.who);
  if (running_.size() >= kMax) return refuse(rooms, id, Outcome::busy, "Enough is being looked into already.");
  Run run;
  run.what = what;
  run.what.count = std::clamp(what.count, 1U, kMaxRounds);
  run.began = now;
  run.found.address = *address;
  run.found.contact = contact != nullptr && contact->listed();
  const auto& asked = run.found.contact ? contact->key_name : *address;
  const auto account = contact != nullptr ? contact->account : std::nullopt;
  const auto find = rooms.peer.find(now, asked, account, true);
  if (!find) {
    const bool alone = rooms.peer.state() == overlay::State::alone;
    return refuse(
        rooms, id, Outcome::unreachable,
        alone ? std::string(kAlone) : "No supernode can be asked: " + std::string(to_string(find.error())) + ".");
  }
  rooms.askers.put(*find, asker::Examination{id});
  run.lookup_until = now + rooms.config.peer.lookup_timeout + kSlack;
  running_.emplace(id, std::move(run));
}

void Examiner::on_found(Rooms& rooms, Time now, const asker::Examination& asked, const overlay::Found& found) {
  const auto it = running_.find(asked.command);
  if (it == running_.end()) return;
  auto& run = it->second;
  const auto id = it->first;
  run.lookup_until = kNever;
  run.found.looked_up = now - run.began;
  run.found.hops = found.rounds;
  auto devices = found.devices;
  std::erase_if(devices, [&](const auto& d) {
    return d.record.device() == rooms.identity.device_key() ||
           rooms.contacts.revoked(d.record.account(), d.record.certificate.epoch);
  });
  const auto& address = run.found.address;
  auto finding = judge(found.address, rooms.contacts.pin(address), std::move(devices));
  if (const auto* claimants = std::get_if<Claimants>(&finding))
    return refuse(rooms, id, Outcome::identity, explain(address, *claimants));
  if (const auto* changed = std::get_if<IdentityChanged>(&finding))
    return refuse(rooms, id, Outcome::identity, explain(address, *changed, rooms.contacts.find(address), rooms.wall));
  const auto* person = std::get_if<Person>(&finding);
  if (person == nullptr) {
    const bool known = run.found.contact || !found.status || rooms.peer.state() == overlay::State::alone;
    return refuse(rooms, id, known ? Outcome::unreachable : Outcome::not_found,
                  nobody(rooms, address, run.found.contact, found));
  }
  run.devices.reserve(person->devices.size());  // connect() may tell of a link at once
  for (const auto& device : person->devices) connect(rooms, now, run, device);
  tell(rooms, id, run);
  (void)finish_if_over(rooms, id, run);
}

void Examiner::connect(Rooms& rooms, Time now, Run& run, const overlay::FoundDevice& device) {
  Examination::Device out;
  const auto& record = device.record;
  out.key_name = crypto::Address::key_name(run.found.address.user(), record.account()).text();
  out.expires_in_s = seconds(record.expiry) - seconds(rooms.wall);
  out.age_s = std::max<std::int64_t>(0, seconds(rooms.wall) - seconds(record.not_before));
  for (const auto& home : device.body.homes) out.homes.push_back(home.endpoint.to_string());
  Reaching reaching;
  const auto link = rooms.peer.connect(now, run.found.address, device, false);
  if (link) {
    reaching.link = *link;
    reaching.give_up = now + rooms.config.peer.connect_timeout + kSlack;
  } else {
    out.failure = link.error() == Fault::not_found ? "its record names no way in that is known here"
                                                   : std::string(to_string(link.error()));
    reaching.over = true;
  }
  run.found.devices.push_back(std::move(out));
  run.devices.push_back(std::move(reaching));
}

void Examiner::on(Rooms& rooms, Time now, const overlay::LinkUp& up) {
  for (auto& [id, run] : running_) {
    for (std::size_t i = 0; i < run.devices.size(); ++i) {
      auto& device = run.devices[i];
      if (device.link != up.link || device.up) continue;
      device.up = true;
      device.give_up = kNever;
      device.round_at = now;
      run.found.devices[i].connected = now - run.began;
      look(rooms, run, i);
      tell(rooms, id, run);
    }
  }
}

void Examiner::on(Rooms& rooms, const overlay::LinkDown& down) {
  for (auto it = running_.begin(); it != running_.end();) {
    auto& [id, run] = *it++;
    for (std::size_t i = 0; i < run.devices.size(); ++i) {
      auto& device = run.devices[i];
      if (device.link != down.link || device.over) continue;
      device.over = true;
      run.found.devices[i].failure = explain(down.reason);
      tell(rooms, id, run);
    }
    (void)finish_if_over(rooms, id, run);
  }
}

void Examiner::on(Time now, const overlay::LinkPath& moved) {
  for (auto& [id, run] : running_) {
    for (std::size_t i = 0; i < run.devices.size(); ++i) {
      auto& direct = run.found.devices[i].direct;
      if (run.devices[i].link == moved.link && !direct && moved.to.kind == overlay::PathKind::direct)
        direct = now - run.began;
    }
  }
}

void Examiner::on(Rooms& rooms, Time now, const overlay::LinkAnswered& answered) {
  for (auto& [id, run] : running_) {
    for (std::size_t i = 0; i < run.devices.size(); ++i) {
      auto& device = run.devices[i];
      auto& shown = run.found.devices[i];
      if (device.link != answered.link || device.over || shown.rounds == 0) continue;
      if (!std::exchange(device.heard, true)) ++shown.answered;
      if (shown.rounds >= run.what.count) device.round_at = std::min(device.round_at, now + kOtherPaths);
      look(rooms, run, i);
      tell(rooms, id, run,
           Answer{i, shown.rounds, word_of(answered.path), answered.path.endpoint.to_string(), by_word(answered.path),
                  answered.rtt});
    }
  }
}

void Examiner::network_heard(Rooms& rooms, overlay::SessionId link) {
  for (auto it = running_.begin(); it != running_.end();) {
    auto& [id, run] = *it++;
    for (std::size_t i = 0; i < run.devices.size(); ++i) {
      if (run.devices[i].link == link) look(rooms, run, i);
    }
    (void)finish_if_over(rooms, id, run);
  }
}

// What the overlay knows of the link now, and what the other side said.
void Examiner::look(Rooms& rooms, Run& run, std::size_t index) const {
  const auto& device = run.devices[index];
  auto& out = run.found.devices[index];
  const auto report = device.link ? rooms.peer.report(*device.link) : std::nullopt;
  if (!report) return;
  if (report->current) {
    out.path = word_of(*report->current);
    out.via = report->current->endpoint.to_string();
  }
  out.rtt = rooms.peer.rtt(*device.link);
  out.circuits.clear();
  for (const auto& circuit : report->circuits) out.circuits.push_back({circuit.at.to_string(), result_of(circuit)});
  out.ours.clear();
  for (const auto& tried : tried_from_here(rooms, *device.link))
    out.ours.push_back({tried.endpoint.to_string(), tried.answered ? "answered" : "no answer"});
  const auto* link = rooms.links.find(*device.link);
  if (link == nullptr) return;
  out.shares = link->shared;
  out.network = link->network;
  if (!link->tried || !device.asked_them) return;
  out.theirs.clear();
  for (const auto& tried : *link->tried)
    out.theirs.push_back({tried.endpoint.to_string(), tried.answered ? "answered" : "no answer"});
}

void Examiner::tell(Rooms& rooms, CommandId id, const Run& run, std::optional<Answer> answer) const {
  rooms.out.push(event::Examined{id, run.found, std::move(answer)});
}

void Examiner::next_round(Rooms& rooms, Time now, CommandId id, Run& run, std::size_t index) {
  auto& device = run.devices[index];
  auto& shown = run.found.devices[index];
  if (shown.rounds > 0 && !device.heard)
    tell(rooms, id, run, Answer{index, shown.rounds, PathWord::unknown, {}, {}, {}});
  const bool deep_enough = !run.what.deep || !shown.shares || shown.direct || now >= run.began + kDirect;
  if (shown.rounds >= run.what.count && deep_enough) {
    device.over = true;
    return;
  }
  ++shown.rounds;
  device.heard = false;
  const bool last = shown.rounds >= run.what.count && deep_enough;
  device.round_at = now + (last ? kAnswer : kEvery);
  if (auto* link = rooms.links.find(*device.link)) link->idle_since = now;
  if (run.what.deep && shown.shares) {
    device.asked_them = true;
    (void)rooms.peer.send(now, *device.link, overlay::Channel::people, path_message::write(path_message::Ask{}));
  }
  rooms.peer.ping(now, *device.link);
}

void Examiner::step(Rooms& rooms, Time now, CommandId id, Run& run) {
  for (std::size_t i = 0; i < run.devices.size(); ++i) {
    auto& device = run.devices[i];
    if (device.over) continue;
    if (now >= device.give_up) {
      device.over = true;
      run.found.devices[i].failure = "no answer from it";
    } else if (now >= device.round_at) {
      next_round(rooms, now, id, run, i);
    }
  }
}

bool Examiner::finish_if_over(Rooms& rooms, CommandId id, Run& run) {
  if (run.lookup_until != kNever) return false;
  const auto over = [](const Reaching& d) { return d.over; };
  if (!std::all_of(run.devices.begin(), run.devices.end(), over)) return false;
  bool any = false;
  std::string why;
  for (std::size_t i = 0; i < run.devices.size(); ++i) {
    if (run.devices[i].up && run.found.devices[i].failure.empty()) look(rooms, run, i);
    any = any || run.found.devices[i].answered > 0;
    if (why.empty()) why = run.found.devices[i].failure;
  }
  tell(rooms, id, run);
  if (any) {
    refuse(rooms, id, Outcome::ok, {});
  } else {
    const auto who = run.found.address.text();
    refuse(rooms, id, Outcome::unreachable,
           who + " is known but not reachable: " + (why.empty() ? "no answer on the link" : why) + "." +
               last_seen(rooms.contacts.find(run.found.address), rooms.wall));
  }
  return true;
}

void Examiner::handle_timeout(Rooms& rooms, Time now) {
  for (auto it = running_.begin(); it != running_.end();) {
    auto& [id, run] = *it++;
    if (now >= run.lookup_until) {
      refuse(rooms, id, Outcome::unreachable, "The overlay did not answer in time.");
      continue;
    }
    step(rooms, now, id, run);
    (void)finish_if_over(rooms, id, run);
  }
}

Time Examiner::next_timeout() const {
  Time out = kNever;
  for (const auto& [id, run] : running_) {
    out = std::min(out, run.lookup_until);
    for (const auto& device : run.devices) {
      if (!device.over) out = std::min({out, device.round_at, device.give_up});
    }
  }
  return out;
}

}  // namespace linnet::node
