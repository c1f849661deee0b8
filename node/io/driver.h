// Drives one node::Node on a real machine: stamps the time, feeds datagrams, drains events and then transmits, arms one
// alarm at next_timeout(). What must be stored is stored before the datagrams that rest on it leave.
#pragma once

#include <functional>

#include "nat/turn_config.h"
#include "nat/turn_counters.h"
#include "node/io/candidacy.h"
#include "node/io/mixer_means.h"
#include "node/io/net/lan.h"
#include "node/io/net/life_probe.h"
#include "node/io/net/net_probe.h"
#include "node/io/net/port_opener.h"
#include "node/io/net/reach_watch.h"
#include "node/io/net/tcp_dialler.h"
#include "node/io/net/tcp_ports.h"
#include "node/io/net/udp_fan.h"
#include "node/io/net/udp_ports.h"
#include "node/io/random.h"
#include "node/io/relay_mode.h"
#include "node/io/sent_to.h"
#include "node/io/sound/sound.h"
#include "node/io/store/key_file.h"
#include "node/io/store/store.h"
#include "node/io/uplink_measure.h"
#include "node/io/urgency.h"

namespace linnet::io {

class TurnCarrier;
class TurnService;
struct TurnCarrierStatus;
struct TurnLogin;

class Driver {
 public:
  // A leaf that may become a supernode.
  struct Candidate {
    node::Fitness::Limits limits;
    std::optional<std::uint64_t> month_bytes;  // that may be relayed
    overlay::RelayedMonth relayed;             // that were
    // What a supernode has beside a leaf: ports of convention at these addresses, and a second one for discovery.
    std::function<std::vector<Endpoint>(const std::vector<Endpoint>&)> conventional;
    std::function<std::optional<node::OneAddress>(UdpPorts&)> second_address;
  };
  struct Parts {
    node::NodeConfig config;
    crypto::Identity identity;
    overlay::HostCache hosts;
    node::Memory memory;
    std::filesystem::path hosts_file;
    KeyFile key_file;
    std::unique_ptr<TcpPorts> tcp;                // none: UDP alone
    std::optional<nat::turn::ServerConfig> turn;  // none: no TURN is served
    std::shared_ptr<const TurnLogin> turn_login;  // none: no TURN server is used
    SoundConfig sound_config;
    bool lan = false;  // look for neighbours on the links of this machine, in this network
    crypto::NetworkId network;
    bool port_mapping = false;  // ask routers for ports
    Duration gather{};          // what is passed on may wait so long for more
    RelayMode relay = RelayMode::off;
    Candidate candidate;
  };

  // Loop, store and rng outlive the driver.
  Driver(Loop& loop, Store& store, Rng& rng, UdpPorts ports, Parts parts);
  ~Driver();

  // `listener` hears every event after the driver has done its own part with it.
  void start(std::function<void(const node::Event&)> listener, std::function<void()> every_second);

  // Its outcome comes later, never before this has returned.
  node::CommandId command(const node::Command& command);
  // Looks at the network in front of us now, TCP included; the node hears of it too. False: that is under way already.
  using Probing = NetProbe::Ears;
  bool probe(Probing ears);
  // The sound of a call starts after the listener heard AudioStart: it may plan it at the latest then.
  Sound& sound() { return sound_; }
  const Sound& sound() const { return sound_; }
  node::Node& node() { return node_; }
  const node::Node& node() const { return node_; }
  const UdpPorts& ports() const { return ports_; }
  const TcpPorts* tcp() const { return tcp_.get(); }
  std::optional<nat::turn::Status> turn() const;          // nothing: none is served
  std::optional<TurnCarrierStatus> turn_carrier() const;  // nothing: none is used
  // Whether this node serves others, until it is started anew.
  void set_relay_mode(RelayMode mode);
  RelayMode relay_mode() const { return relay_; }
  // What is asked of a supernode under RelayMode::automatic, and what was found of it; else empty.
  std::vector<node::FitnessCheck> fitness() const;
  std::optional<node::Fitness::Fit> fit() const { return candidacy_ ? candidacy_->fit() : std::nullopt; }
  void save_hosts();
  // Why the last change about people is not on the disk, if it is not.
  const std::optional<Trouble>& store_trouble() const { return store_trouble_; }

