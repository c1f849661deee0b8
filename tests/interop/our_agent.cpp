#include "our_agent.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

namespace linnet::interop {
namespace {

sockaddr_in address_of(const Endpoint& e) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(e.port);
  std::memcpy(&out.sin_addr, e.ip.bytes.data() + 12, 4);
  return out;
}

Endpoint endpoint_of(const sockaddr_in& a) { return {IpAddress::v4(ntohl(a.sin_addr.s_addr)), ntohs(a.sin_port)}; }

}  // namespace

void OurAgent::OsRng::fill(MutableBytes out) {
  EXPECT_EQ(getrandom(out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
}

OurAgent::OurAgent(GMainContext* context, const nat::ice::AgentConfig& config)
    : agent_(config, rng_), context_(context), socket_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_in any = address_of({IpAddress::v4(127, 0, 0, 1), 0});
  socklen_t size = sizeof any;
  EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&any), size), 0);
  EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&any), &size), 0);
  local_ = endpoint_of(any);
  readable_ = g_unix_fd_source_new(socket_, G_IO_IN);
  g_source_set_callback(readable_, G_SOURCE_FUNC(&OurAgent::on_readable), this, nullptr);
  g_source_attach(readable_, context_);
}

OurAgent::~OurAgent() {
  for (auto* source : {readable_, timer_}) {
    if (source == nullptr) continue;
    g_source_destroy(source);
    g_source_unref(source);
  }
  close(socket_);
}

Time OurAgent::now() const { return Time{std::chrono::microseconds(g_get_monotonic_time())}; }

void OurAgent::gather() {
  agent_.add_host(now(), 0, local_);
  agent_.end_of_local(now());
  flush();
}

void OurAgent::flush() {
  while (const auto out = agent_.poll_transmit()) transmit(out->to, out->bytes);
  while (const auto e = agent_.poll_event()) {
    if (const auto* c = std::get_if<nat::ice::event::LocalCandidate>(&*e)) trickled.push_back(to_sdp(c->candidate));
    if (const auto* s = std::get_if<nat::ice::event::Selected>(&*e)) selections.push_back(s->way);
    gathered = gathered || std::holds_alternative<nat::ice::event::GatheringDone>(*e);
    failed = failed || std::holds_alternative<nat::ice::event::Failed>(*e) ||
             std::holds_alternative<nat::ice::event::Lost>(*e);
  }
  arm();
}

void OurAgent::arm() {
  if (timer_ != nullptr) {
    g_source_destroy(timer_);
    g_source_unref(timer_);
    timer_ = nullptr;
  }
  const auto next = agent_.next_timeout();
  if (next == kNever) return;
  const auto wait = std::max<std::int64_t>(0, (micros(next - now()) + 999) / 1000);
  timer_ = g_timeout_source_new(static_cast<guint>(wait));
  g_source_set_callback(timer_, &OurAgent::on_timeout, this, nullptr);
  g_source_attach(timer_, context_);
}

void OurAgent::transmit(const Endpoint& to, ByteView bytes) {
  const auto address = address_of(to);
  (void)sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool OurAgent::send(const std::string& text) {
  const auto way = agent_.way();
  if (!way) return false;
  transmit(way->remote, view(text));
  return true;
}

gboolean OurAgent::on_readable(gint fd, GIOCondition, gpointer self) {
  auto& ours = *static_cast<OurAgent*>(self);
  std::uint8_t buffer[2048];
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const auto n = recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n <= 0) return G_SOURCE_CONTINUE;
  const ByteView bytes(buffer, static_cast<std::size_t>(n));
  if (const auto m = nat::stun::Message::parse(bytes)) {
    ours.agent_.handle(ours.now(), 0, endpoint_of(from), *m);
  } else {
    ours.received.emplace_back(text(bytes));
  }
  ours.flush();
  return G_SOURCE_CONTINUE;
}

gboolean OurAgent::on_timeout(gpointer self) {
  auto& ours = *static_cast<OurAgent*>(self);
  ours.agent_.handle_timeout(ours.now());
  ours.flush();  // destroys this source and makes another
  return G_SOURCE_CONTINUE;
}

}  // namespace linnet::interop
