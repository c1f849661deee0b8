// A client on a socket pair whose TLS is the library itself, so that it can do what ours never would.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "node/io/files.h"

namespace linnet::io {

template <auto Free>
struct GuestFreer {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};

class TlsGuest {
 public:
  TlsGuest() : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_.get())) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    here_.reset(ends[0]);
    there_.reset(ends[1]);
    std::signal(SIGPIPE, SIG_IGN);  // the library writes to who hung up as a program must expect
    SSL_set_fd(ssl_.get(), here_.get());
    SSL_set_connect_state(ssl_.get());
  }
  // Its ClientHello is out: what the server's side begins with.
  Bytes hello(Fd& server_side) {
    (void)shake();
    std::array<std::uint8_t, 4096> room;
    const auto n = ::recv(there_.get(), room.data(), room.size(), MSG_DONTWAIT);
    EXPECT_GT(n, 0);
    server_side = std::move(there_);
    return Bytes(room.begin(), room.begin() + n);
  }
  bool shake() { return SSL_do_handshake(ssl_.get()) == 1; }
  bool say(ByteView bytes) { return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0; }
  // "Take a new key, and let me have one of yours", which has to be answered (RFC 8446, section 4.6.3).
  bool ask_for_key() { return SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1 && shake(); }
  // Of what came, in the clear.
  std::size_t read() {
    std::array<std::uint8_t, 4096> room;
    const int n = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  // Into the connection as it is, without TLS of this library.
  void say_raw(ByteView bytes) const {
    (void)::send(here_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  // The server ended the connection. What came is read and forgotten.
  bool hung_up() const {
    std::array<std::uint8_t, 4096> room;
    for (;;) {
      const auto n = ::recv(here_.get(), room.data(), room.size(), MSG_DONTWAIT);
      if (n <= 0) return n == 0 || errno == ECONNRESET || errno == EPIPE;
    }
  }

 private:
  std::unique_ptr<SSL_CTX, GuestFreer<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, GuestFreer<SSL_free>> ssl_;
  Fd here_, there_;
};

}  // namespace linnet::io
