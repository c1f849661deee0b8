// A set of unsigned numbers as sorted, disjoint, non-touching ranges [begin, end). Used for packet numbers and stream
// offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace linnet::overlay {

class RangeSet {
 public:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool empty() const { return begin >= end; }
    bool operator==(const Range&) const = default;
  };

  void add(std::uint64_t begin, std::uint64_t end);
  void remove(std::uint64_t begin, std::uint64_t end);
  bool contains(std::uint64_t value) const;
  // add() would make one range more of it: it touches none that is there.
  bool stands_apart(std::uint64_t begin, std::uint64_t end) const;

  std::span<const Range> ranges() const {
    if (several_) return *several_;
    return {&one_, one_.empty() ? std::size_t{0} : 1};
  }
  const Range& front() const { return ranges().front(); }
  bool empty() const { return ranges().empty(); }
  std::size_t size() const { return ranges().size(); }
  void drop_front();
  void clear() { *this = RangeSet(); }

 private:
  std::vector<Range>& spread();
  void settle();

  // Nearly always there is at most one, so that it stands here.
  Range one_;
  std::unique_ptr<std::vector<Range>> several_;  // two and more; one_ is nothing then
};

}  // namespace linnet::overlay
