// DNS messages in bytes: what RFC 1035 and RFC 6762 say of them, and what an attacker writes.
#include "overlay/dns_message.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::overlay::dns {
namespace {

const Name kService = name("_linnet._udp.local");

Bytes announcement() {
  Builder builder(true, 1400);
  const auto instance = prefixed("abcdefgh", kService);
  const auto host = name("linnet-abcdefgh.local");
  builder.add(Builder::Section::answer, {kService, Type::ptr, kInternet, false, 4500, Ptr{instance}});
  builder.add(Builder::Section::answer, {instance, Type::srv, kInternet, true, 120, Srv{0, 0, 4400, host}});
  builder.add(Builder::Section::answer,
              {instance, Type::txt, kInternet, true, 4500, Txt{{"v=1", "dk=" + std::string(52, 'a')}}});
  builder.add(Builder::Section::additional,
              {host, Type::aaaa, kInternet, true, 120, Host{*IpAddress::parse("fe80::1")}});
  builder.add(Builder::Section::additional, {host, Type::a, kInternet, true, 120, Host{IpAddress::v4(10, 0, 0, 1)}});
  builder.add(Builder::Section::additional,
              {host, Type::nsec, kInternet, true, 120, Nsec{host, {Type::a, Type::aaaa}}});
  return builder.take();
}

TEST(DnsMessage, ComesBackAsItWasWritten) {
  const auto bytes = announcement();
  const auto read_back = read(bytes);
  ASSERT_TRUE(read_back);
  EXPECT_TRUE(read_back->response);
  ASSERT_EQ(read_back->answers.size(), 3U);
  ASSERT_EQ(read_back->additionals.size(), 3U);
  EXPECT_EQ(std::get<Ptr>(read_back->answers[0].data).target.to_string(), "abcdefgh._linnet._udp.local");
  EXPECT_FALSE(read_back->answers[0].flush);
  EXPECT_EQ(std::get<Srv>(read_back->answers[1].data).port, 4400);
  EXPECT_TRUE(read_back->answers[1].flush);
  EXPECT_EQ(std::get<Txt>(read_back->answers[2].data).strings.front(), "v=1");
  EXPECT_EQ(std::get<Host>(read_back->additionals[1].data).ip, IpAddress::v4(10, 0, 0, 1));
  EXPECT_EQ(std::get<Nsec>(read_back->additionals[2].data).types, (std::vector<Type>{Type::a, Type::aaaa}));
}

TEST(DnsMessage, SaysEachNameOnce) {
  const auto bytes = announcement();
  const auto all = text(bytes);
  const auto first = all.find("_linnet");
  ASSERT_NE(first, std::string_view::npos);
  EXPECT_EQ(all.find("_linnet", first + 1), std::string_view::npos);
}

TEST(DnsMessage, NamesAreEqualWithoutRegardToCase) {
  EXPECT_EQ(name("_LINNET._udp.Local"), kService);
  EXPECT_FALSE(name("linnet._udp.local") == kService);
  EXPECT_TRUE(prefixed("a.b", kService).ends_with(name("_UDP.local")));
  EXPECT_FALSE(prefixed("a.b", kService) == prefixed("a", prefixed("b", kService)));  // a dot in a label is no border
}

// Content is compared field by field; as bytes it must say the same.
TEST(DnsMessage, RecordsAreTheSameWhenTheirBytesAre) {
  const auto host = name("linnet-a.local");
  const std::vector<Data> contents = {
      Ptr{kService},
      Ptr{host},
      Srv{0, 0, 4400, host},
      Srv{0, 1, 4400, host},
      Srv{1, 0, 4400, host},
      Srv{0, 0, 4401, host},
      Srv{0, 0, 4400, kService},
      Txt{{"v=1"}},
      Txt{{"v=1", "dk=a"}},
      Txt{{"dk=a", "v=1"}},
      Host{IpAddress::v4(10, 0, 0, 1)},
      Host{IpAddress::v4(10, 0, 0, 2)},
      Host{*IpAddress::parse("fe80::1")},
      Nsec{host, {Type::a, Type::aaaa}},
      Nsec{host, {Type::aaaa, Type::a}},
      Nsec{host, {Type::a}},
      Nsec{kService, {Type::a}},
      Opaque{{1, 2, 3}},
      Opaque{{1, 2}},
  };
  for (const auto& a : contents) {
    for (const auto& b : contents) {
      const Record one{host, Type::any, kInternet, false, 1, a};
      const Record other{host, Type::any, kInternet, true, 2, b};
      EXPECT_EQ(one.same(other), a.index() == b.index() && data_bytes(a) == data_bytes(b));
    }
  }
  const Record shouted{name("LINNET-A.local"), Type::ptr, kInternet, false, 1, Ptr{name("_Linnet._UDP.local")}};
  EXPECT_TRUE((Record{host, Type::ptr, kInternet, false, 1, Ptr{kService}}.same(shouted)));
}

TEST(DnsMessage, OfAnnouncementsNoTruncationIsAMessage) {
  const auto whole = announcement();
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(read(ByteView(whole).first(n))) << n;
}

TEST(DnsMessage, EveryFlippedBitIsReadWithinItsBounds) {
  const auto whole = announcement();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    const auto message = read(bytes);
    if (!message) continue;
    for (const auto* section : {&message->answers, &message->authorities, &message->additionals}) {
      for (const auto& r : *section) {
        EXPECT_LE(r.name.key().size(), kMaxName);
        EXPECT_LE(data_bytes(r.data).size(), kMaxMessage);
      }
    }
  }
}

