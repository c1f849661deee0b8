// Through a proxy to a TCP endpoint elsewhere: HTTP CONNECT (RFC 9110, section 9.3.6; Basic, RFC 7617) and SOCKS5
// (RFC 1928; username and password, RFC 1929). Cores: bytes in, bytes out; the driver owns the connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/endpoint.h"

namespace linnet::overlay {

enum class ProxyKind : std::uint8_t { http, socks5 };

struct Proxy {
  ProxyKind kind = ProxyKind::http;
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 0;
  std::string user;  // empty: none is sent
  std::string password;

  // "http://user:password@proxy.example:3128", "socks5://10.0.0.1" (port 1080), "proxy.example:8080" (HTTP; port 80
  // when none is given). socks5h is socks5: names are always resolved there. What is special in user and password is
  // written %XX. Nothing for anything else.
  static std::optional<Proxy> parse(std::string_view text);
  // Without user and password: for logs.
  std::string shown() const;
  bool operator==(const Proxy&) const = default;
};

// Where to: an address, or a name that the proxy resolves.
struct ProxyTarget {
  std::string name;  // empty: the endpoint's address
  Endpoint endpoint;
};

// NO_PROXY: names ("intern.example" and what ends in it, with a dot before or not), addresses, ranges ("10.0.0.0/8"),
// with a comma or space between; "*" is everybody. A port behind a name or address must match.
class NoProxy {
 public:
  static constexpr std::size_t kMost = 256;

  NoProxy() = default;
  explicit NoProxy(std::string_view list);
  // A loopback address is never reached through a proxy.
  bool covers(const ProxyTarget& target) const;

 private:
  struct Entry {
    std::string name;  // lower case, without leading dots; empty: a range
    IpAddress range;
    unsigned bits = 0;
    std::uint16_t port = 0;  // 0: any
  };
  static std::optional<Entry> entry(std::string_view item);

  std::vector<Entry> entries_;
  bool everybody_ = false;
};

class ProxyClient {
 public:
  // A proxy's words until the way is open: its header, or three short SOCKS messages.
  static constexpr std::size_t kMostAnswer = 8 * 1024;

  ProxyClient(const Proxy& proxy, const ProxyTarget& target);

  // What to send now; empty: wait for the proxy.
  Bytes take_output() { return std::exchange(out_, {}); }
  // Bytes of the proxy. Fault::malformed, Fault::too_big (an answer without end), Fault::refused (why() says it).
  Status push(ByteView bytes);
  bool open() const { return stage_ == Stage::open; }
  // What came behind its answer belongs to the other end. Once.
  Bytes take_rest() { return std::exchange(in_, {}); }
  // Of a refusal, for a person: "the proxy wants a user and a password (407)". Never what was sent to it.
  const std::string& why() const { return why_; }

 private:
  enum class Stage : std::uint8_t { http, method, password, connect, open, failed };

  Status refuse(std::string why);
  Status malformed();
  bool step(Status& out);
  bool on_http(Status& out);
  bool on_method(Status& out);
  bool on_password(Status& out);
  bool on_connect(Status& out);
  void say_connect();
  void drop(std::size_t n) { in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(n)); }

  Stage stage_;
  Proxy proxy_;
  ProxyTarget target_;
  Bytes out_;
  Bytes in_;
  std::string why_;
};

}  // namespace linnet::overlay
