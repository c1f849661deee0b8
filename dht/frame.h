// The outside of an RPC datagram (docs/protocol/dht.md).
//
// Request: type 9, pattern, transaction id 8, Noise message 1 (32 + payload + 16), mac1 16, mac2 16 (zeros without a
// cookie). Answer: type 10, pattern, transaction id 8, Noise message 2 (32 + payload + 16). Cookie: type 10, 0xc0,
// transaction id 8, cookie sealed to who knows the request's mac1 (32).
#pragma once

#include <optional>

#include "crypto/guard.h"
#include "crypto/noise.h"
#include "dht/dht.h"

namespace linnet::dht {

inline constexpr std::size_t kHeaderBytes = 10;
inline constexpr std::size_t kMacBytes = 16;
inline constexpr std::size_t kNoiseBytes = 32 + crypto::kTagBytes;  // ephemeral key and tag around a payload
inline constexpr std::size_t kRequestOverhead = kHeaderBytes + kNoiseBytes + 2 * kMacBytes;
inline constexpr std::size_t kAnswerOverhead = kHeaderBytes + kNoiseBytes;
inline constexpr std::size_t kCookieReplyBytes = kHeaderBytes + kMacBytes + crypto::kTagBytes;

enum class Pattern : std::uint8_t { nk = 1, nk_psk0 = 2, cookie = 0xc0 };

using TransactionId = std::uint64_t;

struct Header {
  std::uint8_t type = 0;
  Pattern pattern = Pattern::nk;
  TransactionId transaction = 0;
};

// Unsupported for another type or pattern.
Result<Header> read_header(ByteView frame);

// The parts of a request that stand around the sealed message.
struct RequestView {
  Header header;
  ByteView message;      // Noise message 1
  ByteView before_mac1;  // what mac1 covers
  ByteView before_mac2;  // what mac2 covers
  crypto::Mac mac1{};
  crypto::Mac mac2{};
  bool has_mac2() const { return mac2 != crypto::Mac{}; }
};
Result<RequestView> split_request(ByteView frame);

// Seals and opens the round trips of one network.
class Sealer {
 public:
  Sealer(const crypto::Suite& suite, const crypto::NetworkId& network, std::optional<crypto::Secret> psk);

  struct Sealed {
    crypto::noise::Handshake handshake;
    Bytes frame;
  };
  // mac2 stays zero; see set_mac2.
  Result<Sealed> seal_request(TransactionId id, const crypto::SessionKey& responder, const crypto::Secret& ephemeral,
                              ByteView payload) const;
  void set_mac2(Bytes& frame, const crypto::Mac& cookie) const;

  struct Opened {
    crypto::noise::Handshake handshake;
    Bytes payload;
  };
  Result<Opened> open_request(const RequestView& request, const crypto::DhPair& own,
                              const crypto::Secret& ephemeral) const;
  Result<Bytes> seal_answer(TransactionId id, crypto::noise::Handshake& handshake, ByteView payload) const;
  Result<Bytes> open_answer(crypto::noise::Handshake& handshake, ByteView frame) const;

  Bytes cookie_reply(const RequestView& request, const crypto::SessionKey& own, const crypto::Mac& cookie) const;
  Result<crypto::Mac> open_cookie_reply(ByteView reply, ByteView request, const crypto::SessionKey& responder) const;

  Pattern pattern() const { return psk_ ? Pattern::nk_psk0 : Pattern::nk; }

 private:
  crypto::noise::Setup setup(const Header& header, const crypto::Secret& ephemeral, Bytes& prologue) const;
  crypto::Secret cookie_key(const crypto::SessionKey& responder, TransactionId id, const crypto::Mac& mac1) const;

  const crypto::Suite* suite_;
  crypto::NetworkId network_;
  std::optional<crypto::Secret> psk_;
};

}  // namespace linnet::dht
