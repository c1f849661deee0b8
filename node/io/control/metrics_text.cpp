#include "node/io/control/metrics_text.h"

#include <sys/resource.h>

#include <cstdio>

#include "node/io/clock.h"
#include "node/io/control/view_json.h"

namespace linnet::io {
namespace {

class Text {
 public:
  enum class Kind : std::uint8_t { gauge, counter };

  // What the following samples are of.
  Text& family(const char* name, Kind kind, const char* help) {
    name_ = name;
    out_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name +
            (kind == Kind::gauge ? " gauge\n" : " counter\n");
    return *this;
  }
  Text& sample(double value, const std::string& label = "", const std::string& of = "") {
    char number[40];
    std::snprintf(number, sizeof number, "%.15g", value);
    out_ += name_ + (label.empty() ? "" : "{" + label + "=\"" + of + "\"}") + " " + number + "\n";
    return *this;
  }
  Text& sample(std::uint64_t value, const std::string& label = "", const std::string& of = "") {
    return sample(static_cast<double>(value), label, of);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string name_, out_;
};

using Kind = Text::Kind;

void node_itself(Text& out, const node::NodeStatus& status) {
  out.family("linnet_state", Kind::gauge, "1 for the state that this node is in.");
  for (const auto state : {overlay::State::starting, overlay::State::alone, overlay::State::online})
    out.sample(status.state == state ? 1.0 : 0.0, "state", std::string(word(state)));
  out.family("linnet_supernode", Kind::gauge, "1: it serves others.")
      .sample(status.role == overlay::Role::supernode ? 1.0 : 0.0);
  out.family("linnet_calls", Kind::gauge, "Calls of this node's own person.")
      .sample(std::uint64_t{status.calls.size()});
  std::uint64_t attached = 0;
  for (const auto& supernode : status.supernodes) attached += supernode.attached ? 1 : 0;
  out.family("linnet_attached_supernodes", Kind::gauge, "Supernodes that answer for this node.").sample(attached);
}

void datagrams(Text& out, const overlay::Peer::Counters& n) {
  out.family("linnet_datagrams_total", Kind::counter, "Packets of the overlay.")
      .sample(n.datagrams_in, "direction", "in")
      .sample(n.datagrams_out, "direction", "out");
  out.family("linnet_bytes_total", Kind::counter, "Bytes of them, without the headers of UDP and IP.")
      .sample(n.bytes_in, "direction", "in")
      .sample(n.bytes_out, "direction", "out");
  out.family("linnet_malformed_total", Kind::counter, "Packets that could not be read.").sample(n.malformed);
  out.family("linnet_dropped_total", Kind::counter, "Packets that were refused or had no place.").sample(n.dropped);
  out.family("linnet_forwarded_total", Kind::counter, "FORWARD packets that were passed on.").sample(n.forwarded);
}

void served(Text& out, const overlay::RelayStatus& relay) {
  const auto& n = relay.counters;
  out.family("linnet_leaves", Kind::gauge, "Leaves that this supernode answers for.")
      .sample(std::uint64_t{relay.leaves});
  out.family("linnet_circuits", Kind::gauge, "Circuits that stand here.").sample(std::uint64_t{relay.circuits});
  out.family("linnet_circuit_packets_total", Kind::counter, "Packets that circuits carried.").sample(n.forwarded);
  out.family("linnet_circuit_bytes_total", Kind::counter, "Bytes that circuits carried.").sample(n.bytes);
  out.family("linnet_circuit_drops_total", Kind::counter, "Packets of circuits over a limit, or of none that is known.")
      .sample(n.over_circuit, "why", "circuit")
      .sample(n.over_peer, "why", "peer")
      .sample(n.over_prefix, "why", "prefix")
      .sample(n.over_month, "why", "month")
      .sample(n.unknown, "why", "unknown")
      .sample(n.foreign, "why", "foreign");
  out.family("linnet_circuits_refused_total", Kind::counter, "Circuits that were refused.")
      .sample(n.refused_full, "why", "full")
      .sample(n.refused_month, "why", "month");
  out.family("linnet_month_bytes", Kind::gauge, "Bytes relayed in this calendar month, TURN's among them.")
      .sample(relay.month.bytes);
  if (relay.month_bytes)
    out.family("linnet_month_limit_bytes", Kind::gauge, "And how many may be.").sample(*relay.month_bytes);
}

void table(Text& out, const dht::Dht& dht) {
  out.family("linnet_records", Kind::gauge, "Records kept for others and for this node.")
      .sample(std::uint64_t{dht.record_count()});
  out.family("linnet_contacts", Kind::gauge, "Supernodes in the routing table.")
      .sample(std::uint64_t{dht.contact_count()});
  out.family("linnet_network_supernodes", Kind::gauge, "Supernodes in the network, as it looks from here.")
      .sample(dht.estimated_network_size());
}

void process(Text& out) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto in_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  out.family("process_cpu_seconds_total", Kind::counter, "CPU time of this process.")
      .sample(in_seconds(used.ru_utime) + in_seconds(used.ru_stime));
}

}  // namespace

std::string metrics_text(const Driver& driver) {
  Text out;
  const auto status = driver.node().status(now());
  const auto& peer = driver.node().peer();
  node_itself(out, status);
  datagrams(out, peer.counters());
  if (status.relay) served(out, *status.relay);
  if (peer.dht() != nullptr) table(out, *peer.dht());
  process(out);
  return out.take();
}

}  // namespace linnet::io
