// TLS around a byte stream, without a socket: sealed bytes in and out, plain bytes out and in (OpenSSL; TLS 1.2
// and 1.3, RFC 8446). It carries sessions through networks that let only TLS out: those are authenticated inside, by
// Noise, and ask nobody for a certificate. Whom something is told that must stay secret, as a TURN server our password,
// is checked by TlsTrust. Nothing of the library is set up before the first one is made.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace linnet::io {

// What a server's certificate must be (RFC 5280, RFC 9525).
struct TlsTrust {
  std::string name;  // the host name or the address that it is for
  std::string ca;    // file of authorities, PEM; empty: those that this system trusts
  std::string
      fingerprint;  // 64 hex digits, SHA-256 of the certificate: this one, whoever signed it; empty: by authority

  // "sha256:AB:CD:..." or the digits alone, in any case, with or without colons: as 64 small digits. Else nothing.
  static std::optional<std::string> parse_fingerprint(std::string_view text);
};

class Tls {
 public:
  // Null when the library refuses, for want of memory.
  static std::unique_ptr<Tls> server();
  // `server_name` is said in the clear (RFC 6066, section 3); empty: none. `trust`: null asks for nothing. One that
  // cannot be applied makes a stream that is over, and why() says it.
  static std::unique_ptr<Tls> client(const std::string& server_name, const TlsTrust* trust = nullptr);
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
  // For a person: "the certificate of turn.example is not trusted: self-signed certificate". Empty: for another reason.
  std::string why() const;

  // Whether this process has needed TLS yet: its library's tables, and a key of our own, come with the first use.
  static bool started();

 private:
  struct Impl;
  explicit Tls(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::io
