// The device certificate and the signed session key.
#include <algorithm>

#include "crypto/identity.h"

namespace linnet::crypto {
namespace {

constexpr std::chrono::seconds kClockError{300};
constexpr std::int64_t kLatest = std::int64_t{1} << 40;  // so that sums of times never overflow

bool sane(const DeviceCertificate& c) {
  return seconds(c.not_before) >= 0 && c.not_after > c.not_before && seconds(c.not_after) <= kLatest;
}

Bytes signed_part(const DeviceCertificate& c) {
  Writer out(kDeviceCertificateBytes);
  out.bytes(c.account).bytes(c.device);
  out.u64(static_cast<std::uint64_t>(seconds(c.not_before))).u64(static_cast<std::uint64_t>(seconds(c.not_after)));
  out.u32(c.epoch);
  return out.take();
}

Bytes with_domain(std::string_view domain, ByteView bytes) {
  Bytes out = copy(view(domain));
  append(out, bytes);
  return out;
}

Bytes session_statement(const NetworkId& network, const SessionKey& session) {
  auto out = with_domain("linnet-1 session", network);
  append(out, session);
  return out;
}

}  // namespace

Bytes certificate_statement(const DeviceCertificate& certificate) {
  return with_domain("linnet-1 device", signed_part(certificate));
}

void write(Writer& out, const DeviceCertificate& certificate) {
  out.bytes(signed_part(certificate)).bytes(certificate.signature);
}

Result<DeviceCertificate> read_device_certificate(Reader& in) {
  DeviceCertificate out;
  out.account.bytes = in.array<32>();
  out.device.bytes = in.array<32>();
  out.not_before = Wall{static_cast<std::int64_t>(in.u64())};
  out.not_after = Wall{static_cast<std::int64_t>(in.u64())};
  out.epoch = in.u32();
  out.signature = in.array<64>();
  if (!in.ok()) return fail(Fault::truncated);
  if (!sane(out)) return fail(Fault::malformed);
  return out;
}

Status check_time(const DeviceCertificate& certificate, Wall now) {
  if (now + kClockError < certificate.not_before || now - kClockError > certificate.not_after)
    return fail(Fault::expired);
  return {};
}

Status verify(const Suite& suite, const DeviceCertificate& certificate, Wall now) {
  if (!sane(certificate)) return fail(Fault::malformed);
  if (certificate.not_after - certificate.not_before > kMaxCertificateLife) return fail(Fault::refused);
  if (auto ok = check_time(certificate, now); !ok) return ok;
  if (!suite.verify(certificate.account, certificate_statement(certificate), certificate.signature)) {
    return fail(Fault::bad_signature);
  }
  return {};
}

Signature sign_session_key(const Suite& suite, const SigningPair& device, const NetworkId& network,
                           const SessionKey& session) {
  return suite.sign(device, session_statement(network, session));
}

bool verify_session_key(const Suite& suite, const DeviceKey& device, const NetworkId& network,
                        const SessionKey& session, const Signature& signature) {
  return suite.verify(device, session_statement(network, session), signature);
}

}  // namespace linnet::crypto
