// A TCP connection as a stream of bytes, whatever it takes to get there: through a proxy, inside TLS. Never waits. What
// it carries is its owner's: our packets (tcp_connection.h), or what a guest speaks.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "node/io/files.h"
#include "node/io/loop.h"
#include "node/io/net/tls.h"
#include "overlay/proxy.h"

namespace linnet::io {

class ByteStream {
 public:
  // More than any owner lets wait: what TLS itself wants to say is bounded by it.
  static constexpr std::size_t kMostUnsent = 256 * 1024;

  struct Through {
    overlay::Proxy proxy;
    Endpoint at;  // of the proxy
    overlay::ProxyTarget target;
  };
  struct Dial {
    Endpoint to;  // its transport says whether in TLS
    std::optional<Through> through;
    std::string server_name;                          // said in TLS
    std::shared_ptr<const TlsTrust> trust = nullptr;  // whoever answers
  };

  static std::unique_ptr<ByteStream> accepted(Fd fd);
  // Null when the system refuses at once. Where its why() says something, it will never be ready.
  static std::unique_ptr<ByteStream> dial(const Dial& how);

  // From here on, or again by another owner. `readable` may destroy the stream.
  void start(Loop& loop, std::function<void()> readable, std::function<void()> writable);
  // The other side began a handshake of TLS, with these bytes. False: there is no TLS to be had.
  bool answer_tls(ByteView first);

  // Nothing: the stream is over. 0: no bytes now; as many as fit: there may be more.
  std::optional<std::size_t> read(MutableBytes into);
  // Connected, the proxy passed, the handshake over: what is written goes out.
  bool ready() const;
  // Waits until flush(); the owner bounds it by unsent(). Only when ready.
  void write(ByteView bytes);
  // Bytes that the system did not take yet.
  std::size_t unsent() const { return out_.size(); }
  // Hands over what it can; `writable` is called when there is room again. False: the stream is over.
  bool flush();
  // `writable` is on its way.
  bool waits() const { return waits_; }
  // To be called by it.
  void on_writable() { waits_ = false; }
  // Of ours; nothing before there is a connection.
  std::optional<IpAddress> local() const;
  // Why it ended before it was ready, where there is something to say: "the proxy does not allow it (403)".
  const std::string& why() const { return why_; }

 private:
  explicit ByteStream(Fd fd) : fd_(std::move(fd)) {}
  bool on_proxy(ByteView bytes);
  bool begin_tls();
  std::optional<std::size_t> read_tls(MutableBytes into);

  Fd fd_;
  bool connecting_ = false;
  bool waits_ = false;
  bool wants_tls_ = false;  // as soon as the proxy is passed
  std::string server_name_;
  std::shared_ptr<const TlsTrust> trust_;
  std::unique_ptr<overlay::ProxyClient> proxy_;  // until it is passed
  std::unique_ptr<Tls> tls_;
  Bytes early_;  // plain bytes behind the proxy's answer
  Bytes out_;
  std::string why_;
  std::function<void()> writable_;
  std::unique_ptr<Loop::Watch> watch_;  // before the descriptor it watches is closed: destroyed first
};

}  // namespace linnet::io
