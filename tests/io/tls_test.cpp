// Streams on real sockets: TLS against OpenSSL's own client, guests that speak STUN, proxies on the way.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdio>

#include "node/io/net/address.h"
#include "node/io/net/routes.h"
#include "tests/io/real_peer.h"
#include "tests/io/small_proxy.h"

namespace linnet::io {
namespace {

using overlay::Way;
using std::chrono::seconds;

// What two ends of TLS have to say to each other, until neither has more.
void carry(Tls& a, Tls& b) {
  for (int i = 0; i < 20; ++i) {
    Bytes to_b, to_a;
    a.take_output(to_b);
    b.take_output(to_a);
    if (to_a.empty() && to_b.empty()) return;
    (void)b.feed(to_b);
    (void)a.feed(to_a);
  }
}

TEST(Tls, CarriesBytesBothWaysOnceBothAgree) {
  const auto client = Tls::client("node.example"), server = Tls::server();
  ASSERT_TRUE(client && server);
  EXPECT_FALSE(client->write(Bytes{1})) << "nothing goes out before the handshake is over";
  carry(*client, *server);
  ASSERT_TRUE(client->ready() && server->ready());
  const Bytes much(40'000, 7);  // several records
  ASSERT_TRUE(client->write(much));
  ASSERT_TRUE(server->write(view("hello")));
  carry(*client, *server);
  Bytes got(50'000);
  EXPECT_EQ(server->read(got), much.size());
  EXPECT_EQ(client->read(got), 5U);
  EXPECT_EQ(server->read(got), 0U);
}

TEST(Tls, SaysWhoIsAskedForAndNothingElseInTheClear) {
  const auto client = Tls::client("node.example");
  Bytes hello;
  client->take_output(hello);
  EXPECT_EQ(overlay::stream_opening(hello), overlay::StreamOpening::tls);
  EXPECT_NE(text(hello).find("node.example"), std::string_view::npos);
  EXPECT_NE(text(hello).find("http/1.1"), std::string_view::npos);
}

TEST(Tls, IsOverWhenWhatComesIsNone) {
  const auto server = Tls::server();
  EXPECT_FALSE(server->feed(view("GET / HTTP/1.1\r\n\r\n")));
  EXPECT_TRUE(server->over());
  Bytes got(10);
  EXPECT_EQ(server->read(got), 0U);
  EXPECT_FALSE(server->write(Bytes{1}));
}

// Every process makes a certificate of its own, for "localhost", which nobody else signed.
TEST(Tls, WithSomebodyToTrustTakesNoCertificateThatNobodyVouchesFor) {
  for (const auto& trust : {TlsTrust{"localhost", "", ""}, TlsTrust{"127.0.0.1", "", ""},
                            TlsTrust{"localhost", "", std::string(64, 'a')}}) {
    const auto client = Tls::client("localhost", &trust), server = Tls::server();
    ASSERT_TRUE(client && server);
    ASSERT_FALSE(client->over());
    carry(*client, *server);
    EXPECT_FALSE(client->ready());
    EXPECT_TRUE(client->over());
    EXPECT_NE(client->why().find("the certificate of " + trust.name + " is not trusted: "), std::string::npos)
        << client->why();
    EXPECT_FALSE(client->write(Bytes{1})) << "nothing goes out to it";
    EXPECT_TRUE(server->over()) << "it is told";
  }
}

TEST(Tls, WithoutTheFileOfAuthoritiesDoesNotBegin) {
  const TlsTrust trust{"localhost", "/nowhere/ca.pem", ""};
  const auto client = Tls::client("localhost", &trust);
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->over());
  EXPECT_NE(client->why().find("/nowhere/ca.pem"), std::string::npos) << client->why();
  Bytes hello;
  client->take_output(hello);
  EXPECT_TRUE(hello.empty());
}

TEST(Tls, ReadsFingerprintsAsPeopleWriteThem) {
  std::string colons;
  for (int i = 0; i < 32; ++i) colons += i == 0 ? "A1" : ":b2";
  const auto read = TlsTrust::parse_fingerprint("SHA256:" + colons);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->substr(0, 6), "a1b2b2");
  EXPECT_EQ(TlsTrust::parse_fingerprint(*read), read);
  for (const auto* wrong : {"", "sha256:", "a1b2", "sha1:a1"})
    EXPECT_FALSE(TlsTrust::parse_fingerprint(wrong)) << wrong;
  EXPECT_FALSE(TlsTrust::parse_fingerprint(std::string(64, 'g')));
  EXPECT_FALSE(TlsTrust::parse_fingerprint(std::string(66, 'a')));
}

TEST(Tls, SurvivesFlippedBits) {
  for (std::size_t at = 0; at < 200; at += 3) {
    const auto client = Tls::client(""), server = Tls::server();
    Bytes hello;
    client->take_output(hello);
    if (at < hello.size()) hello[at] ^= 0x55;
    (void)server->feed(hello);
    carry(*client, *server);
    Bytes got(10);
    (void)server->read(got);
  }
}

struct Ports : ::testing::Test {
  void listen() {
    ASSERT_TRUE(ports.listen({*Endpoint::parse("127.0.0.1:0")}));
    ports.start(
        loop,
        [this](const Datagram& d) {
          from = d.from;
          heard.push_back(copy(d.bytes));
        },
        [] {}, {[](const Endpoint&) { return true; }, nullptr});
  }
  bool until(const std::function<bool()>& condition) { return run_to(loop, condition, seconds(20)); }

