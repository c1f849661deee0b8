#include "overlay/range_set.h"

#include <algorithm>

namespace linnet::overlay {

void RangeSet::add(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto first = std::lower_bound(ranges_.begin(), ranges_.end(), begin,
                                [](const Range& r, std::uint64_t value) { return r.end < value; });
  auto last = first;
  for (; last != ranges_.end() && last->begin <= end; ++last) {
    begin = std::min(begin, last->begin);
    end = std::max(end, last->end);
  }
  if (first == last) {
    ranges_.insert(first, Range{begin, end});
    return;
  }
  *first = Range{begin, end};
  ranges_.erase(first + 1, last);
}

void RangeSet::remove(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto at = std::lower_bound(ranges_.begin(), ranges_.end(), begin,
                             [](const Range& r, std::uint64_t value) { return r.end <= value; });
  while (at != ranges_.end() && at->begin < end) {
    const Range whole = *at;
    at = ranges_.erase(at);
    if (whole.end > end) at = ranges_.insert(at, Range{end, whole.end});
    if (whole.begin < begin) at = ranges_.insert(at, Range{whole.begin, begin}) + 1;
    if (whole.end > end) break;
  }
}

bool RangeSet::contains(std::uint64_t value) const {
  const auto at = std::lower_bound(ranges_.begin(), ranges_.end(), value,
                                   [](const Range& r, std::uint64_t v) { return r.end <= v; });
  return at != ranges_.end() && at->begin <= value;
}

}  // namespace linnet::overlay
