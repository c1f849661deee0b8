#include "our_streams.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "node/io/net/address.h"

namespace linnet::interop {
namespace {

Endpoint place_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  EXPECT_EQ(ask(fd, reinterpret_cast<sockaddr*>(&at), &size), 0);
  auto out = io::to_endpoint(at);
  out.transport = Transport::tcp;
  return out;
}

}  // namespace

OurStreams::~OurStreams() {
  for (auto& one : all_) drop(*one);
  drop(listening_);
}

void OurStreams::drop(One& one) {
  if (one.source != nullptr) {
    g_source_destroy(one.source);
    g_source_unref(one.source);
    one.source = nullptr;
  }
  if (one.fd >= 0) ::close(one.fd);
  one.fd = -1;
}

void OurStreams::watch(One& one, GIOCondition condition, GUnixFDSourceFunc heard) {
  if (one.source != nullptr) {
    g_source_destroy(one.source);
    g_source_unref(one.source);
  }
  one.source = g_unix_fd_source_new(one.fd, condition);
  g_source_set_callback(one.source, G_SOURCE_FUNC(heard), &one, nullptr);
  g_source_attach(one.source, context_);
}

OurStreams::One* OurStreams::find(const Name& name) {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one->name == name; });
  return at == all_.end() ? nullptr : at->get();
}

Endpoint OurStreams::listen(nat::ice::Base base) {
  listening_.owner = this;
  listening_.name.base = base;
  listening_.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const auto at = io::to_socket_address({IpAddress::v4(127, 0, 0, 1), 0});
  EXPECT_EQ(::bind(listening_.fd, at.get(), at.size), 0);
  EXPECT_EQ(::listen(listening_.fd, 8), 0);
  watch(listening_, G_IO_IN, &OurStreams::on_caller);
  return place_of(listening_.fd, ::getsockname);
}

gboolean OurStreams::on_caller(gint fd, GIOCondition, gpointer self) {
  auto& listening = *static_cast<One*>(self);
  auto& owner = *listening.owner;
  const int made = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (made < 0) return G_SOURCE_CONTINUE;
  const Name name{listening.name.base, place_of(made, ::getpeername)};
  auto& one = *owner.all_.emplace_back(std::make_unique<One>(One{&owner, name, made, nullptr}));
  owner.watch(one, G_IO_IN, &OurStreams::on_readable);
  owner.ears_.accepted(name);
  return G_SOURCE_CONTINUE;
}

void OurStreams::connect(const Name& name) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const auto at = io::to_socket_address(name.remote);
  const bool began = ::connect(made, at.get(), at.size) == 0 || errno == EINPROGRESS;
  auto& one = *all_.emplace_back(std::make_unique<One>(One{this, name, made, nullptr}));
  if (!began) return over(name);
  watch(one, G_IO_OUT, &OurStreams::on_connected);
}

gboolean OurStreams::on_connected(gint fd, GIOCondition, gpointer self) {
  auto& one = *static_cast<One*>(self);
  auto& owner = *one.owner;
  const auto name = one.name;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    owner.over(name);
    return G_SOURCE_CONTINUE;
  }
  owner.watch(one, G_IO_IN, &OurStreams::on_readable);
  owner.ears_.connected(name);
  return G_SOURCE_CONTINUE;
}

gboolean OurStreams::on_readable(gint fd, GIOCondition, gpointer self) {
  const auto& one = *static_cast<One*>(self);
  auto& owner = *one.owner;
  const auto name = one.name;  // the connection may end by what it brings
  std::uint8_t buffer[4096];
  const auto n = ::recv(fd, buffer, sizeof buffer, 0);
  if (n > 0) {
    owner.ears_.receive(name, {buffer, static_cast<std::size_t>(n)});
  } else if (n == 0 || errno != EAGAIN) {
    owner.over(name);
  }
  return G_SOURCE_CONTINUE;
}

bool OurStreams::write(const Name& name, ByteView bytes) {
  const auto* one = find(name);
  if (one == nullptr) return false;
  return ::send(one->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

void OurStreams::close(const Name& name) {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one->name == name; });
  if (at == all_.end()) return;
  drop(**at);
  all_.erase(at);
}

void OurStreams::over(const Name& name) {
  close(name);
  ears_.closed(name);
}

}  // namespace linnet::interop
