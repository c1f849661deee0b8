#include "node/path_watch.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Time kBegan{seconds(10)};

overlay::Path path(overlay::PathKind kind, const char* endpoint) {
  overlay::Path out;
  out.kind = kind;
  out.endpoint = *Endpoint::parse(endpoint);
  return out;
}
const auto kCircuit = path(overlay::PathKind::circuit, "203.0.113.1:4400");
const auto kGlobal = path(overlay::PathKind::direct, "198.51.100.7:4400");
const auto kHome = path(overlay::PathKind::direct, "192.168.1.7:4400");

TEST(PathWord, TellsLanDirectAndRelayedApart) {
  EXPECT_EQ(word_of(kGlobal), PathWord::direct);
  EXPECT_EQ(word_of(kHome), PathWord::lan);
  EXPECT_EQ(word_of(path(overlay::PathKind::direct, "127.0.0.1:1")), PathWord::lan);
  EXPECT_EQ(word_of(path(overlay::PathKind::direct, "[fe80::1%2]:1")), PathWord::lan);
  EXPECT_EQ(word_of(kCircuit), PathWord::relayed);
  // A supernode on the same cable is still a relay.
  EXPECT_EQ(word_of(path(overlay::PathKind::forward, "192.168.1.1:4400")), PathWord::relayed);
}

TEST(PathWord, TellsByWhatItGoes) {
  EXPECT_EQ(by_word(kGlobal), "udp");
  EXPECT_EQ(by_word(kHome), "udp");
  EXPECT_EQ(by_word(kCircuit), "circuit");
  auto stream = kGlobal;
  stream.endpoint.transport = Transport::tls;
  EXPECT_EQ(by_word(stream), "tls");
  stream.kind = overlay::PathKind::circuit;
  stream.endpoint.transport = Transport::tcp;
  EXPECT_EQ(by_word(stream), "circuit over tcp");
  stream.kind = overlay::PathKind::forward;
  EXPECT_EQ(by_word(stream), "forward over tcp");
  EXPECT_EQ(by_word(path(overlay::PathKind::turn, "198.51.100.7:3478")), "turn");
}

TEST(PathWatch, KnowsNothingBeforeThereIsAPath) {
  PathWatch watch(kBegan, std::nullopt);
  EXPECT_EQ(watch.word(), PathWord::unknown);
  EXPECT_EQ(watch.via(), "");
}

TEST(PathWatch, NotesEachChangeWithItsTimeSinceTheCommand) {
  PathWatch watch(kBegan, kCircuit);
  watch.moved(kBegan + milliseconds(250), kGlobal, 0);
  const auto changes = watch.changes(0);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].at, milliseconds(250));
  EXPECT_EQ(changes[0].from, "relayed");
  EXPECT_EQ(changes[0].to, "direct");
  EXPECT_EQ(watch.via(), "198.51.100.7:4400");
}

TEST(PathWatch, IsNotMovedByTheSamePathAgain) {
  PathWatch watch(kBegan, kCircuit);
  watch.moved(kBegan + seconds(1), kCircuit, 0);
  EXPECT_TRUE(watch.changes(0).empty());
}

TEST(PathWatch, ClaimsNoGapBeforeVoiceWasHeard) {
  PathWatch watch(kBegan, kCircuit);
  watch.moved(kBegan + seconds(1), kGlobal, 0);
  EXPECT_EQ(watch.changes(0)[0].gap, std::nullopt);
  EXPECT_EQ(watch.next_timeout(), kNever);
}

TEST(PathWatch, CountsTheSilenceThatBeganBeforeTheChangeWasNoticed) {
  PathWatch watch(kBegan, kCircuit);
  watch.voice_came(10);  // 10 ms concealed long ago; then the path dies and 60 ms are concealed
  watch.moved(kBegan + seconds(1), kGlobal, 70);
  watch.voice_came(80);
  watch.handle_timeout(watch.next_timeout(), 80);
  EXPECT_EQ(watch.changes(500)[0].gap, milliseconds(70));  // what is concealed later is another story
  EXPECT_EQ(watch.next_timeout(), kNever);
}

TEST(PathWatch, MeasuresNoGapWhereNothingHadToBeConcealed) {
  PathWatch watch(kBegan, kCircuit);
  watch.voice_came(40);
  watch.moved(kBegan + seconds(1), kGlobal, 40);
  watch.handle_timeout(watch.next_timeout(), 40);
  EXPECT_EQ(watch.changes(40)[0].gap, Duration(0));
}

TEST(PathWatch, KeepsABoundedNumberOfChanges) {
  PathWatch watch(kBegan, kCircuit);
  for (int i = 0; i < 500; ++i) watch.moved(kBegan + seconds(i), i % 2 == 0 ? kGlobal : kCircuit, 0);
  EXPECT_EQ(watch.changes(0).size(), PathWatch::kMaxChanges);
  EXPECT_EQ(watch.word(), PathWord::relayed);
}

}  // namespace
}  // namespace linnet::node
