// Driver: who comes in by our ports, what routers open, and what follows for our role.
#include <algorithm>

#include "crypto/digest.h"
#include "node/io/clock.h"
#include "node/io/driver.h"
#include "node/io/log.h"

namespace linnet::io {
namespace {

// A secret that only the device key's owner can have, and that tells nothing of it.
nat::PortOwner port_owner(const crypto::Identity& identity) {
  return crypto::hmac_sha256(identity.device.seed.bytes(), {view("linnet-1 port owner")});
}

std::optional<Endpoint> opened_for_datagrams(const std::vector<node::OpenPort>& open) {
  for (const auto& port : open) {
    const auto& at = port.external;
    if (port.reached == true && at.transport == Transport::udp && at.ip.is_v4() && at.ip.is_global()) return at;
  }
  return std::nullopt;
}

bool opened_for_streams(const std::vector<node::OpenPort>& open) {
  return std::any_of(open.begin(), open.end(), [](const node::OpenPort& port) {
    return port.external.transport == Transport::tcp && port.reached == true;
  });
}

}  // namespace

// Supernodes that may come in by a port of ours. Those that a supernode knows without being served by them do not say
// where they see it.
std::vector<nat::DialBack::Server> Driver::provers() const {
  std::vector<nat::DialBack::Server> out;
  for (const auto& seen : node_.peer().observed()) out.push_back({seen.by, seen.seen.port});
  if (node_.peer().role() != overlay::Role::supernode) return out;
  for (const auto& at : node_.stun_servers()) out.push_back({at, std::nullopt});
  return out;
}

// The port of our datagrams, which routers let machines ask for; a leaf listens there only now, on its own network, for
// what a router sends.
std::optional<std::uint16_t> Driver::stream_port(const IpAddress& local) {
  if (!tcp_) return std::nullopt;
  std::optional<std::uint16_t> usual;
  for (const auto& at : ports_.sockets()) {
    const bool there = at.ip == local || (local.is_v4() && at.ip == IpAddress::v4(0)) || at.ip.is_unspecified();
    if (there && !usual) usual = at.port;
  }
  if (!usual) return std::nullopt;
  const auto bound = tcp_->bound();
  const auto there = [&](const Endpoint& at) {
    return at.port == *usual && (at.ip == local || at.ip == IpAddress::v4(0));
  };
  if (std::any_of(bound.begin(), bound.end(), there)) return usual;
  const auto open = tcp_->listen({{local, *usual, Transport::tcp}});
  if (!open) log_info(open.error().text + " No router is asked for TCP port 443.");
  return open ? usual : std::nullopt;
}

// The address at which we are seen is another one: a router's ports may lead there no more, or from there.
void Driver::look_where_seen() {
  if (!opener_ && !reach_) return;
  std::vector<IpAddress> seen;
  for (const auto& one : node_.peer().observed()) {
    if (std::find(seen.begin(), seen.end(), one.seen.ip) == seen.end()) seen.push_back(one.seen.ip);
  }
  std::sort(seen.begin(), seen.end());
  if (seen.empty() || seen == seen_as_) return;
  seen_as_ = std::move(seen);
  if (opener_) opener_->doubt();
  if (reach_) reach_->doubt();
}

void Driver::mappings_changed() {
  auto open = opened_;
  if (const auto outer = reach_ ? reach_->open() : std::nullopt) open.push_back(*outer);
  const auto before = node_.peer().place();
  node_.handle_mappings(now(), std::move(open));
  if (candidacy_) candidacy_->set_mapped(opened_for_datagrams(opened_), opened_for_streams(opened_));
  if (const auto status = node_.status(now()); status.place && status.place != before)
    log_info("Others are told that this supernode is at " + shown({status.place->to_string()}) + ": " +
             status.place_why + ".");
  loop_.post([this] { pump(); });
}

void Driver::start_opener() {
  if (!opener_wanted_) return;
  PortOpener::Ears ears;
  ears.servers = [this] { return provers(); };
  ears.stream_port = [this](const IpAddress& local) { return stream_port(local); };
  ears.dial = [this](const nat::DialBack::Ask& ask) { ask_dial(ask); };
  ears.send = [this](Transmit out) {
    ports_.send(std::move(out));
    ports_.flush();
  };
  ears.changed = [this](std::vector<node::OpenPort> open) {
    opened_ = std::move(open);
    mappings_changed();
  };
  opener_ = std::make_unique<PortOpener>(loop_, rng_, ports_.sockets(), port_owner(node_.identity()), std::move(ears));
  opener_->start();
}

// Others that a node on the Internet hears of may sit behind its own NAT: they would see it as nobody else does.
nat::ReachProof::Servers Driver::knockers() const {
  nat::ReachProof::Servers out;
  out.known = node_.stun_servers();
  const auto global = [](const Endpoint& at) { return at.ip.is_global(); };
  if (std::any_of(out.known.begin(), out.known.end(), global))
    std::erase_if(out.known, [&](const Endpoint& at) { return !global(at); });
  if (!sent_to_) return out;
  for (const auto& host : node_.host_cache().hosts()) {
    const auto& at = host.contact.endpoint;
    if (at.transport == Transport::udp && global(at) && sent_to_->never(at.ip)) out.strangers.push_back(at);
  }
  return out;
}

void Driver::ask_dial(const nat::DialBack::Ask& ask) {
  node_.ask_dial(now(), ask.server, ask.id, ask.port);
  loop_.post([this] { pump(); });
}

// A supernode by its settings needs to know of an outer address only; who may become one, of any way in.
void Driver::start_reach() {
  if (relay_ == RelayMode::off) return;
  ReachWatch::Ears ears;
  ears.servers = [this] { return knockers(); };
  ears.dial = [this](const nat::DialBack::Ask& ask) { ask_dial(ask); };
  ears.listen = [this](const Endpoint& own) { return stream_port(own.ip).has_value(); };
  ears.changed = [this] {
    mappings_changed();
    if (candidacy_) candidacy_->reach_changed();
  };
  const bool any = relay_ == RelayMode::automatic;
  reach_ =
      std::make_unique<ReachWatch>(loop_, rng_, any ? ReachWatch::Look::any : ReachWatch::Look::outer, std::move(ears));
  if (any) start_candidacy();
  reach_->set(ports_.reachable());
}

void Driver::start_candidacy() {
  const bool serves = node_.peer().role() == overlay::Role::supernode;
  Candidacy::Ears ears;
  ears.supernodes = [this] { return knockers().known; };
  ears.came_in = [this] { return node_.peer().counters().came_in; };
  ears.busy = [this] { return !node_.status(now()).calls.empty(); };
  ears.changed = [this] { offer(); };
  candidacy_ = std::make_unique<Candidacy>(loop_, rng_, candidate_.limits, *reach_, std::move(ears));
  candidacy_->set_serving(serves);
}

// Until it is known whether anybody comes in, for an hour at most: who was called by us cannot show it any more.
void Driver::spare_strangers() {
  constexpr unsigned kMostSpared = 3600;  // seconds since the start
  node_.spare_strangers(seconds_ < kMostSpared && sent_to_ && reach_ && !reach_->datagrams() && !reach_->refuted());
}

bool Driver::month_left() const {
  const auto& c = candidate_;
  return !c.month_bytes || c.relayed.month != overlay::month_of(wall()) || c.relayed.bytes < *c.month_bytes;
}

void Driver::offer() {
  const auto fit = candidacy_->fit();
  node_.set_fit(now(), fit ? std::optional(overlay::Fit{fit->place, fit->leaves}) : std::nullopt);
  loop_.post([this] { pump(); });
}

void Driver::set_relay_mode(RelayMode mode) {
  if (mode == relay_) return;
  relay_ = mode;
  candidacy_.reset();
  reach_.reset();
  start_reach();
  node_.serve_own_links(now(), mode != RelayMode::off);
  if (mode == RelayMode::off) node_.set_fit(now(), std::nullopt);
  if (mode == RelayMode::on) node_.serve(now());
  loop_.post([this] { pump(); });
}

// Somebody needs one supernode more, and it is us; or we are none any more.
void Driver::role_changed(overlay::Role role) {
  const bool serves = role == overlay::Role::supernode;
  if (candidacy_) candidacy_->set_serving(serves);
  sent_to_.reset();  // from now on we talk to everybody
  const auto conventional = candidate_.conventional(ports_.bound());
  if (!serves) {
    log_info("This node is a leaf again (why: linnet relay status).");
    if (tcp_) tcp_->stop_listening(conventional);
    // Later: what we do follows from a datagram, that may have come in there.
    loop_.post([this] { close_second(); });
    return pump();
  }
  const auto place = node_.peer().place();
  log_info("This node serves others from now on, as a supernode" + (place ? " at " + shown({place->to_string()}) : "") +
           ". To end that: linnet relay off");
  if (tcp_)
    if (const auto open = tcp_->listen(conventional); !open) log_info(open.error().text);
  if (!std::exchange(second_asked_, true)) {
    if (const auto second = candidate_.second_address(ports_)) node_.set_one_address(now(), ports_.sockets(), *second);
  }
  pump();
}

// What a supernode has beside a leaf for discovery; opened again with the next role.
void Driver::close_second() {
  if (node_.peer().role() == overlay::Role::supernode) return;
  second_asked_ = false;
  ports_.close_discovery();
  node_.set_one_address(now(), ports_.sockets(), std::nullopt);
  pump();
}

bool Driver::proves(const Datagram& datagram) {
  return (opener_ && opener_->take(datagram)) || (reach_ && reach_->take(datagram));
}

}  // namespace linnet::io