 private:
  void pump();
  UdpPorts::Ears ears();
  void passed_on(Time read_at);
  void drain_events();
  void on_event(const node::Event& event);
  void second();
  void close_second();
  void spare_strangers();
  void run_probe(bool tcp, Probing ears);
  void count_turn();
  std::optional<IpAddress> lan_place() const;
  void measure_binding(const Endpoint& server);
  void start_lan();
  void start_opener();
  std::vector<nat::DialBack::Server> provers() const;
  std::optional<std::uint16_t> stream_port(const IpAddress& local);
  void look_where_seen();
  bool proves(const Datagram& datagram);
  nat::ReachProof::Servers knockers() const;
  void ask_dial(const nat::DialBack::Ask& ask);
  void start_reach();
  void start_candidacy();
  bool month_left() const;
  void offer();
  void role_changed(overlay::Role role);
  void mappings_changed();
  bool reachable() const;
  void measure_mixer();
  void measure_line();
  void forget_line();
  void tell_means();
  void handle_timeout();
  void tend_urgency();
  void log_load(const node::event::ConferenceLoad& load) const;
  void start_carrier();
  void network_changed();
  void open_fan(std::size_t sockets);
  void fan_heard(std::size_t socket, const Datagram& datagram);
  void announce();
  void store_people();
  void store_sequence();
  void store_floors();

  static constexpr std::size_t kMaxUnsaved = 4096;

  Store& store_;
  Rng& rng_;
  UdpPorts ports_;
  std::unique_ptr<TcpPorts> tcp_;
  nat::turn::Allowance allowance_;  // before the service that draws on it
  std::uint64_t turn_counted_ = 0;  // bytes of TURN that the node knows of
  std::unique_ptr<TurnService> turn_;
  Duration gather_;
  Time read_at_{};  // what passes through
  node::Node node_;
  std::filesystem::path hosts_file_;
  KeyFile key_file_;
  bool hosts_changed_ = false;
  std::vector<node::Change> unsaved_;  // the disk was full
  std::optional<std::uint64_t> unsaved_sequence_;
  std::vector<dht::Floor> unsaved_floors_;
  bool floors_failed_ = false;
  unsigned seconds_ = 0;
  std::optional<Trouble> store_trouble_;
  std::uint64_t last_command_ = 0;
  std::function<void(const node::Event&)> listener_;
  std::function<void()> every_second_;
  std::unique_ptr<Loop::Alarm> timeout_;
  std::unique_ptr<Loop::Alarm> second_;
  bool lan_wanted_;
  bool announce_ = true;  // what we say of ourselves may have changed
  crypto::NetworkId network_;
  Loop& loop_;
  std::unique_ptr<LanDiscovery> lan_;  // null: off
  bool opener_wanted_;
  RelayMode relay_;
  Candidate candidate_;
  TcpDialler dialler_;
  std::unique_ptr<PortOpener> opener_;    // null: off
  std::vector<node::OpenPort> opened_;    // by routers
  std::unique_ptr<SentTo> sent_to_;       // since the start, of a leaf; null: it is not known to whom
  bool second_asked_ = false;             // a second address was opened, or could not be
  std::unique_ptr<ReachWatch> reach_;     // null: neither a supernode nor a candidate
  std::unique_ptr<Candidacy> candidacy_;  // of a candidate
  std::vector<IpAddress> seen_as_;        // by supernodes
  std::unique_ptr<InterfaceWatch> interfaces_;
  std::shared_ptr<const TurnLogin> turn_login_;
  std::unique_ptr<TurnCarrier> carrier_;  // null: no TURN server is used
  std::unique_ptr<UdpFan> fan_;           // while a search goes on
  Sound sound_;
  std::unique_ptr<MixerMeans> mixer_means_;  // since the first conference
  std::optional<MixerMeans::Found> mixer_found_;
  std::unique_ptr<UplinkMeasure> line_measure_;  // while it runs
  std::optional<Time> line_at_;                  // when it ended last
  std::optional<std::uint64_t> line_;            // bits a second, sent
  std::optional<node::ConferenceMeans> means_;   // told to the node
  Urgency urgency_;                              // while we mix
  bool urgency_said_ = false;
  std::unique_ptr<NetProbe> probe_;  // while it runs
  bool probing_tcp_ = false;
  std::unique_ptr<LifeProbe> life_;  // while it runs
  std::uint64_t lives_ = 0;          // how many have run
};

}  // namespace linnet::io
