#include "overlay/hello.h"

#include <algorithm>

namespace linnet::overlay {
namespace {

enum class Kind : std::uint8_t { client = 1, person = 2 };

Result<Hello> read_client(const crypto::Suite& suite, const crypto::NetworkId& network,
                          const crypto::SessionKey& remote, Wall wall, Reader& in) {
  ClientHello out;
  auto certificate = crypto::read_device_certificate(in);
  if (!certificate) return fail(certificate.error());
  out.certificate = *certificate;
  out.signature = in.array<64>();
  if (!in.ok()) return fail(Fault::truncated);
  if (in.remaining() != 0) {
    auto contact = dht::read_contact(in);
    if (!contact) return fail(contact.error());
    out.descriptor = *contact;
  }
  if (!in.done()) return fail(Fault::malformed);
  // At its own first second: signature and length of life.
  if (auto ok = crypto::verify(suite, out.certificate, out.certificate.not_before); !ok) return fail(ok.error());
  out.in_time = crypto::check_time(out.certificate, wall).has_value();
  if (!crypto::verify_session_key(suite, out.certificate.device, network, remote, out.signature))
    return fail(Fault::bad_signature);
  const auto& own = out.descriptor;
  if (own && (own->session != remote || own->device != out.certificate.device || own->signature != out.signature)) {
    return fail(Fault::mismatch);
  }
  return out;
}

Result<Hello> read_person(const crypto::Suite& suite, const crypto::NetworkId& network,
                          const crypto::SessionKey& remote, Wall wall, Reader& in) {
  const std::size_t length = in.u16();
  if (length > crypto::kMaxUserPart + 1 + crypto::kMaxDomain) return fail(Fault::too_big);
  const auto name = text(in.bytes(length));
  if (!in.ok()) return fail(Fault::truncated);
  auto address = crypto::Address::parse(name);
  if (!address) return fail(address.error());
  if (address->text() != name) return fail(Fault::malformed);  // one canonical form
  auto record = dht::read_record(suite, network, in.rest());
  if (!record) return fail(record.error());
  if (auto ok = dht::check_time(*record, wall); !ok) return fail(ok.error());
  auto body = dht::open_record(suite, *record, *address);
  if (!body) return fail(body.error());
  if (body->session != remote) return fail(Fault::mismatch);
  if (address->is_key_name() && !address->proves(record->account())) return fail(Fault::mismatch);
  return PersonHello{std::move(*address), std::move(*record), std::move(*body)};
}

}  // namespace

Bytes write_client_hello(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::NetworkId& network,
                         const std::optional<dht::Contact>& descriptor) {
  Writer out;
  out.u8(static_cast<std::uint8_t>(Kind::client));
  crypto::write(out, identity.certificate);
  out.bytes(descriptor ? descriptor->signature
                       : crypto::sign_session_key(suite, identity.device, network, identity.session_key()));
  if (descriptor) dht::write(out, *descriptor);
  return out.take();
}

Bytes write_person_hello(const crypto::Address& address, const dht::SignedRecord& record) {
  Writer out;
  out.u8(static_cast<std::uint8_t>(Kind::person)).u16(static_cast<std::uint16_t>(address.text().size()));
  out.bytes(view(address.text())).bytes(record.wire);
  return out.take();
}

Result<Hello> read_hello(const crypto::Suite& suite, const crypto::NetworkId& network, const crypto::SessionKey& remote,
                         Wall wall, ByteView bytes) {
  Reader in(bytes);
  switch (static_cast<Kind>(in.u8())) {
    case Kind::client: return read_client(suite, network, remote, wall, in);
    case Kind::person: return read_person(suite, network, remote, wall, in);
  }
  return fail(in.ok() ? Fault::unsupported : Fault::truncated);
}

Bytes write_greeting(const dht::Contact& self, Wall time) {
  Writer out;
  dht::write(out, self);
  out.u64(static_cast<std::uint64_t>(std::max<std::int64_t>(1, seconds(time))));  // 0 is none
  return out.take();
}

Result<Greeting> read_greeting(const crypto::Suite& suite, const crypto::NetworkId& network,
                               const crypto::SessionKey& remote, ByteView bytes) {
  if (bytes.empty()) return fail(Fault::not_found);
  Reader in(bytes);
  auto contact = dht::read_contact(in);
  if (!contact) return fail(contact.error());
  const auto time = in.u64();
  if (!in.done() || time == 0 || time > static_cast<std::uint64_t>(dht::NetworkClock::kMostWall))
    return fail(Fault::malformed);
  if (contact->session != remote) return fail(Fault::mismatch);
  if (auto ok = dht::verify(suite, network, *contact); !ok) return fail(ok.error());
  return Greeting{*contact, Wall{static_cast<std::int64_t>(time)}};
}

}  // namespace linnet::overlay
