// What the two ends of a link say of where they may be reached, on its channel `candidates`
// (docs/protocol/traversal.md): one msgpack map, credentials in each, candidates as they become known (RFC 8838).
#pragma once

#include <optional>
#include <vector>

#include "nat/ice_candidate.h"
#include "nat/ice_message.h"
#include "nat/port_prediction.h"

namespace linnet::node {

// How a NAT gives and guards its ports (RFC 4787), as far as that end knows.
enum class NatKind : std::uint8_t { unknown, none, independent, symmetric };

// This end opens sockets behind its symmetric NAT: the other may look for one of their ports (node/port_search.h).
struct SearchAsk {
  static constexpr std::uint32_t kMaxRound = 100;

  std::uint32_t round = 0;
  std::optional<nat::PortGuess> guess;  // where they begin
};

struct CandidatesMessage {
  static constexpr std::uint64_t kMaxGeneration = 1'000'000;

  std::uint64_t generation = 0;  // of the credentials: both ends raise theirs to the higher one (RFC 8445, section 9)
  nat::ice::Credentials credentials;
  std::vector<nat::ice::Candidate> candidates;  // new ones: type, endpoint or circuit, priority, foundation
  NatKind kind = NatKind::unknown;
  bool shown = false;  // this end lets the other learn its endpoints
  std::optional<SearchAsk> search;
};

Bytes write(const CandidatesMessage& message);
// Form and limits: at most ice::kMaxNamed candidates, UDP endpoints with a port, foundations and credentials of
// ice-char.
Result<CandidatesMessage> read_candidates(ByteView bytes);

}  // namespace linnet::node
