#include "nat/turn_login.h"

#include <algorithm>

namespace linnet::nat::turn {
namespace {

using stun::Attr;
using stun::PasswordAlgorithm;

// The first that we know of the server's order, which is its preference (section 14.11).
std::optional<PasswordAlgorithm> first_known(const stun::Message& challenge) {
  const auto list = challenge.password_algorithms();
  if (!list) return std::nullopt;
  const auto at = std::find_if(list->begin(), list->end(), [](PasswordAlgorithm a) {
    return a == PasswordAlgorithm::sha256 || a == PasswordAlgorithm::md5;
  });
  return at == list->end() ? std::nullopt : std::optional(*at);
}

}  // namespace

Login::Login(std::string user, std::string password) : user_(std::move(user)), password_(std::move(password)) {}

void Login::forget() {
  key_.clear();
  nonce_.clear();
}

bool Login::challenged(const stun::Message& error) {
  const auto realm = error.text(Attr::realm);
  const auto nonce = error.text(Attr::nonce);
  if (!realm || !nonce) return false;
  const auto features = stun::features_of(*nonce);
  const bool lists = error.has(Attr::password_algorithms);
  if (features && features->password_algorithms && !lists) return false;  // section 9.2.5: a bid-down attack
  auto algorithm = PasswordAlgorithm::md5;
  algorithms_.clear();
  if (features && features->password_algorithms) {
    const auto chosen = first_known(error);
    if (!chosen) return false;
    algorithm = *chosen;
    algorithms_ = copy(*error.value(Attr::password_algorithms));
  }
  realm_ = *realm;
  nonce_ = *nonce;
  algorithm_ = algorithm;
  by_hash_ = features && features->username_anonymity;
  if (algorithm == PasswordAlgorithm::sha256) {
    key_ = copy(stun::long_term_key_sha256(user_, realm_, password_));
    return true;
  }
  const auto key = stun::long_term_key_md5(user_, realm_, password_);
  key_ = key ? copy(*key) : Bytes();
  return ready();
}

void Login::sign(stun::Builder& out) const {
  if (by_hash_) {
    out.bytes(Attr::userhash, stun::userhash(user_, realm_));
  } else {
    out.text(Attr::username, user_);
  }
  out.text(Attr::realm, realm_).text(Attr::nonce, nonce_);
  if (algorithms_.empty()) {
    out.integrity(key_);
    return;
  }
  out.bytes(Attr::password_algorithms, algorithms_).password_algorithm(algorithm_);
  out.integrity_sha256(key_);
}

bool Login::authentic(const stun::Message& answer) const {
  if (!ready()) return false;
  return algorithms_.empty() ? stun::integrity_holds(answer, key_) : stun::integrity_sha256_holds(answer, key_);
}

}  // namespace linnet::nat::turn