TEST(DnsMessage, ANameThatLeadsToItselfOrForwardIsRefused) {
  Bytes head{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (const std::uint8_t target : {12, 13, 14, 40}) {
    auto bytes = head;
    for (const std::uint8_t b :
         {std::uint8_t{0xc0}, target, std::uint8_t{0}, std::uint8_t{12}, std::uint8_t{0}, std::uint8_t{1}})
      bytes.push_back(b);
    EXPECT_FALSE(read(bytes)) << int{target};
  }
  auto into_header = head;
  for (const std::uint8_t b : {0xc0, 0, 0, 12, 0, 1}) into_header.push_back(b);
  EXPECT_FALSE(read(into_header));
}

// Each question's name is a label of forty bytes and a pointer to the one before: names grow until 255 bytes.
TEST(DnsMessage, AChainOfPointersEndsAtTheLongestName) {
  const auto growing = [](std::uint8_t n) {
    Bytes bytes{0, 0, 0, 0, 0, n, 0, 0, 0, 0, 0, 0};
    std::size_t before = 0;
    for (int i = 0; i < n; ++i) {
      const auto at = bytes.size();
      bytes.push_back(40);
      bytes.insert(bytes.end(), 40, 'a');
      if (before == 0) {
        bytes.push_back(0);
      } else {
        append(bytes, Bytes{static_cast<std::uint8_t>(0xc0 | before >> 8), static_cast<std::uint8_t>(before)});
      }
      append(bytes, Bytes{0, 12, 0, 1});
      before = at;
    }
    return bytes;
  };
  EXPECT_TRUE(read(growing(6)));
  EXPECT_FALSE(read(growing(7)));
}

// `n` questions, the first for "a.a", each after it for what the one before it is for: by a pointer to a pointer.
Bytes chained(std::uint8_t n) {
  Bytes bytes{0, 0, 0, 0, 0, n, 0, 0, 0, 0, 0, 0};
  std::size_t before = 0;
  for (int i = 0; i < n; ++i) {
    const auto at = bytes.size();
    if (before == 0) {
      append(bytes, Bytes{1, 'a', 1, 'a', 0});
    } else {
      append(bytes, Bytes{static_cast<std::uint8_t>(0xc0 | before >> 8), static_cast<std::uint8_t>(before)});
    }
    append(bytes, Bytes{0, 12, 0, 1});
    before = at;
  }
  return bytes;
}

TEST(DnsMessage, OneNameFollowsSixteenPointersAndNoMore) {
  const auto most = read(chained(kMaxJumps + 1));
  ASSERT_TRUE(most);
  EXPECT_EQ(most->questions.back().name, name("a.a"));
  EXPECT_EQ(read(chained(kMaxJumps + 2)).error(), Fault::malformed);
}

// What is read of a message is bounded by its size, however its names are packed.
TEST(DnsMessage, AllNamesTogetherHaveABound) {
  const auto long_name = [](char first) {
    Bytes out;
    for (int i = 0; i < 3; ++i) {
      out.push_back(63);
      out.insert(out.end(), 63, static_cast<std::uint8_t>(i == 0 ? first : 'x'));
    }
    out.push_back(0);
    return out;
  };
  const auto asking = [&](std::size_t n) {
    Bytes bytes{0, 0, 0, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), 0, 0, 0, 0, 0, 0};
    append(bytes, long_name('a'));
    append(bytes, Bytes{0, 12, 0, 1});
    for (std::size_t i = 1; i < n; ++i) append(bytes, Bytes{0xc0, 12, 0, 12, 0, 1});
    return bytes;
  };
  constexpr std::size_t kOne = 3 * 64 + 1;
  EXPECT_TRUE(read(asking(kMaxNames / kOne)));
  EXPECT_EQ(read(asking(kMaxNames / kOne + 1)).error(), Fault::malformed);
}

TEST(DnsMessage, MoreRecordsThanWeLookAtAreRefusedBeforeTheyAreRead) {
  Bytes bytes{0, 0, 0x84, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  const auto refused = read(bytes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Fault::too_big);
}

TEST(DnsMessage, OtherOperationsAndErrorsAreNotOurs) {
  auto bytes = announcement();
  bytes[2] |= 0x28;
  EXPECT_EQ(read(bytes).error(), Fault::unsupported);
  bytes = announcement();
  bytes[3] |= 3;
  EXPECT_EQ(read(bytes).error(), Fault::unsupported);
}

TEST(DnsMessage, ABuilderNeverGrowsOverItsLimit) {
  Builder builder(true, 512);
  int taken = 0;
  for (int i = 0; i < 100; ++i) {
    const auto n = prefixed("instance-" + std::to_string(i), kService);
    if (builder.add(Builder::Section::answer, {kService, Type::ptr, kInternet, false, 4500, Ptr{n}})) ++taken;
    ASSERT_LE(builder.size(), 512U);
  }
  EXPECT_GT(taken, 10);
  const auto message = read(builder.take());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->answers.size(), static_cast<std::size_t>(taken));
}

TEST(DnsMessage, NoiseIsNeverReadBeyondItsEnd) {
  SeededRng rng(7);
  auto whole = announcement();
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = whole;
    for (int k = 0; k < 4; ++k) bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.u32());
    bytes.resize(1 + rng.below(bytes.size()));
    bytes.shrink_to_fit();
    (void)read(bytes);
  }
}

}  // namespace
}  // namespace linnet::overlay::dns
