#include "dht/contact.h"

#include <algorithm>

#include "dht/place.h"

namespace linnet::dht {
Id position(const IpAddress& ip, const crypto::DeviceKey& device) {
  const auto rest = crypto::hash256({view("linnet-1 position"), device});
  Id out{rest.bytes};
  if (!ip.is_global()) return out;
  ByteArray<5> prefix{};  // the last byte of an IPv4 address is left out
  const bool v4 = ip.is_v4();
  prefix[0] = v4 ? 4 : 6;
  std::copy_n(ip.bytes.begin() + (v4 ? 12 : 0), v4 ? 3 : 4, prefix.begin() + 1);
  const auto lead = crypto::hash256({view("linnet-1 prefix 2"), prefix});
  static_assert(kPlaceBits == 21);
  out.bytes[0] = lead.bytes[0];
  out.bytes[1] = lead.bytes[1];
  out.bytes[2] = static_cast<std::uint8_t>((lead.bytes[2] & 0xf8) | (rest.bytes[2] & 0x07));
  return out;
}

void write(Writer& out, const Contact& contact) {
  write(out, contact.endpoint);
  out.bytes(contact.device).bytes(contact.session).bytes(contact.signature);
}

std::size_t contact_size(const Contact& contact) { return kMaxContactBytes - (contact.endpoint.ip.is_v4() ? 12 : 0); }

Result<Contact> read_contact(Reader& in) {
  const auto endpoint = read_endpoint(in);
  if (!endpoint) return fail(endpoint.error());
  Contact out;
  out.endpoint = *endpoint;
  out.device.bytes = in.array<32>();
  out.session.bytes = in.array<32>();
  out.signature = in.array<64>();
  if (!in.ok()) return fail(Fault::truncated);
  if (out.endpoint.port == 0 || out.endpoint.transport != Transport::udp) return fail(Fault::malformed);
  const auto& ip = out.endpoint.ip;
  if (ip.is_multicast() || (ip.is_unspecified() && !no_address(ip))) return fail(Fault::malformed);
  out.position = position(out.endpoint.ip, out.device);
  return out;
}

Status verify(const crypto::Suite& suite, const crypto::NetworkId& network, const Contact& contact) {
  if (!crypto::verify_session_key(suite, contact.device, network, contact.session, contact.signature)) {
    return fail(Fault::bad_signature);
  }
  if (contact.position != position(contact.endpoint.ip, contact.device)) return fail(Fault::mismatch);
  return {};
}

bool may_tell(const IpAddress& subject, const IpAddress& listener) {
  if (subject.is_global()) return true;
  if (subject.is_loopback()) return listener.is_loopback();
  if (subject.is_link_local() || subject.is_unspecified()) return false;
  return subject.is_private() && !listener.is_global();
}

}  // namespace linnet::dht
