#include "base/endpoint.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "base/rng.h"

namespace linnet {
namespace {

std::string ip(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  return parsed ? parsed->to_string() : "refused";
}

std::string endpoint(std::string_view text) {
  const auto parsed = Endpoint::parse(text);
  return parsed ? parsed->to_string() : "refused";
}

TEST(IpAddress, WritesIpv6AsRfc5952Says) {
  EXPECT_EQ(ip("2001:0DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(ip("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // one group is not shortened
  EXPECT_EQ(ip("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // the longest run
  EXPECT_EQ(ip("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // the first of two
  EXPECT_EQ(ip("::"), "::");
  EXPECT_EQ(ip("1::"), "1::");
  EXPECT_EQ(ip("::1"), "::1");
  EXPECT_EQ(ip("fe80::1%3"), "fe80::1%3");
}

TEST(IpAddress, HoldsAnIpv4AddressInOneForm) {
  EXPECT_EQ(ip("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
  EXPECT_EQ(IpAddress::parse("::ffff:c000:201"), IpAddress::v4(0xc0000201U));
  EXPECT_TRUE(IpAddress::parse("::ffff:7f00:1")->is_loopback());
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const auto* bad : {"",
                          ".",
                          "1.2.3",
                          "1.2.3.4.5",
                          "1.2.3.256",
                          "01.2.3.4",
                          "1.2.3.4 ",
                          "0x7f.1",
                          "2130706433",
                          "-1.2.3.4",
                          "1.2.3.+4",
                          "1:2",
                          ":::",
                          "1::2::3",
                          "1:2:3:4:5:6:7",
                          "1:2:3:4:5:6:7:8:9",
                          "12345::",
                          "g::",
                          "1:2:3:4:5:6:7:8::",
                          ":1::2",
                          "1::2:",
                          "1.2.3.4::",
                          "::1.2.3",
                          "fe80::1%",
                          "fe80::1%eth0",
                          "1.2.3.4%2",
                          "[::1]",
                          "localhost"}) {
    EXPECT_EQ(ip(bad), "refused") << bad;
  }
}

TEST(IpAddress, KnowsWhichAddressesAreGlobal) {
  for (const auto* global : {"8.8.8.8", "192.0.2.1", "2001:db8::1", "172.32.0.1", "100.128.0.1", "169.253.0.1"}) {
    EXPECT_TRUE(IpAddress::parse(global)->is_global()) << global;
  }
  for (const auto* local : {"0.0.0.0",     "0.1.2.3",        "127.0.0.1",       "127.9.9.9",       "10.1.1.1",
                            "172.16.0.1",  "172.31.255.255", "192.168.0.1",     "100.64.0.1",      "100.127.255.255",
                            "169.254.1.1", "224.0.0.1",      "239.255.255.255", "255.255.255.255", "::",
                            "::1",         "fe80::1",        "fd00::1",         "fc00::1",         "ff02::fb"}) {
    EXPECT_FALSE(IpAddress::parse(local)->is_global()) << local;
  }
}

TEST(IpAddress, CountsASlash24AndASlash48AsOnePrefix) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->prefix(), IpAddress::parse("192.0.2.200")->prefix());
  EXPECT_NE(IpAddress::parse("192.0.2.1")->prefix(), IpAddress::parse("192.0.3.1")->prefix());
  EXPECT_EQ(IpAddress::parse("2001:db8:1:2::1")->prefix(), IpAddress::parse("2001:db8:1:ffff::9")->prefix());
  EXPECT_NE(IpAddress::parse("2001:db8:1::1")->prefix(), IpAddress::parse("2001:db8:2::1")->prefix());
}

TEST(Endpoint, ReadsAddressAndPort) {
  EXPECT_EQ(endpoint("1.2.3.4:4400"), "1.2.3.4:4400");
  EXPECT_EQ(endpoint("[2001:DB8::1]:65535"), "[2001:db8::1]:65535");
  EXPECT_EQ(Endpoint::parse("1.2.3.4:5")->transport, Transport::udp);
  for (const auto* bad : {"", "1.2.3.4", "1.2.3.4:", ":4400", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4: 1",
                          "1.2.3.4:1x", "::1:4400", "2001:db8::1:1", "[::1]", "[::1]4400", "[::1]:", "[1.2.3.4]:1",
                          "[::1:1", "host:1", "1.2.3.4:000001"}) {
    EXPECT_EQ(endpoint(bad), "refused") << bad;
  }
}

Endpoint any(SeededRng& rng) {
  Endpoint out;
  if (rng.below(2) == 0) {
    out.ip = IpAddress::v4(rng.u32());
  } else {
    auto bytes = rng.array<16>();
    for (auto& b : bytes) b = rng.below(2) == 0 ? 0 : b;  // zeros, so that "::" is met
    out.ip = IpAddress::v6(bytes);
  }
  out.port = static_cast<std::uint16_t>(rng.u64());
  return out;
}

TEST(Endpoint, ALinkLocalAddressNeverTravels) {
  for (const auto* text : {"[fe80::1%3]:4400", "[febf::1]:4400", "169.254.1.2:4400"}) {
    Writer out;
    write(out, *Endpoint::parse(text));
    Reader in(out.written());
    const auto e = read_endpoint(in);
    ASSERT_TRUE(e);
    EXPECT_TRUE(e->ip.is_unspecified());
    EXPECT_EQ(e->ip.scope, 0U);
    EXPECT_EQ(e->port, 4400);
  }
  // Nor is one believed that somebody else wrote.
  Bytes bytes{0, 6, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x11, 0x30};
  Reader in(bytes);
  EXPECT_EQ(read_endpoint(in).error(), Fault::malformed);
}

TEST(Endpoint, ComesBackFromItsTextAndFromItsBytes) {
  SeededRng rng(6);
  for (int i = 0; i < 20'000; ++i) {
    auto e = any(rng);
    ASSERT_EQ(Endpoint::parse(e.to_string()), e) << e.to_string();
    if (e.ip.is_link_local()) continue;  // does not travel
    e.transport = static_cast<Transport>(rng.below(3));
    Writer out;
    write(out, e);
    ASSERT_LE(out.size(), kMaxEndpointBytes);
    Reader in(out.written());
    ASSERT_EQ(read_endpoint(in).value(), e);
    ASSERT_TRUE(in.done());
    for (std::size_t n = 0; n < out.size(); ++n) {
      Reader cut(out.written().first(n));
      ASSERT_EQ(read_endpoint(cut).error(), Fault::truncated);
    }
  }
}

TEST(Endpoint, RefusesAnUnknownFamilyTransportOrASecondSpelling) {
  const auto fault = [](Bytes bytes) {
    Reader in(bytes);
    const auto e = read_endpoint(in);
    return e ? std::string("read") : std::string(to_string(e.error()));
  };
  EXPECT_EQ(fault({0, 4, 1, 2, 3, 4, 0, 5}), "read");
  EXPECT_EQ(fault({3, 4, 1, 2, 3, 4, 0, 5}), "malformed");
  EXPECT_EQ(fault({0, 5, 1, 2, 3, 4, 0, 5}), "malformed");
  EXPECT_EQ(fault({0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4, 0, 5}), "malformed");
}

TEST(Endpoint, HashesApart) {
  std::unordered_set<std::size_t> seen;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    seen.insert(std::hash<Endpoint>{}(Endpoint{IpAddress::v4(0x0a000000U + i), 4400, Transport::udp}));
    seen.insert(
        std::hash<Endpoint>{}(Endpoint{IpAddress::v4(10, 0, 0, 1), static_cast<std::uint16_t>(i), Transport::tcp}));
  }
  EXPECT_GT(seen.size(), 19'990U);
}

}  // namespace
}  // namespace linnet
