// How long a NAT keeps a mapping, measured by real sockets whose minutes go by in no time: the clock is the test's.
#include "node/io/net/life_probe.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "nat/binding_server.h"
#include "node/io/net/address.h"
#include "node/io/random.h"

namespace linnet::io {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Asked {
  Time at;
  std::uint16_t port;  // that it came from
  bool elsewhere;      // the answer goes to another one
};

struct LifeProbeTest : testing::Test {
  LifeProbeTest() {
    server.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto any = to_socket_address(Endpoint{IpAddress::v4(127, 0, 0, 1), 0});
    EXPECT_EQ(::bind(server.get(), any.get(), any.size), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    EXPECT_EQ(::getsockname(server.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
    at = to_endpoint(bound);
    probe = std::make_unique<LifeProbe>(
        loop, rng, at, [this](nat::BindingLife::Found f) { found = f; }, [this] { return clock; });
    EXPECT_TRUE(probe->start());
  }

  // Whether anything came.
  bool serve() {
    bool any = false;
    std::array<std::uint8_t, 1500> room;
    sockaddr_storage sender{};
    socklen_t size = sizeof sender;
    for (;;) {
      const auto n = ::recvfrom(server.get(), room.data(), room.size(), 0, reinterpret_cast<sockaddr*>(&sender), &size);
      if (n < 0) return any;
      any = true;
      const auto from = to_endpoint(sender);
      const auto request = nat::stun::Message::parse(ByteView(room.data(), static_cast<std::size_t>(n)));
      if (!request) continue;
      asked.push_back({clock, from.port, request->has(nat::stun::Attr::response_port)});
      if (const auto answer = nat::BindingServer({at, {}, true}).answer(at, from, *request))
        say(answer->bytes, answer->to);
    }
  }
  void say(ByteView bytes, const Endpoint& to) const {
    const auto there = to_socket_address(to);
    EXPECT_EQ(::sendto(server.get(), bytes.data(), bytes.size(), 0, there.get(), there.size),
              static_cast<ssize_t>(bytes.size()));
  }
  // Time goes on only when nothing is on its way: what was sent on the loopback lies with its reader at once, so two
  // turns of the loop without anything are rest.
  void run(const std::function<bool()>& until) {
    bool late = false;
    const auto limit = loop.alarm([&] {
      late = true;
      loop.stop();
    });
    limit->set(now() + seconds(20));
    int quiet = 0;
    std::unique_ptr<Loop::Alarm> turn;
    turn = loop.alarm([&] {
      quiet = serve() ? 0 : quiet + 1;
      if (until()) return loop.stop();
      if (quiet >= 3 && probe->next_timeout() != kNever) {
        quiet = 0;
        clock = std::max(clock, probe->next_timeout());
        probe->tick();
      }
      turn->set(now() + milliseconds(1));
    });
    turn->set(now());
    loop.run();
    EXPECT_FALSE(late);
  }
  // The silence before the question that was asked last.
  Duration silence() const {
    auto question = asked.size();
    while (question > 1 && !asked[question - 1].elsewhere) --question;
    return asked[question - 1].at - asked[question - 2].at;
  }

  Fd server;
  Endpoint at;
  Loop loop;
  SystemRng rng;
  Time clock = now() + hours(1);  // ahead of the loop's, whose alarm never rings before ours
  std::vector<Asked> asked;
  std::optional<nat::BindingLife::Found> found;
  std::unique_ptr<LifeProbe> probe;
};

TEST_F(LifeProbeTest, NothingIsSentByTheTestedSocketWhileItIsToBeQuiet) {
  run([&] { return found.has_value(); });
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->failed);
  EXPECT_EQ(found->alive, nat::BindingLife::kFirst) << "there is no NAT here";
  ASSERT_GE(asked.size(), 4U);
  EXPECT_EQ(silence(), nat::BindingLife::kFirst) << "from its last packet to the question";
  const auto tested = asked.front().port;
  for (const auto& one : asked) EXPECT_EQ(one.elsewhere, one.port != tested) << "it is the other one that asks";
}

TEST_F(LifeProbeTest, ALifeOfThreeMinutesIsLongEnough) {
  run([&] { return found && (found->finished || found->failed); });
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->finished);
  EXPECT_FALSE(found->dead);
  EXPECT_EQ(found->alive, nat::BindingLife::kLongest);
  EXPECT_EQ(silence(), nat::BindingLife::kLongest);
}

TEST_F(LifeProbeTest, AStrangersDatagramInTheSilenceSpoilsIt) {
  const auto silent = [&] {  // the second of the two requests before the first question was answered
    return asked.size() == 2 && probe->next_timeout() - clock == seconds(1);
  };
  run(silent);
  const Bytes noise(40, 9);
  say(noise, Endpoint{IpAddress::v4(127, 0, 0, 1), asked.front().port});
  run([&] { return found.has_value(); });
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->failed);
  EXPECT_EQ(asked.size(), 2U) << "no question was asked any more";
}

}  // namespace
}  // namespace linnet::io
