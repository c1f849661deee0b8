#include "crypto/invitation.h"

#include <algorithm>

namespace linnet::crypto {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kPrefix = "linnet-";
constexpr std::string_view kDomain = "linnet-1 invitation";
constexpr std::size_t kNetworkTag = 8;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kMaxText = 4 * kMaxInvitation;  // with the white space of who folds lines
constexpr std::uint64_t kLatestExpiry = std::uint64_t{1} << 40;

Bytes statement(const NetworkId& network, ByteView body) {
  Bytes out = copy(view(kDomain));
  append(out, network);
  append(out, body);
  return out;
}

// A key name follows from AK: only its user part is written, with a bare '@'.
std::string short_name(const Address& address) {
  return address.is_key_name() ? std::string(address.user()) + "@" : address.text();
}

Result<Address> long_name(std::string_view name, const AccountKey& account) {
  if (name.ends_with('@')) {
    auto out = Address::key_name(name.substr(0, name.size() - 1), account);
    if (out.empty() || short_name(out) != name) return fail(Fault::malformed);
    return out;
  }
  auto out = Address::parse(name);
  if (!out) return out;
  if (out->text() != name || out->is_key_name()) return fail(Fault::malformed);  // one spelling
  return out;
}

Result<std::vector<InvitationSupernode>> read_via(Reader& in) {
  const std::size_t count = in.u8();
  if (count > kMaxInvitedVia) return fail(Fault::too_big);
  std::vector<InvitationSupernode> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto endpoint = read_endpoint(in);
    if (!endpoint) return fail(endpoint.error());
    InvitationSupernode via{*endpoint, {}};
    via.session.bytes = in.array<32>();
    if (!in.ok()) return fail(Fault::truncated);
    if (endpoint->port == 0 || endpoint->ip.is_unspecified() || endpoint->ip.is_multicast())
      return fail(Fault::malformed);  // nowhere that is no host
    out.push_back(via);
  }
  return out;
}

Result<Invitation> read_body(const Suite& suite, const NetworkId& network, ByteView bytes) {
  Reader in(bytes);
  Invitation out;
  const auto version = in.u8();
  if (!in.ok() || version < kVersion) return fail(Fault::truncated);  // a piece of text, not an older invitation
  if (version > kVersion) return fail(Fault::unsupported);
  const auto tag = in.array<kNetworkTag>();
  out.account.bytes = in.array<32>();
  const auto name = text(in.bytes(in.u16()));
  if (!in.ok()) return fail(Fault::truncated);
  auto via = read_via(in);
  if (!via) return fail(via.error());
  const auto expires = in.u64();
  out.secret = in.array<16>();
  const auto signature = in.array<kSignatureBytes>();
  if (!in.done()) return fail(in.ok() ? Fault::malformed : Fault::truncated);
  if (!equal(tag, ByteView(network.bytes).first(kNetworkTag))) return fail(Fault::mismatch);
  if (!suite.verify(out.account, statement(network, bytes.first(bytes.size() - kSignatureBytes)), signature))
    return fail(Fault::bad_signature);
  auto address = long_name(name, out.account);
  if (!address) return fail(address.error());
  if (expires > kLatestExpiry) return fail(Fault::malformed);
  out.address = std::move(*address);
  out.via = std::move(*via);
  out.expires = Wall{static_cast<std::int64_t>(expires)};
  return out;
}

}  // namespace

InvitationId invitation_id(const InvitationSecret& secret) {
  const auto hash = hash256({view("linnet-1 invitation id"), secret});
  InvitationId out;
  std::copy_n(hash.bytes.begin(), out.size(), out.begin());
  return out;
}

Result<std::string> write_invitation(const Suite& suite, const Identity& identity, const NetworkId& network,
                                     const Invitation& invitation) {
  if (invitation.via.size() > kMaxInvitedVia) return fail(Fault::too_big);
  const auto name = short_name(invitation.address);
  Writer out(kMaxInvitation);
  out.u8(kVersion).bytes(ByteView(network.bytes).first(kNetworkTag)).bytes(identity.account_key());
  out.u16(static_cast<std::uint16_t>(name.size())).bytes(view(name));
  out.u8(static_cast<std::uint8_t>(invitation.via.size()));
  for (const auto& via : invitation.via) {
    write(out, via.endpoint);
    out.bytes(via.session);
  }
  out.u64(static_cast<std::uint64_t>(seconds(invitation.expires))).bytes(invitation.secret);
  const auto signature = suite.sign(identity.account, statement(network, out.written()));
  out.bytes(signature);
  if (out.size() > kMaxInvitation) return fail(Fault::too_big);
  auto code = std::string(kPrefix) + to_base32(out.written());
  for (auto& c : code) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;  // QR: alphanumeric mode
  return code;
}

Result<Invitation> read_invitation(const Suite& suite, const NetworkId& network, std::string_view code) {
  if (code.size() > kMaxText) return fail(Fault::too_big);
  std::string plain;
  for (const char c : code) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (!plain.starts_with(kPrefix)) return fail(Fault::malformed);
  const auto bytes = from_base32(std::string_view(plain).substr(kPrefix.size()));
  if (!bytes) return fail(Fault::malformed);
  if (bytes->size() > kMaxInvitation) return fail(Fault::too_big);
  return read_body(suite, network, *bytes);
}

}  // namespace linnet::crypto
