// Supernodes that lie. Such a one is the shipped peer behind a codec that changes what it says and what it hears: it
// answers pings and joins like everybody, keeps its place in the tables, and fails whoever relies on it.
#pragma once

#include <unordered_map>
#include <vector>

#include "dht/codec.h"

namespace linnet::sim {

enum class Lie : std::uint8_t {
  silence,   // takes records, and does not answer who asks for one or for the way
  denial,    // takes records, and says that it has none
  misroute,  // names its friends alone
  poison,    // gives other people's records and altered ones, and contacts at addresses that are not theirs
};
inline constexpr std::size_t kLies = 4;

// What those who lie know of one another.
struct Conspiracy {
  static constexpr std::size_t kMostRecords = 64;
  std::vector<dht::Contact> friends;
  std::vector<Bytes> records;  // that came by

  void join(const dht::Contact& self);
  void keep(const Bytes& record);
  std::vector<dht::Contact> nearest(const dht::Id& target) const;
};

// As a home of leaves it lies too: what it is asked to store it does not, and what it finds for them it keeps for
// itself.
class HostileCodec final : public dht::Codec {
 public:
  HostileCodec(dht::Codec& honest, Lie lie, Conspiracy& others) : honest_(&honest), lie_(lie), others_(&others) {}

  Result<Sealed> seal_request(dht::TransactionId id, const dht::Contact& to, const crypto::Secret& ephemeral,
                              const dht::Request& request, std::size_t padded) override;
  Result<Opened> open_request(const dht::RequestView& view, const crypto::DhPair& own,
                              const crypto::Secret& ephemeral) override;
  Result<Bytes> seal_answer(dht::TransactionId id, const State& state, const dht::Answer& answer,
                            std::size_t room) override;
  std::optional<Result<dht::Answer>> open_answer(const State& state, ByteView frame) override;

 private:
  void alter(const dht::Request& asked, dht::Answer& answer);

  dht::Codec* honest_;
  Lie lie_;
  Conspiracy* others_;
  std::uint64_t lies_ = 0;
  std::unordered_map<dht::TransactionId, dht::Request> asked_;  // about others: answered at once
};

}  // namespace linnet::sim
