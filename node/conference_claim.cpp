#include "node/conference_claim.h"

#include <string_view>

namespace linnet::node::conference {
namespace {

constexpr std::string_view kDomain = "linnet-1 conference claim";
constexpr std::uint8_t kReachable = 1, kMains = 2, kKeeps = 4;

void write_fields(Writer& out, const Claim& claim) {
  out.bytes(claim.room);
  crypto::write(out, claim.certificate);
  const auto& name = claim.address.text();
  out.u16(static_cast<std::uint16_t>(name.size())).bytes(view(name));
  out.u32(claim.version).u32(claim.mixes).u32(claim.uplink_kbps);
  out.u8(static_cast<std::uint8_t>((claim.reachable ? kReachable : 0) | (claim.mains ? kMains : 0) |
                                   (claim.keeps ? kKeeps : 0)));
}

Bytes statement(const Claim& claim) {
  Writer out(kMaxClaim);
  out.bytes(view(kDomain));
  write_fields(out, claim);
  return out.take();
}

}  // namespace

SignedClaim sign(const crypto::Suite& suite, const crypto::Identity& identity, Claim claim) {
  SignedClaim out;
  out.claim = std::move(claim);
  out.claim.certificate = identity.certificate;
  out.signature = suite.sign(identity.device, statement(out.claim));
  return out;
}

Status verify(const crypto::Suite& suite, const SignedClaim& claim, const RoomId& room, Wall now) {
  if (claim.claim.room != room) return fail(Fault::mismatch);
  if (const auto ok = crypto::verify(suite, claim.claim.certificate, now); !ok) return ok;
  const auto& address = claim.claim.address;
  if (address.is_key_name() && !address.proves(claim.claim.certificate.account)) return fail(Fault::mismatch);
  if (!suite.verify(claim.claim.device(), statement(claim.claim), claim.signature)) return fail(Fault::bad_signature);
  return {};
}

void write(Writer& out, const SignedClaim& claim) {
  write_fields(out, claim.claim);
  out.bytes(claim.signature);
}

Result<SignedClaim> read_claim(Reader& in) {
  SignedClaim out;
  auto& claim = out.claim;
  claim.room = in.array<16>();
  const auto certificate = crypto::read_device_certificate(in);
  if (!certificate) return fail(certificate.error());
  claim.certificate = *certificate;
  const std::size_t length = in.u16();
  if (length > crypto::kMaxUserPart + 1 + crypto::kMaxDomain) return fail(Fault::too_big);
  const auto name = text(in.bytes(length));
  const auto address = crypto::Address::parse(name);
  claim.version = in.u32();
  claim.mixes = in.u32();
  claim.uplink_kbps = in.u32();
  const auto flags = in.u8();
  out.signature = in.array<64>();
  if (!in.ok()) return fail(Fault::truncated);
  if (!address) return fail(address.error());
  // One spelling alone: what was signed is what is written again.
  if (flags > (kReachable | kMains | kKeeps) || address->text() != name) return fail(Fault::malformed);
  claim.address = *address;
  claim.reachable = (flags & kReachable) != 0;
  claim.mains = (flags & kMains) != 0;
  claim.keeps = (flags & kKeeps) != 0;
  return out;
}

}  // namespace linnet::node::conference
