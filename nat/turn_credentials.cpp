#include "nat/turn_credentials.h"

#include "crypto/digest.h"
#include "crypto/suite.h"

namespace linnet::nat::turn {
namespace {

using stun::Attr;
using stun::ErrorCode;
using stun::PasswordAlgorithm;

constexpr stun::SecurityFeatures kFeatures{true, true};
constexpr PasswordAlgorithm kAlgorithms[] = {PasswordAlgorithm::sha256, PasswordAlgorithm::md5};
constexpr std::size_t kMacBytes = 10;
constexpr std::size_t kStampDigits = 8;

// Which of the two it is signed with, and with which key; nothing: what it says of algorithms is not what we said.
std::optional<bool> uses_sha256_key(const stun::Message& request) {
  const bool list = request.has(Attr::password_algorithms);
  const bool one = request.has(Attr::password_algorithm);
  if (!list && !one) return false;  // a client of before (RFC 5389)
  const auto offered = request.password_algorithms();
  const auto chosen = request.password_algorithm();
  if (!offered || !chosen || offered->size() != std::size(kAlgorithms)) return std::nullopt;
  for (std::size_t i = 0; i < offered->size(); ++i) {
    if (offered->items[i] != kAlgorithms[i]) return std::nullopt;
  }
  if (*chosen != PasswordAlgorithm::md5 && *chosen != PasswordAlgorithm::sha256) return std::nullopt;
  return *chosen == PasswordAlgorithm::sha256;
}

}  // namespace

Credentials::Credentials(std::string realm, std::span<const User> users, Rng& rng)
    : realm_(std::move(realm)), secret_(rng.array<32>()) {
  for (const auto& user : users)
    users_.push_back(Keys{user.name, stun::userhash(user.name, realm_),
                          stun::long_term_key_md5(user.name, realm_, user.password),
                          stun::long_term_key_sha256(user.name, realm_, user.password)});
}

std::string Credentials::nonce_of(std::uint32_t second, const Endpoint& client) const {
  Writer stamp;
  stamp.u32(second);
  Writer place;
  place.bytes(client.ip.bytes).u16(client.port).u8(static_cast<std::uint8_t>(client.transport)).u8(client.socket);
  const auto mac = crypto::hmac_sha256(secret_, {stamp.written(), place.written()});
  return stun::nonce_with(kFeatures, to_hex(stamp.written()) + to_base32(ByteView(mac).first(kMacBytes)));
}

std::string Credentials::nonce(Time now, const Endpoint& client) const {
  return nonce_of(static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::seconds(1)), client);
}

bool Credentials::fresh(Time now, const Endpoint& client, std::string_view nonce) const {
  const auto before = stun::nonce_with(kFeatures, "").size();
  if (nonce.size() < before + kStampDigits) return false;
  const auto stamp = from_hex(nonce.substr(before, kStampDigits));
  if (!stamp || stamp->size() != 4) return false;
  const auto second = Reader(*stamp).u32();
  if (!crypto::same(view(nonce_of(second, client)), view(nonce))) return false;
  const auto today = static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::seconds(1));
  return std::chrono::seconds(today - second) < kNonceLife;
}

std::optional<std::uint16_t> Credentials::who(const stun::Message& request) const {
  const auto name = request.text(Attr::username);
  const auto hash = request.value(Attr::userhash);
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const bool is = name ? users_[i].name == *name : hash && equal(users_[i].hash, *hash);
    if (is) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

ByteView Credentials::key(const Known& who) const {
  const auto& keys = users_[who.user];
  if (who.sha256_key) return keys.sha256;
  return keys.md5 ? ByteView(*keys.md5) : ByteView();
}

tl::expected<Credentials::Known, ErrorCode> Credentials::check(Time now, const Endpoint& client,
                                                               const stun::Message& request) const {
  const bool sha256 = request.has(Attr::message_integrity_sha256);
  if (!sha256 && !request.has(Attr::message_integrity)) return tl::unexpected(ErrorCode::unauthenticated);
  const auto realm = request.text(Attr::realm);
  const auto nonce = request.text(Attr::nonce);
  const bool named = request.has(Attr::username) || request.has(Attr::userhash);
  const auto algorithm = uses_sha256_key(request);
  if (!named || !realm || !nonce || !algorithm) return tl::unexpected(ErrorCode::bad_request);
  const auto user = who(request);
  if (!user || *realm != realm_) return tl::unexpected(ErrorCode::unauthenticated);
  const Known known{*user, *algorithm, sha256};
  // An empty key is none: no MD5 on this machine.
  const auto secret = key(known);
  const bool good = !secret.empty() &&
                    (sha256 ? stun::integrity_sha256_holds(request, secret) : stun::integrity_holds(request, secret));
  if (!good) return tl::unexpected(ErrorCode::unauthenticated);
  if (!fresh(now, client, *nonce)) return tl::unexpected(ErrorCode::stale_nonce);
  return known;
}

void Credentials::challenge(Time now, const Endpoint& client, stun::Builder& out) const {
  out.text(Attr::realm, realm_).text(Attr::nonce, nonce(now, client)).password_algorithms(kAlgorithms);
}

void Credentials::sign(const Known& who, stun::Builder& out) const {
  if (who.sha256_tag) {
    out.integrity_sha256(key(who));
  } else {
    out.integrity(key(who));
  }
}

}  // namespace linnet::nat::turn
