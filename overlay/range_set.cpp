#include "overlay/range_set.h"

#include <algorithm>

namespace linnet::overlay {

void RangeSet::add(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  if (!several_ && (one_.empty() || (begin <= one_.end && one_.begin <= end))) {
    one_ = one_.empty() ? Range{begin, end} : Range{std::min(begin, one_.begin), std::max(end, one_.end)};
    return;
  }
  auto& ranges = spread();
  auto first = std::lower_bound(ranges.begin(), ranges.end(), begin,
                                [](const Range& r, std::uint64_t value) { return r.end < value; });
  auto last = first;
  for (; last != ranges.end() && last->begin <= end; ++last) {
    begin = std::min(begin, last->begin);
    end = std::max(end, last->end);
  }
  if (first == last) {
    ranges.insert(first, Range{begin, end});
    return;
  }
  *first = Range{begin, end};
  ranges.erase(first + 1, last);
  settle();
}

void RangeSet::remove(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end || (!several_ && (end <= one_.begin || one_.end <= begin))) return;
  auto& ranges = spread();
  auto at = std::lower_bound(ranges.begin(), ranges.end(), begin,
                             [](const Range& r, std::uint64_t value) { return r.end <= value; });
  while (at != ranges.end() && at->begin < end) {
    const Range whole = *at;
    at = ranges.erase(at);
    if (whole.end > end) at = ranges.insert(at, Range{end, whole.end});
    if (whole.begin < begin) at = ranges.insert(at, Range{whole.begin, begin}) + 1;
    if (whole.end > end) break;
  }
  settle();
}

bool RangeSet::contains(std::uint64_t value) const {
  const auto in = ranges();
  const auto at =
      std::lower_bound(in.begin(), in.end(), value, [](const Range& r, std::uint64_t v) { return r.end <= v; });
  return at != in.end() && at->begin <= value;
}

bool RangeSet::stands_apart(std::uint64_t begin, std::uint64_t end) const {
  const auto in = ranges();
  const auto at =
      std::lower_bound(in.begin(), in.end(), begin, [](const Range& r, std::uint64_t v) { return r.end < v; });
  return at == in.end() || at->begin > end;
}

void RangeSet::drop_front() {
  if (!several_) {
    one_ = {};
    return;
  }
  several_->erase(several_->begin());
  settle();
}

// As a list, while it is worked on.
std::vector<RangeSet::Range>& RangeSet::spread() {
  if (!several_) {
    several_ = std::make_unique<std::vector<Range>>();
    if (!one_.empty()) several_->push_back(one_);
    one_ = {};
  }
  return *several_;
}

void RangeSet::settle() {
  if (several_->size() > 1) return;
  one_ = several_->empty() ? Range{} : several_->front();
  several_.reset();
}

}  // namespace linnet::overlay
