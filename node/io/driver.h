// Drives one node::Node on a real machine: stamps the time, feeds datagrams, drains events and then transmits, arms one
// alarm at next_timeout(). What must be stored is stored before the datagrams that rest on it leave.
#pragma once

#include <functional>
#include <map>

#include "node/io/net/lan.h"
#include "node/io/net/tcp_ports.h"
#include "node/io/net/udp_ports.h"
#include "node/io/random.h"
#include "node/io/sound/sound.h"
#include "node/io/sound/wav_recorder.h"
#include "node/io/store/key_file.h"
#include "node/io/store/store.h"

namespace linnet::io {

class Driver {
 public:
  struct Parts {
    node::NodeConfig config;
    crypto::Identity identity;
    overlay::HostCache hosts;
    node::Memory memory;
    std::filesystem::path hosts_file;
    KeyFile key_file;
    SoundPlan sound;                // of calls that bring no plan of their own
    std::unique_ptr<TcpPorts> tcp;  // none: UDP alone
    SoundConfig sound_config;
    bool lan = false;  // look for neighbours on the links of this machine, in this network
    crypto::NetworkId network;
  };

  // Loop, store and rng outlive the driver.
  Driver(Loop& loop, Store& store, Rng& rng, UdpPorts ports, Parts parts);

  // `listener` hears every event after the driver has done its own part with it.
  void start(std::function<void(const node::Event&)> listener, std::function<void()> every_second);

  node::CommandId next_command() { return node::CommandId{last_command_ + 1}; }
  node::CommandId command(const node::Command& command);
  // To be used when this call's sound starts. Call it at the latest from the listener.
  void plan_sound(node::CallId call, SoundPlan plan);
  // Whether there are sound devices: answered later, on the loop.
  void ask_sound(std::function<void(Done)> answer) { sound_.present(std::move(answer)); }
  std::vector<Sound::InUse> sound_in_use() const { return sound_.in_use(); }
  // What is to be told to the person who speaks.
  void on_sound(std::function<void(node::CallId, const std::string&)> said) { said_ = std::move(said); }

  // Of calls that bring no plan of their own, from now on.
  void use_sound(SoundPlan plan) { default_sound_ = std::move(plan); }
  // Whether this call is heard through the sound card.
  bool aloud(node::CallId call) const;

  Sound& sound() { return sound_; }
  node::Node& node() { return node_; }
  const UdpPorts& ports() const { return ports_; }
  const TcpPorts* tcp() const { return tcp_.get(); }
  RecordingNames& recordings() { return recordings_; }
  void save_hosts();
  // Why the last change about people is not on the disk, if it is not.
  const std::optional<Trouble>& store_trouble() const { return store_trouble_; }

 private:
  void pump();
  void drain_events();
  void on_event(const node::Event& event);
  void start_sound(node::CallId call);
  void second();
  void start_lan();
  void announce();
  void store_people();
  void store_sequence();

  static constexpr std::size_t kMaxUnsaved = 4096;

  Store& store_;
  Rng& rng_;
  UdpPorts ports_;
  std::unique_ptr<TcpPorts> tcp_;
  node::Node node_;
  std::filesystem::path hosts_file_;
  KeyFile key_file_;
  SoundPlan default_sound_;
  RecordingNames recordings_;
  std::map<node::CallId, SoundPlan> plans_;
  bool hosts_changed_ = false;
  std::vector<node::Change> unsaved_;  // the disk was full
  std::optional<std::uint64_t> unsaved_sequence_;
  std::optional<Trouble> store_trouble_;
  std::uint64_t last_command_ = 0;
  std::function<void(const node::Event&)> listener_;
  std::function<void()> every_second_;
  std::function<void(node::CallId, const std::string&)> said_;
  std::unique_ptr<Loop::Alarm> timeout_;
  std::unique_ptr<Loop::Alarm> second_;
  bool lan_wanted_;
  bool announce_ = true;  // what we say of ourselves may have changed
  crypto::NetworkId network_;
  Loop& loop_;
  std::unique_ptr<LanDiscovery> lan_;  // null: off
  Sound sound_;
};

}  // namespace linnet::io
