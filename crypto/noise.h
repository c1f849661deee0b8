// The Noise handshake (specification rev 34), 25519_ChaChaPoly_BLAKE2b: a token interpreter over a Suite. No I/O, no
// randomness: the ephemeral pair is handed in.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/suite.h"

namespace linnet::crypto::noise {

inline constexpr std::size_t kMaxMessage = 65535;  // section 3

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
  ByteView prologue{};
  std::optional<DhPair> static_pair{};        // s
  std::optional<DhPair> ephemeral_pair{};     // e
  std::optional<SessionKey> remote_static{};  // rs, where the pattern knows it beforehand
  std::optional<Secret> psk{};
  std::vector<Secret> further_psks{};  // for patterns with several psk tokens, in the order of the tokens
};

// CipherState and SymmetricState of section 5. Secrets are wiped when it goes.
class SymmetricState {
 public:
  // "Noise_" + pattern + "_25519_ChaChaPoly_BLAKE2b"
  SymmetricState(const Suite& suite, std::string_view pattern);

  void mix_hash(ByteView data);
  void mix_key(ByteView input);
  void mix_key_and_hash(ByteView input);
  bool has_key() const { return has_key_; }
  void encrypt_and_hash(ByteView plain, Bytes& out);
  Result<Bytes> decrypt_and_hash(ByteView sealed);
  std::array<Secret, 2> split() const;
  const Hash512& hash() const { return hash_; }

 private:
  void set_key(ByteView key);

  // A chaining key, as two halves so that each wipes itself.
  std::array<Secret, 2> chaining_key_;
  const Suite* suite_;
  Hash512 hash_{};
  Secret key_;
  std::uint64_t nonce_ = 0;
  bool has_key_ = false;
};

enum class Token : std::uint8_t { e, s, ee, es, se, ss, psk };

// A handshake pattern (sections 7 and 9), bounded: the longest published one has four messages of at most six tokens.
struct Pattern {
  struct Message {
    std::array<Token, 8> tokens{};
    std::uint8_t count = 0;
  };
  std::array<Message, 4> messages{};
  std::uint8_t count = 0;
  bool initiator_static_known = false;  // pre-message "-> s"
  bool responder_static_known = false;  // pre-message "<- s"
  bool has_psk = false;
};

// "XX", "NKpsk0", "IKpsk0+psk2", ...: the fundamental, deferred and one-way patterns of the specification with psk
// modifiers.
std::optional<Pattern> find_pattern(std::string_view name);

class Handshake {
 public:
  // A Setup that lacks what its pattern needs gives a handshake whose first step fails with Fault::bad_key,
  // an unknown pattern one that fails with Fault::unsupported.
  Handshake(const Suite& suite, Setup setup);

  // Appends the next message with its payload to `out`. Fault::bad_key when a DH result is degenerate.
  Status write(ByteView payload, Bytes& out);
  // Reads the next message and returns its payload. After a fault nothing has changed: a forged message does not end a
  // handshake, and the genuine one may still come.
  Result<Bytes> read(ByteView message);

  bool my_turn() const;
  bool finished() const;
  // Known from the pattern or once the message that carries it was read.
  const std::optional<SessionKey>& remote_static() const { return remote_static_; }
  // Channel binding (section 11.2): equal at both ends and unlike any other handshake's, once finished().
  const Hash512& handshake_hash() const { return symmetric_.hash(); }
  Split split() const;  // only when finished()

 private:
  void mix_prologue(ByteView prologue);
  Status write_token(Token token, Bytes& out);
  Status read_token(Token token, Reader& in);
  Status write_message(ByteView payload, Bytes& out);
  Result<Bytes> read_message(ByteView message);
  Status mix_public(const SessionKey& key);
  Status mix_dh(Token token);
  Status mix_psk();

  const Suite* suite_;
  SymmetricState symmetric_;
  Pattern pattern_;
  Role role_;
  std::optional<DhPair> static_;
  std::optional<DhPair> ephemeral_;
  std::optional<SessionKey> remote_static_;
  std::optional<SessionKey> remote_ephemeral_;
  std::vector<Secret> psks_;
  std::uint8_t next_message_ = 0;
  std::uint8_t next_psk_ = 0;
  std::optional<Fault> broken_;  // what the Setup lacked
};

}  // namespace linnet::crypto::noise