  Loop loop;
  TcpPorts ports;
  Endpoint from;
  std::vector<Bytes> heard;
};

TEST_F(Ports, HearAPacketInTlsAndAnswerIt) {
  listen();
  TcpPorts client;
  std::vector<Bytes> answers;
  client.start(
      loop, [&](const Datagram& d) { answers.push_back(copy(d.bytes)); }, [] {},
      {[](const Endpoint&) { return true; }, nullptr});
  auto to = ports.bound().front();
  to.transport = Transport::tls;
  client.send({to, Bytes{4, 1, 2}});
  client.flush();
  ASSERT_TRUE(until([&] { return !heard.empty(); }));
  EXPECT_EQ(heard[0], (Bytes{4, 1, 2}));
  EXPECT_EQ(from.transport, Transport::tls);
  ports.send({from, Bytes{5, 6}});
  ports.flush();
  ASSERT_TRUE(until([&] { return !answers.empty(); }));
  EXPECT_EQ(answers[0], (Bytes{5, 6}));
}

// A connection whose own end is that port of loopback, or any: what two people behind one NAT may look like.
Fd dialled_from(std::uint16_t& port, const Endpoint& to) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto own = to_socket_address(Endpoint{to.ip, port});
  const auto there = to_socket_address(to);
  if (::bind(fd.get(), own.get(), own.size) != 0 || ::connect(fd.get(), there.get(), there.size) != 0) return Fd();
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  port = ntohs(bound.sin_port);
  return fd;
}

TEST_F(Ports, SurviveTwoInTlsFromOnePortAtTwoOfTheirs) {
  ASSERT_TRUE(ports.listen({*Endpoint::parse("127.0.0.1:0"), *Endpoint::parse("127.0.0.1:0")}));
  ports.start(
      loop, [](const Datagram&) {}, [] {}, {[](const Endpoint&) { return true; }, nullptr});
  Bytes hello;
  Tls::client("node.example")->take_output(hello);
  std::uint16_t port = 0;
  std::vector<Fd> both;
  for (const auto& to : ports.bound()) {
    both.push_back(dialled_from(port, to));
    ASSERT_TRUE(both.back());
    ASSERT_EQ(::send(both.back().get(), hello.data(), hello.size(), MSG_NOSIGNAL), static_cast<ssize_t>(hello.size()));
    pollfd p{both.back().get(), POLLIN, 0};  // answered, or closed
    ASSERT_TRUE(until([&] { return ::poll(&p, 1, 0) == 1; }));
  }
  for (auto& one : both) one.reset();
  EXPECT_TRUE(until([&] { return ports.size() == 0; }));
}

// Bytes as they are, into `openssl s_client`.
TEST_F(Ports, SpeakTlsWithOpenSslItself) {
  listen();
  const auto at = ports.bound().front();
  for (const auto* version : {"-tls1_2", "-tls1_3"}) {
    heard.clear();
    const auto command = "timeout 60 openssl s_client -quiet -no_ign_eof " + std::string(version) +
                         " -alpn h2,http/1.1 -servername node.example -connect " + at.to_string() + " >/dev/null 2>&1";
    std::FILE* client = ::popen(command.c_str(), "w");
    ASSERT_NE(client, nullptr);
    const Bytes words{0x05, 'L', 'N', 1, 0, 3, 4, 'h', 'i'};
    ASSERT_EQ(std::fwrite(words.data(), 1, words.size(), client), words.size());
    std::fflush(client);
    EXPECT_TRUE(until([&] { return !heard.empty(); })) << version;
    EXPECT_EQ(heard, std::vector<Bytes>{Bytes({4, 'h', 'i'})}) << version;
    (void)::pclose(client);
  }
}

// A TURN client's first words: a Binding request, cut anywhere.
Bytes binding() { return *from_hex("000100002112a442000102030405060708090a0b"); }

TEST_F(Ports, HandOnWhoSpeaksStunInsideAndOutsideOfTls) {
  listen();
  std::vector<StreamGuest> guests;
  ports.set_guests([&](StreamGuest guest) { guests.push_back(std::move(guest)); });
  for (const auto transport : {Transport::tcp, Transport::tls}) {
    guests.clear();
    auto to = ports.bound().front();
    to.transport = transport;
    auto stream = ByteStream::dial({to, std::nullopt, ""});
    ASSERT_TRUE(stream);
    Bytes answer;
    stream->start(
        loop,
        [&] {
          Bytes some(100);
          const auto n = stream->read(some);
          if (n) append(answer, ByteView(some).first(*n));
          (void)stream->flush();
        },
        [&] {
          stream->on_writable();
          (void)stream->flush();
        });
    ASSERT_TRUE(until([&] {
      (void)stream->flush();
      return stream->ready();
    }));
    stream->write(binding());
    (void)stream->flush();
    ASSERT_TRUE(until([&] { return guests.size() == 1; })) << to_string(transport);
    auto& guest = guests[0];
    EXPECT_EQ(guest.first, binding());
    EXPECT_EQ(guest.remote.transport, transport);
    EXPECT_EQ(guest.local.port, to.port);
    EXPECT_EQ(ports.size(), 0U) << "a guest is no connection of ours";
    Bytes more;
    guest.stream->start(
        loop,
        [&] {
          Bytes some(100);
          const auto n = guest.stream->read(some);
          if (n) append(more, ByteView(some).first(*n));
        },
        [&] { guest.stream->on_writable(); });
    guest.stream->write(Bytes{1, 1});
    ASSERT_TRUE(guest.stream->flush());
    stream->write(Bytes{9});
    (void)stream->flush();
    EXPECT_TRUE(until([&] { return answer == Bytes{1, 1} && more == Bytes{9}; })) << to_string(transport);
  }
}

struct Proxied : Ports {
  // A node behind this proxy only; the other end is told by a documentation address.
  void through(const std::string& url) {
    listen();
    routes = std::make_unique<Routes>(url, "");
    client.set_route([this](const Endpoint& to) { return routes->to(to); });
    client.start(
        loop, [this](const Datagram& d) { answers.push_back(copy(d.bytes)); }, [] {},
        {[](const Endpoint&) { return true; }, nullptr});
  }
  void say(Endpoint to, Way way) {
    client.send({overlay::by(way, to), Bytes{4, 1, 2}});
    client.flush();
  }

