// Two sessions over a network that loses and delays, in virtual time.
#pragma once

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "base/rng.h"
#include "checkout.h"
#include "media/audio_device.h"
#include "media/compare.h"
#include "media/session.h"
#include "media/wav.h"

namespace linnet::media {

inline Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline const Audio& speech() {
  static const Audio audio = *parse_wav(read_file(std::string(LINNET_SOURCE_DIR) + "/assets/speech.wav"));
  return audio;
}

inline Time at_ms(double ms) {
  return Time{} + std::chrono::seconds(100) + Duration{static_cast<std::int64_t>(ms * 1000)};
}

struct Network {
  double loss = 0;       // share of packets
  double delay_ms = 0;   // one way
  double jitter_ms = 0;  // uniform on top
  std::uint64_t seed = 1;
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
  WavSink ear{std::size_t{30} * kRate};
};

// Alice speaks the file; time advances by the device's block.
struct Conversation {
  explicit Conversation(Network n = {}, SessionConfig config = {}) : network(n), chance(n.seed), rng(n.seed + 1000) {
    auto [ka, kb] = key_pair(rng);
    config.security = ka;
    alice.emplace(config, rng);
    config.security = kb;
    bob.emplace(config, rng);
    alice->mic = WavSource(speech().samples, speech().rate);
  }

  // Takes what `from` sends; it arrives after the network's delay, unless it is lost.
  void carry(End& from, bool to_bob) {
    while (auto packet = from.session.poll_packet()) {
      if (chance.unit() < network.loss) continue;
      const double due = now_ms + network.delay_ms + chance.unit() * network.jitter_ms;
      in_flight.emplace(due, std::make_pair(to_bob, std::move(*packet)));
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

  Comparison heard(double offset_ms = 0) { return compare(speech(), {kRate, bob->ear.samples()}, offset_ms); }
  // Start of bob's recording minus start of alice's speaking.
  double offset_ms() {
    return millis(*bob->session.stats(at_ms(now_ms)).play_start - *alice->session.stats(at_ms(now_ms)).record_start);
  }
  Stats stats() { return bob->session.stats(at_ms(now_ms)); }

  Network network;
  SeededRng chance;
  SeededRng rng;
  std::optional<End> alice, bob;
  std::multimap<double, std::pair<bool, Bytes>> in_flight;
  double now_ms = 0;
  double block_ms = 10;
};

}  // namespace linnet::media
