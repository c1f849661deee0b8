// Two agents that have TCP alone, and the connections between them, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "nat/ice_agent.h"

namespace linnet::nat::ice {

using namespace std::chrono_literals;

inline constexpr Base kConnects = 1;
inline constexpr Base kListens = 2;

struct TcpSide {
  TcpSide(const char* ip_, Role role, Policy policy, Rng& rng) : ip(*IpAddress::parse(ip_)) {
    AgentConfig config;
    config.role = role;
    config.policy = policy;
    agent = std::make_unique<Agent>(config, rng);
  }

  IpAddress ip;
  std::unique_ptr<Agent> agent;
  bool listens = true;    // to whoever connects
  bool swallows = false;  // takes connections, and nothing of what comes on them
  std::uint16_t next_port = 50'000;
  std::vector<Way> selections;
  std::optional<Time> selected_at;
  std::vector<Way> lost;
  std::size_t closes = 0;  // that its agent wanted
  bool failed = false;
  std::vector<std::string> heard;
};

class TcpNet {
 public:
  explicit TcpNet(Role a_is = Role::controlling, Role b_is = Role::controlled, Policy policy = Policy::once)
      : a("192.0.2.1", a_is, policy, rng), b("192.0.2.2", b_is, policy, rng) {}

  Duration one_way = 20ms;
  bool dropped_syn = false;
  std::size_t written = 0;  // frames
  SeededRng rng{1};
  SeededRng chance{2};
  Time now{1h};
  TcpSide a;
  TcpSide b;

  void exchange_credentials() {
    ASSERT_TRUE(a.agent->set_remote(now, b.agent->credentials()));
    ASSERT_TRUE(b.agent->set_remote(now, a.agent->credentials()));
  }
  void offer(TcpSide& side, bool active, bool passive) {
    if (active) side.agent->add_active(now, kConnects, side.ip);
    if (passive) side.agent->add_passive(now, kListens, {side.ip, kPort});
    side.agent->end_of_local(now);
    drain();
  }
  TcpSide& other(TcpSide& side) { return &side == &a ? b : a; }

