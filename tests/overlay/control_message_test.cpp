#include "overlay/control_message.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::overlay::control {
namespace {

Endpoint somewhere() { return {IpAddress::v4(192, 0, 2, 1), 4400, Transport::udp}; }

std::vector<Message> one_of_each() {
  SeededRng rng(4);
  dht::Contact contact;
  contact.endpoint = somewhere();
  contact.device.bytes = rng.array<32>();
  contact.session.bytes = rng.array<32>();
  contact.signature = rng.array<64>();
  contact.position = dht::position(contact.endpoint.ip, contact.device);
  const crypto::UserKey user{rng.array<32>()};
  return {Attach{},
          Attach{std::nullopt, std::chrono::seconds(45)},
          Attach{dht::Id{rng.array<32>()}, std::chrono::seconds(10)},
          Attach{dht::Id{rng.array<32>()}, std::nullopt, 200},
          Attach{std::nullopt, std::chrono::seconds(10), 0xffffffff},
          Attached{77, somewhere()},
          AttachRefused{{contact}},
          Detach{},
          FindNodes{1, dht::Id{rng.array<32>()}},
          Nodes{1, {contact, contact}, std::nullopt},
          Nodes{2, {contact}, Wall{1'750'000'000}},
          FindRecords{2, user, std::nullopt},
          FindRecords{2, user, crypto::AccountKey{rng.array<32>()}},
          FindRecords{2, user, std::nullopt, {1, 3}},
          FindRecords{2, user, crypto::AccountKey{rng.array<32>()}, {7, 8}},
          Records{2, false, {Bytes(600, 1), Bytes(3, 2)}},
          Records{2, true, {}},
          Records{2, false, {}, 7},
          Publish{3, Bytes(700, 9)},
          Published{3, 6},
          CircuitOpen{rng.array<16>(), 88, std::nullopt},
          CircuitOpen{rng.array<16>(), 88, crypto::SessionKey{rng.array<32>()}},
          ForwardOpen{crypto::SessionKey{rng.array<32>()}, 7, 9},
          DialAsk{rng.array<12>(), 443},
          CircuitAsk{rng.array<16>(), 99},
          CircuitAccept{rng.array<16>(), 99},
          CircuitReady{rng.array<16>(), 99},
          CircuitClosed{rng.array<16>()},
          CircuitOffer{rng.array<16>(), crypto::SessionKey{rng.array<32>()}},
          CircuitShow{99},
          CircuitSeen{99, somewhere()},
          PartnerAsk{},
          PartnerOffer{4401},
          PartnerSend{7, somewhere(), rng.array<12>(), 96, true, false},
          PartnerSent{7, true},
          Serve{},
          Handover{{contact, contact}},
          Handover{{}},
          Crowded{}};
}

TEST(ControlMessage, EveryKindSurvivesTheWire) {
  for (const auto& message : one_of_each()) {
    const auto wire = write(message);
    const auto back = read(wire);
    ASSERT_TRUE(back) << message.index();
    EXPECT_EQ(back->index(), message.index());
    EXPECT_EQ(write(*back), wire) << message.index();
  }
}

TEST(ControlMessage, AShareIsOneOfAFew) {
  const crypto::UserKey user{};
  for (const dht::Share wrong : {dht::Share{3, 3}, dht::Share{0, 9}, dht::Share{200, 300}})
    EXPECT_FALSE(read(write(FindRecords{2, user, std::nullopt, wrong}))) << wrong.of;
  const auto whole = read(write(FindRecords{2, user, std::nullopt}));
  ASSERT_TRUE(whole);
  EXPECT_EQ(std::get<FindRecords>(*whole).share, dht::Share{});
}

TEST(ControlMessage, EveryTruncationIsRefused) {
  for (const auto& message : one_of_each()) {
    const auto wire = write(message);
    for (std::size_t n = 0; n < wire.size(); ++n)
      EXPECT_FALSE(read(ByteView(wire).first(n))) << message.index() << ' ' << n;
  }
}

// A session seals it: what a flip leaves readable is a message, and never more than a message.
TEST(ControlMessage, NoFlippedBitIsACrashOrReadsAsAnythingThatCannotBeSaid) {
  for (const auto& message : one_of_each()) {
    const auto wire = write(message);
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
      auto bad = wire;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      const auto back = read(bad);
      EXPECT_TRUE(!back || read(write(*back))) << message.index() << ' ' << bit;
    }
  }
}

// A standby says so to supernodes that know nothing of it, and to those that do.
TEST(ControlMessage, FieldsThatAreNotKnownArePassedOver) {
  const auto attach = read(from_hex("830001092a0a2b").value());
  ASSERT_TRUE(attach);
  EXPECT_EQ(std::get<Attach>(*attach).standby, 0U);
  EXPECT_EQ(std::get<Attach>(*read(from_hex("82000103cd0100").value())).standby, 256U);
  EXPECT_EQ(std::get<Attach>(*read(from_hex("82000103cf00000001ffffffff").value())).standby, 0xffffffffU);
  EXPECT_EQ(write(Attach{}), from_hex("810001").value()) << "who is no standby says what was always said";
}

TEST(ControlMessage, AHandoverNamesAtMostSixteen) {
  dht::Contact contact;
  contact.endpoint = somewhere();
  const auto back = read(write(Handover{std::vector<dht::Contact>(kMaxContacts + 5, contact)}));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<Handover>(*back).alternatives.size(), kMaxContacts);
}

TEST(ControlMessage, AnUnknownTypeIsUnsupported) {
  EXPECT_EQ(read(from_hex("8100cc63").value()).error(), Fault::unsupported);
  EXPECT_FALSE(read(from_hex("80").value()));
  EXPECT_FALSE(read(from_hex("c0").value()));
}

TEST(ControlMessage, ACircuitIdHas48Bits) {
  EXPECT_FALSE(read(write(CircuitReady{{}, 1ULL << 48})));
  EXPECT_TRUE(read(write(CircuitReady{{}, (1ULL << 48) - 1})));
}

TEST(ControlMessage, RandomBytesNeverCrashIt) {
  SeededRng rng(9);
  const auto seeds = one_of_each();
  for (int i = 0; i < 20'000; ++i) {
    auto wire = write(seeds[rng.below(seeds.size())]);
    for (int flips = 0; flips < 3; ++flips) wire[rng.below(wire.size())] = static_cast<std::uint8_t>(rng.u32());
    const auto back = read(wire);
    EXPECT_TRUE(!back || read(write(*back)));
  }
}

}  // namespace
}  // namespace linnet::overlay::control
