#include "node/streams.h"

#include <algorithm>
#include <iterator>

#include "base/pack.h"
#include "overlay/ways.h"

namespace linnet::node {
namespace {

constexpr std::uint64_t kField = 7;  // of no message of candidates

// Ports of convention at global addresses alone: a peer shall not make us knock at doors inside our own network, nor at
// any port of somebody else's.
bool dialable(const Endpoint& e) {
  const bool convention = (e.transport == Transport::tls && e.port == overlay::kTlsPort) ||
                          (e.transport == Transport::tcp && e.port == overlay::kWebPort);
  return convention && e.ip.is_global();
}

}  // namespace

Bytes write_streams(const std::vector<Endpoint>& streams) {
  pack::Packer out;
  const auto n = std::min(streams.size(), Streams::kMost);
  out.map(1).key(kField).array(n);
  for (std::size_t i = 0; i < n; ++i) {
    Writer at;
    write(at, streams[i]);
    out.bin(at.take());
  }
  return out.take();
}

Result<std::vector<Endpoint>> read_streams(ByteView bytes) {
  const auto value = pack::read(bytes);
  if (!value) return fail(value.error());
  if (value->field(kField) == nullptr || value->field(1) != nullptr) return fail(Fault::unsupported);
  const auto& all = value->array_at(kField);
  if (all.size() > Streams::kMost) return fail(Fault::too_big);
  std::vector<Endpoint> out;
  for (const auto& one : all) {
    if (!one.bin()) return fail(Fault::malformed);
    Reader in(*one.bin());
    const auto at = read_endpoint(in);
    if (!at || !in.done() || at->port == 0 || at->transport == Transport::udp) return fail(Fault::malformed);
    out.push_back(*at);
  }
  return out;
}

void Streams::set(std::vector<Endpoint> taken) {
  if (taken == ours_) return;
  ours_ = std::move(taken);
  ++version_;
}

bool Streams::on_message(overlay::SessionId link, ByteView bytes) {
  const auto said = read_streams(bytes);
  if (!said) return false;
  auto& theirs = links_[link].theirs;
  theirs.clear();
  std::copy_if(said->begin(), said->end(), std::back_inserter(theirs), dialable);
  return true;
}

std::optional<Bytes> Streams::say(overlay::SessionId link, const Facts& facts) {
  if (!facts.shared || version_ == 0) return std::nullopt;
  auto& told = links_[link].told;
  if (told == version_) return std::nullopt;
  told = version_;
  return write_streams(ours_);
}

std::vector<Endpoint> Streams::look(Time now, overlay::SessionId link, const Facts& facts) {
  const auto found = links_.find(link);
  if (found == links_.end()) return {};
  auto& one = found->second;
  const bool wanted = facts.shared && facts.talking && facts.relayed && !one.theirs.empty() && one.tries < kTries;
  if (!wanted) {
    one.at = kNever;
    return {};
  }
  if (one.at == kNever) one.at = now + kAfter;
  if (now < one.at) return {};
  one.at = now + kAgain;
  ++one.tries;
  return one.theirs;
}

Time Streams::next_timeout() const {
  Time next = kNever;
  for (const auto& entry : links_) next = std::min(next, entry.second.at);
  return next;
}

}  // namespace linnet::node
