// How a round trip looks on the wire, injected like the suite. The shipped codec packs and seals with Noise NK
// (message.h, frame.h); a simulator may hand in a stand-in whose frames have equal sizes and lead to equal decisions.
#pragma once

#include <memory>
#include <optional>

#include "dht/frame.h"
#include "dht/message.h"

namespace linnet::dht {

class Codec {
 public:
  // What a side keeps between question and answer; null for a codec that needs nothing.
  using State = std::unique_ptr<crypto::noise::Handshake>;
  struct Sealed {
    State state;
    Bytes frame;
  };
  struct Opened {
    State state;
    Request request;
  };

  virtual ~Codec() = default;
  // A request frame (frame.h) with mac1; mac2 stays zero. Its payload is filled up to `padded` bytes.
  virtual Result<Sealed> seal_request(TransactionId id, const Contact& to, const crypto::Secret& ephemeral,
                                      const Request& request, std::size_t padded) = 0;
  // mac1 was checked already.
  virtual Result<Opened> open_request(const RequestView& view, const crypto::DhPair& own,
                                      const crypto::Secret& ephemeral) = 0;
  // The payload has at most `room` bytes (message.h, encode); Fault::too_big when nothing is small enough.
  virtual Result<Bytes> seal_answer(TransactionId id, const State& state, const Answer& answer, std::size_t room) = 0;
  // Nothing: not from who was asked, the genuine answer may yet come. A fault: from him, but no answer.
  virtual std::optional<Result<Answer>> open_answer(const State& state, ByteView frame) = 0;
};

class NoiseCodec final : public Codec {
 public:
  explicit NoiseCodec(Sealer sealer) : sealer_(std::move(sealer)) {}

  Result<Sealed> seal_request(TransactionId id, const Contact& to, const crypto::Secret& ephemeral,
                              const Request& request, std::size_t padded) override;
  Result<Opened> open_request(const RequestView& view, const crypto::DhPair& own,
                              const crypto::Secret& ephemeral) override;
  Result<Bytes> seal_answer(TransactionId id, const State& state, const Answer& answer, std::size_t room) override;
  std::optional<Result<Answer>> open_answer(const State& state, ByteView frame) override;

 private:
  Sealer sealer_;
};

}  // namespace linnet::dht
