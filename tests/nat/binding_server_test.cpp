// What a stranger's Binding request gets (RFC 8489, section 12; RFC 5780, section 6.1).
#include "nat/binding_server.h"

#include <gmock/gmock.h>

#include "nat/stun_builder.h"

namespace linnet::nat {
namespace {

using stun::Attr;
using stun::Builder;
using stun::Class;
using stun::Message;
using stun::Method;

const Endpoint kPrimary = *Endpoint::parse("198.51.100.1:3478");
const Endpoint kOther = *Endpoint::parse("198.51.100.2:3479");
const Endpoint kClient = *Endpoint::parse("203.0.113.9:5000");
const stun::TransactionId kId{7};

Builder request() { return Builder(Class::request, Method::binding, kId); }

std::optional<BindingAnswer> ask(const BindingServer& server, Builder& out, const Endpoint& at = kPrimary) {
  return server.answer(at, kClient, *Message::parse(out.written()));
}

TEST(BindingServer, TellsWhereTheRequestCameFrom) {
  const BindingServer server({kPrimary, std::nullopt});
  auto out = request();
  const auto answer = ask(server, out);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->from, kPrimary);
  EXPECT_EQ(answer->to, kClient);
  const auto m = *Message::parse(answer->bytes);
  EXPECT_TRUE(m.is(Class::success, Method::binding));
  EXPECT_EQ(m.id(), kId);
  EXPECT_EQ(m.endpoint(Attr::xor_mapped_address), kClient);
  EXPECT_EQ(answer->bytes.size(), 32U);
}

TEST(BindingServer, AnswersNothingButBindingRequests) {
  const BindingServer server({kPrimary, std::nullopt});
  for (const auto c : {Class::indication, Class::success, Class::error}) {
    Builder out(c, Method::binding, kId);
    EXPECT_FALSE(ask(server, out));
  }
  Builder allocate(Class::request, Method::allocate, kId);
  EXPECT_FALSE(ask(server, allocate));
}

TEST(BindingServer, ListsWhatItDoesNotUnderstand) {
  const BindingServer server({kPrimary, std::nullopt});
  auto out = request();
  out.u32(static_cast<Attr>(0x7abc), 0).u32(Attr::change_request, stun::kChangePort);
  const auto answer = ask(server, out);
  ASSERT_TRUE(answer);
  const auto m = *Message::parse(answer->bytes);
  EXPECT_EQ(m.error()->code, stun::ErrorCode::unknown_attribute);
  EXPECT_THAT(*m.unknown_attributes(), testing::ElementsAre(static_cast<Attr>(0x7abc), Attr::change_request));
}

TEST(BindingServer, RefusesWithoutWordsAndWithTheFingerprintOfTheRequest) {
  const BindingServer server({kPrimary, std::nullopt});
  for (const bool fingerprint : {false, true}) {
    for (int unknown = 1; unknown <= 8; ++unknown) {
      auto out = request();
      for (int i = 0; i < unknown; ++i) out.flag(static_cast<Attr>(0x7ab0 + i));
      if (fingerprint) out.fingerprint();
      const auto answer = ask(server, out);
      ASSERT_TRUE(answer);
      const auto m = *Message::parse(answer->bytes);
      EXPECT_EQ(m.error()->code, stun::ErrorCode::unknown_attribute);
      EXPECT_EQ(m.error()->reason, "");
      EXPECT_EQ(m.has(Attr::fingerprint), fingerprint);
      EXPECT_LE(answer->bytes.size(), out.written().size() + 12);
    }
  }
}

TEST(BindingServer, AnAnswerFromAnotherAddressLeavesByNoSocketOfTheRequests) {
  const BindingServer server({kPrimary, kOther});
  auto client = kClient;
  client.socket = 3;
  for (const std::uint32_t change : {0U, 2U, 4U, 6U}) {
    auto out = request();
    const auto answer =
        server.answer(kPrimary, client, *Message::parse(out.u32(Attr::change_request, change).written()));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->to.socket, change == 0 ? 3 : 0);
  }
}

