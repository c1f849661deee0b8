// A set of unsigned numbers as sorted, disjoint, non-touching ranges [begin, end). Used for packet numbers and stream offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace linnet::overlay {

class RangeSet {
 public:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool operator==(const Range&) const = default;
  };

  void add(std::uint64_t begin, std::uint64_t end);
  void remove(std::uint64_t begin, std::uint64_t end);
  bool contains(std::uint64_t value) const;

  const std::vector<Range>& ranges() const { return ranges_; }
  const Range& front() const { return ranges_.front(); }
  bool empty() const { return ranges_.empty(); }
  std::size_t size() const { return ranges_.size(); }
  void drop_front() { ranges_.erase(ranges_.begin()); }
  void clear() { ranges_ = std::vector<Range>(); }

 private:
  std::vector<Range> ranges_;
};

}  // namespace linnet::overlay
