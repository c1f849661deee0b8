#include "node/io/driver.h"

#include <algorithm>

#include "media/srtp.h"
#include "node/io/clock.h"
#include "node/io/control/view_json.h"
#include "node/io/log.h"
#include "node/io/net/turn_carrier.h"
#include "node/io/net/turn_service.h"
#include "node/io/store/hosts_file.h"
#include "node/io/store/key_file.h"
#include "node/sockets.h"
#include "overlay/ways.h"

namespace linnet::io {
namespace {

constexpr unsigned kFloorsKeptFrom = 60;  // seconds after the start
constexpr Duration kMendAfter = std::chrono::milliseconds(20);

void warn_when(const Done& done) {
  if (!done) log_error(done.error().text);
}

}  // namespace

Driver::Driver(Loop& loop, Store& store, Rng& rng, UdpPorts ports, Parts parts)
    : store_(store),
      rng_(rng),
      ports_(std::move(ports)),
      tcp_(std::move(parts.tcp)),
      gather_(parts.gather),
      node_(std::move(parts.config), crypto::shipped_suite(), rng, std::move(parts.identity), std::move(parts.hosts),
            std::move(parts.memory)),
      hosts_file_(std::move(parts.hosts_file)),
      key_file_(std::move(parts.key_file)),
      lan_wanted_(parts.lan),
      network_(parts.network),
      loop_(loop),
      opener_wanted_(parts.port_mapping),
      relay_(parts.relay),
      candidate_(std::move(parts.candidate)),
      dialler_(loop),
      turn_login_(std::move(parts.turn_login)),
      sound_(loop, node_, std::move(parts.sound_config), [this] { pump(); }) {
  if (relay_ == RelayMode::automatic) sent_to_ = std::make_unique<SentTo>();
  if (!parts.turn) return;
  parts.turn->allowance = &allowance_;
  turn_ = std::make_unique<TurnService>(
      loop, rng, ports_, tcp_.get(), std::move(*parts.turn), [this](Time read_at) { passed_on(read_at); },
      [this] { return node_.stun_servers(); });
}

Driver::~Driver() = default;

std::optional<nat::turn::Status> Driver::turn() const { return turn_ ? std::optional(turn_->status()) : std::nullopt; }

std::optional<TurnCarrierStatus> Driver::turn_carrier() const {
  return carrier_ ? std::optional(carrier_->status()) : std::nullopt;
}

std::vector<node::FitnessCheck> Driver::fitness() const {
  return candidacy_ ? candidacy_->checks() : std::vector<node::FitnessCheck>();
}

void Driver::start(std::function<void(const node::Event&)> listener, std::function<void()> every_second) {
  listener_ = std::move(listener);
  every_second_ = std::move(every_second);
  timeout_ = loop_.alarm([this] {
    timeout_->set(now() + kMendAfter);  // stands when memory is out before pump() sets the right one
    handle_timeout();
  });
  second_ = loop_.alarm([this] { second(); });
  ports_.start(loop_, ears());
  if (tcp_) {
    tcp_->start(
        loop_,
        [this](const Datagram& d) {
          // What comes by a stream of our own proves nothing about what comes in.
          if (!tcp_->came_in(d.from) || !proves(d)) node_.handle_datagram(now(), d);
        },
        [this] { pump(); },
        {[this](const Endpoint& at) { return node_.peer().stands_on(at); },
         [this](const Endpoint& at) { return node_.peer().tries(at); }});
  }
  node_.start(now(), wall());
  start_lan();
  start_opener();
  start_reach();
  start_carrier();
  interfaces_ = InterfaceWatch::open(loop_, [this] { network_changed(); });
  if (!interfaces_) log_warn("changes of the network interfaces will not be noticed");
  second();
}

UdpPorts::Ears Driver::ears() {
  UdpPorts::Ears out;
  out.first = [this](Time read_at, const Datagram& d) {
    read_at_ = read_at;
    return turn_ && turn_->take(read_at, d);
  };
  out.passed = [this] {
    if (turn_) turn_->passed();
    passed_on(read_at_);
  };
  out.forward = [this](Time read_at, const Datagram& d) { return node_.forward(read_at, d.from, d.bytes); };
  out.beside = [this](const Transmit& t) {
    if (!tcp_) return;
    tcp_->send(t);
    tcp_->flush();
  };
  out.receive = [this](const Datagram& d) {
    if (!proves(d)) node_.handle_datagram(now(), d);
  };
  out.drained = [this] {
    pump();
    // What members say waits for the next frame anyway: while we mix it is read in heaps.
    if (const Time due = node_.conference_due(); due != kNever)
      loop_.rest_until(std::min(due, now() + Loop::kLongestRest));
  };
  return out;
}

void Driver::passed_on(Time read_at) {
  if (gather_ > Duration{}) loop_.rest_until(read_at + gather_);
}

node::CommandId Driver::command(const node::Command& command) {
  const node::CommandId id{++last_command_};
  node_.command(now(), id, command);
  if (lan_ && std::holds_alternative<node::command::Leave>(command)) lan_->leave();
  loop_.post([this] { pump(); });
  return id;
}

void Driver::pump() {
  // However this is left (memory may be out), the node gets its next turn.
  struct NextTurn {
    Driver& driver;
    ~NextTurn() { driver.timeout_->set(driver.node_.next_timeout()); }
  } const turn{*this};
  drain_events();
  tend_urgency();
  announce();
  while (auto transmit = node_.poll_transmit()) {
    if (transmit->to.socket == overlay::kByTurn) {
      if (carrier_) carrier_->send(*transmit);
    } else if (tcp_ && transmit->to.transport != Transport::udp) {
      tcp_->send(*transmit);
    } else {
      if (sent_to_) sent_to_->add(transmit->to.ip);
      ports_.send(std::move(*transmit));
    }
  }
  while (const auto shot = node_.poll_fan()) {
    if (fan_) fan_->send(shot->socket, shot->datagram);
  }
  ports_.flush();
  if (tcp_) tcp_->flush();
  if (carrier_) carrier_->flush();
}

// On the address of the socket by which an IPv4 datagram leaves.
void Driver::open_fan(std::size_t sockets) {
  const auto anywhere = IpAddress::v4(0);
  const auto usual = node::usual_socket(ports_.sockets(), IpAddress::v4(192, 0, 2, 1));
  const auto at = usual ? ports_.sockets()[*usual].ip : anywhere;
  const auto receive = [this](std::size_t socket, const Datagram& d) { fan_heard(socket, d); };
  fan_ = std::make_unique<UdpFan>(loop_, at, sockets, receive);
  log_info("Looking for a way through a symmetric NAT from " + std::to_string(fan_->size()) + " sockets.");
  node_.fan_opened(now(), fan_->size());
  pump();
}

void Driver::fan_heard(std::size_t socket, const Datagram& datagram) {
  if (node_.fan_heard(now(), socket, datagram)) {
    const auto number = ports_.adopt(loop_, fan_->take(socket));
    if (number) {
      auto from = datagram.from;
      from.socket = *number;
      node_.handle_datagram(now(), Datagram{from, datagram.bytes});
    }
  }
  pump();
}

void Driver::drain_events() {
  while (auto event = node_.poll_event()) {
    on_event(*event);
    if (listener_) listener_(*event);
    if (const auto* started = std::get_if<node::event::AudioStart>(&*event)) sound_.start(started->call);
  }
  store_floors();
}

void Driver::on_event(const node::Event& event) {
  announce_ = announce_ || std::holds_alternative<node::event::StatusChanged>(event);
  if (std::holds_alternative<node::event::Left>(event)) {
    if (opener_) opener_->stop();
    if (carrier_) carrier_->stop();
  }
  if (const auto* people = std::get_if<node::event::SavePeople>(&event)) {
    unsaved_.insert(unsaved_.end(), people->changes.begin(), people->changes.end());
    store_people();
  } else if (const auto* sequence = std::get_if<node::event::SaveSequence>(&event)) {
    unsaved_sequence_ = sequence->below;
    store_sequence();
  } else if (const auto* kept = std::get_if<node::event::SaveFloor>(&event)) {
    unsaved_floors_.push_back(kept->floor);
  } else if (const auto* relayed = std::get_if<node::event::SaveRelayed>(&event)) {
    candidate_.relayed = relayed->month;
    warn_when(store_.save_relayed(relayed->month));
  } else if (std::holds_alternative<node::event::SaveHostCache>(event)) {
    hosts_changed_ = true;
  } else if (std::holds_alternative<node::event::SaveIdentity>(event)) {
    warn_when(key_file_.save(rng_, node_.identity()));
  } else if (std::holds_alternative<node::event::ProbeNat>(event)) {
    if (!probe_) run_probe(false, {});
  } else if (const auto* measure = std::get_if<node::event::MeasureBinding>(&event)) {
    loop_.post([this, server = measure->server] { measure_binding(server); });
  } else if (const auto* fan = std::get_if<node::event::OpenFan>(&event)) {
    loop_.post([this, n = fan->sockets] { open_fan(n); });
  } else if (std::holds_alternative<node::event::MeasureMixer>(event)) {
    loop_.post([this] { measure_mixer(); });
  } else if (const auto* load = std::get_if<node::event::ConferenceLoad>(&event)) {
    log_load(*load);
  } else if (std::holds_alternative<node::event::CloseFan>(event)) {
    loop_.post([this] { fan_.reset(); });  // it may be reading
  } else if (const auto* unneeded = std::get_if<node::event::CloseSocket>(&event)) {
    loop_.post([this, number = unneeded->number] { ports_.close(number); });
  } else if (const auto* stop = std::get_if<node::event::AudioStop>(&event)) {
    sound_.stop(stop->call);
  } else if (const auto* role = std::get_if<node::event::RoleChanged>(&event)) {
    loop_.post([this, role = role->role] { role_changed(role); });
  } else if (const auto* dial = std::get_if<node::event::Dial>(&event)) {
    dialler_.dial({dial->to, dial->nonce});
  } else if (const auto* ended = std::get_if<node::event::CallEnded>(&event)) {
    const auto& s = ended->summary;
    sound_.stop(s.id);
    warn_when(store_.add_history(
        {s.started, s.direction, s.peer.text(), std::string(to_string(s.result)), s.text, summary_line(s)}));
  }
}

bool Driver::probe(Probing ears) {
  if (probe_ && probing_tcp_) return false;
  run_probe(true, std::move(ears));
  return true;
}

void Driver::run_probe(bool tcp, Probing ears) {
  probing_tcp_ = tcp;
  auto done = [this, tell = std::move(ears.done)](node::Probed found) {
    // A later run has taken the place of this one.
    if (!probe_ || (probing_tcp_ && !found.tried_tcp)) return;
    probe_.reset();
    probing_tcp_ = false;
    node_.probed(now(), found);
    if (tell) tell(std::move(found));
    pump();
  };
  probe_ = std::make_unique<NetProbe>(loop_, rng_, node_.stun_servers(), tcp,
                                      Probing{std::move(ears.step), std::move(done)});
  probe_->start();
}

void Driver::measure_binding(const Endpoint& server) {
  const auto run = ++lives_;
  auto found = [this, run](const nat::BindingLife::Found& what) {
    if (run != lives_) return;  // a later one has taken its place
    if (what.finished || what.failed) life_.reset();
    node_.binding_found(now(), what);
    pump();
  };
  life_ = std::make_unique<LifeProbe>(loop_, rng_, server, std::move(found));
  if (life_->start()) return;
  life_.reset();
  node_.binding_found(now(), {{}, {}, false, true});
}

// What cannot be stored now is tried again every second: the person knows already, and the next one may need it.
void Driver::store_people() {
  if (unsaved_.empty()) return;
  const auto saved = store_.save_people(unsaved_);
  store_trouble_ = saved ? std::nullopt : std::optional(saved.error());
  if (saved) {
    unsaved_.clear();
  } else if (unsaved_.size() > kMaxUnsaved) {
    unsaved_.erase(unsaved_.begin(), unsaved_.end() - kMaxUnsaved);
  }
  warn_when(saved);
}

// A record is not made before its sequence is stored: after a crash it would be used again.
void Driver::store_sequence() {
  if (!unsaved_sequence_) return;
  const auto saved = store_.save_sequence(*unsaved_sequence_);
  warn_when(saved);
  if (!saved) return;
  const auto below = *unsaved_sequence_;
  unsaved_sequence_.reset();
  node_.sequence_stored(now(), below);
}

// Those of one turn together. A full disk is said once; what a supernode then forgets over a restart, others remember.
void Driver::store_floors() {
  if (unsaved_floors_.empty()) return;
  const auto saved = store_.save_floors(unsaved_floors_);
  if (!saved && !floors_failed_) warn_when(saved);
  floors_failed_ = !saved;
  unsaved_floors_.clear();
}

void Driver::start_lan() {
  if (!lan_wanted_) return;
  LanDiscovery::Ears ears;
  ears.heard = [this](const overlay::Neighbour& n) { node_.handle_neighbour(now(), n); };
  ears.lost = [this](const overlay::Neighbour& n) { node_.neighbour_lost(now(), n); };
  ears.done = [this] { pump(); };
  ears.met = [this](const overlay::LanText& n) { return node_.peer().met(n); };
  lan_ = std::make_unique<LanDiscovery>(loop_, rng_, network_, ports_.bound(), std::move(ears));
  lan_->start();
}

void Driver::start_carrier() {
  if (!turn_login_) return;
  TurnCarrier::Ears ears;
  ears.receive = [this](const Datagram& d) { node_.handle_datagram(now(), d); };
  ears.changed = [this](std::optional<node::TurnPlace> place) {
    node_.set_turn(now(), std::move(place));
    loop_.post([this] { pump(); });
  };
  ears.drained = [this] { pump(); };
  carrier_ = std::make_unique<TurnCarrier>(loop_, rng_, *turn_login_, std::move(ears));
  carrier_->start();
}

void Driver::network_changed() {
  if (opener_) {
    opener_->rescan();
    opener_->doubt();
  }
  if (reach_) {
    reach_->set(ports_.reachable());
    reach_->doubt();
  }
  if (carrier_) carrier_->addresses_changed();
  if (lan_) lan_->rescan();
  forget_line();
  node_.handle_addresses(now(), ports_.reachable());
  if (turn_) turn_->addresses_changed();
  pump();
}

void Driver::announce() {
  if (!lan_ || !std::exchange(announce_, false)) return;
  lan_->announce(node_.peer().lan_text());
}

// Circuits and TURN draw on one month: what TURN carried goes to the node, and what is left comes back.
void Driver::count_turn() {
  if (!turn_) return;
  const auto bytes = turn_->carried();
  node_.relayed_beside(now(), bytes - std::exchange(turn_counted_, bytes));
  const auto relay = node_.peer().relay_status();
  if (!relay || !relay->month_bytes) return;
  allowance_.bytes = *relay->month_bytes - std::min(*relay->month_bytes, relay->month.bytes);
}

// Of a supernode that nobody from elsewhere knows, nor it anybody.
std::optional<IpAddress> Driver::lan_place() const {
  const auto place = node_.peer().place();
  const auto others = node_.stun_servers();
  const bool beyond = std::any_of(others.begin(), others.end(), [](const Endpoint& at) { return at.ip.is_global(); });
  return place && !beyond ? std::optional(place->ip) : std::nullopt;
}

void Driver::second() {
  second_->set(now() + std::chrono::seconds(1));
  count_turn();
  store_sequence();
  store_people();
  node_.handle_wall(now(), wall());
  if (turn_) {
    turn_->handle_wall(now(), node_.peer().wall(now()));
    turn_->set_told(lan_place());
  }
  // Who cannot at all will hear it from the call.
  if (seconds_ == 0 && media::Srtp::prepare() && !media::Srtp::fast())
    log_warn("libsrtp2 did not take the ciphers of libcrypto: calls work, but voice takes more of the processor.");
  // By the median of supernodes' clocks, once there was time to hear it.
  if (++seconds_ > kFloorsKeptFrom) warn_when(store_.purge_floors(node_.peer().wall(now())));
  announce_ = true;
  look_where_seen();
  if (candidacy_) {
    candidacy_->set_month_left(month_left());
    candidacy_->every_second();
  }
  spare_strangers();
  if (carrier_) carrier_->every_second();
  pump();
  // A sync to disk may take longer than a tick of sound: the cache can wait.
  if (hosts_changed_ && !sound_.running()) save_hosts();
  if (every_second_) every_second_();
}

void Driver::save_hosts() {
  hosts_changed_ = false;
  warn_when(io::save_hosts(hosts_file_, node_.host_cache()));
}

}  // namespace linnet::io
