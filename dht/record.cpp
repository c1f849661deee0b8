#include "dht/record.h"

#include "base/pack.h"
#include "crypto/sealed_box.h"
#include "dht/contact.h"

namespace linnet::dht {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kDomain = "linnet-1 record";
// Everything outside before the length field; it is bound to the inside as additional data.
constexpr std::size_t kHeadBytes = 1 + 32 + 32 + crypto::kDeviceCertificateBytes + 8 + 8 + 8;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kOverhead = kHeadBytes + 2 + kSignatureBytes;
constexpr std::uint64_t kMaxWall = std::uint64_t{1} << 40;  // so that sums of times never overflow
constexpr std::chrono::seconds kClockError{300};

enum Field : std::uint64_t { kSession = 1, kHomes = 2, kCapabilities = 3, kKeeper = 4 };

Bytes signed_part(ByteView before_signature) {
  Bytes out = copy(view(kDomain));
  append(out, before_signature);
  return out;
}

Bytes pack_body(const RecordBody& body) {
  Writer homes;
  for (const auto& home : body.homes) {
    write(homes, home.endpoint);
    homes.bytes(home.session).u64(home.tag);
  }
  pack::Packer out;
  out.map(body.keeper ? 4 : 3)
      .key(kSession)
      .bin(body.session)
      .key(kHomes)
      .bin(homes.written())
      .key(kCapabilities)
      .uint(body.capabilities);
  if (body.keeper) out.key(kKeeper).bin(view(body.keeper->text()));
  return out.take();
}

Result<std::vector<Home>> read_homes(ByteView bytes) {
  std::vector<Home> out;
  Reader in(bytes);
  for (std::size_t n = 0; in.remaining() > 0; ++n) {
    if (n == kMaxHomes) return fail(Fault::too_big);
    const auto endpoint = read_endpoint(in);
    if (!endpoint) return fail(endpoint.error());
    Home home;
    home.endpoint = *endpoint;
    home.session.bytes = in.array<32>();
    home.tag = in.u64();
    if (!in.ok()) return fail(Fault::truncated);
    // Whoever wrote this wants callers to send there: to no group, and nowhere that is no host.
    const auto& ip = home.endpoint.ip;
    if (home.endpoint.port == 0 || ip.is_multicast() || (ip.is_unspecified() && !no_address(ip))) continue;
    out.push_back(home);
  }
  return out;
}

Result<RecordBody> read_body(ByteView plain) {
  const auto value = pack::read(plain);
  if (!value) return fail(value.error());
  const auto session = value->array_bin_at<32>(kSession);
  if (!session) return fail(Fault::malformed);
  auto homes = read_homes(value->bin_at(kHomes));
  if (!homes) return fail(homes.error());
  RecordBody out;
  out.session.bytes = *session;
  out.homes = std::move(*homes);
  out.capabilities = value->uint_at(kCapabilities);
  if (const auto keeper = value->bin_at(kKeeper); !keeper.empty()) {
    const auto name = text(keeper);
    auto address = crypto::Address::parse(name);
    if (!address || address->text() != name || !address->is_key_name()) return fail(Fault::malformed);
    out.keeper = std::move(*address);
  }
  return out;
}

ByteView sealed_part(const SignedRecord& record) {
  return ByteView(record.wire).subspan(kHeadBytes + 2, record.wire.size() - kOverhead);
}

}  // namespace