  void run_for(Duration time) {
    const auto end = now + time;
    drain();
    for (int i = 0; i < 100'000; ++i) {
      auto next = std::min(a.agent->next_timeout(), b.agent->next_timeout());
      if (!ahead_.empty()) next = std::min(next, ahead_.begin()->first);
      if (next > end) break;
      ASSERT_GE(next, now - 1ms) << "an agent asks for a time that has passed";
      now = std::max(now, next);
      while (!ahead_.empty() && ahead_.begin()->first <= now) ahead_.extract(ahead_.begin()).mapped()();
      a.agent->handle_timeout(now);
      b.agent->handle_timeout(now);
      drain();
      ASSERT_LT(i, 99'999) << "an agent never rests";
    }
    now = end;
  }
  // On what a side has selected.
  void say(TcpSide& side, const std::string& text) {
    const auto way = side.agent->way();
    ASSERT_TRUE(way);
    write(side, {way->base, way->remote}, write_frame(view(text)));
  }
  std::size_t connections() const { return wires_.size(); }
  // Nothing crosses them any more, and nobody is told.
  void mute() {
    for (auto& wire : wires_) wire->mute = true;
  }
  // Both are told, as by a reset.
  void reset_all() {
    for (const auto& wire : std::exchange(wires_, {})) {
      for (auto& end : wire->ends) {
        if (std::exchange(end.open, false)) end.side->agent->closed(now, end.name);
      }
    }
    drain();
  }

 private:
  static constexpr std::uint16_t kPort = 4400;
  struct End {
    TcpSide* side;
    StreamName name;
    bool open;
  };
  struct Wire {
    End ends[2];
    bool mute = false;
  };
  using Held = std::shared_ptr<Wire>;

  void later(Duration after, std::function<void()> what) { ahead_.emplace(now + after, std::move(what)); }
  void drain() {
    for (auto* side : {&a, &b}) {
      while (const auto out = side->agent->poll_transmit()) write(*side, {out->base, out->to}, out->bytes);
      while (const auto e = side->agent->poll_event()) on_event(*side, *e);
      while (const auto p = side->agent->poll_packet()) side->heard.emplace_back(text(p->bytes));
    }
  }
  void on_event(TcpSide& side, const Event& e) {
    if (const auto* c = std::get_if<event::LocalCandidate>(&e)) (void)other(side).agent->add_remote(now, c->candidate);
    if (std::holds_alternative<event::GatheringDone>(e)) other(side).agent->end_of_remote(now);
    if (const auto* c = std::get_if<event::Connect>(&e)) connect(side, c->stream);
    if (const auto* s = std::get_if<event::Selected>(&e)) {
      side.selections.push_back(s->way);
      if (!side.selected_at) side.selected_at = now;
    }
    if (const auto* l = std::get_if<event::Lost>(&e)) side.lost.push_back(l->way);
    if (const auto* c = std::get_if<event::Close>(&e)) {
      ++side.closes;
      hang_up(side, c->stream);
    }
    side.failed = side.failed || std::holds_alternative<event::Failed>(e);
  }
  void connect(TcpSide& side, const StreamName& name) {
    auto& peer = other(side);
    if (dropped_syn) return;
    if (!peer.listens || name.remote.ip != peer.ip || name.remote.port != kPort) {
      later(2 * one_way, [this, &side, name] { side.agent->closed(now, name); });
      return;
    }
    const Endpoint from{side.ip, side.next_port++, Transport::tcp};
    auto wire = std::make_shared<Wire>(Wire{{{&side, name, true}, {&peer, {kListens, from}, true}}});
    wires_.push_back(wire);
    later(one_way, [this, wire] {
      if (wire->ends[1].open && !wire->ends[1].side->swallows)
        wire->ends[1].side->agent->accepted(now, wire->ends[1].name);
    });
    later(2 * one_way, [this, wire] {
      if (wire->ends[0].open) wire->ends[0].side->agent->connected(now, wire->ends[0].name);
    });
  }
  Held find(const TcpSide& side, const StreamName& name, int& end) {
    for (const auto& wire : wires_) {
      for (end = 0; end < 2; ++end) {
        const auto& e = wire->ends[end];
        if (e.side == &side && e.name == name && e.open) return wire;
      }
    }
    return nullptr;
  }
  // In pieces, as a stream may bring it.
  void write(TcpSide& side, const StreamName& name, const Bytes& bytes) {
    int end = 0;
    const auto wire = find(side, name, end);
    if (wire == nullptr) return;
    ++written;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto n = std::min<std::size_t>(1 + chance.below(64), bytes.size() - at);
      const Bytes piece(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                        bytes.begin() + static_cast<std::ptrdiff_t>(at + n));
      at += n;
      later(one_way, [this, wire, to = 1 - end, piece] {
        const auto& e = wire->ends[to];
        if (e.open && !wire->mute && !e.side->swallows) e.side->agent->receive(now, e.name, piece);
      });
    }
  }
  void hang_up(TcpSide& side, const StreamName& name) {
    int end = 0;
    const auto wire = find(side, name, end);
    if (wire == nullptr) return;
    wire->ends[end].open = false;
    std::erase_if(wires_, [](const Held& w) { return !w->ends[0].open && !w->ends[1].open; });
    later(one_way, [this, wire, to = 1 - end] {
      auto& e = wire->ends[to];
      if (!e.open || wire->mute) return;
      e.open = false;
      std::erase_if(wires_, [](const Held& w) { return !w->ends[0].open && !w->ends[1].open; });
      e.side->agent->closed(now, e.name);
    });
  }

  std::vector<Held> wires_;
  std::multimap<Time, std::function<void()>> ahead_;
};

}  // namespace linnet::nat::ice
