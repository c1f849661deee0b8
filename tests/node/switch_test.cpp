// The switch of a call from its supernode to the direct way, which is shorter: the last packets of the old way come
// after the first of the new one. Heard against said, piece by piece.
#include <cmath>

#include "tests/node/calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Everything at 8 kHz, as PCMU carries it.
constexpr std::size_t kDown = 6;          // of 48 kHz
constexpr std::size_t kPiece = 160;       // 20 ms
constexpr std::size_t kFurthest = 2'400;  // 300 ms from mouth to ear at most

std::vector<double> at_8k(const std::vector<std::int16_t>& in) {
  std::vector<double> out(in.size() / kDown);
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t k = 0; k < kDown; ++k) out[i] += in[kDown * i + k];
  }
  return out;
}

// Noise that never repeats, so that a piece of it is found where it was said and nowhere else.
std::vector<std::int16_t> noise(Duration length) {
  SeededRng dice(3);
  const auto samples = static_cast<std::size_t>(length.count()) * 8 / 1000;
  std::vector<std::int16_t> out;
  out.reserve(samples * kDown);
  double last = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    const double next = 8000 * (dice.unit() - 0.5);
    for (std::size_t k = 0; k < kDown; ++k)
      out.push_back(static_cast<std::int16_t>(last + (next - last) * static_cast<double>(k) / kDown));
    last = next;
  }
  return out;
}

struct Found {
  std::size_t at = 0;  // where it was said
  double like = 0;     // how well it fits: 1 as it was
};

Found find(const std::vector<double>& said, const std::vector<double>& heard, std::size_t piece, std::size_t from,
           std::size_t to) {
  Found best;
  double own = 0;
  for (std::size_t i = 0; i < kPiece; ++i) own += heard[piece + i] * heard[piece + i];
  for (auto at = from; at < to && at + kPiece <= said.size(); ++at) {
    double both = 0, other = 0;
    for (std::size_t i = 0; i < kPiece; ++i) {
      both += heard[piece + i] * said[at + i];
      other += said[at + i] * said[at + i];
    }
    const double like = own > 0 && other > 0 ? both / std::sqrt(own * other) : 0;
    if (like > best.like) best = {at, like};
  }
  return best;
}

struct Switch : Calls {
  void SetUp() override { town.build(3); }
  // Relayed with 40 ms a way, until there is a direct one of 20 ms.
  void begin() {
    town.delay = milliseconds(20);
    const auto pcmu = [](NodeConfig& config) { config.codec = CodecChoice::pcmu; };
    alice = &town.add(kAlice, pcmu);
    bob = &town.add(kBob, pcmu);
    settle();
    alice->says = bob->says = noise(seconds(60));
    town.blocked.insert({alice->endpoint, bob->endpoint});
    town.blocked.insert({bob->endpoint, alice->endpoint});
    talk();
    town.run_for(seconds(4));
    ASSERT_EQ(path(*alice), PathWord::relayed);
  }
  void go_direct() {
    town.blocked.clear();
    ASSERT_TRUE(town.run_until([&] { return path(*alice) == PathWord::direct && path(*bob) == PathWord::direct; },
                               seconds(40)));
    town.run_for(seconds(4));
  }
  void hang_up() {
    town.tell(*alice, command::Hangup{});
    ASSERT_TRUE(town.run_until([&] { return alice->summary() && bob->summary(); }, seconds(10)));
  }
};

TEST_F(Switch, ToTheDirectWayPlaysNoPieceTwiceNorOutOfOrderNorLeavesOneOut) {
  begin();
  const auto before = std::array{alice->heard.size() / kDown, bob->heard.size() / kDown};
  go_direct();
  hang_up();
  const auto said = at_8k(noise(seconds(60)));
  for (auto* who : {alice, bob}) {
    const auto heard = at_8k(who->heard);
    const auto start = before[who == alice ? 0 : 1];
    auto last = find(said, heard, start, 0, start + kFurthest);
    ASSERT_GT(last.like, 0.7) << "the voice is not what was said";
    std::size_t unlike = 0, most_unlike = 0, pieces = 0;
    for (auto piece = start + kPiece; piece + kPiece <= heard.size(); piece += kPiece, ++pieces) {
      const auto expected = last.at + kPiece * (1 + unlike);
      const auto found =
          find(said, heard, piece, expected > kFurthest ? expected - kFurthest : 0, expected + kFurthest);
      if (found.like < 0.5) {
        most_unlike = std::max(most_unlike, ++unlike);
        continue;
      }
      // A jitter buffer may squeeze or stretch a piece by a little; a piece twice is 20 ms back, one too early ahead.
      EXPECT_GE(found.at + kPiece / 2, expected) << who->name << " hears something again at " << piece / 8 << " ms";
      EXPECT_LE(found.at, expected + kPiece) << who->name << " misses something at " << piece / 8 << " ms";
      unlike = 0;
      last = found;
    }
    EXPECT_GT(pieces, 300U);
    EXPECT_LE(most_unlike, 1U) << who->name << ": a gap over 20 ms";
    ASSERT_FALSE(who->summary()->path_changes.empty());
    EXPECT_LE(who->summary()->max_gap_ms.value_or(0), 20) << who->name;
  }
}

}  // namespace
}  // namespace linnet::node
