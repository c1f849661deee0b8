#include "overlay/mdns.h"

#include "overlay/mdns_browser.h"

namespace linnet::overlay::mdns {
namespace {

constexpr std::size_t kMaxOut = 64;  // messages not yet taken

}  // namespace

bool Prefix::covers(const IpAddress& other) const {
  if (ip.is_v4() != other.is_v4()) return false;
  const std::size_t first = ip.is_v4() ? 12 : 0;
  for (std::size_t bit = 0; bit < length && bit < (16 - first) * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
    if (((ip.bytes[first + bit / 8] ^ other.bytes[first + bit / 8]) & mask) != 0) return false;
  }
  return true;
}

Endpoint Link::group() const {
  if (v4) return {IpAddress::v4(224, 0, 0, 251), kPort, Transport::udp};
  IpAddress ip;
  ip.bytes = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb};
  ip.scope = scope;
  return {ip, kPort, Transport::udp};
}

bool Link::has(const IpAddress& ip) const {
  for (const auto& p : prefixes) {
    if (p.ip.bytes == ip.bytes) return true;
  }
  return false;
}

bool Link::on_link(const IpAddress& ip) const {
  if (ip.is_link_local()) return ip.is_v4() || ip.scope == 0 || ip.scope == scope;
  for (const auto& p : prefixes) {
    if (p.covers(ip)) return true;
  }
  return false;
}

struct Mdns::Impl {
  Impl(Link link_in, const dns::Name& service, Rng& rng)
      : link(std::move(link_in)), responder(link, service, rng, counters), browser(link, service, rng, counters) {}

  void flush() {
    counters.sent += out.packets.size() - seen;
    while (out.packets.size() > kMaxOut) out.packets.pop_back();
    seen = out.packets.size();
  }

  Link link;
  Counters counters;
  Responder responder;
  Browser browser;
  Out out;
  std::size_t seen = 0;
};

Mdns::Mdns(Link link, const dns::Name& service, Rng& rng)
    : impl_(std::make_unique<Impl>(std::move(link), service, rng)) {}
Mdns::~Mdns() = default;

void Mdns::start(Time now) { impl_->browser.start(now); }
void Mdns::announce(Time now, Service service) { impl_->responder.announce(now, std::move(service)); }

void Mdns::withdraw(Time) {
  impl_->responder.withdraw(impl_->out);
  impl_->flush();
}

void Mdns::handle_datagram(Time now, const Datagram& datagram) {
  auto& m = *impl_;
  if (!m.link.on_link(datagram.from.ip)) {
    ++m.counters.off_link;
    return;
  }
  const auto message = dns::read(datagram.bytes);
  if (!message) {
    ++m.counters.malformed;
    return;
  }
  if (!message->response) {
    m.responder.on_query(now, datagram.from, *message, m.out);
    if (datagram.from.port == kPort) m.browser.on_query(now, *message, datagram.bytes);
  } else if (datagram.from.port == kPort) {  // RFC 6762 section 6
    m.responder.on_response(now, *message);
    m.browser.on_response(now, *message, datagram.from.ip, m.responder.instance());
  } else {
    ++m.counters.malformed;
  }
  m.flush();
}

void Mdns::handle_timeout(Time now) {
  impl_->responder.handle_timeout(now, impl_->out);
  const auto& responder = impl_->responder;
  impl_->browser.handle_timeout(now, responder.announced() ? responder.instance() : dns::Name{}, impl_->out);
  impl_->flush();
}

Time Mdns::next_timeout() const { return std::min(impl_->responder.next_timeout(), impl_->browser.next_timeout()); }

std::optional<Transmit> Mdns::poll_transmit() {
  auto& packets = impl_->out.packets;
  if (packets.empty()) return std::nullopt;
  auto t = std::move(packets.front());
  packets.pop_front();
  impl_->seen = packets.size();
  return t;
}

std::optional<Mdns::Event> Mdns::poll_event() { return impl_->browser.poll_event(); }
void Mdns::prove(const std::string& instance) { impl_->browser.prove(instance); }

const Link& Mdns::link() const { return impl_->link; }
std::string Mdns::instance() const {
  return impl_->responder.active() ? impl_->responder.instance().labels.front() : std::string();
}
bool Mdns::announced() const { return impl_->responder.announced(); }
const Mdns::Counters& Mdns::counters() const { return impl_->counters; }

}  // namespace linnet::overlay::mdns
