#include "node/io/net/port_opener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/random.h"

namespace linnet::io {
namespace {

// A router that hears and says nothing.
Fd silent_router(const IpAddress& ip) {
  Fd out(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto at = to_socket_address(Endpoint{ip, nat::pcp::kServerPort});
  EXPECT_EQ(::bind(out.get(), at.get(), at.size), 0);
  return out;
}

struct PortOpenerTest : testing::Test {
  std::unique_ptr<PortOpener> opener() {
    PortOpener::Ears ears;
    ears.servers = [] { return std::vector<nat::DialBack::Server>{}; };
    ears.stream_port = [](const IpAddress&) { return std::nullopt; };
    ears.dial = [](const nat::DialBack::Ask&) {};
    ears.send = [](Transmit) {};
    ears.changed = [](std::vector<node::OpenPort>) {};
    ears.gateways = [this] { return gateways; };
    return std::make_unique<PortOpener>(loop, rng, std::vector{Endpoint{IpAddress::v4(0), 4400}}, nat::PortOwner{1},
                                        std::move(ears));
  }

  Loop loop;
  SystemRng rng;
  std::vector<Gateway> gateways;
};

TEST_F(PortOpenerTest, AMachineWithoutARouterIsNeverWokenUp) {
  const auto lonely = opener();
  lonely->start();
  EXPECT_EQ(lonely->next_timeout(), kNever);
  lonely->rescan();
  EXPECT_EQ(lonely->next_timeout(), kNever);
}

TEST_F(PortOpenerTest, ARouterThatSaysNothingIsWaitedForUntilAnotherProtocolMayBeTried) {
  const auto ip = IpAddress::v4(127, 44, 0, 1);
  const auto router = silent_router(ip);
  gateways = {{ip, IpAddress::v4(127, 44, 0, 2)}};
  const auto asking = opener();
  const auto before = now();
  asking->start();
  EXPECT_LE(asking->next_timeout(), now() + nat::PortMapClient::kPatience);
  EXPECT_GT(asking->next_timeout(), before);

  gateways.clear();
  asking->rescan();
  EXPECT_EQ(asking->next_timeout(), kNever) << "it went";
}

}  // namespace
}  // namespace linnet::io
