#include "node/io/daemon.h"

#include <algorithm>
#include <csignal>

#include "node/io/clock.h"
#include "node/io/control/metrics_text.h"
#include "node/io/control/service.h"
#include "node/io/log.h"
#include "node/io/net/metrics_port.h"
#include "node/io/net/name_watch.h"
#include "node/io/net/own_domain.h"
#include "node/io/net/resolver.h"
#include "node/io/net/routes.h"
#include "node/io/net/turn_carrier.h"
#include "node/io/notify.h"
#include "node/io/reserve.h"
#include "node/io/settings/reload.h"
#include "node/io/sound/sound_choice.h"
#include "node/io/store/hosts_file.h"
#include "node/io/store/key_file.h"
#include "overlay/ways.h"

namespace linnet::io {
namespace {

constexpr Duration kResolve = std::chrono::seconds(3);

struct Keys {
  KeyFile file;
  crypto::Identity identity;
  bool fresh = false;
};

using Loaded = std::optional<std::pair<KeyFile, crypto::Identity>>;

Outcome<Keys> keys(const Home& home, Loaded loaded, Rng& rng, const std::string& user) {
  if (!loaded) {
    auto made = create_identity_file(home.identity(), rng, {}, user, wall());
    if (!made) return tl::unexpected(made.error());
    return Keys{KeyFile(home.identity()), std::move(*made), true};
  }
  Keys out{std::move(loaded->first), std::move(loaded->second), false};
  if (!crypto::needs_renewal(out.identity.certificate, wall())) return out;
  crypto::renew_certificate(crypto::shipped_suite(), out.identity, wall());
  if (auto saved = out.file.save(rng, out.identity); !saved) return tl::unexpected(saved.error());
  return out;
}

Outcome<HomeLock> lock(const Home& home) {
  auto taken = HomeLock::take(home);
  if (!taken) return tl::unexpected(taken.error());
  if (*taken) return std::move(**taken);
  std::string who;
  if (const auto link = connect_control(home.control()); link && *link)
    who = " (process " + std::to_string((*link)->pid) + ")";
  return trouble("A daemon runs on " + home.data.string() + " already" + who + ".\n  Stop it: linnet down");
}

// Where to join through, with names that only the proxy may know.
std::vector<Endpoint> joined(std::vector<Endpoint> found, Routes& routes, const std::vector<std::string>& names) {
  const auto named = routes.stand_in(names);
  found.insert(found.end(), named.begin(), named.end());
  return found;
}

std::vector<Endpoint> of_convention(std::vector<Endpoint> among) {
  std::erase_if(among, [](const Endpoint& e) { return e.port != overlay::kTlsPort && e.port != overlay::kWebPort; });
  return among;
}

// Where a leaf takes streams, as others reach it.
std::vector<Endpoint> told_streams(const UdpPorts& ports, const TcpPorts& tcp) {
  const auto listened = tcp.bound();
  auto out = of_convention(ports.reachable());
  std::erase_if(out, [&](const Endpoint& at) {
    return std::none_of(listened.begin(), listened.end(), [&](const Endpoint& l) { return l.port == at.port; });
  });
  for (auto& at : out) at.transport = at.port == overlay::kTlsPort ? Transport::tls : Transport::tcp;
  return out;
}

// What a partner supernode needs to know of us, where we have one address that others reach.
std::optional<node::OneAddress> one_address(UdpPorts& ports, const Settings& settings) {
  node::OneAddress out;
  out.policy = settings.relay_policy();
  const auto reachable = ports.reachable();
  if (reachable.empty() || !out.policy.allows(reachable.front().ip)) return std::nullopt;
  out.primary = reachable.front();
  const auto second = ports.bind_for_partner(out.primary);
  if (!second) return std::nullopt;
  out.second_port = *second;
  for (const auto port : {out.primary.port, out.second_port}) out.policy.own.push_back({out.primary.ip, port});
  return out;
}

std::unique_ptr<TcpPorts> streams(const UdpPorts& ports, bool serves, const Routes& routes) {
  auto out = std::make_unique<TcpPorts>();
  out->set_route([&routes](const Endpoint& to) { return routes.to(to); });
  if (!serves) {
    // A leaf is reached through its supernodes; one that was told to listen on a port of convention takes streams
    // there, of people in calls whose networks let nothing else out.
    if (const auto open = out->listen(of_convention(ports.bound())); !open) log_info(open.error().text);
    return out;
  }
  if (const auto open = out->listen(ports.bound()); !open) log_warn(open.error().text);
  if (const auto open = out->listen(ports_of_convention(ports.bound())); !open) log_info(open.error().text);
  return out;
}

// `settings` outlive the driver.
Driver::Candidate candidate(const Settings& settings) {
  Driver::Candidate out;
  out.limits.stable = std::chrono::seconds(settings.stable_s);
  out.limits.idle = settings.idle_percent / 100.0;
  out.conventional = ports_of_convention;
  out.second_address = [&settings](UdpPorts& ports) -> std::optional<node::OneAddress> {
    if (const auto open = ports.bind_for_discovery(); !open) log_info(open.error().text);
    return one_address(ports, settings);
  };
  return out;
}

// Nothing: whoever answers.
std::shared_ptr<const TlsTrust> turn_trust(const Settings& settings, const TurnUri& server) {
  if (server.transport != Transport::tls) return nullptr;
  if (settings.turn_insecure) return nullptr;
  return std::make_shared<TlsTrust>(TlsTrust{server.host, settings.turn_ca, settings.turn_fingerprint});
}

std::shared_ptr<const TurnLogin> turn_login(const Settings& settings, const Routes& routes) {
  const auto server = TurnUri::parse(settings.turn_server);
  if (!server) return nullptr;
  return std::make_shared<TurnLogin>(
      TurnLogin{*server,
                {settings.turn_user, settings.turn_password},
                turn_trust(settings, *server),
                [&routes](const overlay::ProxyTarget& target) { return routes.by_proxy(target); }});
}

// What calls without files of their own are spoken and heard with. Without any sound device the node still answers.
Outcome<SoundPlan> usual_sound(const Settings& settings) {
  return make_plan(settings.sound, settings.play, settings.record);
}

}  // namespace

struct Daemon::Impl {
  Impl(HomeLock held, Store opened, const Settings& s)
      : home_lock(std::move(held)), settings(s), store(std::move(opened)) {}

