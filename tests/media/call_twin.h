// Two sessions over a network that loses, delays and queues, in virtual time: the twin of a call.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "media/audio_device.h"
#include "media/compare.h"
#include "media/session.h"

namespace linnet::media {

inline Time at_ms(double ms) {
  return Time{} + std::chrono::seconds(100) + Duration{static_cast<std::int64_t>(ms * 1000)};
}

struct Network {
  double loss = 0;       // share of packets
  double delay_ms = 0;   // one way
  double jitter_ms = 0;  // uniform on top
  std::uint64_t seed = 1;
  double rate = 0;             // bit/s of each direction, IP and UDP headers counted; 0: no limit
  double queue_ms = 1000;      // what a direction's queue holds at that rate: drop-tail
  double outage_every_ms = 0;  // everything is lost for outage_ms at each of these; 0: never
  double outage_ms = 0;
};

// One direction of it.
class Link {
 public:
  // When a packet sent now arrives; nothing when it is lost.
  std::optional<double> carry(const Network& n, Rng& chance, double now_ms, std::size_t octets) {
    if (chance.unit() < n.loss) return std::nullopt;
    if (n.outage_every_ms > 0 && now_ms >= n.outage_every_ms && in_outage(n, now_ms)) return std::nullopt;
    if (n.rate > 0) {
      const double own_ms = static_cast<double>(octets + 28) * 8000 / n.rate;
      const double from = std::max(now_ms, busy_until_);
      if (from - now_ms + own_ms > n.queue_ms) return std::nullopt;
      busy_until_ = now_ms = from + own_ms;
    }
    return now_ms + n.delay_ms + chance.unit() * n.jitter_ms;
  }

 private:
  static bool in_outage(const Network& n, double now_ms) {
    double into = now_ms;
    while (into >= n.outage_every_ms) into -= n.outage_every_ms;
    return into < n.outage_ms;
  }
  double busy_until_ = 0;
};

// Keys of the two ends of one call, crossed over.
inline std::pair<SrtpKeys, SrtpKeys> key_pair(Rng& rng, SrtpSuite suite = SrtpSuite::aead_aes_256_gcm) {
  const auto a = SrtpKey::random(suite, rng), b = SrtpKey::random(suite, rng);
  return {{a, b}, {b, a}};
}

// One end of the call with its devices.
struct End {
  End(SessionConfig config, Rng& rng) : session(std::move(config), rng) {}

  Session session;
  WavSource mic{{}};
  WavSink ear{std::size_t{120} * kRate};
};

// Alice speaks, Bob listens; time advances by the device's block.
struct Call {
  Call(const Audio& said_first, Network n, SessionConfig config)
      : said(said_first), network(n), chance(n.seed), rng(n.seed + 1000) {
    auto [ka, kb] = key_pair(rng);
    config.security = ka;
    alice.emplace(config, rng);
    config.security = kb;
    bob.emplace(config, rng);
    alice->mic = WavSource(said.samples, said.rate);
  }

  // Takes what `from` sends; it arrives after the network's delay, unless it is lost.
  void carry(End& from, bool to_bob) {
    while (auto packet = from.session.poll_packet()) {
      const auto due = (to_bob ? there : back).carry(network, chance, now_ms, packet->size());
      if (due) in_flight.emplace(*due, std::make_pair(to_bob, std::move(*packet)));
    }
  }

  void deliver_until(double ms) {
    while (!in_flight.empty() && in_flight.begin()->first <= ms) {
      auto node = in_flight.extract(in_flight.begin());
      End& end = node.mapped().first ? *bob : *alice;
      (void)end.session.handle_packet(at_ms(node.key()), node.mapped().second);
    }
  }

  void one_end(End& end) {
    std::vector<std::int16_t> block(static_cast<std::size_t>(block_ms) * kSamplesPerMs);
    const Time now = at_ms(now_ms);
    // What the device plays in this block was asked for at its start; what it recorded is complete at its end.
    const std::size_t from = end.session.play(now, block);
    end.ear.write(std::span(block).subspan(from));
    end.mic.read(block);
    end.session.capture(now, block);
    if (end.session.next_timeout() <= now) end.session.handle_timeout(now);
  }

  void run(double seconds) {
    for (const double until = now_ms + seconds * 1000; now_ms < until; now_ms += block_ms) {
      deliver_until(now_ms);
      one_end(*alice);
      one_end(*bob);
      carry(*alice, true);
      carry(*bob, false);
    }
  }

  Comparison heard(double offset = 0) { return compare(said, {kRate, bob->ear.samples()}, offset); }
  // What was said and heard from second `from` on.
  Comparison heard_from(double from) {
    const auto first = static_cast<std::size_t>(from * said.rate);
    Audio a{said.rate, {}}, b{kRate, {}};
    if (first < said.samples.size())
      a.samples.assign(said.samples.begin() + static_cast<std::ptrdiff_t>(first), said.samples.end());
    const double silent_ms = millis(*bob->session.stats(at_ms(now_ms)).play_start - at_ms(0));
    const auto skip = static_cast<std::size_t>(std::max(0.0, from * 1000 - silent_ms) * kSamplesPerMs);
    const auto& ear = bob->ear.samples();
    if (skip < ear.size()) b.samples.assign(ear.begin() + static_cast<std::ptrdiff_t>(skip), ear.end());
    return compare(a, b);
  }
  // Start of bob's recording minus start of alice's speaking.
  double offset_ms() {
    return millis(*bob->session.stats(at_ms(now_ms)).play_start - *alice->session.stats(at_ms(now_ms)).record_start);
  }
  Stats stats() { return bob->session.stats(at_ms(now_ms)); }

  Audio said;
  Network network;
  Link there, back;
  SeededRng chance;
  SeededRng rng;
  std::optional<End> alice, bob;
  std::multimap<double, std::pair<bool, Bytes>> in_flight;
  double now_ms = 0;
  double block_ms = 10;
};

}  // namespace linnet::media
