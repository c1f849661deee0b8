// security.md, check 4, where nodes take msgpack from each other: the messages of the channel `candidates`. What a bomb
// costs is counted, not timed.
#include <gtest/gtest.h>

#include "base/pack.h"
#include "node/candidates_message.h"
#include "node/streams.h"
#include "tests/base/bombs.h"
#include "tests/base/counted_new.h"

namespace linnet::node {
namespace {

using bomb::kMegabyte;

struct Entry {
  const char* name;
  bool (*read)(ByteView);  // true: taken
};

constexpr Entry kEntries[] = {
    {"candidates", [](ByteView b) { return read_candidates(b).has_value(); }},
    {"streams", [](ByteView b) { return read_streams(b).has_value(); }},
    {"streams of a link",
     [](ByteView b) {
       Streams streams;
       return streams.on_message(overlay::SessionId{7}, b);
     }},
};

void is_refused(const Entry& entry, ByteView bytes, std::size_t at_most, const char* what) {
  counted::asked = {};
  const bool taken = entry.read(bytes);
  EXPECT_LE(counted::asked.bytes, at_most) << what << " at " << entry.name;
  EXPECT_FALSE(taken) << what << " at " << entry.name;
}

TEST(Bombs, AreRefusedAtEveryEntryOfNodesForLessThanAMegabyte) {
  for (const auto& one : bomb::all())
    for (const auto& entry : kEntries) is_refused(entry, one.bytes, kMegabyte, one.name);
}

// As many as msgpack lets pass: all of them are counted before one is made.
TEST(Bombs, OfManyCandidatesOrStreamsNoneIsKept) {
  constexpr std::uint64_t kListOfCandidates = 3, kListOfStreams = 7;
  for (const auto field : {kListOfCandidates, kListOfStreams}) {
    pack::Packer p;
    p.map(field == kListOfStreams ? 1 : 5).key(field).array(1000);
    for (int i = 0; i < 1000; ++i) p.nil();
    if (field == kListOfCandidates)
      p.key(1).str("abcdefgh").key(2).str("abcdefghijklmnopqrstuvwx").key(4).uint(1).key(5).boolean(true);
    const auto bytes = p.take();
    ASSERT_TRUE(pack::read(bytes)) << "it is the list that is too long";
    for (const auto& entry : kEntries) is_refused(entry, bytes, kMegabyte, "a list of 1,000");
  }
}

}  // namespace
}  // namespace linnet::node
