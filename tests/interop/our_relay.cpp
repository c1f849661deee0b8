#include "our_relay.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/io/net/address.h"

namespace linnet::interop {
namespace {

Time moment() { return Time{std::chrono::microseconds(g_get_monotonic_time())}; }

void end(GSource*& source) {
  if (source == nullptr) return;
  g_source_destroy(source);
  g_source_unref(source);
  source = nullptr;
}

}  // namespace

OurRelay::OurRelay(GMainContext* context, Rng& rng, std::uint16_t port, Ears ears)
    : context_(context),
      server_{IpAddress::v4(127, 0, 0, 1), port},
      ears_(std::move(ears)),
      client_({"phone", "long and secret"}, rng),
      socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  const auto at = io::to_socket_address(server_);
  EXPECT_EQ(::connect(socket_, at.get(), at.size), 0);
  readable_ = g_unix_fd_source_new(socket_, G_IO_IN);
  g_source_set_callback(readable_, G_SOURCE_FUNC(&OurRelay::on_readable), this, nullptr);
  g_source_attach(readable_, context_);
  client_.start(moment());
  flush();
}

OurRelay::~OurRelay() {
  end(readable_);
  end(timer_);
  ::close(socket_);
}

void OurRelay::send(const Endpoint& peer, ByteView bytes) {
  client_.send(moment(), peer, bytes);
  flush();
}

void OurRelay::flush() {
  bool moved = true;
  while (moved) {
    moved = false;
    while (const auto out = client_.poll_transmit()) (void)::send(socket_, out->data(), out->size(), 0);
    while (const auto e = client_.poll_event()) {
      moved = true;
      if (std::holds_alternative<nat::turn::client_event::Open>(*e)) client_.opened(moment(), server_);
      const auto* ready = std::get_if<nat::turn::client_event::Ready>(&*e);
      if (ready != nullptr && ready->given.v4) ears_.ready(*ready->given.v4);
    }
  }
  arm();
}

void OurRelay::arm() {
  end(timer_);
  const auto next = client_.next_timeout();
  if (next == kNever) return;
  const auto wait = std::max<std::int64_t>(0, (micros(next - moment()) + 999) / 1000);
  timer_ = g_timeout_source_new(static_cast<guint>(wait));
  g_source_set_callback(timer_, &OurRelay::on_timeout, this, nullptr);
  g_source_attach(timer_, context_);
}

gboolean OurRelay::on_readable(gint fd, GIOCondition, gpointer self) {
  auto& relay = *static_cast<OurRelay*>(self);
  std::uint8_t buffer[2048];
  const auto n = ::recv(fd, buffer, sizeof buffer, 0);
  if (n <= 0) return G_SOURCE_CONTINUE;
  const auto heard = relay.client_.handle(moment(), {buffer, static_cast<std::size_t>(n)});
  relay.flush();
  if (heard) relay.ears_.receive(heard->peer, heard->data);
  return G_SOURCE_CONTINUE;
}

gboolean OurRelay::on_timeout(gpointer self) {
  auto& relay = *static_cast<OurRelay*>(self);
  relay.client_.handle_timeout(moment());
  relay.flush();  // destroys this source and makes another
  return G_SOURCE_CONTINUE;
}

}  // namespace linnet::interop
