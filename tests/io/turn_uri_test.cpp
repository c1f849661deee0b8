// Where a TURN server is, as people write it (RFC 7065).
#include "node/io/net/turn_uri.h"

#include <gtest/gtest.h>

namespace linnet::io {
namespace {

TEST(TurnUri, NamesHostPortAndTransport) {
  EXPECT_EQ(TurnUri::parse("turn:turn.example"), (TurnUri{"turn.example", 3478, Transport::udp}));
  EXPECT_EQ(TurnUri::parse("turn:192.0.2.1:99?transport=tcp"), (TurnUri{"192.0.2.1", 99, Transport::tcp}));
  EXPECT_EQ(TurnUri::parse("turns:turn.example"), (TurnUri{"turn.example", 5349, Transport::tls}));
  EXPECT_EQ(TurnUri::parse("turn:[2001:db8::1]:7?transport=udp"), (TurnUri{"2001:db8::1", 7, Transport::udp}));
  EXPECT_EQ(TurnUri::parse("turns:[2001:db8::1]")->place(), "[2001:db8::1]:5349");
}

TEST(TurnUri, IsNothingElse) {
  for (const auto* text :
       {"", "turn", "turn:", "stun:turn.example", "turn:a b", "turn:host:", "turn:host:0", "turn:host:65536",
        "turn:host:1x", "turn:host?transport=sctp", "turns:host?transport=udp", "turn:[::1", "turn:[host]:1",
        "turn:2001:db8::1", "turn://host", "turn:host/path", "turn:user@host"})
    EXPECT_FALSE(TurnUri::parse(text)) << text;
}

}  // namespace
}  // namespace linnet::io
