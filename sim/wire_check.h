// Keeps the typed wire honest: of every so many of the DHT's round trips one is also packed, sealed, opened and read as
// shipped, by the same long-lived keys, and what comes out is compared with what the stand-in carried. Takes no part in
// what happens. Its ephemeral keys are a few that come again, so that each key agreement is computed once for each
// supernode and not once for each round trip; all else is done every time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "dht/codec.h"
#include "sim/remembering_suite.h"

namespace linnet::sim {

class WireCheck {
 public:
  static constexpr std::uint64_t kOneOf = 80;  // round trips
  static constexpr std::size_t kMaxUnderWay = 4096;
  static constexpr std::size_t kEphemerals = 4;  // of each side

  explicit WireCheck(const crypto::NetworkId& network);
  WireCheck(const WireCheck&) = delete;
  WireCheck& operator=(const WireCheck&) = delete;

  // Each with what the stand-in made of it.
  void on_request(dht::TransactionId id, const dht::Contact& to, const dht::Request& request, std::size_t padded,
                  std::size_t typed_size);
  void on_opened(dht::TransactionId id, const crypto::DhPair& own, const dht::Request& typed);
  void on_answer(dht::TransactionId id, const dht::Answer& answer, std::size_t room, std::size_t typed_size);
  void on_answered(dht::TransactionId id, const Result<dht::Answer>& typed);

  double checked_pct() const;  // of the datagrams that were made
  std::uint64_t checked() const { return checked_; }
  // In words, each once.
  const std::vector<std::string>& different() const { return different_; }

 private:
  struct UnderWay {
    Bytes request;
    Bytes answer;
    dht::Codec::State asking;
    dht::Codec::State answering;
  };

  UnderWay* find(dht::TransactionId id);
  void expect(bool holds, const char* what);

  using Ephemerals = std::array<crypto::Secret, kEphemerals>;

  static Ephemerals ephemerals(std::uint64_t seed);
  const crypto::Secret& one_of(const Ephemerals& of) const { return of[requests_ / kOneOf % kEphemerals]; }

  RememberingSuite suite_;
  dht::NoiseCodec shipped_;
  Ephemerals asking_;
  Ephemerals answering_;
  std::unordered_map<dht::TransactionId, UnderWay> under_way_;
  std::uint64_t requests_ = 0;
  std::uint64_t made_ = 0;
  std::uint64_t checked_ = 0;
  std::vector<std::string> different_;
};

}  // namespace linnet::sim
