#include "dht/writer_shares.h"

#include "base/blocks.h"
#include "base/heap.h"

namespace linnet::dht {
namespace {

std::uint64_t number_of(const WriterShares::Prefix& prefix) {
  std::uint64_t out = 0;
  for (const auto byte : prefix) out = out << 8 | byte;
  return out;
}

}  // namespace

// The share at `at` has another size than before.
void WriterShares::settle_at(std::size_t at) {
  settle(
      heap_, at, [this](Number a, Number b) { return before(a, b); },
      [this](std::size_t to, Number share) {
        heap_[to] = share;
        shares_[share].in_heap = static_cast<std::uint32_t>(to);
      });
}

WriterShares::Number WriterShares::share_of(const Prefix& prefix) {
  const auto [known, added] = numbers_.try_emplace(number_of(prefix), Number{0});
  if (!added) return known->second;
  const auto number = free_or_new(shares_, free_share_, kNone, &Share::youngest);
  shares_[number] = Share{prefix, kNone, 0, static_cast<std::uint32_t>(heap_.size())};
  heap_.push_back(number);  // empty for a moment: last
  return known->second = number;
}

void WriterShares::drop(Number share) {
  const std::size_t at = shares_[share].in_heap;
  const auto last = heap_.back();
  heap_.pop_back();
  if (last != share) {
    heap_[at] = last;
    settle_at(at);
  }
  numbers_.erase(number_of(shares_[share].prefix));
  shares_[share].youngest = free_share_;
  free_share_ = share;
}

WriterShares::Place WriterShares::add(const Prefix& prefix, const Entry& entry) {
  const auto number = share_of(prefix);
  auto& share = shares_[number];
  const auto out = free_or_new(nodes_, free_node_, kNone, &Node::older);
  nodes_[out] = Node{entry, kNone, share.youngest, number};
  if (share.youngest != kNone) nodes_[share.youngest].younger = out;
  share.youngest = out;
  ++share.entries;
  settle_at(share.in_heap);
  return out;
}

void WriterShares::remove(Place place) {
  auto& node = nodes_[place];
  auto& share = shares_[node.share];
  if (node.older != kNone) nodes_[node.older].younger = node.younger;
  (node.younger != kNone ? nodes_[node.younger].older : share.youngest) = node.older;
  --share.entries;
  if (share.entries == 0) {
    drop(node.share);
  } else {
    settle_at(share.in_heap);
  }
  node.older = free_node_;
  free_node_ = place;
}

std::size_t WriterShares::of(const Prefix& prefix) const {
  const auto at = numbers_.find(number_of(prefix));
  return at == numbers_.end() ? 0 : shares_[at->second].entries;
}

std::optional<WriterShares::Entry> WriterShares::excess(std::size_t than) const {
  if (heap_.empty()) return std::nullopt;
  const auto& most = shares_[heap_.front()];
  if (most.entries <= than) return std::nullopt;
  return nodes_[most.youngest].entry;
}

std::size_t WriterShares::memory_bytes() const {
  constexpr std::size_t kNode = 32;  // of a tree, beside its value
  return block_bytes(nodes_.capacity() * sizeof(Node)) + block_bytes(shares_.capacity() * sizeof(Share)) +
         block_bytes(heap_.capacity() * sizeof(Number)) +
         numbers_.size() * block_bytes(sizeof(decltype(numbers_)::value_type) + kNode);
}

}  // namespace linnet::dht
