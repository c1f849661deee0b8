// One speaks in a conference of whole nodes, and what the others hear of it is measured.
#pragma once

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "checkout.h"
#include "conference_nodes.h"
#include "media/compare.h"

namespace linnet::node {

// A few; as many as are asked for where somebody does.
inline std::vector<std::uint64_t> conference_seeds() {
  const auto* asked = std::getenv("LINNET_CONFERENCE_SEEDS");
  std::vector<std::uint64_t> out(asked == nullptr ? 2 : std::max(1, std::atoi(asked)));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i + 1;
  return out;
}

struct SpokenConference : Conference, ::testing::WithParamInterface<std::uint64_t> {
  SpokenConference() : Conference(GetParam()), rng(GetParam()) {}

  SeededRng rng;
  Resident* mixer = nullptr;
  Resident* speaker = nullptr;
  std::size_t said_from = 0;

  static const crypto::Suite& town_suite() { return crypto::shipped_suite(); }
  // 70 seconds of it.
  static const std::vector<std::int16_t>& speech() {
    static const auto samples = [] {
      std::ifstream file(LINNET_SOURCE_DIR "/assets/speech.wav", std::ios::binary);
      const Bytes bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      const auto audio = *media::parse_wav(bytes);
      media::WavSource source(audio.samples, audio.rate);
      std::vector<std::int16_t> once(source.size()), out;
      source.read(once);
      while (out.size() < std::size_t{70} * 48'000) out.insert(out.end(), once.begin(), once.end());
      return out;
    }();
    return samples;
  }
  // The first one starts it; all are in, and it has settled.
  void begin(std::size_t members) {
    town.delay = milliseconds(5 + rng.below(20));
    confer();
    ASSERT_TRUE(town.run_until([&] { return gathered(members); }, std::chrono::seconds(20))) << told();
    town.run_for(std::chrono::seconds(3));
    ASSERT_EQ(view(*mixer)->mixer, mixer->name);
  }
  void listen() {
    forget_sound();
    said_from = speaker->said;
  }
  media::Comparison heard_by(const Resident& ear) const {
    const auto at = [&](std::size_t n) { return speaker->says.begin() + static_cast<std::ptrdiff_t>(n); };
    return media::compare({48'000, {at(said_from), at(speaker->said)}}, {48'000, ear.heard});
  }
  void expect_heard(const std::set<const Resident*>& ears, double understood = 0.9) const {
    for (const auto* ear : ears) {
      if (ear == speaker) continue;
      const auto heard = heard_by(*ear);
      EXPECT_GE(heard.stoi_drift.value_or(0), understood) << ear->name << " of seed " << GetParam() << "\n" << told();
    }
  }
  // Datagrams of voice and words that leave somebody.
  std::uint64_t sent_by(const Resident& who, const std::function<void()>& meanwhile) {
    std::uint64_t out = 0;
    town.delivered = [&](const Resident&, const Endpoint& from, ByteView) { out += from == who.endpoint ? 1 : 0; };
    meanwhile();
    town.delivered = {};
    return out;
  }

  using milliseconds = std::chrono::milliseconds;
};

}  // namespace linnet::node
