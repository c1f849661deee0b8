// When it is time to ask routers by another protocol: known before, so that nobody has to look again and again.
#include <gtest/gtest.h>

#include "model_router.h"
#include "nat/port_mapper.h"

using namespace linnet;
using namespace linnet::nat;
using namespace std::chrono_literals;
using test::ModelRouter;

namespace {

constexpr Time kNow{1h};
const Router kFirst{{IpAddress::v4(192, 168, 1, 1), pcp::kServerPort, Transport::udp}, IpAddress::v4(192, 168, 1, 7)};
const Router kSecond{{IpAddress::v4(192, 168, 2, 1), pcp::kServerPort, Transport::udp}, IpAddress::v4(192, 168, 2, 7)};

struct OtherProtocols : testing::Test {
  OtherProtocols() { mapper.set_wishes(kNow, {{Transport::udp, 4400, 4400}}); }

  // The first one alone answers.
  void carry() {
    mapper.handle_timeout(kNow);
    while (const auto out = mapper.poll_transmit()) {
      if (!same_place(out->to, kFirst.server)) continue;
      if (auto answer = router.handle(kNow, out->bytes)) mapper.handle_datagram(kNow, {kFirst.server, *answer});
    }
  }

  SeededRng rng{1};
  ModelRouter router;
  PortMapper mapper{rng, PortOwner{1, 2, 3}};
};

TEST_F(OtherProtocols, AreOfNoUseWithoutARouter) {
  EXPECT_EQ(mapper.unhelpful_at(), kNever);
  mapper.set_routers(kNow, {{{*IpAddress::parse("fe80::1"), pcp::kServerPort}, *IpAddress::parse("2001:db8::7")}});
  EXPECT_EQ(mapper.unhelpful_at(), kNever) << "none of IPv4";
}

TEST_F(OtherProtocols, AreTriedWhenNoneHasAnsweredInFiveSeconds) {
  mapper.set_routers(kNow, {kSecond});
  carry();
  EXPECT_EQ(mapper.unhelpful_at(), kNow + PortMapClient::kPatience);
  EXPECT_FALSE(mapper.unhelpful(kNow + PortMapClient::kPatience - 1us));
  EXPECT_TRUE(mapper.unhelpful(kNow + PortMapClient::kPatience));
}

TEST_F(OtherProtocols, AreLeftAloneAsLongAsOneRouterHelps) {
  mapper.set_routers(kNow, {kSecond, kFirst});
  EXPECT_EQ(mapper.unhelpful_at(), kNow + PortMapClient::kPatience);
  carry();
  EXPECT_EQ(mapper.unhelpful_at(), kNever);
}

}  // namespace
