#include "nat/turn_credentials.h"

#include "crypto/digest.h"
#include "crypto/suite.h"

namespace linnet::nat::turn {
namespace {

using stun::Attr;
using stun::ErrorCode;
using stun::PasswordAlgorithm;

constexpr PasswordAlgorithm kAlgorithms[] = {PasswordAlgorithm::sha256, PasswordAlgorithm::md5};
constexpr std::size_t kMacBytes = 10;
constexpr std::size_t kStampDigits = 8;
constexpr std::uint64_t kOfPairs = std::uint64_t{1} << 63;  // numbers of users that are not configured

// A hash says nothing of a name that nobody has told us.
stun::SecurityFeatures features(bool pairs) { return {true, !pairs}; }

Credentials::Known with_key(std::uint64_t user, ByteView key) {
  Credentials::Known out;
  out.user = user;
  out.key_size = static_cast<std::uint8_t>(key.size());
  std::copy(key.begin(), key.end(), out.key.begin());
  return out;
}

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

Credentials::Credentials(std::string realm, std::span<const User> users, std::string secret, Rng& rng)
    : realm_(std::move(realm)), pair_secret_(std::move(secret)), secret_(rng.array<32>()) {
  for (const auto& user : users)
    users_.push_back(Keys{user.name, stun::userhash(user.name, realm_),
                          stun::long_term_key_md5(user.name, realm_, user.password),
                          stun::long_term_key_sha256(user.name, realm_, user.password)});
}

std::string Credentials::nonce_of(std::uint32_t second, std::uint32_t ended, const Endpoint& client) const {
  Writer stamp;
  stamp.u32(second);
  Writer place;
  place.bytes(client.ip.bytes)
      .u16(client.port)
      .u8(static_cast<std::uint8_t>(client.transport))
      .u8(client.socket)
      .u32(ended);
  const auto mac = crypto::hmac_sha256(secret_, {stamp.written(), place.written()});
  return stun::nonce_with(features(!pair_secret_.empty()),
                          to_hex(stamp.written()) + to_base32(ByteView(mac).first(kMacBytes)));
}

std::string Credentials::nonce(Time now, const Endpoint& client) const {
  const auto second = static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::seconds(1));
  return nonce_of(second, ended_.times(now, client), client);
}

bool Credentials::fresh(Time now, const Endpoint& client, std::string_view nonce) const {
  const auto before = stun::nonce_with({}, "").size();
  if (nonce.size() < before + kStampDigits) return false;
  const auto stamp = from_hex(nonce.substr(before, kStampDigits));
  if (!stamp || stamp->size() != 4) return false;
  const auto second = Reader(*stamp).u32();
  if (!crypto::same(view(nonce_of(second, ended_.times(now, client), client)), view(nonce))) return false;
  const auto today = static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::seconds(1));
  return std::chrono::seconds(today - second) < kNonceLife;
}

// An empty key is none: no MD5 on this machine.
std::optional<Credentials::Known> Credentials::who(std::optional<Wall> wall, const stun::Message& request,
                                                   bool sha256_key) const {
  const auto name = request.text(Attr::username);
  const auto hash = request.value(Attr::userhash);
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const auto& user = users_[i];
    const bool is = name ? user.name == *name : hash && equal(user.hash, *hash);
    if (!is) continue;
    if (sha256_key) return with_key(i, user.sha256);
    return with_key(i, user.md5 ? ByteView(*user.md5) : ByteView());
  }
  const auto pair = name && wall && !pair_secret_.empty() ? read_pair_name(*name) : std::nullopt;
  return pair ? std::optional(of_pair(*pair, *wall, *name, sha256_key)) : std::nullopt;
}

Credentials::Known Credentials::of_pair(const PairName& pair, Wall wall, std::string_view username,
                                        bool sha256_key) const {
  const auto password = pair_password(pair_secret_, username);
  const auto digest = crypto::hmac_sha256(secret_, {view("user"), view(pair.who)});
  const auto user = Reader(digest).u64() | kOfPairs;
  const auto md5 = sha256_key ? fail(Fault::unsupported) : stun::long_term_key_md5(username, realm_, password);
  auto out = sha256_key ? with_key(user, stun::long_term_key_sha256(username, realm_, password))
                        : with_key(user, md5 ? ByteView(*md5) : ByteView());
  out.expired = wall >= pair.until;
  return out;
}

tl::expected<Credentials::Known, ErrorCode> Credentials::check(Time now, std::optional<Wall> wall,
                                                               const Endpoint& client,
                                                               const stun::Message& request) const {
  const bool sha256 = request.has(Attr::message_integrity_sha256);
  if (!sha256 && !request.has(Attr::message_integrity)) return tl::unexpected(ErrorCode::unauthenticated);
  const auto realm = request.text(Attr::realm);
  const auto nonce = request.text(Attr::nonce);
  const bool named = request.has(Attr::username) || request.has(Attr::userhash);
  const auto algorithm = uses_sha256_key(request);
  if (!named || !realm || !nonce || !algorithm) return tl::unexpected(ErrorCode::bad_request);
  auto known = who(wall, request, *algorithm);
  if (!known || *realm != realm_) return tl::unexpected(ErrorCode::unauthenticated);
  known->sha256_tag = sha256;
  const auto key = ByteView(known->key).first(known->key_size);
  const bool good =
      !key.empty() && (sha256 ? stun::integrity_sha256_holds(request, key) : stun::integrity_holds(request, key));
  if (!good) return tl::unexpected(ErrorCode::unauthenticated);
  if (!fresh(now, client, *nonce)) return tl::unexpected(ErrorCode::stale_nonce);
  return *known;
}

void Credentials::challenge(Time now, const Endpoint& client, stun::Builder& out) const {
  out.text(Attr::realm, realm_).text(Attr::nonce, nonce(now, client)).password_algorithms(kAlgorithms);
}

void Credentials::sign(const Known& who, stun::Builder& out) const {
  const auto key = ByteView(who.key).first(who.key_size);
  if (who.sha256_tag) {
    out.integrity_sha256(key);
  } else {
    out.integrity(key);
  }
}

}  // namespace linnet::nat::turn
