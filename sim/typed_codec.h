// The stand-in for the DHT's round trips (`--wire typed`): frames of the shipped sizes that carry values as they are in
// memory. A contact is written as its number among all that were ever written; what it reads as was found out once,
// through the shipped encoding. What was altered, or is for somebody else, is refused as the shipped codec refuses it.
#pragma once

#include <vector>

#include "dht/codec.h"
#include "sim/wire_check.h"

namespace linnet::sim {

class TypedCodec final : public dht::Codec {
 public:
  TypedCodec(const crypto::Suite& suite, const crypto::NetworkId& network)
      : suite_(&suite), network_(network), check_(network) {}

  Result<Sealed> seal_request(dht::TransactionId id, const dht::Contact& to, const crypto::Secret& ephemeral,
                              const dht::Request& request, std::size_t padded) override;
  Result<Opened> open_request(const dht::RequestView& view, const crypto::DhPair& own,
                              const crypto::Secret& ephemeral) override;
  Result<Bytes> seal_answer(dht::TransactionId id, const State& state, const dht::Answer& answer,
                            std::size_t room) override;
  std::optional<Result<dht::Answer>> open_answer(const State& state, ByteView frame) override;

  const WireCheck& check() const { return check_; }

 private:
  struct Known {
    dht::Contact written;
    Result<dht::Contact> read = fail(Fault::malformed);
    crypto::Mac1 mac1;  // of requests to it
  };

  std::uint32_t number_of(const dht::Contact& contact);
  std::size_t slot_of(const dht::Contact& contact) const;
  void grow();

  const crypto::Suite* suite_;
  crypto::NetworkId network_;
  WireCheck check_;
  std::vector<Known> known_;
  std::vector<std::uint32_t> slots_;  // number + 1 by device key; open addressing, at most half full
};

}  // namespace linnet::sim
