// What a supernode that dials says, on real sockets, and to whom it says nothing.
#include "node/io/net/tcp_dialler.h"

#include <gtest/gtest.h>

#include "nat/stun_message.h"
#include "tests/io/real_peer.h"

namespace linnet::io {
namespace {

using std::chrono::seconds;

const overlay::control::DialNonce kNonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

struct Listening {
  Loop& loop;
  TcpPorts ports;
  std::vector<Bytes> heard;
  bool came_in = false;

  explicit Listening(Loop& l) : loop(l) {
    EXPECT_TRUE(ports.listen({*Endpoint::parse("127.0.0.1:0")}));
    const auto nobody = [](const Endpoint&) { return false; };
    ports.start(
        loop,
        [this](const Datagram& d) {
          heard.push_back(copy(d.bytes));
          came_in = ports.came_in(d.from);
        },
        [] {}, {nobody, nobody});
  }
  Endpoint at() const { return ports.bound().front(); }
};

TEST(TcpDialler, BringsTheNonceAndTheEndpointThatWasDialledAndHangsUp) {
  Loop loop;
  Listening asker(loop);
  TcpDialler dialler(loop);
  dialler.dial({asker.at(), kNonce});
  EXPECT_TRUE(run_to(
      loop, [&] { return !asker.heard.empty() && asker.ports.size() == 0; }, seconds(10)));
  ASSERT_EQ(asker.heard.size(), 1U);
  EXPECT_TRUE(asker.came_in);
  EXPECT_EQ(dialler.under_way(), 0U);
  const auto said = nat::stun::Message::parse(asker.heard[0]);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->id(), kNonce);
  EXPECT_TRUE(said->is(nat::stun::Class::success, nat::stun::Method::binding));
  const auto dialled = said->endpoint(nat::stun::Attr::xor_mapped_address);
  ASSERT_TRUE(dialled);
  EXPECT_TRUE(same_place(*dialled, asker.at()));
  EXPECT_EQ(asker.heard[0].size() + overlay::kStreamMagic.size() + 2, 38U) << "as docs/protocol says";
}

TEST(TcpDialler, GivesUpWhereNobodyListens) {
  Loop loop;
  Endpoint gone;
  {
    Listening asker(loop);
    gone = asker.at();
  }
  TcpDialler dialler(loop);
  dialler.dial({gone, kNonce});
  EXPECT_TRUE(run_to(
      loop, [&] { return dialler.under_way() == 0; }, seconds(10)));
}

TEST(TcpDialler, HoldsNoMoreThanItsBoundAtATime) {
  Loop loop;
  Listening asker(loop);
  TcpDialler dialler(loop);
  for (std::size_t i = 0; i < 2 * TcpDialler::kAtOnce; ++i) dialler.dial({asker.at(), kNonce});
  EXPECT_LE(dialler.under_way(), TcpDialler::kAtOnce);
  EXPECT_TRUE(run_to(
      loop, [&] { return dialler.under_way() == 0; }, seconds(10)));
  EXPECT_LE(asker.heard.size(), TcpDialler::kAtOnce);
}

}  // namespace
}  // namespace linnet::io
