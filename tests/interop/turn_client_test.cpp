// Our TURN client (node/io/net/turn_carrier) with Debian's coturn over UDP, TCP and TLS.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>

#include "coturn.h"
#include "nat/turn_pair.h"
#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/turn_carrier.h"
#include "node/io/random.h"
#include "overlay/path.h"
#include "tests/io/real_peer.h"

namespace linnet::interop {
namespace {

using nat::turn::ClientState;

constexpr Duration kLimit = std::chrono::seconds(60);

// Sends back what it gets.
class EchoPeer {
 public:
  explicit EchoPeer(io::Loop& loop) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const auto at = io::to_socket_address({IpAddress::v4(127, 0, 0, 1), 0});
    EXPECT_EQ(::bind(fd_.get(), at.get(), at.size), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    at_ = io::to_endpoint(bound);
    watch_ = loop.watch(fd_.get(), [this] { read(); });
  }
  const Endpoint& at() const { return at_; }
  const std::vector<Endpoint>& callers() const { return callers_; }

 private:
  void read() {
    std::array<char, 2048> bytes;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto n = ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return;
    callers_.push_back(io::to_endpoint(from));
    (void)::sendto(fd_.get(), bytes.data(), static_cast<std::size_t>(n), 0, reinterpret_cast<sockaddr*>(&from), size);
  }

  io::Fd fd_;
  Endpoint at_;
  std::vector<Endpoint> callers_;
  std::unique_ptr<io::Loop::Watch> watch_;
};

// The system says so of a port of this machine that nobody has.
bool is_closed(const Endpoint& at) {
  const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto to = io::to_socket_address(at);
  if (::connect(fd.get(), to.get(), to.size) != 0 || ::send(fd.get(), "", 0, 0) != 0) return false;
  char byte = 0;
  return ::recv(fd.get(), &byte, 1, 0) < 0 && errno == ECONNREFUSED;
}

struct OverTransport {
  const char* name;
  Transport transport;
};

class TurnClient : public testing::TestWithParam<OverTransport> {
 protected:
  void SetUp() override {
    if (!Coturn::here()) GTEST_SKIP() << "turnserver is not here (scripts/deps --install test)";
  }
  void use(const Coturn& server, const std::string& password = "long and secret") {
    use(GetParam().transport == Transport::tls ? server.tls_port() : server.port(), password);
  }
  void use(std::uint16_t port, const std::string& password, const std::string& name = "phone") {
    const auto transport = GetParam().transport;
    io::TurnCarrier::Ears ears;
    ears.changed = [this](std::optional<node::TurnPlace> given) { place = std::move(given); };
    ears.receive = [this](const Datagram& d) { heard.emplace_back(d.from, std::string(text(d.bytes))); };
    carrier = std::make_unique<io::TurnCarrier>(
        loop, rng, io::TurnLogin{{"127.0.0.1", port, transport}, {name, password}, {}, {}}, std::move(ears));
    carrier->start();
  }
  void say(const Endpoint& to, const std::string& what) {
    auto peer = to;
    peer.socket = overlay::kByTurn;
    carrier->send({peer, copy(view(what))});
    carrier->flush();
  }
  bool until(const std::function<bool()>& holds) { return io::run_to(loop, holds, kLimit); }

