// What a look at the network costs this machine. On real sockets of loopback.
#include "node/io/net/net_probe.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <map>

#include "node/io/files.h"
#include "node/io/net/address.h"
#include "node/io/random.h"

namespace linnet::io {
namespace {

Fd bound_to_loopback(int type, Endpoint& at) {
  Fd fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto any = to_socket_address(Endpoint{IpAddress::v4(127, 0, 0, 1), 0});
  EXPECT_EQ(::bind(fd.get(), any.get(), any.size), 0);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
  at = to_endpoint(bound);
  return fd;
}

// On port 443 something else than TLS says its word. The supernode itself is silent, so that the run goes on for a
// while; but the connection of which all is known is not held open meanwhile, where its words would wake us for ever.
TEST(NetProbe, HangsUpOnWhoSpeaksNoTlsWhileTheRunGoesOn) {
  Loop loop;
  SystemRng rng;
  Endpoint silent, web;
  const auto udp = bound_to_loopback(SOCK_DGRAM, silent);
  const auto listener = bound_to_loopback(SOCK_STREAM, web);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  struct Guest {
    Fd fd;
    bool spoke = false;
    std::unique_ptr<Loop::Watch> watch;
  };
  std::vector<std::unique_ptr<Guest>> guests;
  bool over = false, hung_up_before = false;
  const auto look = [&](Guest& guest) {
    std::array<char, 4096> room;
    const auto n = ::recv(guest.fd.get(), room.data(), room.size(), 0);
    if (n > 0 && !std::exchange(guest.spoke, true)) {
      const std::string word = "220 this is no TLS\r\n";
      EXPECT_EQ(::send(guest.fd.get(), word.data(), word.size(), MSG_NOSIGNAL), static_cast<ssize_t>(word.size()));
    }
    if (n > 0 || (n < 0 && errno == EAGAIN)) return;
    hung_up_before = hung_up_before || (guest.spoke && !over);
    guest.watch.reset();
  };
  const auto watch = loop.watch(listener.get(), [&] {
    const int fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto& guest = *guests.emplace_back(std::make_unique<Guest>());
    guest.fd.reset(fd);
    guest.watch = loop.watch(fd, [&] { look(guest); });
  });
  std::optional<node::Probed> found;
  NetProbe probe(loop, rng, {silent}, true,
                 {[](const std::string&) {},
                  [&](node::Probed what) {
                    over = true;
                    found = std::move(what);
                    loop.stop();
                  }},
                 web.port);
  probe.start();
  loop.run();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->reach.size(), 1U);
  EXPECT_FALSE(found->reach[0].udp);
  EXPECT_TRUE(found->reach[0].tcp443) << "something listens there";
  EXPECT_FALSE(found->reach[0].tls) << "and speaks another language";
  EXPECT_TRUE(hung_up_before);
}

}  // namespace
}  // namespace linnet::io
