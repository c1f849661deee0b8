// The Noise handshake (specification rev 34), 25519_ChaChaPoly_BLAKE2b: a token interpreter over a Suite. No I/O, no randomness:
// the ephemeral seed is handed in.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/suite.h"

namespace linnet::crypto::noise {

enum class Role : std::uint8_t { initiator, responder };

// One direction of transport after the handshake. The nonce is explicit: frames carry their counter.
struct CipherKey {
  Secret key;
};

struct Split {
  CipherKey send;
  CipherKey receive;
};

struct Setup {
  std::string_view pattern;  // "XX", "XK", "NK", "XKpsk3", "XXpsk3", "NKpsk0"; tests run every published pattern
  Role role = Role::initiator;
  ByteView prologue;
  std::optional<DhPair> static_pair;         // s
  std::optional<DhPair> ephemeral_pair;      // e
  std::optional<SessionKey> remote_static;   // rs, where the pattern knows it beforehand
  std::optional<Secret> psk;
};

class Handshake {
 public:
  Handshake(const Suite& suite, Setup setup);
  Handshake(Handshake&&) = default;
  Handshake& operator=(Handshake&&) = default;

  // Appends the next message with its payload to `out`. Fault::bad_key when a DH result is degenerate.
  Status write(ByteView payload, Bytes& out);
  // Reads the next message and returns its payload. After a fault the handshake is dead.
  Result<Bytes> read(ByteView message);

  bool my_turn() const;
  bool finished() const;
  // Known from the pattern or once the message that carries it was read.
  const std::optional<SessionKey>& remote_static() const;
  const Hash512& handshake_hash() const;
  Split split() const;  // only when finished()

 private:
  const Suite* suite_;
  // The implementation's state follows here: symmetric state (ck, h, k, n), keys, message index.
  struct Token;
  struct State;
  // Held by value in noise_state.h's struct through a small inline buffer is not worth it: handshakes are rare.
  std::unique_ptr<State> state_;
};

}  // namespace linnet::crypto::noise
