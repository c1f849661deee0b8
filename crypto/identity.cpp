#include "crypto/identity.h"

#include <algorithm>

namespace linnet::crypto {
namespace {

constexpr std::string_view kMagic = "linnet-key-1\n";
constexpr std::string_view kMagicFamily = "linnet-key-";
constexpr std::size_t kMaxAddress = kMaxUserPart + 1 + kMaxDomain;
constexpr std::size_t kChecksumBytes = 32;

Hash256 checksum(ByteView body) { return hash256({view("linnet-1 key file"), body}); }

Status check_address(const Identity& identity, std::string_view text) {
  if (identity.address.text() != text) return fail(Fault::malformed);  // not canonical: none of ours
  if (identity.address.is_key_name() && !identity.address.proves(identity.account_key())) return fail(Fault::mismatch);
  return {};
}

// The certificate must be this account's about this device. Its age is not judged: an old one is renewed.
Status check_certificate(const Suite& suite, const Identity& identity) {
  const auto& c = identity.certificate;
  if (c.account != identity.account_key() || c.device != identity.device_key()) return fail(Fault::mismatch);
  return verify(suite, c, c.not_before);
}

Result<Identity> read_fields(const Suite& suite, ByteView body) {
  Reader in(body);
  const auto address_text = text(in.bytes(std::min<std::size_t>(in.u16(), kMaxAddress + 1)));
  const Secret account(in.array<32>());
  const Secret device(in.array<32>());
  const Secret session(in.array<32>());
  const auto certificate = read_device_certificate(in);
  if (!certificate) return fail(certificate.error());
  if (!in.done()) return fail(Fault::malformed);
  const auto address = Address::parse(address_text);
  if (!address) return fail(address.error());
  Identity out;
  out.address = *address;
  out.account = suite.signing_pair(account);
  out.device = suite.signing_pair(device);
  out.session = suite.static_pair(session);
  out.certificate = *certificate;
  if (const auto ok = check_address(out, address_text); !ok) return fail(ok.error());
  if (const auto ok = check_certificate(suite, out); !ok) return fail(ok.error());
  return out;
}

}  // namespace

DeviceCertificate certify(const Suite& suite, const SigningPair& account, const DeviceKey& device, std::uint32_t epoch,
                          Wall now) {
  DeviceCertificate out;
  out.account = AccountKey{account.public_key};
  out.device = device;
  out.not_before = now;
  out.not_after = now + kMaxCertificateLife;
  out.epoch = epoch;
  out.signature = suite.sign(account, certificate_statement(out));
  return out;
}

Identity make_identity(const Suite& suite, Rng& rng, Address address, Wall now) {
  Identity out;
  out.account = suite.signing_pair(Secret(rng.array<32>()));
  out.device = suite.signing_pair(Secret(rng.array<32>()));
  out.session = suite.static_pair(Secret(rng.array<32>()));
  out.address = address.empty() ? Address::key_name("me", out.account_key()) : std::move(address);
  out.certificate = certify(suite, out.account, out.device_key(), 0, now);
  return out;
}

bool needs_renewal(const DeviceCertificate& certificate, Wall now) {
  const auto life = certificate.not_after - certificate.not_before;
  // Before its time: it was made while the clock was wrong.
  return now >= certificate.not_before + life / 2 || now < certificate.not_before - std::chrono::minutes(5);
}

Identity restore_identity(const Suite& suite, Rng& rng, const SigningPair& account, const Address& address,
                          std::uint32_t epoch, Wall now) {
  Identity out;
  out.account = account;
  out.device = suite.signing_pair(Secret(rng.array<32>()));
  out.session = suite.static_pair(Secret(rng.array<32>()));
  out.address = address;
  out.certificate = certify(suite, out.account, out.device_key(), epoch, now);
  return out;
}

Status revoke_others(const Suite& suite, Identity& identity, Wall now) {
  if (identity.certificate.epoch == kLastEpoch) return fail(Fault::full);
  identity.certificate = certify(suite, identity.account, identity.device_key(), identity.certificate.epoch + 1, now);
  return {};
}

void renew_certificate(const Suite& suite, Identity& identity, Wall now) {
  identity.certificate = certify(suite, identity.account, identity.device_key(), identity.certificate.epoch, now);
}

Bytes save_identity(const Suite&, const Identity& identity) {
  Writer out(512);
  out.bytes(view(kMagic));
  out.u16(static_cast<std::uint16_t>(identity.address.text().size())).bytes(view(identity.address.text()));
  out.bytes(identity.account.seed.bytes()).bytes(identity.device.seed.bytes()).bytes(identity.session.secret.bytes());
  write(out, identity.certificate);
  const auto sum = checksum(out.written());
  out.bytes(sum);
  return out.take();
}

Result<Identity> load_identity(const Suite& suite, ByteView file) {
  if (file.size() < kMagic.size()) return fail(Fault::truncated);
  const auto magic = text(file.first(kMagic.size()));
  if (magic != kMagic) return fail(magic.starts_with(kMagicFamily) ? Fault::unsupported : Fault::malformed);
  if (file.size() < kMagic.size() + kChecksumBytes) return fail(Fault::truncated);
  const auto body = file.first(file.size() - kChecksumBytes);
  if (!same(checksum(body), file.last(kChecksumBytes))) return fail(Fault::bad_mac);
  return read_fields(suite, body.subspan(kMagic.size()));
}

}  // namespace linnet::crypto
