// TLS around a byte stream, without a socket: sealed bytes in and out, plain bytes out and in (OpenSSL; TLS 1.2 and 1.3,
// RFC 8446). It carries sessions through networks that let only TLS out. Nobody is trusted for a certificate: sessions
// are authenticated inside, by Noise. Nothing of the library is set up before the first one is made.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"

namespace linnet::io {

class Tls {
 public:
  // Null when the library refuses, for want of memory.
  static std::unique_ptr<Tls> server();
  // `server_name` is said in the clear (RFC 6066, section 3); empty: none.
  static std::unique_ptr<Tls> client(const std::string& server_name);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Bytes from the wire. False: this is no TLS, or it is over.
  bool feed(ByteView sealed);
  // What came, at most as much as fits; 0: nothing (now).
  std::size_t read(MutableBytes into);
  // The handshake is over: what is written goes out.
  bool ready() const;
  // False: not ready, or broken.
  bool write(ByteView plain);
  // Appends what is to go out by the wire.
  void take_output(Bytes& out);
  // The other side said so, or the stream is broken.
  bool over() const;

 private:
  struct Impl;
  explicit Tls(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::io
