// Two user agents in one room with virtual time between them; packets can be lost on their way.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sip/core.h"

namespace linnet::sip {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline PeerId peer_id(std::uint8_t n) {
  PeerId out;
  out.bytes.fill(n);
  return out;
}

inline const std::string kOffer =
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\nc=IN IP4 0.0.0.0\r\n";
inline const std::string kAnswer =
    "v=0\r\no=- 2 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\n";

inline Config config_of(std::string_view address, bool reliable) {
  Config out;
  out.local_uri = *Uri::parse(address);
  out.display_name = "Test";
  out.reliable = reliable;
  return out;
}

// The same with all that a conference needs.
inline const std::string kInfoType = "application/conference-info+xml";
inline Config conference_config(std::string_view address, bool reliable) {
  auto out = config_of(address, reliable);
  out.event_packages = {{"conference", {kInfoType}}};
  out.refers = true;
  out.replaces = true;
  return out;
}

struct Side {
  Side(std::string_view address, bool reliable, std::uint64_t seed, PeerId own)
      : rng(seed), core(config_of(address, reliable), rng), id(own) {}
  SeededRng rng;
  Core core;
  PeerId id;
  std::vector<Event> events;  // not yet looked at

  template <class E>
  const E* has() const {
    for (const auto& e : events)
      if (const auto* out = std::get_if<E>(&e)) return out;
    return nullptr;
  }
  // The first event of that kind, taken out; a default one if there is none.
  template <class E>
  E take() {
    for (auto it = events.begin(); it != events.end(); ++it)
      if (const auto* found = std::get_if<E>(&*it)) {
        auto out = *found;
        events.erase(it);
        return out;
      }
    ADD_FAILURE() << "no such event";
    return {};
  }
};

class Pair {
 public:
  explicit Pair(bool reliable, std::uint64_t seed = 1)
      : alice("alice@home.example", reliable, seed, peer_id(1)),
        bob("bob@home.example", reliable, seed + 1000, peer_id(2)) {}

  // Both serve the conference package from now on; nothing must have happened yet.
  void confer(bool reliable) {
    alice.core = Core(conference_config("alice@home.example", reliable), alice.rng);
    bob.core = Core(conference_config("bob@home.example", reliable), bob.rng);
  }

  Time now{};
  Side alice;
  Side bob;
  std::vector<std::string> log;  // "> INVITE", "< 180"; lost ones end in " lost"
  std::function<bool(const std::string& line)> lose = [](const std::string&) { return false; };
  milliseconds delay{10};

  // Delivers and fires timers until nothing happens any more, or until `until`.
  void run(Time until) {
    for (;;) {
      drain();
      auto next = std::min(alice.core.next_timeout(), bob.core.next_timeout());
      if (!wire_.empty()) next = std::min(next, wire_.front().at);
      if (next > until) break;
      now = std::max(now, next);
      if (!wire_.empty() && wire_.front().at <= now) {
        auto packet = std::move(wire_.front());
        wire_.pop_front();
        (packet.to_bob ? bob : alice).core.handle_message(now, packet.to_bob ? alice.id : bob.id, packet.bytes);
      } else {
        alice.core.handle_timeout(now);
        bob.core.handle_timeout(now);
      }
    }
    now = std::max(now, until);
    drain();
  }
  void run_for(Duration d) { run(now + d); }
  void settle() { run_for(milliseconds(100)); }

  CallId call(std::string group = {}, std::string offer = kOffer) {
    InviteParams params;
    params.to = bob.id;
    params.target = *Uri::parse("bob@home.example");
    params.from = *Uri::parse("alice@home.example");
    params.call_group = std::move(group);
    params.sdp_offer = std::move(offer);
    const auto out = alice.core.invite(now, std::move(params));
    EXPECT_TRUE(out.has_value());
    return out.value_or(kNoCall);
  }
  // Both ends of a call that is talking; no events left over.
  std::pair<CallId, CallId> talk() {
    const auto a = call();
    settle();
    const auto b = bob.take<IncomingCall>().call;
    EXPECT_TRUE(bob.core.ring(now, b));
    settle();
    EXPECT_TRUE(bob.core.accept(now, b, kAnswer));
    run_for(seconds(3));
    EXPECT_EQ(bob.take<Established>().call, b);
    EXPECT_EQ(alice.take<Answered>().call, a);
    alice.events.clear();
    bob.events.clear();
    log.clear();
    return {a, b};
  }
  long sent(const std::string& line) const {
    long n = 0;
    for (const auto& l : log) n += l == line || l == line + " lost" ? 1 : 0;
    return n;
  }

 private:
  struct Packet {
    Time at;
    bool to_bob;
    Bytes bytes;
  };
  static std::string label(bool to_bob, const Bytes& bytes) {
    const auto whole = std::string(text(bytes));
    const bool response = whole.starts_with("SIP/2.0 ");
    return std::string(to_bob ? "> " : "< ") + (response ? whole.substr(8, 3) : whole.substr(0, whole.find(' ')));
  }
  void drain() {
    for (auto* side : {&alice, &bob}) {
      while (auto event = side->core.poll_event()) side->events.push_back(std::move(*event));
      while (auto out = side->core.poll_message()) {
        const bool to_bob = side == &alice;
        auto line = label(to_bob, out->bytes);
        const bool lost = lose(line);
        log.push_back(lost ? line + " lost" : line);
        if (!lost) wire_.push_back({now + delay, to_bob, std::move(out->bytes)});
      }
    }
  }
  std::deque<Packet> wire_;
};

// A path that loses three of ten, and a call begun on it. `b`: the call at the other end; none when seven INVITEs in a
// row were lost (0.3^7).
struct LossyCall {
  explicit LossyCall(std::uint64_t seed) : p(false, seed), dice(seed) {
    p.lose = [this](const std::string&) { return dice.below(10) < 3; };
    a = p.call();
    p.run_for(std::chrono::seconds(20));
    if (const auto* in = p.bob.has<IncomingCall>()) b = in->call;
  }
  LossyCall(const LossyCall&) = delete;

  Pair p;
  SeededRng dice;
  CallId a{};
  std::optional<CallId> b;
};

}  // namespace linnet::sip
