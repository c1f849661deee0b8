// A small proxy of its own kind, on loopback and in the test's loop: HTTP CONNECT with Basic, or SOCKS5 with or without
// a password. Wherever it is asked to go, it goes where the test says, and remembers what it was asked for.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <list>
#include <string>

#include "node/io/net/address.h"
#include "node/io/net/byte_stream.h"

namespace linnet::io {

class SmallProxy {
 public:
  enum class Kind { http, socks5 };

  // `who`: "user:password", empty: everybody.
  SmallProxy(Loop& loop, Kind kind, std::string who = "") : loop_(loop), kind_(kind), who_(std::move(who)) {
    fd_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto address = to_socket_address(*Endpoint::parse("127.0.0.1:0"));
    EXPECT_EQ(::bind(fd_.get(), address.get(), address.size), 0);
    EXPECT_EQ(::listen(fd_.get(), 64), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    at_ = to_endpoint(bound);
    watch_ = loop.watch(fd_.get(), [this] { accept(); });
  }

  const Endpoint& at() const { return at_; }
  void leads_to(const Endpoint& real) { real_ = real; }
  // "203.0.113.9:443" or "node.example:443": the last one.
  const std::string& asked() const { return asked_; }
  std::size_t asked_times() const { return times_; }

 private:
  struct Pair {
    std::unique_ptr<ByteStream> near, far;
    Bytes said;
    bool knows = false;  // SOCKS: user and password, or none needed
    bool greeted = false;
    bool over = false;
  };

  void accept() {
    Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    pairs_.remove_if([](const Pair& p) { return p.over; });
    auto& pair = pairs_.emplace_back();
    pair.near = ByteStream::accepted(std::move(fd));
    pair.knows = who_.empty();
    pair.near->start(
        loop_, [this, &pair] { on_near(pair); },
        [&pair] {
          pair.near->on_writable();
          (void)pair.near->flush();
        });
  }

  // Ends it for both: a watch may be destroyed by what it calls.
  static void end(Pair& pair) {
    pair.over = true;
    pair.near.reset();
    pair.far.reset();
  }

  static void pass(Pair& pair, ByteStream& from, ByteStream& to) {
    Bytes some(16 * 1024);
    const auto n = from.read(some);
    if (!n) return end(pair);
    to.write(ByteView(some).first(*n));
    if (!to.flush()) end(pair);
  }

  void on_near(Pair& pair) {
    if (pair.over) return;
    if (pair.far) return pass(pair, *pair.near, *pair.far);
    Bytes some(4096);
    const auto n = pair.near->read(some);
    if (!n) return end(pair);
    append(pair.said, ByteView(some).first(*n));
    kind_ == Kind::http ? on_http(pair) : on_socks(pair);
  }

  void answer(Pair& pair, ByteView words) {
    pair.near->write(words);
    (void)pair.near->flush();
  }

  void on_http(Pair& pair) {
    const std::string said(text(pair.said));
    if (said.find("\r\n\r\n") == std::string::npos) return;
    asked_ = said.substr(8, said.find(' ', 8) - 8);
    // "ann:p@ss" and "ann:right" are what the tests use.
    const std::string word = who_ == "ann:p@ss" ? "YW5uOnBAc3M=" : who_ == "ann:right" ? "YW5uOnJpZ2h0" : "";
    if (!word.empty() && said.find("Proxy-Authorization: Basic " + word + "\r\n") == std::string::npos) {
      answer(pair, view("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"));
      return;
    }
    go_on(pair, copy(view("HTTP/1.1 200 Connection established\r\n\r\n")));
  }

  void on_socks(Pair& pair) {
    auto& said = pair.said;
    if (!pair.greeted) {
      if (said.size() < 2 || said.size() < 2U + said[1]) return;
      pair.greeted = true;
      said.clear();
      return answer(pair, Bytes{5, static_cast<std::uint8_t>(pair.knows ? 0 : 2)});
    }
    if (!pair.knows) {
      const auto user = std::string(said.begin() + 2, said.begin() + 2 + said[1]);
      const auto at = 2U + said[1];
      const auto password = std::string(said.begin() + at + 1, said.begin() + at + 1 + said[at]);
      pair.knows = user + ":" + password == who_;
      said.clear();
      return answer(pair, Bytes{1, static_cast<std::uint8_t>(pair.knows ? 0 : 1)});
    }
    if (said.size() < 7) return;
    const std::size_t port_at = said.size() - 2;
    const auto port = std::to_string(said[port_at] << 8 | said[port_at + 1]);
    if (said[3] == 3) asked_ = std::string(said.begin() + 5, said.begin() + 5 + said[4]) + ":" + port;
    if (said[3] == 1) asked_ = IpAddress::v4(said[4], said[5], said[6], said[7]).to_string() + ":" + port;
    go_on(pair, Bytes{5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  }

  void go_on(Pair& pair, const Bytes& yes) {
    ++times_;
    auto real = real_;
    real.transport = Transport::tcp;
    pair.far = ByteStream::dial({real, std::nullopt, ""});
    ASSERT_TRUE(pair.far);
    pair.far->start(
        loop_, [&pair] { pass(pair, *pair.far, *pair.near); },
        [&pair] {
          pair.far->on_writable();
          (void)pair.far->flush();
        });
    answer(pair, yes);
  }

  Loop& loop_;
  Kind kind_;
  std::string who_;
  Fd fd_;
  Endpoint at_, real_;
  std::string asked_;
  std::size_t times_ = 0;
  std::list<Pair> pairs_;
  std::unique_ptr<Loop::Watch> watch_;
};

}  // namespace linnet::io
