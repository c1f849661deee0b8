#include "crypto/invitation.h"

#include <algorithm>

#include "each_suite.h"

namespace linnet::crypto {
namespace {

constexpr Wall kInvited{1'800'000'000};
const auto kNetwork = network_id("linnet");

class Invitations : public EachSuite {
 protected:
  Identity make(std::string_view name) {
    return make_identity(suite(), rng_, name.empty() ? Address() : *Address::parse(name), kInvited);
  }
  Invitation of(const Identity& who, std::size_t via = 2) {
    Invitation out;
    out.account = who.account_key();
    out.address = who.address;
    out.expires = kInvited + std::chrono::hours(24);
    out.secret = rng_.array<16>();
    for (std::size_t i = 0; i < via; ++i)
      out.via.push_back({*Endpoint::parse("198.51.100." + std::to_string(i + 1) + ":4400"), {rng_.array<32>()}});
    return out;
  }
  std::string code(const Identity& who, const Invitation& invitation) {
    return write_invitation(suite(), who, kNetwork, invitation).value();
  }
};
LINNET_EACH_SUITE(Invitations);

TEST_P(Invitations, SayWhoInvitesAndWhereToJoin) {
  for (const auto* name : {"alice@acme.example", ""}) {
    const auto alice = make(name);
    const auto sent = of(alice);
    const auto read = read_invitation(suite(), kNetwork, code(alice, sent));
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->account, alice.account_key());
    EXPECT_EQ(read->address, alice.address);
    EXPECT_EQ(read->key_name(), alice.key_name());
    EXPECT_EQ(read->via, sent.via);
    EXPECT_EQ(read->expires, sent.expires);
    EXPECT_EQ(read->id(), sent.id());
  }
}

TEST_P(Invitations, SurviveTheWayTheyAreSent) {
  const auto alice = make("alice@acme.example");
  const auto sent = code(alice, of(alice));
  std::string folded;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    folded += i % 2 == 0 ? static_cast<char>(std::tolower(sent[i])) : sent[i];
    if (i % 60 == 59) folded += "\r\n  ";
  }
  EXPECT_TRUE(read_invitation(suite(), kNetwork, folded));
}

TEST_P(Invitations, AreRefusedWithAnyBitChanged) {
  const auto alice = make("alice@acme.example");
  const auto sent = code(alice, of(alice));
  const auto bytes = from_base32([&] {
                       auto lower = sent.substr(7);
                       for (auto& c : lower) c = static_cast<char>(std::tolower(c));
                       return lower;
                     }())
                         .value();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto forged = bytes;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_FALSE(read_invitation(suite(), kNetwork, "LINNET-" + to_base32(forged))) << bit;
  }
  for (std::size_t n = 0; n < bytes.size(); ++n)
    ASSERT_FALSE(read_invitation(suite(), kNetwork, "LINNET-" + to_base32(ByteView(bytes).first(n)))) << n;
}

TEST_P(Invitations, CannotBeSignedBySomebodyElse) {
  const auto alice = make("alice@acme.example");
  const auto eve = make("eve@acme.example");
  auto forged = of(alice);
  const auto text = code(eve, forged);  // Eve's key and signature under Alice's plain name
  const auto read = read_invitation(suite(), kNetwork, text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->account, eve.account_key()) << "it is Eve's, whatever name it gives";
}

TEST_P(Invitations, OfAnotherNetworkSaySo) {
  const auto alice = make("alice@acme.example");
  const auto text = code(alice, of(alice));
  EXPECT_EQ(read_invitation(suite(), network_id("office"), text).error(), Fault::mismatch);
}

TEST_P(Invitations, AreBounded) {
  const auto alice = make("alice@acme.example");
  EXPECT_EQ(write_invitation(suite(), alice, kNetwork, of(alice, kMaxInvitedVia + 1)).error(), Fault::too_big);
  const auto longest = make(std::string(64, 'a') + "@" + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
                            std::string(60, 'd') + "." + std::string(60, 'e') + ".example");
  const auto read = read_invitation(suite(), kNetwork, code(longest, of(longest, kMaxInvitedVia)));
  EXPECT_TRUE(read) << "the longest name fits";
  EXPECT_FALSE(read_invitation(suite(), kNetwork, "LINNET-" + std::string(10'000, 'A')));
  EXPECT_EQ(read_invitation(suite(), kNetwork, "LINNET-").error(), Fault::truncated);
  EXPECT_EQ(read_invitation(suite(), kNetwork, "hello").error(), Fault::malformed);
}

TEST_P(Invitations, FitIntoAQrCodeThatATerminalShows) {
  const auto alice = make("alice@acme.example");
  EXPECT_LE(code(alice, of(alice, kMaxInvitedVia)).size(), 520U);
}

}  // namespace
}  // namespace linnet::crypto