Result<SignedRecord> read_record(const crypto::Suite& suite, const crypto::NetworkId& network, ByteView wire) {
  if (wire.size() > kMaxRecord) return fail(Fault::too_big);
  Reader in(wire);
  SignedRecord out;
  if (in.u8() != kVersion) return fail(in.ok() ? Fault::unsupported : Fault::truncated);
  out.network.bytes = in.array<32>();
  out.user.bytes = in.array<32>();
  const auto certificate = crypto::read_device_certificate(in);
  if (!certificate) return fail(certificate.error());
  out.certificate = *certificate;
  out.sequence = in.u64();
  const auto not_before = in.u64();
  const auto expiry = in.u64();
  in.bytes(in.u16());
  const auto signature = in.array<kSignatureBytes>();
  if (!in.ok()) return fail(Fault::truncated);
  if (!in.done() || not_before > kMaxWall || expiry > kMaxWall || expiry <= not_before) return fail(Fault::malformed);
  if (out.network != network) return fail(Fault::mismatch);
  out.not_before = Wall{static_cast<std::int64_t>(not_before)};
  out.expiry = Wall{static_cast<std::int64_t>(expiry)};
  // The certificate at its own first second: its signature and its length of life; check_time() judges the present.
  if (auto ok = crypto::verify(suite, out.certificate, out.certificate.not_before); !ok) return fail(ok.error());
  const auto covered = signed_part(wire.first(wire.size() - kSignatureBytes));
  if (!suite.verify(out.device(), covered, signature)) return fail(Fault::bad_signature);
  out.wire = copy(wire);
  return out;
}

Status check_time(const SignedRecord& record, Wall now) {
  if (record.expiry - record.not_before > kMaxRecordLife) return fail(Fault::too_big);
  if (now + kClockError < record.not_before || now >= record.expiry) return fail(Fault::expired);
  return crypto::check_time(record.certificate, now);
}

Result<RecordBody> open_record(const crypto::Suite& suite, const SignedRecord& record, const crypto::Address& address) {
  if (crypto::user_key(address) != record.user) return fail(Fault::mismatch);
  if (record.wire.size() < kOverhead) return fail(Fault::truncated);
  Bytes sealed = copy(sealed_part(record));
  const auto key = crypto::record_key(record.network, address, record.device());
  const auto plain = suite.open_in_place(key, record.sequence, ByteView(record.wire).first(kHeadBytes), sealed);
  if (!plain) return fail(plain.error());
  return read_body(*plain);
}

Result<SignedRecord> make_record(const crypto::Suite& suite, const crypto::Identity& identity,
                                 const crypto::NetworkId& network, const crypto::Address& address,
                                 const RecordBody& body, std::uint64_t sequence, Wall now, std::chrono::seconds life) {
  return make_record(suite, identity.device, identity.certificate, network, address, body, sequence, now, life);
}

Result<SignedRecord> make_record(const crypto::Suite& suite, const crypto::SigningPair& device,
                                 const crypto::DeviceCertificate& certificate, const crypto::NetworkId& network,
                                 const crypto::Address& address, const RecordBody& body, std::uint64_t sequence,
                                 Wall now, std::chrono::seconds life) {
  if (life <= std::chrono::seconds::zero() || life > kMaxRecordLife || body.homes.size() > kMaxHomes) {
    return fail(Fault::too_big);
  }
  SignedRecord out;
  out.network = network;
  out.user = crypto::user_key(address);
  out.certificate = certificate;
  out.sequence = sequence;
  out.not_before = now;
  out.expiry = now + life;

  Writer head(kMaxRecord);
  head.u8(kVersion).bytes(network).bytes(out.user);
  write(head, certificate);
  head.u64(sequence)
      .u64(static_cast<std::uint64_t>(seconds(out.not_before)))
      .u64(static_cast<std::uint64_t>(seconds(out.expiry)));
  Bytes sealed;
  suite.seal(crypto::record_key(network, address, out.device()), sequence, head.written(), pack_body(body), sealed);
  if (kOverhead + sealed.size() > kMaxRecord) return fail(Fault::too_big);
  head.u16(static_cast<std::uint16_t>(sealed.size())).bytes(sealed);
  const auto signature = suite.sign(device, signed_part(head.written()));
  head.bytes(signature);
  out.wire = head.take();
  out.wire.shrink_to_fit();  // it is kept for as long as it is published
  return out;
}

}  // namespace linnet::dht