  MemoryReserve reserve;
  HomeLock home_lock;
  Settings settings;
  SystemRng rng;
  Store store;
  Loop loop;
  Started started;
  std::unique_ptr<Driver> driver;
  std::unique_ptr<Service> service;
  std::unique_ptr<ControlSocket> control;
  std::unique_ptr<Routes> routes;
  std::unique_ptr<NameWatch> names;
  std::unique_ptr<NameWatch> own_domain;  // asked for when nobody else answers; null: DNS does not know it
  std::unique_ptr<NameWatch> proxy_name;
  std::unique_ptr<Watchdog> watchdog;
  std::unique_ptr<MetricsPort> metrics;  // null: nobody asked for figures
  Reread reread;
  unsigned alone_for = 0;                  // seconds
  std::vector<Endpoint> named, of_domain;  // where to join: by the settings, by the records of the own domain

  void reload();
  void tell_bootstrap();
  void ask_own_domain(bool alone);
};

void Daemon::Impl::tell_bootstrap() {
  auto all = named;
  all.insert(all.end(), of_domain.begin(), of_domain.end());
  driver->node().set_bootstrap(std::move(all));
}

// About once a second. The name server of each network that we come to would hear whose we are: so only where nobody
// was ever met, or all that are remembered have been silent for long.
void Daemon::Impl::ask_own_domain(bool alone) {
  constexpr unsigned kLong = 600;
  alone_for = alone ? alone_for + 1 : 0;
  if (!own_domain) return;
  own_domain->every_second(alone && (alone_for >= kLong || driver->node().host_cache().hosts().empty()));
}

// Takes over what a running node can; says what changed, what waits for a restart, or why everything stays as it is.
void Daemon::Impl::reload() {
  if (!reread) return;
  notify_reloading();
  const auto kept = [](const Trouble& why) {
    log_error(why.text + " Kept the running settings.");
    notify_supervisor("READY=1\nSTATUS=" + why.text.substr(0, why.text.find('\n')) + " Kept the running settings.");
  };
  const auto read = reread();
  if (!read) return kept(read.error());
  auto sound = usual_sound(*read);
  if (!sound) return kept(sound.error());
  const Changes changes = compare(settings, *read);
  const bool renamed = settings.bootstrap != read->bootstrap;
  settings = take_over(settings, *read);
  set_log_level(settings.log_level);
  driver->node().reconfigure(settings.node_config());
  driver->sound().use(std::move(*sound));
  if (renamed) names->rename(settings.bootstrap);
  service->reloaded();
  log_info(changes.text());
  notify_supervisor("READY=1\nSTATUS=" + changes.text());
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;
const Daemon::Started& Daemon::started() const { return impl_->started; }

Outcome<std::unique_ptr<Daemon>> Daemon::start(const Home& home, const Settings& settings, const std::string& user,
                                               const AskPassphrase& ask, Reread reread) {
  if (auto made = make_home(home); !made) return tl::unexpected(made.error());
  auto held = lock(home);
  if (!held) return tl::unexpected(held.error());
  auto loaded = KeyFile::load(home.identity(), ask);
  if (!loaded) return tl::unexpected(loaded.error());
  auto store = Store::open(home.store());
  if (!store) return tl::unexpected(store.error());
  auto memory = store->memory();
  if (!memory) return tl::unexpected(memory.error());
  const auto sequence = store->sequence();
  if (!sequence) return tl::unexpected(sequence.error());
  const auto relayed = store->relayed();
  if (!relayed) return tl::unexpected(relayed.error());
  auto floors = store->floors(Wall{0});  // none has ended: our clock alone does not say so
  if (!floors) return tl::unexpected(floors.error());
  auto sound = usual_sound(settings);
  if (!sound) return tl::unexpected(sound.error());
  auto ports = UdpPorts::open(settings.listen);
  if (!ports) return tl::unexpected(ports.error());
  // Last of what can fail: nobody gets an identity from a start that failed, and is not told of it.
  SystemRng rng;
  auto who = keys(home, std::move(*loaded), rng, user);
  if (!who) return tl::unexpected(who.error());
  auto routes = std::make_unique<Routes>(settings.proxy == "off" ? "" : settings.proxy, settings.no_proxy);
  if (!settings.proxy.empty() && settings.proxy != "off" && !routes->proxied())
    log_warn(
        "The environment names a proxy of a kind that is not spoken here (http:// and socks5:// are): none is used.");
  if (const auto name = routes->proxy_name(); !name.empty()) routes->proxy_found(resolve({name}, kResolve).endpoints);
  auto bootstrap = resolve(settings.bootstrap, kResolve);

  auto impl = std::make_unique<Impl>(std::move(*held), std::move(*store), settings);
  impl->routes = std::move(routes);
  impl->started =
      Started{who->identity.address, who->identity.key_name(), ports->bound(), who->fresh, std::move(bootstrap.failed)};
  Driver::Parts parts;
  parts.config = settings.node_config();
  if (parts.config.peer.role == overlay::Role::supernode) {
    if (const auto open = ports->bind_for_discovery(); !open)
      log_warn("NAT behaviour is not told to those who ask: " + open.error().text);
    parts.config.one_address = one_address(*ports, settings);
    parts.config.peer.second_port = parts.config.one_address ? parts.config.one_address->second_port : 0;
  }
  parts.config.sockets = ports->sockets();
  parts.config.peer.listen = ports->reachable();
  const auto wide = ports->beyond_loopback();
  parts.config.peer.port = wide.value_or(0);
  if (!wide) parts.config.peer.lan = overlay::LanMode::off;  // no link hears us
  parts.lan = parts.config.peer.lan != overlay::LanMode::off;
  parts.network = parts.config.peer.network;
  impl->named = joined(std::move(bootstrap.endpoints), *impl->routes, settings.bootstrap);
  parts.config.peer.bootstrap = impl->named;
  parts.config.peer.first_sequence = *sequence;
  parts.config.peer.relayed = *relayed;
  parts.config.peer.floors = std::move(*floors);
  parts.config.peer.report_floors = true;
  parts.identity = std::move(who->identity);
  parts.hosts = load_hosts(home.hosts());
  parts.memory = std::move(*memory);
  parts.hosts_file = home.hosts();
  parts.key_file = std::move(who->file);
  parts.turn = settings.turn_config();
  parts.turn_login = turn_login(settings, *impl->routes);
  if (!settings.metrics.empty()) {
    auto metrics = MetricsPort::open(impl->loop, *parse_endpoint(settings.metrics),
                                     [self = impl.get()] { return metrics_text(*self->driver); });
    if (!metrics) return tl::unexpected(metrics.error());
    impl->metrics = std::move(*metrics);
    log_info("figures at http://" + shown({impl->metrics->bound().to_string()}) + "/metrics");
  }
  parts.relay = settings.relay;
  parts.candidate = candidate(impl->settings);
  parts.candidate.month_bytes = parts.config.peer.month_bytes;
  parts.candidate.relayed = parts.config.peer.relayed;
  parts.tcp = streams(*ports, parts.turn || parts.config.peer.role == overlay::Role::supernode, *impl->routes);
  const auto taken = told_streams(*ports, *parts.tcp);
  parts.config.peer.tcp = true;
  parts.gather = std::chrono::microseconds(settings.gather_us);
  parts.port_mapping = settings.port_mapping;
  parts.config.peer.proxy = impl->routes->proxied();
  parts.sound_config.usual = std::move(*sound);
  parts.sound_config.processing = settings.sound_processing;
  parts.sound_config.choice = [file = home.sound(), configured = settings.sound_choice] {
    return load_sound_choice(file).value_or(configured);
  };
  impl->driver = std::make_unique<Driver>(impl->loop, impl->store, impl->rng, std::move(*ports), std::move(parts));
  impl->service = std::make_unique<Service>(impl->loop, *impl->driver, impl->store, impl->settings);
  Service* service = impl->service.get();
  auto control = ControlSocket::open(impl->loop, home.control(),
                                     {[service](ClientId c, std::string_view line) { service->on_line(c, line); },
                                      [service](ClientId c) { service->on_closed(c); }});
  if (!control) return tl::unexpected(control.error());
  impl->control = std::move(*control);
  service->attach(*impl->control);
  Impl* self = impl.get();
  impl->reread = std::move(reread);
  impl->names = std::make_unique<NameWatch>(impl->loop, settings.bootstrap, [self](std::vector<Endpoint> found) {
    self->named = joined(std::move(found), *self->routes, self->settings.bootstrap);
    self->tell_bootstrap();
  });
  if (const auto domain = domain_in_dns(self->started.uri.domain()))
    impl->own_domain = std::make_unique<NameWatch>(
        impl->loop, std::vector{*domain},
        [self](std::vector<Endpoint> found) {
          self->of_domain = std::move(found);
          self->tell_bootstrap();
        },
        [](const std::vector<std::string>& names) {
          return supernodes_of(names.front(), kResolve,
                               [](const std::string& name, Duration limit) { return find_services(name, limit); });
        });
  if (const auto name = impl->routes->proxy_name(); !name.empty())
    impl->proxy_name = std::make_unique<NameWatch>(
        impl->loop, std::vector{name}, [self](std::vector<Endpoint> found) { self->routes->proxy_found(found); });
  impl->loop.on_signals({SIGTERM, SIGINT, SIGHUP},
                        [self](int number) { number == SIGHUP ? self->reload() : self->service->leave(); });
  std::signal(SIGPIPE, SIG_IGN);
  impl->driver->start([service](const node::Event& event) { service->on_event(event); },
                      [self] {
                        const bool alone = self->driver->node().status(now()).state == overlay::State::alone;
                        self->names->every_second(alone);
                        self->ask_own_domain(alone);
                        if (self->proxy_name) self->proxy_name->every_second(alone);
                        self->service->every_second();
                      });
  impl->driver->node().set_streams(taken);
  return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

void Daemon::run() {
  for (const auto& name : impl_->started.unresolved) log_warn("no address for a bootstrap node: " + shown({name}));
  log_info("listening");
  if (impl_->driver->turn() && impl_->settings.allow_loopback)
    log_warn("TURN clients may reach this machine's own loopback addresses (--relay-allow-loopback): for tests only.");
  if (impl_->settings.turn_insecure && !impl_->settings.turn_server.empty())
    log_warn(
        "The certificate of the TURN server is not looked at (turn-client.insecure): who stands between can try to "
        "guess the password.");
  notify_supervisor("READY=1");
  impl_->watchdog = std::make_unique<Watchdog>(impl_->loop);
  impl_->loop.run();
  impl_->driver->save_hosts();
  log_info("down");
}

}  // namespace linnet::io
