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

constexpr nat::ice::Base kUdp = 0;
constexpr nat::ice::Base kActive = 1;
constexpr nat::ice::Base kPassive = 2;
constexpr nat::ice::Base kRelay = 3;

bool by_tcp(nat::ice::Base base) { return base == kActive || base == kPassive; }

Endpoint endpoint_of(const sockaddr_in& a) { return {IpAddress::v4(ntohl(a.sin_addr.s_addr)), ntohs(a.sin_port)}; }

}  // namespace

void OurAgent::OsRng::fill(MutableBytes out) {
  EXPECT_EQ(getrandom(out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
}

OurAgent::OurAgent(GMainContext* context, const nat::ice::AgentConfig& config, const OurMeans& means)
    : means_(means),
      agent_(config, rng_),
      context_(context),
      streams_(context, ears()),
      socket_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
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

OurStreams::Ears OurAgent::ears() {
  using Name = OurStreams::Name;
  const auto told = [this](void (nat::ice::Agent::*what)(Time, const Name&)) {
    return [this, what](const Name& name) {
      (agent_.*what)(now(), name);
      flush();
    };
  };
  const auto receive = [this](const Name& name, ByteView bytes) {
    agent_.receive(now(), name, bytes);
    while (const auto packet = agent_.poll_packet()) received.emplace_back(text(packet->bytes));
    flush();
  };
  return {told(&nat::ice::Agent::connected), told(&nat::ice::Agent::accepted), told(&nat::ice::Agent::closed), receive};
}

void OurAgent::gather() {
  if (means_.udp) agent_.add_host(now(), kUdp, local_);
  if (means_.active) agent_.add_active(now(), kActive, local_.ip);
  if (means_.passive) agent_.add_passive(now(), kPassive, streams_.listen(kPassive));
  if (means_.turn) {
    OurRelay::Ears heard;
    heard.ready = [this](const Endpoint& relayed) {
      agent_.add_relayed(now(), kRelay, relayed, {local_.ip, *means_.turn});
      agent_.end_of_local(now());
      flush();
    };
    heard.receive = [this](const Endpoint& peer, ByteView bytes) { hear(kRelay, peer, bytes); };
    relay_ = std::make_unique<OurRelay>(context_, rng_, *means_.turn, std::move(heard));
  } else {
    agent_.end_of_local(now());
  }
  flush();
}

void OurAgent::flush() {
  while (const auto out = agent_.poll_transmit()) (void)transmit(*out);
  while (const auto e = agent_.poll_event()) on_event(*e);
  arm();
}

void OurAgent::on_event(const nat::ice::Event& e) {
  namespace event = nat::ice::event;
  if (const auto* c = std::get_if<event::LocalCandidate>(&e)) trickled.push_back(to_sdp(c->candidate));
  if (const auto* s = std::get_if<event::Selected>(&e)) selections.push_back(s->way);
  if (const auto* l = std::get_if<event::Lost>(&e)) lost.push_back(l->way);
  if (const auto* c = std::get_if<event::Connect>(&e)) streams_.connect(c->stream);
  if (const auto* c = std::get_if<event::Close>(&e)) streams_.close(c->stream);
  gathered = gathered || std::holds_alternative<event::GatheringDone>(e);
  failed = failed || std::holds_alternative<event::Failed>(e);
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

bool OurAgent::transmit(const nat::ice::Outgoing& out) {
  if (by_tcp(out.base)) return streams_.write({out.base, out.to}, out.bytes);
  if (out.base == kRelay) {
    relay_->send(out.to, out.bytes);
    return true;
  }
  const auto address = address_of(out.to);
  return sendto(socket_, out.bytes.data(), out.bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                sizeof address) > 0;
}

bool OurAgent::send(const std::string& text) {
  const auto way = agent_.way();
  if (!way) return false;
  return transmit({way->base, way->remote, by_tcp(way->base) ? nat::write_frame(view(text)) : copy(view(text))});
}

void OurAgent::hear(nat::ice::Base base, const Endpoint& from, ByteView bytes) {
  if (const auto m = nat::stun::Message::parse(bytes)) {
    agent_.handle(now(), base, from, *m);
  } else {
    received.emplace_back(text(bytes));
  }
  flush();
}

gboolean OurAgent::on_readable(gint fd, GIOCondition, gpointer self) {
  auto& ours = *static_cast<OurAgent*>(self);
  std::uint8_t buffer[2048];
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const auto n = recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n > 0) ours.hear(kUdp, endpoint_of(from), {buffer, static_cast<std::size_t>(n)});
  return G_SOURCE_CONTINUE;
}

gboolean OurAgent::on_timeout(gpointer self) {
  auto& ours = *static_cast<OurAgent*>(self);
  ours.agent_.handle_timeout(ours.now());
  ours.flush();  // destroys this source and makes another
  return G_SOURCE_CONTINUE;
}

}  // namespace linnet::interop