  io::Loop loop;
  io::SystemRng rng;
  std::optional<node::TurnPlace> place;
  std::vector<std::pair<Endpoint, std::string>> heard;
  std::unique_ptr<io::TurnCarrier> carrier;
};

TEST_P(TurnClient, HasARelayedAddressAndTalksThroughIt) {
  Coturn server;
  ASSERT_TRUE(server.up());
  EchoPeer echo(loop);
  use(server);
  ASSERT_TRUE(until([&] { return place.has_value(); })) << carrier->status().client.trouble;
  ASSERT_FALSE(place->relayed.empty());
  const auto relayed = place->relayed.front();
  // By indications first, by a channel as soon as there is one.
  for (std::size_t i = 0; i < 40; ++i) {
    const auto words = "packet " + std::to_string(i) + std::string(i % 4, '.');  // padded on streams
    say(echo.at(), words);
    ASSERT_TRUE(until([&] { return heard.size() > i; })) << i;
    EXPECT_EQ(heard.back().second, words);
    EXPECT_EQ(heard.back().first.port, echo.at().port);
    EXPECT_EQ(heard.back().first.socket, overlay::kByTurn);
  }
  for (const auto& caller : echo.callers()) EXPECT_EQ(caller, relayed) << "the peer sees the server";
  const auto status = carrier->status().client;
  EXPECT_EQ(status.state, ClientState::ready);
  EXPECT_EQ(status.channels, 1U);
  EXPECT_EQ(status.sent, 40U);
  EXPECT_EQ(status.forged, 0U);
}

TEST_P(TurnClient, IsSentAwayWithAWrongPasswordAndSaysSo) {
  Coturn server;
  ASSERT_TRUE(server.up());
  use(server, "a guess");
  ASSERT_TRUE(until([&] { return carrier->status().client.state == ClientState::waiting; }));
  EXPECT_THAT(carrier->status().client.trouble, testing::HasSubstr("user and password"));
  EXPECT_FALSE(place);
}

TEST_P(TurnClient, IsServedByWhoeverHasTheSecretThatThePairWasMadeWith) {
  const std::string secret = "what the office knows";
  Coturn server;
  ASSERT_TRUE(server.up({"--use-auth-secret", "--static-auth-secret=" + secret}));
  const auto port = GetParam().transport == Transport::tls ? server.tls_port() : server.port();
  const auto good = nat::turn::pair_name(io::wall() + std::chrono::minutes(10), "phone");
  use(port, nat::turn::pair_password(secret, good), good);
  ASSERT_TRUE(until([&] { return place.has_value(); })) << carrier->status().client.trouble;
  const auto expired = nat::turn::pair_name(io::wall() - std::chrono::minutes(10), "phone");
  use(port, nat::turn::pair_password(secret, expired), expired);
  ASSERT_TRUE(until([&] { return carrier->status().client.state == ClientState::waiting; }));
}

TEST_P(TurnClient, MeetsAQuota) {
  Coturn server;
  ASSERT_TRUE(server.up({"--user-quota=1"}));
  use(server);
  ASSERT_TRUE(until([&] { return place.has_value(); })) << carrier->status().client.trouble;
  const auto first = std::move(carrier);
  use(server);
  ASSERT_TRUE(until([&] { return carrier->status().client.state == ClientState::waiting; }));
  EXPECT_THAT(carrier->status().client.trouble, testing::HasSubstr("486"));
}

TEST_P(TurnClient, GivesItsAllocationBack) {
  Coturn server;
  ASSERT_TRUE(server.up());
  use(server);
  ASSERT_TRUE(until([&] { return place.has_value(); })) << carrier->status().client.trouble;
  const auto relayed = place->relayed.front();
  EXPECT_FALSE(is_closed(relayed));
  carrier->stop();
  EXPECT_FALSE(place);
  EXPECT_EQ(carrier->status().client.state, ClientState::off);
  EXPECT_TRUE(until([&] { return is_closed(relayed); })) << "the server keeps it";
}

TEST_P(TurnClient, IsRefusedAPeerThatTheServerForbids) {
  Coturn server;
  ASSERT_TRUE(server.up({"--denied-peer-ip=127.0.0.1"}));
  EchoPeer echo(loop);
  use(server);
  ASSERT_TRUE(until([&] { return place.has_value(); })) << carrier->status().client.trouble;
  say(echo.at(), "hello");
  ASSERT_TRUE(until([&] { return carrier->status().client.dropped > 0; }));
  EXPECT_EQ(carrier->status().client.permissions, 0U);
  EXPECT_EQ(carrier->status().client.state, ClientState::ready);
  EXPECT_TRUE(echo.callers().empty());
}

TEST_P(TurnClient, WithoutAServerWaits) {
  use(Coturn::free_port(), "nobody asks");
  ASSERT_TRUE(until([&] { return carrier->status().client.state == ClientState::waiting; }));
  EXPECT_NE(carrier->status().client.trouble, "");
}

INSTANTIATE_TEST_SUITE_P(Coturn, TurnClient,
                         testing::Values(OverTransport{"Udp", Transport::udp}, OverTransport{"Tcp", Transport::tcp},
                                         OverTransport{"Tls", Transport::tls}),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace linnet::interop
