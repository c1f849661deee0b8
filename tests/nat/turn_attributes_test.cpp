// Every attribute that TURN knows, out of shape, in every request (RFC 8656, section 18; RFC 8489, section 14): what is
// needed is refused by its number, what is not is passed over, and whatever is refused changed nothing.
#include <cctype>

#include "tests/nat/turn_picture.h"

namespace linnet::nat::turn {
namespace {

constexpr Attr kUnheardOf = static_cast<Attr>(0x7abc);

const Method kRequests[] = {Method::allocate, Method::refresh, Method::create_permission, Method::channel_bind};

std::string_view name_of(Method method) {
  switch (method) {
    case Method::allocate: return "Allocate";
    case Method::refresh: return "Refresh";
    case Method::create_permission: return "CreatePermission";
    default: return "ChannelBind";
  }
}

struct Shaped {
  Method method;
  Attr attr;
  std::size_t length;     // of its value
  std::uint8_t family;    // its second byte, where it is an address
  int code;               // 0: a success
  std::string_view what;  // for a person
};

// What each request has, but for the attribute that is tried, which comes instead.
Builder asked_without(Client& client, Method method, Attr without) {
  auto out = client.request(method);
  if (method == Method::allocate && without != Attr::requested_transport) out.u8(Attr::requested_transport, 17);
  if (method == Method::channel_bind && without != Attr::channel_number) out.u16(Attr::channel_number, 0x4001);
  const bool about_a_peer = method == Method::channel_bind || method == Method::create_permission;
  if (about_a_peer && without != Attr::xor_peer_address) out.endpoint(Attr::xor_peer_address, kPeer);
  return out;
}

Bytes value_of(const Shaped& one) {
  Bytes out(one.length, 0);
  if (out.empty()) return out;
  switch (one.attr) {
    case Attr::requested_transport: out.front() = 17; break;
    case Attr::requested_address_family: out.front() = one.family; break;
    case Attr::additional_address_family: out.front() = one.family; break;
    case Attr::channel_number: out.front() = 0x40; break;
    case Attr::xor_peer_address:
      if (out.size() > 1) out[1] = one.family;
      // 1.2.3.4 and its like before the exclusive or: an address that may be reached.
      for (std::size_t i = 4; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(0x21 ^ i);
      break;
    default: break;
  }
  return out;
}

class TurnAttribute : public testing::TestWithParam<Shaped> {
 protected:
  World world;
  Client client{world};
};

TEST_P(TurnAttribute, OutOfShapeIsRefusedOrPassedOverAsItsSectionSays) {
  const auto& one = GetParam();
  client.challenged();
  if (one.method != Method::allocate) {
    ASSERT_TRUE(client.allocate().success());
  }
  const Picture before(world, {kClient});
  const auto answer = client.ask(asked_without(client, one.method, one.attr).bytes(one.attr, value_of(one)));
  EXPECT_EQ(answer.code(), one.code) << name_of(one.method) << ": " << one.what;
  if (one.code != 0) {
    EXPECT_EQ(Picture(world, {kClient}), before) << "it was refused";
    EXPECT_TRUE(stun::integrity_holds(answer.message(), *stun::long_term_key_md5("alice", "example.org", "secret")));
  }
}

constexpr auto kAlloc = Method::allocate, kRefresh = Method::refresh, kPermit = Method::create_permission,
               kBind = Method::channel_bind;

INSTANTIATE_TEST_SUITE_P(
    Table, TurnAttribute,
    testing::Values(
        Shaped{kAlloc, Attr::requested_transport, 0, 0, 400, "REQUESTED-TRANSPORT without a value"},
        Shaped{kAlloc, Attr::requested_transport, 1, 0, 400, "REQUESTED-TRANSPORT cut"},
        Shaped{kAlloc, Attr::requested_transport, 3, 0, 400, "REQUESTED-TRANSPORT cut"},
        Shaped{kAlloc, Attr::requested_transport, 8, 0, 400, "REQUESTED-TRANSPORT too long"},
        Shaped{kAlloc, Attr::lifetime, 0, 0, 400, "LIFETIME without a value"},
        Shaped{kAlloc, Attr::lifetime, 3, 0, 400, "LIFETIME cut"},
        Shaped{kAlloc, Attr::lifetime, 8, 0, 400, "LIFETIME too long"},
        Shaped{kAlloc, Attr::requested_address_family, 1, 1, 400, "REQUESTED-ADDRESS-FAMILY cut"},
        Shaped{kAlloc, Attr::requested_address_family, 8, 1, 400, "REQUESTED-ADDRESS-FAMILY too long"},
        Shaped{kAlloc, Attr::requested_address_family, 4, 0, 440, "REQUESTED-ADDRESS-FAMILY of none"},
        Shaped{kAlloc, Attr::requested_address_family, 4, 3, 440, "REQUESTED-ADDRESS-FAMILY unknown"},
        Shaped{kAlloc, Attr::requested_address_family, 4, 0xff, 440, "REQUESTED-ADDRESS-FAMILY unknown"},
        Shaped{kAlloc, Attr::additional_address_family, 0, 0, 400, "ADDITIONAL-ADDRESS-FAMILY without a value"},
        Shaped{kAlloc, Attr::additional_address_family, 1, 2, 400, "ADDITIONAL-ADDRESS-FAMILY cut"},
        Shaped{kAlloc, Attr::additional_address_family, 8, 2, 400, "ADDITIONAL-ADDRESS-FAMILY too long"},
        Shaped{kAlloc, Attr::additional_address_family, 4, 1, 400, "ADDITIONAL-ADDRESS-FAMILY IPv4"},
        Shaped{kAlloc, Attr::additional_address_family, 4, 7, 400, "ADDITIONAL-ADDRESS-FAMILY unknown"},
        Shaped{kAlloc, Attr::even_port, 0, 0, 400, "EVEN-PORT without a value"},
        Shaped{kAlloc, Attr::even_port, 4, 0, 400, "EVEN-PORT too long"},
        Shaped{kAlloc, Attr::reservation_token, 0, 0, 400, "RESERVATION-TOKEN without a value"},
        Shaped{kAlloc, Attr::reservation_token, 7, 0, 400, "RESERVATION-TOKEN cut"},
        Shaped{kAlloc, Attr::reservation_token, 12, 0, 400, "RESERVATION-TOKEN too long"},
        Shaped{kAlloc, Attr::reservation_token, 8, 0, 508, "RESERVATION-TOKEN that nobody was given"},
        Shaped{kRefresh, Attr::lifetime, 0, 0, 400, "LIFETIME without a value: not zero seconds"},
        Shaped{kRefresh, Attr::lifetime, 1, 0, 400, "LIFETIME cut"},
        Shaped{kRefresh, Attr::lifetime, 5, 0, 400, "LIFETIME too long"},
        Shaped{kRefresh, Attr::requested_address_family, 1, 1, 400, "REQUESTED-ADDRESS-FAMILY cut"},
        Shaped{kRefresh, Attr::requested_address_family, 8, 1, 400, "REQUESTED-ADDRESS-FAMILY too long"},
        Shaped{kRefresh, Attr::requested_address_family, 4, 2, 443, "REQUESTED-ADDRESS-FAMILY not allocated"},
        Shaped{kRefresh, Attr::requested_address_family, 4, 9, 443, "REQUESTED-ADDRESS-FAMILY unknown"},
        Shaped{kPermit, Attr::xor_peer_address, 0, 1, 400, "XOR-PEER-ADDRESS without a value"},
        Shaped{kPermit, Attr::xor_peer_address, 1, 1, 400, "XOR-PEER-ADDRESS cut before the family"},
        Shaped{kPermit, Attr::xor_peer_address, 4, 1, 400, "XOR-PEER-ADDRESS cut before the address"},
        Shaped{kPermit, Attr::xor_peer_address, 7, 1, 400, "XOR-PEER-ADDRESS cut"},
        Shaped{kPermit, Attr::xor_peer_address, 12, 1, 400, "XOR-PEER-ADDRESS too long for IPv4"},
        Shaped{kPermit, Attr::xor_peer_address, 19, 2, 400, "XOR-PEER-ADDRESS cut"},
        Shaped{kPermit, Attr::xor_peer_address, 24, 2, 400, "XOR-PEER-ADDRESS too long for IPv6"},
        Shaped{kPermit, Attr::xor_peer_address, 8, 2, 400, "XOR-PEER-ADDRESS says IPv6, has four bytes"},
        Shaped{kPermit, Attr::xor_peer_address, 20, 1, 400, "XOR-PEER-ADDRESS says IPv4, has sixteen bytes"},
        Shaped{kPermit, Attr::xor_peer_address, 8, 0, 400, "XOR-PEER-ADDRESS of no family"},
        Shaped{kPermit, Attr::xor_peer_address, 8, 3, 400, "XOR-PEER-ADDRESS of an unknown family"},
        Shaped{kPermit, Attr::xor_peer_address, 20, 2, 443, "XOR-PEER-ADDRESS of the family that was not allocated"},
        Shaped{kPermit, Attr::xor_peer_address, 8, 1, 0, "XOR-PEER-ADDRESS as it should be"},
        Shaped{kBind, Attr::xor_peer_address, 0, 1, 400, "XOR-PEER-ADDRESS without a value"},
        Shaped{kBind, Attr::xor_peer_address, 7, 1, 400, "XOR-PEER-ADDRESS cut"},
        Shaped{kBind, Attr::xor_peer_address, 12, 1, 400, "XOR-PEER-ADDRESS too long"},
        Shaped{kBind, Attr::xor_peer_address, 8, 2, 400, "XOR-PEER-ADDRESS says IPv6, has four bytes"},
        Shaped{kBind, Attr::xor_peer_address, 20, 1, 400, "XOR-PEER-ADDRESS says IPv4, has sixteen bytes"},
        Shaped{kBind, Attr::xor_peer_address, 8, 3, 400, "XOR-PEER-ADDRESS of an unknown family"},
        Shaped{kBind, Attr::xor_peer_address, 20, 2, 443, "XOR-PEER-ADDRESS of the family that was not allocated"},
        Shaped{kBind, Attr::channel_number, 1, 0, 400, "CHANNEL-NUMBER cut"},
        Shaped{kBind, Attr::channel_number, 2, 0, 400, "CHANNEL-NUMBER without its reserved bytes"},
        Shaped{kBind, Attr::channel_number, 8, 0, 400, "CHANNEL-NUMBER too long"},
        Shaped{kBind, Attr::channel_number, 4, 0, 0, "CHANNEL-NUMBER as it should be"}),
    [](const auto& one) {
      auto out = std::string(name_of(one.param.method)) + '_';
      for (const char c : one.param.what) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return out + '_' + std::to_string(one.param.length) + '_' + std::to_string(one.param.family);
    });

// Known, but of no use in this request: passed over, whatever shape it has (RFC 8489, section 6.3).
struct Pointless {
  Method method;
  std::vector<Attr> attrs;
};
class PointlessAttribute : public testing::TestWithParam<Pointless> {};

TEST_P(PointlessAttribute, IsPassedOverInAnyShape) {
  const auto& [method, attrs] = GetParam();
  for (const auto attr : attrs) {
    for (const std::size_t length : {0, 1, 4, 8, 20, 700}) {
      World world;
      Client client(world);
      client.challenged();
      if (method != Method::allocate) {
        ASSERT_TRUE(client.allocate().success());
      }
      const auto answer = client.ask(asked_without(client, method, kUnheardOf).bytes(attr, Bytes(length, 0xff)));
      EXPECT_TRUE(answer.success()) << name_of(method) << " with " << std::hex << static_cast<int>(attr) << std::dec
                                    << " of " << length << " bytes: " << answer.code();
    }
  }
}

// Those that answers and indications have, and these.
std::vector<Attr> pointless(std::vector<Attr> more) {
  more.insert(more.end(), {Attr::mapped_address, Attr::xor_mapped_address, Attr::xor_relayed_address, Attr::error_code,
                           Attr::unknown_attributes, Attr::data, Attr::address_error_code, Attr::icmp, Attr::software,
                           Attr::alternate_server, Attr::alternate_domain, static_cast<Attr>(0xfabc)});
  return more;
}

INSTANTIATE_TEST_SUITE_P(
    Each, PointlessAttribute,
    testing::Values(Pointless{kAlloc, pointless({Attr::channel_number, Attr::xor_peer_address})},
                    Pointless{kRefresh, pointless({Attr::channel_number, Attr::xor_peer_address, Attr::even_port,
                                                   Attr::requested_transport, Attr::dont_fragment,
                                                   Attr::reservation_token, Attr::additional_address_family})},
                    Pointless{kPermit,
                              pointless({Attr::channel_number, Attr::lifetime, Attr::even_port,
                                         Attr::requested_transport, Attr::dont_fragment, Attr::reservation_token,
                                         Attr::requested_address_family, Attr::additional_address_family})},
                    Pointless{kBind, pointless({Attr::lifetime, Attr::even_port, Attr::requested_transport,
                                                Attr::dont_fragment, Attr::reservation_token,
                                                Attr::requested_address_family, Attr::additional_address_family})}),
    [](const auto& one) { return std::string(name_of(one.param.method)); });

// The first of several counts (RFC 8489, section 14).
struct TurnTwice : testing::Test {
  TurnTwice() { client.challenged(); }
  World world;
  Client client{world};
};

TEST_F(TurnTwice, TheFirstTransportFamilyAndLifetimeAreTaken) {
  auto out = client.allocate_request().u32(Attr::lifetime, 1200).u8(Attr::requested_address_family, 1);
  out.u8(Attr::requested_transport, 6).u32(Attr::lifetime, 3000).u8(Attr::requested_address_family, 2);
  const auto answer = client.ask(out);
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.message().u32(Attr::lifetime), 1200U);
  EXPECT_EQ(answer.message().endpoint(Attr::xor_relayed_address)->ip, kServer);
  EXPECT_EQ(world.next_relay, 2U) << "one socket";
  EXPECT_EQ(client.ask(client.request(Method::refresh).u32(Attr::lifetime, 900).u32(Attr::lifetime, 0))
                .message()
                .u32(Attr::lifetime),
            900U);
  EXPECT_EQ(world.server.size(), 1U);
}

TEST_F(TurnTwice, TheFirstEvenPortAndTokenAreTaken) {
  const ByteArray<1> even{0}, next{0x80};
  const auto answer = client.ask(client.allocate_request().bytes(Attr::even_port, even).bytes(Attr::even_port, next));
  ASSERT_TRUE(answer.success());
  EXPECT_FALSE(answer.message().has(Attr::reservation_token));
  Client other(world, *Endpoint::parse("203.0.113.9:5001"));
  const auto given = other.ask(other.allocate_request().bytes(Attr::even_port, next).bytes(Attr::even_port, even));
  const auto token = given.message().u64(Attr::reservation_token);
  ASSERT_TRUE(token);
  Client third(world, *Endpoint::parse("203.0.113.9:5002"));
  const auto twice = [&](std::uint64_t first, std::uint64_t second) {
    return third.ask(third.allocate_request().u64(Attr::reservation_token, first).u64(Attr::reservation_token, second))
        .code();
  };
  EXPECT_EQ(twice(*token + 1, *token), 508);
  EXPECT_EQ(twice(*token, *token + 1), 0);
}

TEST_F(TurnTwice, TheFirstChannelAndPeerAreBound) {
  ASSERT_TRUE(client.allocate().success());
  const Endpoint second{IpAddress::v4(198, 51, 100, 8), 6000};
  auto out = client.request(Method::channel_bind).u16(Attr::channel_number, 0x4001).u16(Attr::channel_number, 0x4002);
  out.endpoint(Attr::xor_peer_address, kPeer).endpoint(Attr::xor_peer_address, second);
  ASSERT_TRUE(client.ask(out).success());
  EXPECT_EQ(client.on_channel(0x4001, "x").endpoint, kPeer);
  EXPECT_EQ(client.on_channel(0x4002, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.send(second, "x").to, Onward::To::nobody) << "no permission either";
}

TEST_F(TurnTwice, ASecondPeerThatMustNotBeReachedDoesNotHideBehindTheFirst) {
  ASSERT_TRUE(client.allocate().success());
  const auto inside = *Endpoint::parse("10.0.0.1:6000");
  auto out = client.request(Method::channel_bind).u16(Attr::channel_number, 0x4001);
  EXPECT_TRUE(
      client.ask(out.endpoint(Attr::xor_peer_address, kPeer).endpoint(Attr::xor_peer_address, inside)).success());
  EXPECT_EQ(client.send(inside, "x").to, Onward::To::nobody);
  Builder indication(Class::indication, Method::send, client.id());
  indication.endpoint(Attr::xor_peer_address, kPeer).endpoint(Attr::xor_peer_address, inside);
  auto bytes = indication.bytes(Attr::data, view("one")).bytes(Attr::data, view("two")).take();
  const auto onward = world.server.from_client(world.now, kClient, bytes);
  EXPECT_EQ(onward.endpoint, kPeer);
  EXPECT_EQ(text(onward.bytes), "one");
}

TEST_F(TurnTwice, ACreatePermissionIsForEachOfItsPeersOnceAndAttributesHaveAnEnd) {
  ASSERT_TRUE(client.allocate().success());
  // With the four of the credentials, as many as one message may have.
  auto most = client.request(Method::create_permission);
  for (std::size_t i = 0; i < stun::kMaxAttributes - 4; ++i) most.endpoint(Attr::xor_peer_address, kPeer);
  EXPECT_TRUE(client.ask(most).success());
  auto over = client.request(Method::create_permission);
  for (std::size_t i = 0; i < stun::kMaxAttributes - 3; ++i)
    over.endpoint(Attr::xor_peer_address, {IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(10 + i)), 1});
  EXPECT_FALSE(world.ask(kClient, client.sealed(over))) << "it is not read to its end, so it is not answered";
  EXPECT_EQ(client.send({IpAddress::v4(198, 51, 100, 10), 1}, "x").to, Onward::To::nobody);
}

// Comprehension-required and unknown: 420 and the list, each once, in every request (RFC 8489, section 6.3.1).
TEST(TurnUnknown, AreListedEachOnceInEveryRequestAndNothingIsDone) {
  for (const auto method : kRequests) {
    World world;
    Client client(world);
    client.challenged();
    if (method != Method::allocate) {
      ASSERT_TRUE(client.allocate().success());
    }
    const Picture before(world, {kClient});
    auto out = asked_without(client, method, kUnheardOf);
    out.u32(kUnheardOf, 1).flag(static_cast<Attr>(0x0002)).u32(static_cast<Attr>(0xfffe), 0);
    out.u32(Attr::connection_id, 0).bytes(kUnheardOf, Bytes(300, 7)).u32(Attr::priority, 1);
    const auto answer = client.ask(out);
    ASSERT_EQ(answer.code(), 420) << name_of(method);
    EXPECT_THAT(*answer.message().unknown_attributes(),
                testing::ElementsAre(kUnheardOf, static_cast<Attr>(0x0002), Attr::connection_id, Attr::priority))
        << name_of(method);
    EXPECT_TRUE(stun::integrity_holds(answer.message(), *stun::long_term_key_md5("alice", "example.org", "secret")));
    EXPECT_EQ(Picture(world, {kClient}), before) << name_of(method);
  }
}

TEST(TurnUnknown, AreNotListedForWhoIsNotKnown) {
  World world;
  Client client(world);
  const auto answer = world.ask(kClient, client.allocate_request().u32(kUnheardOf, 0).take());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code(), 401);
  EXPECT_FALSE(answer->message().has(Attr::unknown_attributes));
}

// What says who asks. Nobody is known by one of these out of shape.
struct Credential {
  Attr attr;
  std::size_t length;
  int code;  // 0: no answer
};
class TurnCredential : public testing::TestWithParam<Credential> {};

TEST_P(TurnCredential, OutOfShapeMakesNobodyKnown) {
  const auto attr = GetParam().attr;
  const auto code = GetParam().code;
  World world;
  Client client(world);
  client.challenged();
  const Picture before(world, {kClient});
  auto out = client.allocate_request();
  const Bytes value(GetParam().length, 'a');
  const auto text_or = [&](Attr known, std::string_view text) {
    if (known == attr) {
      out.bytes(known, value);
    } else {
      out.text(known, text);
    }
  };
  if (attr != Attr::userhash) text_or(Attr::username, "alice");
  if (attr == Attr::userhash) out.bytes(attr, value);
  text_or(Attr::realm, client.realm_);
  text_or(Attr::nonce, client.nonce_);
  if (attr == Attr::password_algorithm || attr == Attr::password_algorithms) out.bytes(attr, value);
  const auto key = *stun::long_term_key_md5("alice", client.realm_, "secret");
  if (attr == Attr::message_integrity || attr == Attr::message_integrity_sha256) {
    out.bytes(attr, value);
  } else {
    out.integrity(key);
  }
  if (attr == Attr::fingerprint) out.bytes(attr, value);
  const auto answer = world.ask(kClient, out.take());
  EXPECT_EQ(answer ? answer->code() : 0, code)
      << std::hex << static_cast<int>(attr) << std::dec << ' ' << GetParam().length;
  EXPECT_EQ(Picture(world, {kClient}), before);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TurnCredential,
    testing::Values(
        Credential{Attr::username, 0, 401}, Credential{Attr::username, 4, 401}, Credential{Attr::username, 509, 401},
        Credential{Attr::username, 4000, 401}, Credential{Attr::userhash, 0, 401}, Credential{Attr::userhash, 31, 401},
        Credential{Attr::userhash, 33, 401}, Credential{Attr::realm, 0, 401}, Credential{Attr::realm, 764, 400},
        Credential{Attr::nonce, 0, 438}, Credential{Attr::nonce, 40, 438}, Credential{Attr::nonce, 764, 400},
        Credential{Attr::password_algorithm, 0, 400}, Credential{Attr::password_algorithm, 3, 400},
        Credential{Attr::password_algorithm, 4, 400}, Credential{Attr::password_algorithms, 2, 400},
        Credential{Attr::password_algorithms, 64, 400}, Credential{Attr::message_integrity, 0, 401},
        Credential{Attr::message_integrity, 19, 401}, Credential{Attr::message_integrity, 20, 401},
        Credential{Attr::message_integrity, 24, 401}, Credential{Attr::message_integrity_sha256, 0, 401},
        Credential{Attr::message_integrity_sha256, 12, 401}, Credential{Attr::message_integrity_sha256, 30, 401},
        Credential{Attr::message_integrity_sha256, 36, 401}, Credential{Attr::fingerprint, 0, 0},
        Credential{Attr::fingerprint, 4, 0}, Credential{Attr::fingerprint, 8, 0}),
    [](const auto& one) {
      return "Attribute" + std::to_string(static_cast<unsigned>(one.param.attr)) + "Of" +
             std::to_string(one.param.length);
    });

// A length that goes past the end, of each attribute in turn: the message is nobody's.
TEST(TurnTruncated, AnAttributeThatIsLongerThanItsMessageIsNotAnswered) {
  World world;
  Client client(world);
  client.challenged();
  const auto whole =
      client.sealed(client.allocate_request().u32(Attr::lifetime, 900).u8(Attr::requested_address_family, 1));
  const auto message = *Message::parse(whole);
  for (const auto& attribute : message.attributes()) {
    auto lies = whole;
    const auto left = static_cast<std::uint16_t>(whole.size() - attribute.offset + 1);
    lies[attribute.offset - 2U] = static_cast<std::uint8_t>(left >> 8);
    lies[attribute.offset - 1U] = static_cast<std::uint8_t>(left);
    EXPECT_FALSE(world.ask(kClient, lies)) << attribute.offset;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(world.ask(kClient, cut)) << size;
    if (size < stun::kHeaderBytes) continue;
    // And with a length in the header that fits: what is left of the credentials is refused, or it is no message.
    cut[2] = static_cast<std::uint8_t>((size - stun::kHeaderBytes) >> 8);
    cut[3] = static_cast<std::uint8_t>(size - stun::kHeaderBytes);
    const auto said = world.ask(kClient, cut);
    EXPECT_FALSE(said && said->success()) << size;
  }
  EXPECT_EQ(world.server.size(), 0U);
  EXPECT_TRUE(world.ask(kClient, whole)->success());
}

}  // namespace
}  // namespace linnet::nat::turn