TEST(BindingServer, ItsAnswersAreAsLongAsIsSaid) {
  const Endpoint v6{*IpAddress::parse("2001:db8::9"), 5000};
  const Endpoint v6_primary{*IpAddress::parse("2001:db8::1"), 3478};
  const Endpoint v6_other{*IpAddress::parse("2001:db8::2"), 3479};
  const auto length = [](const BindingServerConfig& config, const Endpoint& from) {
    auto out = request();
    return BindingServer(config).answer(config.primary, from, *Message::parse(out.written()))->bytes.size();
  };
  EXPECT_EQ(length({kPrimary, std::nullopt}, kClient), 32U);
  EXPECT_EQ(length({v6_primary, std::nullopt}, v6), 44U);
  EXPECT_EQ(length({kPrimary, kOther}, kClient), 56U);
  EXPECT_EQ(length({v6_primary, v6_other}, v6), 92U);
}

TEST(BindingServer, SendsFromTheAddressThatIsAskedFor) {
  const BindingServer server({kPrimary, kOther});
  const Endpoint all[] = {kPrimary, {kPrimary.ip, kOther.port}, {kOther.ip, kPrimary.port}, kOther};
  for (const auto& at : all) {
    for (const std::uint32_t change : {0U, 2U, 4U, 6U}) {
      auto out = request();
      const auto answer = ask(server, out.u32(Attr::change_request, change), at);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->from.ip == at.ip, (change & 4) == 0);
      EXPECT_EQ(answer->from.port == at.port, (change & 2) == 0);
      EXPECT_THAT(all, testing::Contains(answer->from));
      const auto m = *Message::parse(answer->bytes);
      EXPECT_EQ(m.endpoint(Attr::response_origin), answer->from);
      const auto other = *m.endpoint(Attr::other_address);
      EXPECT_NE(other.ip, at.ip);
      EXPECT_NE(other.port, at.port);
    }
  }
}

TEST(BindingServer, SendsToAnotherPortOfTheSameAddressOnly) {
  const BindingServer server({kPrimary, kOther});
  auto out = request();
  const auto answer = ask(server, out.u16(Attr::response_port, 6000));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->to, (Endpoint{kClient.ip, 6000}));
  EXPECT_EQ(Message::parse(answer->bytes)->endpoint(Attr::xor_mapped_address), kClient);
  auto padded = request();
  const auto refused = ask(server, padded.u16(Attr::response_port, 6000).bytes(Attr::padding, Bytes(64)));
  EXPECT_EQ(Message::parse(refused->bytes)->error()->code, stun::ErrorCode::bad_request);
}

TEST(BindingServer, WithoutASecondAddressAnswersToAnotherPortAtNoGreaterLength) {
  const BindingServer server(BindingServerConfig{});
  auto bare = request();
  EXPECT_FALSE(ask(server, bare.u16(Attr::response_port, 6000)));
  auto longer = request();
  const auto answer = ask(server, longer.u16(Attr::response_port, 6000).text(Attr::software, "as long as its answer"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->to, (Endpoint{kClient.ip, 6000}));
}

TEST(BindingServer, NeverAnswersAtGreaterLengthWhenToldSo) {
  BindingServerConfig config{kPrimary, kOther};
  config.answers_short = false;
  const BindingServer server(config);
  std::size_t answered = 0;
  for (std::size_t filler = 0; filler < 200; filler += 4) {
    for (const bool unknown : {false, true}) {
      auto out = request();
      out.bytes(Attr::software, Bytes(filler, ' '));
      if (unknown) out.flag(static_cast<Attr>(0x7abc));
      const auto answer = ask(server, out.fingerprint());
      if (!answer) continue;
      ++answered;
      EXPECT_LE(answer->bytes.size(), out.written().size());
    }
  }
  EXPECT_GT(answered, 50U);
}

}  // namespace
}  // namespace linnet::nat
