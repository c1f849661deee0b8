// What is said to proxies, what they may answer, and who is reached without one.
#include "overlay/proxy.h"

#include <gtest/gtest.h>

namespace linnet::overlay {
namespace {

Endpoint at(std::string_view where) { return *Endpoint::parse(where); }
ProxyTarget target(std::string_view where, std::string name = "") { return {std::move(name), at(where)}; }
Proxy proxy(std::string_view where) { return *Proxy::parse(where); }
std::string said(ProxyClient& client) { return std::string(text(client.take_output())); }

TEST(ProxyText, NamesKindHostPortAndWho) {
  const auto http = proxy("http://ann:p%40ss%3Aword@Proxy.Example:3128/");
  EXPECT_EQ(http.kind, ProxyKind::http);
  EXPECT_EQ(http.host, "proxy.example");
  EXPECT_EQ(http.port, 3128);
  EXPECT_EQ(http.user, "ann");
  EXPECT_EQ(http.password, "p@ss:word");
  EXPECT_EQ(http.shown(), "http://proxy.example:3128");
  EXPECT_EQ(proxy("socks5h://[2001:db8::1]").host, "2001:db8::1");
  EXPECT_EQ(proxy("socks5://[2001:db8::1]").shown(), "socks5://[2001:db8::1]:1080");
  EXPECT_EQ(proxy("proxy.example:8080").kind, ProxyKind::http);
  EXPECT_EQ(proxy("http://10.0.0.1").port, 80);
}

TEST(ProxyText, IsRefusedWhenItIsNoProxyOfOurs) {
  for (const auto* wrong :
       {"", "https://proxy.example:443", "ftp://proxy.example", "http://", "http://:80", "http://a b:80",
        "http://proxy.example:0", "http://proxy.example:65536", "http://proxy.example:80x",
        "http://a%3Ab:c@proxy.example", "http://:secret@proxy.example", "http://a%zz@proxy.example",
        "http://proxy\r\nX: y:80", "http://[1.2.3.4]:80", "http://[2001:db8::1:80"}) {
    EXPECT_FALSE(Proxy::parse(wrong)) << wrong;
  }
  EXPECT_FALSE(Proxy::parse("http://" + std::string(300, 'a') + ".example"));
  EXPECT_FALSE(Proxy::parse("socks5://" + std::string(256, 'u') + ":x@proxy.example"));
}

TEST(NoProxy, CoversNamesAddressesAndRanges) {
  const NoProxy some(
      "intern.example, .corp.example *.lab.example 10.0.0.0/8,192.0.2.7 2001:db8::/32 other.example:443");
  EXPECT_TRUE(some.covers(target("100.0.0.1:443", "intern.example")));
  EXPECT_TRUE(some.covers(target("100.0.0.1:443", "A.Intern.example")));
  EXPECT_FALSE(some.covers(target("100.0.0.1:443", "xintern.example")));
  EXPECT_TRUE(some.covers(target("100.0.0.1:443", "a.corp.example")));
  EXPECT_TRUE(some.covers(target("100.0.0.1:443", "b.lab.example")));
  EXPECT_TRUE(some.covers(target("10.1.2.3:443")));
  EXPECT_FALSE(some.covers(target("11.1.2.3:443")));
  EXPECT_TRUE(some.covers(target("192.0.2.7:80")));
  EXPECT_FALSE(some.covers(target("192.0.2.8:80")));
  EXPECT_TRUE(some.covers(target("[2001:db8:1::1]:80")));
  EXPECT_TRUE(some.covers(target("100.0.0.1:443", "other.example")));
  EXPECT_FALSE(some.covers(target("100.0.0.1:80", "other.example")));
  EXPECT_TRUE(NoProxy("*").covers(target("203.0.113.1:443")));
  EXPECT_FALSE(NoProxy("").covers(target("203.0.113.1:443")));
  EXPECT_TRUE(NoProxy("").covers(target("127.0.0.1:443"))) << "loopback never goes through a proxy";
}

TEST(HttpProxy, IsAskedToConnectAndWhatFollowsItsAnswerIsTheOtherEnds) {
  ProxyClient client(proxy("http://proxy.example:3128"), target("203.0.113.9:443"));
  EXPECT_EQ(said(client), "CONNECT 203.0.113.9:443 HTTP/1.1\r\nHost: 203.0.113.9:443\r\n\r\n");
  ASSERT_TRUE(client.push(view("HTTP/1.1 200 Connection established\r\nVia: 1.1 x\r\n\r\nhel")));
  ASSERT_TRUE(client.open());
  ASSERT_TRUE(client.push(view("lo")));
  EXPECT_EQ(text(client.take_rest()), "hello");
}

TEST(HttpProxy, GetsUserAndPasswordAtOnceAndTheName) {
  ProxyClient client(proxy("http://ann:secret@proxy.example:3128"), target("100.0.0.1:4400", "node.example"));
  EXPECT_EQ(said(client),
            "CONNECT node.example:4400 HTTP/1.1\r\nHost: node.example:4400\r\n"
            "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n");
}

TEST(HttpProxy, MayAnswerByteByByteAndAfterSomethingElse) {
  ProxyClient client(proxy("http://proxy.example:3128"), target("[2001:db8::9]:443"));
  EXPECT_EQ(said(client).substr(0, 27), "CONNECT [2001:db8::9]:443 H");
  for (const char c : std::string_view("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.0 200 OK\r\n\r\n")) {
    EXPECT_FALSE(client.open());
    ASSERT_TRUE(client.push(Bytes{static_cast<std::uint8_t>(c)}));
  }
  EXPECT_TRUE(client.open());
}

TEST(HttpProxy, SaysWhyItRefuses) {
  for (const auto& [answer, why] :
       {std::pair("407 Proxy Authentication Required", "the proxy wants a user and a password (407)"),
        std::pair("403 Forbidden", "the proxy does not allow it (403)"),
        std::pair("502 Bad Gateway", "the proxy refuses (502)")}) {
    ProxyClient client(proxy("http://ann:secret@proxy.example"), target("203.0.113.9:443"));
    EXPECT_EQ(client.push(view("HTTP/1.1 " + std::string(answer) + "\r\n\r\n")).error(), Fault::refused);
    EXPECT_EQ(client.why(), why);
    EXPECT_FALSE(client.push(view("HTTP/1.1 200 OK\r\n\r\n"))) << "refused is refused";
  }
}

TEST(HttpProxy, ThatSpeaksSomethingElseOrWithoutEndIsLeft) {
  for (const auto* wrong : {"SSH-2.0-OpenSSH\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 xyz\r\n\r\n", "HTTP/1.1\r\n\r\n",
                            "HTTP/1.1 099 x\r\n\r\n"}) {
    ProxyClient client(proxy("http://proxy.example"), target("203.0.113.9:443"));
    EXPECT_EQ(client.push(view(wrong)).error(), Fault::malformed) << wrong;
  }
  ProxyClient client(proxy("http://proxy.example"), target("203.0.113.9:443"));
  Status last;
  ASSERT_TRUE(client.push(view("HTTP/1.1 200 OK\r\n")));
  for (int i = 0; i < 100 && last; ++i) last = client.push(view("X: " + std::string(1000, 'x') + "\r\n"));
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error(), Fault::too_big);
}

TEST(SocksProxy, IsAskedWithoutAWordWhenNoneIsSet) {
  ProxyClient client(proxy("socks5://10.0.0.1"), target("203.0.113.9:443"));
  EXPECT_EQ(client.take_output(), (Bytes{5, 1, 0}));
  ASSERT_TRUE(client.push(Bytes{5, 0}));
  EXPECT_EQ(client.take_output(), (Bytes{5, 1, 0, 1, 203, 0, 113, 9, 1, 187}));
  ASSERT_TRUE(client.push(Bytes{5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 'h'}));
  EXPECT_TRUE(client.open());
  EXPECT_EQ(text(client.take_rest()), "h");
}

TEST(SocksProxy, GetsUserPasswordAndAName) {
  ProxyClient client(proxy("socks5://ann:pw@10.0.0.1"), target("100.0.0.1:443", "node.example"));
  EXPECT_EQ(client.take_output(), (Bytes{5, 2, 0, 2}));
  ASSERT_TRUE(client.push(Bytes{5, 2}));
  EXPECT_EQ(client.take_output(), (Bytes{1, 3, 'a', 'n', 'n', 2, 'p', 'w'}));
  ASSERT_TRUE(client.push(Bytes{1, 0}));
  EXPECT_EQ(client.take_output(),
            (Bytes{5, 1, 0, 3, 12, 'n', 'o', 'd', 'e', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', 1, 187}));
  ASSERT_TRUE(client.push(Bytes{5, 0, 0, 3, 1, 'x', 0, 0}));
  EXPECT_TRUE(client.open());
}

TEST(SocksProxy, SaysWhyItRefuses) {
  const auto after = [](std::string_view which, std::initializer_list<Bytes> answers) {
    ProxyClient client(proxy(which), target("203.0.113.9:443"));
    Status last;
    for (const auto& answer : answers) last = client.push(answer);
    EXPECT_FALSE(last);
    return client.why();
  };
  EXPECT_EQ(after("socks5://10.0.0.1", {{5, 255}}), "the proxy wants a user and a password");
  EXPECT_EQ(after("socks5://a:b@10.0.0.1", {{5, 255}}), "the proxy takes no password");
  EXPECT_EQ(after("socks5://a:b@10.0.0.1", {{5, 2}, {1, 1}}), "the proxy does not know this user and password");
  EXPECT_EQ(after("socks5://10.0.0.1", {{5, 0}, {5, 2, 0, 1, 0}}), "the proxy does not allow it (2)");
  EXPECT_EQ(after("socks5://10.0.0.1", {{5, 0}, {5, 77, 0, 1, 0}}), "the proxy failed (77)");
  EXPECT_EQ(after("socks5://10.0.0.1", {{5, 2}}), "the proxy speaks something else") << "a method that was not offered";
  EXPECT_EQ(after("socks5://10.0.0.1", {{4, 90}}), "the proxy speaks something else");
  EXPECT_EQ(after("socks5://10.0.0.1", {{5, 0}, {5, 0, 0, 9, 0}}), "the proxy speaks something else");
}

}  // namespace
}  // namespace linnet::overlay