  TcpPorts client;
  std::unique_ptr<Routes> routes;
  std::vector<Bytes> answers;
};

TEST_F(Proxied, HttpConnectWithAPasswordLeadsToTls) {
  SmallProxy proxy(loop, SmallProxy::Kind::http, "ann:p@ss");
  through("http://ann:p%40ss@" + proxy.at().to_string());
  proxy.leads_to(ports.bound().front());
  say(*Endpoint::parse("203.0.113.9:4400"), Way::tls_by_proxy);
  ASSERT_TRUE(until([&] { return !heard.empty(); })) << client.proxy_trouble();
  EXPECT_EQ(from.transport, Transport::tls);
  EXPECT_EQ(proxy.asked(), "203.0.113.9:443");
  ports.send({from, Bytes{5, 6}});
  ports.flush();
  EXPECT_TRUE(until([&] { return !answers.empty(); }));
}

TEST_F(Proxied, SocksWithAPasswordLeadsToTcpByName) {
  SmallProxy proxy(loop, SmallProxy::Kind::socks5, "ann:p@ss");
  through("socks5h://ann:p%40ss@" + proxy.at().to_string());
  proxy.leads_to(ports.bound().front());
  const auto named = routes->stand_in({"203.0.113.9:4400", "node.example:4400", "node.example:4400"});
  ASSERT_EQ(named.size(), 2U);
  EXPECT_EQ(named[0], named[1]);
  say(named[0], Way::tcp_by_proxy);
  ASSERT_TRUE(until([&] { return !heard.empty(); })) << client.proxy_trouble();
  EXPECT_EQ(from.transport, Transport::tcp);
  EXPECT_EQ(proxy.asked(), "node.example:4400");
}

TEST_F(Proxied, SaysWhyAProxyRefusesAndNotWithWhatPassword) {
  for (const auto kind : {SmallProxy::Kind::http, SmallProxy::Kind::socks5}) {
    SmallProxy proxy(loop, kind, "ann:right");
    Routes wrong(
        (kind == SmallProxy::Kind::http ? "http://ann:wrong@" : "socks5://ann:wrong@") + proxy.at().to_string(), "");
    TcpPorts dialler;
    dialler.set_route([&](const Endpoint& to) { return wrong.to(to); });
    dialler.start(
        loop, [](const Datagram&) {}, [] {}, {[](const Endpoint&) { return true; }, nullptr});
    dialler.send({overlay::by(Way::tls_by_proxy, *Endpoint::parse("203.0.113.9:4400")), Bytes{4, 0}});
    dialler.flush();
    ASSERT_TRUE(until([&] { return !dialler.proxy_trouble().empty(); }));
    EXPECT_NE(dialler.proxy_trouble().find("the proxy "), std::string::npos);
    EXPECT_EQ(dialler.proxy_trouble().find("wrong"), std::string::npos);
    EXPECT_EQ(dialler.size(), 0U);
  }
}

TEST(Routes, GoThroughTheProxyOnlyWhereItIsForThat) {
  Routes routes("http://10.0.0.1:3128", "192.0.2.0/24");
  const auto there = *Endpoint::parse("203.0.113.9:4400"), near = *Endpoint::parse("192.0.2.1:4400");
  ASSERT_TRUE(routes.to(overlay::by(overlay::Way::tls, there)));
  EXPECT_FALSE(routes.to(overlay::by(overlay::Way::tls, there))->through);
  ASSERT_TRUE(routes.to(overlay::by(overlay::Way::tls_by_proxy, there)));
  EXPECT_EQ(routes.to(overlay::by(overlay::Way::tls_by_proxy, there))->through->at,
            (Endpoint{*IpAddress::parse("10.0.0.1"), 3128, Transport::tcp}));
  EXPECT_FALSE(routes.to(overlay::by(overlay::Way::tls_by_proxy, near))) << "NO_PROXY names it";
  EXPECT_TRUE(routes.to(overlay::by(overlay::Way::tls, near)));
  EXPECT_FALSE(routes.to(overlay::placeholder(3, 4400))) << "stands for no name";
}

TEST(Routes, ListenBesideWhatOthersReach) {
  const auto at = [](const char* where) { return *Endpoint::parse(where); };
  const auto tcp = [&](const char* where) { return overlay::over(Transport::tcp, at(where)); };
  EXPECT_TRUE(ports_of_convention({at("127.0.0.1:4400"), at("[::1]:4400")}).empty());
  EXPECT_EQ(ports_of_convention({at("0.0.0.0:4400"), at("0.0.0.0:80")}), (std::vector{tcp("0.0.0.0:443")}));
}

}  // namespace
}  // namespace linnet::io
