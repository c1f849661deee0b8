#include "crypto/noise.h"

#include <cassert>
#include <utility>

namespace linnet::crypto::noise {

Handshake::Handshake(const Suite& suite, Setup setup)
    : suite_(&suite),
      symmetric_(suite, setup.pattern),
      role_(setup.role),
      static_(std::move(setup.static_pair)),
      ephemeral_(std::move(setup.ephemeral_pair)),
      remote_static_(setup.remote_static),
      psks_(std::move(setup.further_psks)) {
  if (setup.psk) psks_.insert(psks_.begin(), std::move(*setup.psk));
  if (const auto found = find_pattern(setup.pattern)) {
    pattern_ = *found;
    mix_prologue(setup.prologue);
  } else {
    broken_ = Fault::unsupported;
  }
}

// Prologue and pre-messages (section 5.3): the initiator's static key first.
void Handshake::mix_prologue(ByteView prologue) {
  symmetric_.mix_hash(prologue);
  const auto mix = [this](bool known, Role owner) {
    if (!known) return;
    if (owner == role_ ? !static_ : !remote_static_) {
      broken_ = Fault::bad_key;
      return;
    }
    symmetric_.mix_hash(owner == role_ ? static_->public_key : *remote_static_);
  };
  mix(pattern_.initiator_static_known, Role::initiator);
  mix(pattern_.responder_static_known, Role::responder);
  // A peer that is to prove who it is must not be named beforehand.
  const bool remote_known =
      role_ == Role::initiator ? pattern_.responder_static_known : pattern_.initiator_static_known;
  if (!remote_known) remote_static_.reset();
}

bool Handshake::finished() const { return !broken_ && next_message_ == pattern_.count; }

bool Handshake::my_turn() const {
  return !broken_ && !finished() && (next_message_ % 2 == 0) == (role_ == Role::initiator);
}

// With a psk the ephemeral keys are mixed too, so that no two handshakes share a key (section 9.2).
Status Handshake::mix_public(const SessionKey& key) {
  symmetric_.mix_hash(key);
  if (pattern_.has_psk) symmetric_.mix_key(key);
  return {};
}

Status Handshake::mix_psk() {
  if (next_psk_ >= psks_.size()) return fail(Fault::bad_key);
  symmetric_.mix_key_and_hash(psks_[next_psk_++].bytes());
  return {};
}

// The first letter of a token is the initiator's key, the second the responder's.
Status Handshake::mix_dh(Token token) {
  const bool initiator = role_ == Role::initiator;
  const bool mine_static = token == Token::ss || token == (initiator ? Token::se : Token::es);
  const bool theirs_static = token == Token::ss || token == (initiator ? Token::es : Token::se);
  const auto& mine = mine_static ? static_ : ephemeral_;
  const auto& theirs = theirs_static ? remote_static_ : remote_ephemeral_;
  if (!mine || !theirs) return fail(Fault::bad_key);
  const auto shared = suite_->dh(*mine, *theirs);
  if (!shared) return fail(shared.error());
  symmetric_.mix_key(shared->bytes());
  return {};
}

Status Handshake::write_token(Token token, Bytes& out) {
  switch (token) {
    case Token::e:
      if (!ephemeral_) return fail(Fault::bad_key);
      append(out, ephemeral_->public_key);
      return mix_public(ephemeral_->public_key);
    case Token::s:
      if (!static_) return fail(Fault::bad_key);
      symmetric_.encrypt_and_hash(static_->public_key, out);
      return {};
    case Token::psk: return mix_psk();
    default: return mix_dh(token);
  }
}

Status Handshake::read_token(Token token, Reader& in) {
  switch (token) {
    case Token::e: {
      SessionKey key{in.array<32>()};
      if (!in.ok()) return fail(Fault::truncated);
      remote_ephemeral_ = key;
      return mix_public(key);
    }
    case Token::s: {
      const auto sealed = in.bytes(symmetric_.has_key() ? 32 + kTagBytes : 32);
      if (!in.ok()) return fail(Fault::truncated);
      const auto plain = symmetric_.decrypt_and_hash(sealed);
      if (!plain) return fail(plain.error());
      SessionKey key;
      std::memcpy(key.bytes.data(), plain->data(), key.bytes.size());
      remote_static_ = key;
      return {};
    }
    case Token::psk: return mix_psk();
    default: return mix_dh(token);
  }
}

Status Handshake::write_message(ByteView payload, Bytes& out) {
  const auto& message = pattern_.messages[next_message_];
  for (std::size_t i = 0; i < message.count; ++i) {
    if (const auto ok = write_token(message.tokens[i], out); !ok) return ok;
  }
  symmetric_.encrypt_and_hash(payload, out);
  if (out.size() > kMaxMessage) return fail(Fault::too_big);
  ++next_message_;
  return {};
}

Result<Bytes> Handshake::read_message(ByteView message) {
  Reader in(message);
  const auto& tokens = pattern_.messages[next_message_];
  for (std::size_t i = 0; i < tokens.count; ++i) {
    if (const auto ok = read_token(tokens.tokens[i], in); !ok) return fail(ok.error());
  }
  auto payload = symmetric_.decrypt_and_hash(in.rest());
  if (payload) ++next_message_;
  return payload;
}

// Both work on a copy which takes the place of this one when every token went well.
Status Handshake::write(ByteView payload, Bytes& out) {
  if (broken_) return fail(*broken_);
  if (!my_turn()) return fail(Fault::refused);
  Handshake next = *this;
  Bytes message;
  if (const auto ok = next.write_message(payload, message); !ok) return ok;
  append(out, message);
  *this = std::move(next);
  return {};
}

Result<Bytes> Handshake::read(ByteView message) {
  if (broken_) return fail(*broken_);
  if (finished() || my_turn()) return fail(Fault::refused);
  if (message.size() > kMaxMessage) return fail(Fault::too_big);
  Handshake next = *this;
  auto payload = next.read_message(message);
  if (payload) *this = std::move(next);
  return payload;
}

Split Handshake::split() const {
  assert(finished());
  const auto keys = symmetric_.split();
  const std::size_t mine = role_ == Role::initiator ? 0 : 1;
  return {CipherKey{keys[mine]}, CipherKey{keys[1 - mine]}};
}

}  // namespace linnet::crypto::noise
