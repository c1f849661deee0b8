#include "sim/typed_codec.h"

#include <gtest/gtest.h>

#include "crypto/identity.h"

namespace linnet::sim {
namespace {

const crypto::NetworkId kNetwork = crypto::network_id("linnet");

struct Side {
  explicit Side(SeededRng& rng, std::uint32_t host) {
    identity = crypto::make_identity(crypto::typed_suite(), rng, *crypto::Address::parse("a@sim.example"), Wall{1});
    contact.endpoint = {rng.below(2) == 0 ? IpAddress::v4(0x20000000U + host) : IpAddress::v6(rng.array<16>()), 4400,
                        Transport::udp};
    contact.device = identity.device_key();
    contact.session = identity.session_key();
    contact.signature = rng.array<64>();
    contact.position = dht::position(contact.endpoint.ip, contact.device);
  }
  crypto::Identity identity;
  dht::Contact contact;
};

class BothCodecs : public ::testing::Test {
 protected:
  BothCodecs() {
    for (std::uint32_t i = 0; i < 12; ++i) sides.emplace_back(rng, i * 256 + 1);
  }

  dht::Request request() {
    dht::Request out;
    out.kind = static_cast<dht::Kind>(1 + rng.below(4));
    if (rng.below(4) != 0) out.sender = sides[0].contact;
    if (out.kind == dht::Kind::find_node || out.kind == dht::Kind::find_record) out.target = dht::Id{rng.array<32>()};
    if (out.kind == dht::Kind::find_record) out.skip = rng.below(20);
    if (out.kind == dht::Kind::find_record && rng.below(2) == 0) out.key = crypto::UserKey{rng.array<32>()};
    if (out.kind == dht::Kind::store && rng.below(2) == 0) out.target = dht::Id{rng.array<32>()};
    if (out.kind == dht::Kind::store) out.record = Bytes(1 + rng.below(dht::kMaxRecord), 7);
    return out;
  }
  dht::Answer answer() {
    dht::Answer out;
    out.status = static_cast<dht::AnswerStatus>(rng.below(6));
    for (auto n = rng.below(8); n > 0; --n) out.contacts.push_back(sides[rng.below(sides.size())].contact);
    if (rng.below(2) == 0) out.record = Bytes(1 + rng.below(700), 9);
    out.more = rng.below(2) == 0;
    if (rng.below(2) == 0) out.cookie = rng.array<16>();
    return out;
  }

  SeededRng rng{11};
  std::vector<Side> sides;
  TypedCodec typed{crypto::typed_suite(), kNetwork};
  dht::NoiseCodec shipped{dht::Sealer(crypto::typed_suite(), kNetwork, std::nullopt)};
};

TEST_F(BothCodecs, FramesHaveEqualSizesAndReadAsTheSame) {
  for (int i = 0; i < 2000; ++i) {
    const auto& to = sides[1 + rng.below(sides.size() - 1)];
    const auto asked = request();
    const auto padded = rng.below(2) == 0 ? 0 : rng.below(1000);
    const crypto::Secret e1(rng.array<32>());
    const crypto::Secret e2(rng.array<32>());
    const auto a = typed.seal_request(5, to.contact, e1, asked, padded);
    const auto b = shipped.seal_request(5, to.contact, e1, asked, padded);
    ASSERT_TRUE(a && b);
    ASSERT_EQ(a->frame.size(), b->frame.size());
    EXPECT_TRUE(equal(ByteView(a->frame).first(dht::kHeaderBytes), ByteView(b->frame).first(dht::kHeaderBytes)));
    if (a->frame.size() > kMaxDatagram) continue;
    const auto view_a = *dht::split_request(a->frame);
    const auto view_b = *dht::split_request(b->frame);
    const crypto::Mac1 mac1(crypto::typed_suite(), to.contact.session);
    EXPECT_TRUE(mac1.check(view_a.before_mac1, view_a.mac1));
    EXPECT_TRUE(mac1.check(view_b.before_mac1, view_b.mac1));
    auto x = typed.open_request(view_a, to.identity.session, e2);
    auto y = shipped.open_request(view_b, to.identity.session, e2);
    ASSERT_EQ(x.has_value(), y.has_value());
    if (!x) continue;
    EXPECT_EQ(x->request.kind, y->request.kind);
    EXPECT_EQ(x->request.sender, y->request.sender);
    EXPECT_EQ(x->request.target, y->request.target);
    EXPECT_EQ(x->request.skip, y->request.skip);
    EXPECT_EQ(x->request.key, y->request.key);
    EXPECT_EQ(x->request.record, y->request.record);

    const auto said = answer();
    const auto room = rng.below(2) == 0 ? rng.below(1100) : 1100;
    const auto c = typed.seal_answer(5, x->state, said, room);
    const auto d = shipped.seal_answer(5, y->state, said, room);
    ASSERT_EQ(c.has_value(), d.has_value());
    if (!c) continue;
    ASSERT_EQ(c->size(), d->size());
    const auto p = typed.open_answer(a->state, *c);
    const auto q = shipped.open_answer(b->state, *d);
    ASSERT_TRUE(p && q && *p && *q);
    EXPECT_EQ((*p)->status, (*q)->status);
    EXPECT_EQ((*p)->contacts, (*q)->contacts);
    EXPECT_EQ((*p)->record, (*q)->record);
    EXPECT_EQ((*p)->more, (*q)->more);
    EXPECT_EQ((*p)->cookie, (*q)->cookie);
    for (std::size_t n = 0; n < (*p)->contacts.size(); ++n) {
      EXPECT_EQ((*p)->contacts[n].position, (*q)->contacts[n].position);
      EXPECT_EQ((*p)->contacts[n].signature, (*q)->contacts[n].signature);
    }
  }
}

TEST_F(BothCodecs, WhatWasAlteredOrIsForSomebodyElseIsRefused) {
  const crypto::Secret secret(rng.array<32>());
  const auto sealed = *typed.seal_request(5, sides[1].contact, secret, request(), 0);
  EXPECT_FALSE(typed.open_request(*dht::split_request(sealed.frame), sides[2].identity.session, secret));
  for (std::size_t bit = 8 * dht::kHeaderBytes; bit < 8 * (sealed.frame.size() - 2 * dht::kMacBytes); ++bit) {
    auto copy = sealed.frame;
    copy[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(typed.open_request(*dht::split_request(copy), sides[1].identity.session, secret)) << bit;
  }
  const auto answered = *typed.seal_answer(5, nullptr, answer(), 1100);
  EXPECT_TRUE(typed.open_answer(nullptr, answered));
  for (std::size_t bit = 0; bit < 8 * answered.size(); ++bit) {
    auto copy = answered;
    copy[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(typed.open_answer(nullptr, copy)) << bit;
  }
}

}  // namespace
}  // namespace linnet::sim
