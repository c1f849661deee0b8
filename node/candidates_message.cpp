#include "node/candidates_message.h"

#include <algorithm>

#include "base/pack.h"

namespace linnet::node {
namespace {

using nat::ice::Candidate;
using nat::ice::Type;

constexpr std::uint64_t kMaxCircuit = (1ULL << 48) - 1;

void put(pack::Packer& out, const Candidate& c) {
  Writer at;
  if (c.circuit == 0) write(at, c.endpoint);
  out.map(4).key(0).uint(static_cast<std::uint64_t>(c.type)).key(1).uint(c.priority).key(2).str(c.foundation);
  if (c.circuit != 0) {
    out.key(3).uint(c.circuit);
  } else {
    out.key(4).bin(at.take());
  }
}

void put(pack::Packer& out, const SearchAsk& ask) {
  out.map(ask.guess ? 3 : 1).key(0).uint(ask.round);
  if (!ask.guess) return;
  out.key(1).uint(ask.guess->next).key(2).uint(static_cast<std::uint64_t>(ask.guess->step + nat::PortGuess::kMaxStep));
}

Result<SearchAsk> ask_of(const pack::Value& m) {
  constexpr std::uint64_t kMostStep = 2 * nat::PortGuess::kMaxStep;
  SearchAsk out;
  const auto round = m.uint_at(0);
  if (round == 0 || round > SearchAsk::kMaxRound) return fail(Fault::malformed);
  out.round = static_cast<std::uint32_t>(round);
  if (m.field(1) == nullptr) return out;
  const auto next = m.uint_at(1);
  const auto step = m.uint_at(2, kMostStep + 1);
  if (next < nat::PortPlan::kLowest || next > 0xffff || step > kMostStep || step == nat::PortGuess::kMaxStep)
    return fail(Fault::malformed);
  out.guess = nat::PortGuess{static_cast<std::uint16_t>(next), static_cast<int>(step) - nat::PortGuess::kMaxStep};
  return out;
}

bool is_foundation(std::string_view text) {
  return !text.empty() && text.size() <= nat::ice::kMaxFoundation && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
  });
}

Result<Candidate> candidate_of(const pack::Value& m) {
  Candidate out;
  const auto type = m.uint_at(0, 99);
  const auto priority = m.uint_at(1);
  if (type > static_cast<std::uint64_t>(Type::relayed)) return fail(Fault::unsupported);
  if (priority == 0 || priority > 0x7fffffff || !is_foundation(m.str_at(2))) return fail(Fault::malformed);
  out.type = static_cast<Type>(type);
  out.priority = static_cast<std::uint32_t>(priority);
  out.foundation = m.str_at(2);
  out.circuit = m.uint_at(3);
  if (out.circuit > kMaxCircuit || (out.circuit != 0 && out.type != Type::relayed)) return fail(Fault::malformed);
  if (out.circuit != 0) {
    out.endpoint = nat::ice::circuit_endpoint(out.circuit);
    return out;
  }
  Reader in(m.bin_at(4));
  const auto endpoint = read_endpoint(in);
  if (!endpoint || !in.done()) return fail(Fault::malformed);
  if (endpoint->port == 0 || endpoint->transport != Transport::udp) return fail(Fault::malformed);
  out.endpoint = *endpoint;
  return out;
}

}  // namespace

Bytes write(const CandidatesMessage& message) {
  pack::Packer out;
  out.map(message.search ? 7 : 6).key(0).uint(message.generation).key(1).str(message.credentials.ufrag);
  out.key(2).str(message.credentials.password).key(3).array(message.candidates.size());
  for (const auto& c : message.candidates) put(out, c);
  out.key(4).uint(static_cast<std::uint64_t>(message.kind)).key(5).boolean(message.shown);
  if (message.search) put(out.key(6), *message.search);
  return out.take();
}

Result<CandidatesMessage> read_candidates(ByteView bytes) {
  const auto value = pack::read(bytes);
  if (!value) return fail(value.error());
  CandidatesMessage out;
  out.generation = value->uint_at(0);
  out.credentials = {std::string(value->str_at(1)), std::string(value->str_at(2))};
  const auto kind = value->uint_at(4);
  const auto* shown = value->field(5);
  if (out.generation > CandidatesMessage::kMaxGeneration || !nat::ice::sound(out.credentials) ||
      kind > static_cast<std::uint64_t>(NatKind::symmetric) || shown == nullptr || shown->boolean() == nullptr)
    return fail(Fault::malformed);
  out.kind = static_cast<NatKind>(kind);
  out.shown = *shown->boolean();
  const auto& all = value->array_at(3);
  if (all.size() > nat::ice::kMaxNamed) return fail(Fault::too_big);
  for (const auto& one : all) {
    auto candidate = candidate_of(one);
    if (!candidate) return fail(candidate.error());
    out.candidates.push_back(std::move(*candidate));
  }
  if (const auto* search = value->field(6)) {
    const auto ask = ask_of(*search);
    if (!ask) return fail(ask.error());
    out.search = *ask;
  }
  return out;
}

}  // namespace linnet::node
