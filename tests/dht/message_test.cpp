#include "dht/message.h"

#include "base/pack.h"
#include "dht/frame.h"
#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

Request full_request(SeededRng& rng) {
  Request out;
  out.kind = Kind::find_record;
  out.sender = paper_contact(rng, *Endpoint::parse("[2a00::1]:4400"));
  out.target = Id{rng.array<32>()};
  out.skip = 3;
  return out;
}

Answer full_answer(SeededRng& rng) {
  Answer out;
  for (int i = 0; i < 7; ++i) out.contacts.push_back(paper_contact(rng, *Endpoint::parse("[2a00::1]:4400")));
  out.cookie = rng.array<16>();
  out.time = Wall{std::int64_t{1} << 40};
  return out;
}

TEST(Message, ARequestIsReadAsWritten) {
  SeededRng rng(1);
  const auto request = full_request(rng);
  const auto bytes = encode(request, 700);
  EXPECT_EQ(bytes.size(), 700U);
  const auto back = read_request(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->kind, request.kind);
  EXPECT_EQ(back->sender, request.sender);
  EXPECT_EQ(back->target, request.target);
  EXPECT_EQ(back->skip, 3U);
}

TEST(Message, AStoreMayAskWhoIsNear) {
  SeededRng rng(7);
  Request request;
  request.kind = Kind::store;
  request.record = Bytes(600, 4);
  const auto plain = encode(request, 0);
  EXPECT_EQ(plain.size(), encoded_size(request));
  EXPECT_EQ(read_request(plain)->target, Id{});
  request.target = Id{rng.array<32>()};
  const auto asking = encode(request, 0);
  EXPECT_EQ(asking.size(), encoded_size(request));
  const auto back = read_request(asking);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->target, request.target);
  EXPECT_EQ(back->record, request.record);
}

TEST(Message, EveryTruncationOfARequestIsRefusedAndNoFlipCrashes) {
  SeededRng rng(2);
  const auto bytes = encode(full_request(rng), 0);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(read_request(ByteView(bytes).first(n))) << n;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    (void)read_request(flipped);
  }
}

TEST(Message, PaddingHidesNothing) {
  SeededRng rng(3);
  auto bytes = encode(full_request(rng), 600);
  bytes.back() = 1;
  EXPECT_EQ(read_request(bytes).error(), Fault::malformed);
}

TEST(Message, AnAnswerIsReadAsWritten) {
  SeededRng rng(4);
  auto answer = full_answer(rng);
  answer.status = AnswerStatus::conflict;
  const auto back = read_answer(encode(answer, kMaxDatagram));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->contacts, answer.contacts);
  EXPECT_EQ(back->cookie, answer.cookie);
  EXPECT_EQ(back->time, answer.time);
  EXPECT_EQ(back->status, AnswerStatus::conflict);
  Answer other;
  other.record = Bytes(900, 5);
  other.more = true;
  const auto second = read_answer(encode(other, kMaxDatagram));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->record, other.record);
  EXPECT_TRUE(second->more);
}

TEST(Message, AnAnswerIsCutToItsRoomContactsFirst) {
  SeededRng rng(5);
  auto answer = full_answer(rng);
  answer.record = Bytes(500, 1);
  for (std::size_t room = 30; room < 1200; room += 7) {
    if (room > 500 && room < 560) continue;  // about the record's own size
    const auto bytes = encode(answer, room);
    EXPECT_LE(bytes.size(), room);
    const auto back = read_answer(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->more, back->record.empty());  // what was cut is announced
    EXPECT_EQ(back->record.empty(), room < 560) << room;
    EXPECT_LT(back->contacts.size(), 8U);
  }
}

TEST(Message, TheLongestAnswerAndTheLongestStoreFitADatagram) {
  SeededRng rng(6);
  EXPECT_LE(encode(full_answer(rng), 5000).size() + kAnswerOverhead, kMaxDatagram);
  Request store;
  store.kind = Kind::store;
  store.sender = paper_contact(rng, *Endpoint::parse("[2a00::1]:4400"));
  store.record = Bytes(kMaxRecord, 1);
  EXPECT_LE(encode(store, 0).size() + kRequestOverhead, kMaxDatagram);
}

TEST(Message, EightContactsAreTooMany) {
  SeededRng rng(7);
  Writer list;
  for (int i = 0; i < 8; ++i) write(list, paper_contact(rng, endpoint(0x0a000001)));
  pack::Packer out;
  out.map(2).key(0).uint(0).key(1).bin(list.written());
  EXPECT_EQ(read_answer(out.take()).error(), Fault::too_big);
}

TEST(Message, MsgpackBombsAreRefused) {
  const Bytes array_bomb{0x00, 0x05, 0xdd, 0xff, 0xff, 0xff, 0xff};
  EXPECT_FALSE(read_request(array_bomb));
  Bytes depth_bomb(60000, 0x91);
  depth_bomb[0] = 0xea;
  depth_bomb[1] = 0x5e;
  EXPECT_FALSE(read_request(depth_bomb));
  EXPECT_FALSE(read_answer(ByteView(depth_bomb).subspan(2)));
}

}  // namespace
}  // namespace linnet::dht::test
