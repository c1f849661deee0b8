#include "dht/routing_table.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace linnet::dht {

RoutingTable::RoutingTable(const Contact& self, std::size_t k, std::size_t max_contacts, std::size_t wide)
    : device_(self.device), position_(self.position), k_(k), wide_(wide), book_(max_contacts) {}

std::size_t RoutingTable::index_of(const Contact& contact) const {
  return static_cast<std::size_t>(common_prefix(position_, contact.position));
}

RoutingTable::Bucket& RoutingTable::bucket_for(const Contact& contact) {
  const auto index = index_of(contact);
  if (buckets_.size() <= index) {
    buckets_.reserve(index + 1);  // there is seldom a deeper one than the deepest
    buckets_.resize(index + 1);
  }
  return buckets_[index];
}

void RoutingTable::count_good(Bucket& bucket, int by) {
  good_ += static_cast<std::size_t>(by);
  bucket.good += static_cast<std::size_t>(by);
  ++generation_;
}

// Who differs from us first at a bit where the target does too has the target's bit there, and is nearer; else we are.
std::size_t RoutingTable::nearer_than_self(const Id& target, std::size_t from_bucket) const {
  std::size_t out = 0;
  const auto far = distance(position_, target);
  for (auto i = std::max(from_bucket, static_cast<std::size_t>(common_prefix(position_, target))); i < buckets_.size();
       ++i) {
    if ((far.bytes[i / 8] >> (7 - i % 8) & 1) != 0) out += buckets_[i].good;
  }
  return out;
}

bool RoutingTable::self_among_nearest(const Id& target, std::size_t n) const {
  if (good_ >= n && alone()) {
    const bool few_nearer = nearer_than_self(target) < n;
    if (few_nearer || crowded_ == 0) return few_nearer;
  }
  const auto near = nearest(target, n);  // candidates count as well
  return among_first(target, position_, n, near.size(),
                     [&](std::size_t i) -> const Id& { return book_.at(near[i]).contact.position; });
}

// All of one place are in one bucket, but those of our own.
bool RoutingTable::has_company(const Bucket& bucket, Handle handle) const {
  if (&bucket - buckets_.data() >= kPlaceBits) return false;
  const auto lead = book_.lead(handle);
  return std::any_of(bucket.live.begin(), bucket.live.end(),
                     [&](Handle h) { return h != handle && one_place(book_.lead(h), lead); });
}

void RoutingTable::stand(Bucket& bucket, Handle handle) {
  crowded_ += has_company(bucket, handle) ? 1 : 0;
  bucket.live.push_back(handle);
}

bool RoutingTable::wants(const Contact& contact) const {
  if (contact.device == device_ || contact.position == position_) return false;
  if (const auto* known = book_.find(contact.device)) {
    return known->failures > 0 || (!known->live && known->contact != contact);
  }
  if (book_.full()) return false;
  const auto index = index_of(contact);
  return index >= buckets_.size() || buckets_[index].live.size() < room(index) ||
         buckets_[index].candidates.size() < kCandidates;
}

bool RoutingTable::diverse(const Bucket& bucket, const Contact& contact) const {
  if (!contact.endpoint.ip.is_global()) return true;
  const auto prefix = contact.endpoint.ip.prefix();
  const auto same = [&](Handle h) {
    const auto& other = book_.at(h).contact;
    return other.device != contact.device && other.endpoint.ip.prefix() == prefix;
  };
  std::size_t in_table = 0;
  for (const auto& b : buckets_)
    in_table += static_cast<std::size_t>(std::count_if(b.live.begin(), b.live.end(), same));
  const auto in_bucket = static_cast<std::size_t>(std::count_if(bucket.live.begin(), bucket.live.end(), same));
  return in_bucket < kPerPrefixInBucket && in_table < kPerPrefixInTable;
}

bool RoutingTable::answered(Time now, const Contact& contact, std::optional<Duration> rtt) {
  if (contact.device == device_ || contact.position == position_) return false;
  if (const auto handle = book_.handle_of(contact.device)) {
    auto& entry = book_.at(*handle);
    if (entry.contact != contact) {
      if (entry.live && entry.failures == 0) return false;  // the old one is alive: it keeps its place
      remove(bucket_for(entry.contact), *handle);
    } else {
      entry.heard = now;
      if (entry.live && entry.failures >= kBad) count_good(bucket_for(contact), 1);
      entry.failures = 0;
      measure(entry, rtt);
      return false;
    }
  }
  if (book_.full()) return false;
  auto& bucket = bucket_for(contact);
  const bool live = bucket.live.size() < room(index_of(contact)) && diverse(bucket, contact);
  if (!live && bucket.candidates.size() >= kCandidates) return false;
  const auto handle = book_.add(contact);
  auto& entry = book_.at(handle);
  entry.heard = now;
  entry.live = live;
  if (live) count_good(bucket, 1);
  measure(entry, rtt);
  if (live) {
    stand(bucket, handle);
  } else {
    bucket.candidates.push_back(handle);
  }
  return live;
}

// Most are asked seldom, and twice or three times the round trip is long for who waits for one that died: so how much
// others vary is what one is given that was heard once.
void RoutingTable::measure(BookEntry& entry, std::optional<Duration> rtt) {
  if (!rtt) return entry.rtt.doubt();
  if (entry.rtt.measured()) varies_ += (entry.rtt.off(*rtt) - varies_) / 16;
  entry.rtt.add(*rtt, std::clamp(varies_, kLeastVaries, 0.5F));
}

void RoutingTable::move_to(const Contact& self) {
  std::vector<Handle> live, candidates;
  for (const auto& bucket : buckets_) {
    live.insert(live.end(), bucket.live.begin(), bucket.live.end());
    candidates.insert(candidates.end(), bucket.candidates.begin(), bucket.candidates.end());
  }
  device_ = self.device;
  position_ = self.position;
  buckets_.clear();
  good_ = 0;
  crowded_ = 0;
  ++generation_;
  for (const auto& group : {live, candidates}) {
    for (const auto handle : group) replace(handle);
  }
}

void RoutingTable::replace(Handle handle) {
  auto& entry = book_.at(handle);
  if (entry.contact.position == position_) return book_.remove(handle);
  auto& bucket = bucket_for(entry.contact);
  entry.live = bucket.live.size() < room(index_of(entry.contact)) && diverse(bucket, entry.contact);
  if (!entry.live && bucket.candidates.size() >= kCandidates) return book_.remove(handle);
  if (entry.live && entry.failures < kBad) count_good(bucket, 1);
  if (entry.live) {
    stand(bucket, handle);
  } else {
    bucket.candidates.push_back(handle);
  }
}

void RoutingTable::remove(Bucket& bucket, Handle handle) {
  const auto& entry = book_.at(handle);
  if (entry.live && entry.failures < kBad) count_good(bucket, -1);
  if (entry.live && has_company(bucket, handle)) --crowded_;
  std::erase(bucket.live, handle);
  std::erase(bucket.candidates, handle);
  book_.remove(handle);
}

void RoutingTable::promote(Bucket& bucket) {
  const auto limit = room(static_cast<std::size_t>(&bucket - buckets_.data()));
  while (bucket.live.size() < limit) {
    const auto fit = std::find_if(bucket.candidates.rbegin(), bucket.candidates.rend(), [&](Handle h) {
      return book_.at(h).failures == 0 && diverse(bucket, book_.at(h).contact);
    });
    if (fit == bucket.candidates.rend()) return;
    const auto handle = *fit;
    std::erase(bucket.candidates, handle);
    book_.at(handle).live = true;
    count_good(bucket, 1);
    stand(bucket, handle);
  }
}

void RoutingTable::failed(const Contact& contact) {
  const auto handle = book_.handle_of(contact.device);
  if (!handle || book_.at(*handle).contact != contact) return;
  auto& entry = book_.at(*handle);
  if (entry.failures < kDead) ++entry.failures;
  auto& bucket = bucket_for(contact);
  if (entry.live && entry.failures == kBad) count_good(bucket, -1);
  const bool replaceable = std::any_of(bucket.candidates.begin(), bucket.candidates.end(),
                                       [&](Handle h) { return h != *handle && book_.at(h).failures == 0; });
  if (entry.failures >= kDead || (entry.failures >= kBad && (replaceable || !entry.live))) {
    remove(bucket, *handle);
    promote(bucket);
  }
}

void RoutingTable::gather(const Id& target, std::size_t bucket, bool candidates, std::vector<Near>& out) const {
  if (bucket >= buckets_.size()) return;
  const auto lead = dht::lead(target);
  for (const auto h : buckets_[bucket].live) out.push_back({book_.lead(h) ^ lead, h});
  if (!candidates) return;
  for (const auto h : buckets_[bucket].candidates) out.push_back({book_.lead(h) ^ lead, h});
}

// The usual case of take_nearest: many are there for the few that are wanted, and none of those is bad. False: nothing
// was done.
bool RoutingTable::take_best(const Id& target, std::size_t n, std::vector<Near>& from, std::vector<Handle>& out) const {
  const auto wanted = n - std::min(n, out.size());
  if (wanted == 0 || wanted > kFew || from.size() < 2 * wanted) return false;
  std::array<Near, kFew> best;  // nearest first
  std::size_t size = 0;
  for (const auto& one : from) {
    const auto before = [&](const Near& a, const Near& b) {
      if (a.distance != b.distance) return a.distance < b.distance;
      return nearer(target, book_.at(a.handle).contact.position, book_.at(b.handle).contact.position);
    };
    if (size == wanted && !before(one, best[size - 1])) continue;
    auto at = size < wanted ? size++ : size - 1;
    for (; at > 0 && before(one, best[at - 1]); --at) best[at] = best[at - 1];
    best[at] = one;
  }
  for (std::size_t i = 0; i < size; ++i) book_.prefetch(best[i].handle);
  for (std::size_t i = 0; i < size; ++i) {
    if (book_.at(best[i].handle).failures >= kBad) return false;
  }
  for (std::size_t i = 0; i < size; ++i) out.push_back(best[i].handle);
  from.clear();
  return true;
}

// Moves the nearest that are not bad from `from` to `out` until there are n; true when there are. Only those that are
// taken are looked at beyond their distance.
bool RoutingTable::take_nearest(const Id& target, std::size_t n, std::vector<Near>& from,
                                std::vector<Handle>& out) const {
  const auto farther = [&](const Near& a, const Near& b) {
    if (a.distance != b.distance) return a.distance > b.distance;
    return nearer(target, book_.at(b.handle).contact.position, book_.at(a.handle).contact.position);
  };
  if (take_best(target, n, from, out)) return true;
  std::make_heap(from.begin(), from.end(), farther);
  for (std::size_t i = 0; i < std::min(n, from.size()); ++i) book_.prefetch(from[i].handle);  // most of those to come
  while (!from.empty() && out.size() < n) {
    std::pop_heap(from.begin(), from.end(), farther);
    const auto handle = from.back().handle;
    from.pop_back();
    if (book_.at(handle).failures < kBad) out.push_back(handle);
  }
  from.clear();
  return out.size() >= n;
}

void RoutingTable::collect(const Id& target, std::size_t n, bool candidates, std::vector<Handle>& out) const {
  // Three kinds of buckets in order of distance: the target's own; all deeper ones together; then the shallower, one by
  // one.
  const auto own = static_cast<std::size_t>(common_prefix(position_, target));
  std::vector<Near> group;
  group.reserve(own < wide_ ? room(own) : 64);
  gather(target, own, candidates, group);
  if (take_nearest(target, n, group, out)) return;
  for (std::size_t i = own + 1; i < buckets_.size(); ++i) gather(target, i, candidates, group);
  if (take_nearest(target, n, group, out)) return;
  for (std::size_t i = std::min(own, buckets_.size()); i-- > 0;) {
    gather(target, i, candidates, group);
    if (take_nearest(target, n, group, out)) return;
  }
}

bool RoutingTable::covers(const Id& target, std::size_t n) const {
  const auto own = static_cast<std::size_t>(common_prefix(position_, target));
  const auto near = nearest(target, n);
  if (near.size() < n) return false;
  const auto& last = farthest(target, near);
  if (!nearer(target, position_, last.position)) return false;
  // Whoever is missing would be no farther than the last of these, so it would stand in one of these buckets.
  for (auto i = std::min(own, index_of(last)); i < buckets_.size(); ++i) {
    if (buckets_[i].live.size() >= room(i)) return false;
  }
  return true;
}

const Contact& RoutingTable::farthest(const Id& target, const std::vector<Handle>& from) const {
  const auto at = [&](Handle h) -> const Contact& { return book_.at(h).contact; };
  return at(*std::max_element(from.begin(), from.end(),
                              [&](Handle a, Handle b) { return nearer(target, at(a).position, at(b).position); }));
}

std::vector<Handle> RoutingTable::nearest(const Id& target, std::size_t n) const {
  std::vector<Handle> out;
  out.reserve(std::min(n, book_.size()));
  collect(target, n, false, out);
  const bool few = out.size() < n;
  // Where places are crowded more are looked at, until there are enough places, or nobody is left.
  for (auto wanted = n;; wanted *= 2) {
    if (few || wanted > n) {
      out.clear();
      collect(target, wanted, few, out);
    }
    if (out.size() > wanted) out.resize(wanted);
    const bool all = out.size() < wanted;
    const auto places = one_of_each_place_first(out, [&](Handle h) { return book_.lead(h); });
    if (places >= n || all || n == 0) break;
  }
  if (out.size() > n) out.resize(n);
  return out;
}

// From the nearest places around us; those that share our own are counted apart, and each of the others has as many as
// the mean of all that we know.
double RoutingTable::estimated_network_size() const {
  auto near = nearest(position_, 8);
  std::erase_if(near, [&](Handle h) { return one_place(book_.lead(h), lead(position_)); });
  const auto places = static_cast<double>(one_of_each_place_first(near, [&](Handle h) { return book_.lead(h); }));
  std::size_t mates = 0;
  for (std::size_t i = kPlaceBits; i < buckets_.size(); ++i) mates += buckets_[i].good;
  if (near.empty()) return 1 + static_cast<double>(mates);
  const auto far = distance(position_, farthest(position_, near).position);
  double share = 0;  // of the key space that lies within the distance of the last of them
  for (std::size_t i = 0; i < 8; ++i)
    share += std::ldexp(static_cast<double>(far.bytes[i]), -8 * static_cast<int>(i + 1));
  const auto others = static_cast<double>(good_ - mates);
  const auto each = others > static_cast<double>(crowded_) ? others / (others - static_cast<double>(crowded_)) : 1;
  return 1 + static_cast<double>(mates) + each * std::max(places, share > 0 ? places / share : places);
}

double RoutingTable::least_network_size() const {
  std::size_t known = 1;
  std::size_t depth = buckets_.size();
  while (depth > 0 && buckets_[depth - 1].live.size() < room(depth - 1)) known += buckets_[--depth].good;
  return std::min(estimated_network_size(), std::ldexp(static_cast<double>(known), static_cast<int>(depth)));
}

std::optional<std::size_t> RoutingTable::take_stale_bucket(Time now, Time limit) {
  const auto oldest = std::min_element(buckets_.begin(), buckets_.end(),
                                       [](const Bucket& a, const Bucket& b) { return a.looked_up < b.looked_up; });
  if (oldest == buckets_.end() || oldest->looked_up >= limit) return std::nullopt;
  oldest->looked_up = now;
  return static_cast<std::size_t>(oldest - buckets_.begin());
}

Id RoutingTable::random_in(std::size_t bucket, Rng& rng) const {
  Id out{rng.array<32>()};
  for (std::size_t bit = 0; bit <= bucket && bit < 256; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    auto own = static_cast<std::uint8_t>(position_.bytes[bit / 8] & mask);
    if (bit == bucket) own ^= mask;
    out.bytes[bit / 8] = static_cast<std::uint8_t>((out.bytes[bit / 8] & ~mask) | own);
  }
  return out;
}

std::size_t RoutingTable::memory_bytes() const {
  std::size_t out = sizeof(*this) + buckets_.capacity() * sizeof(Bucket);
  for (const auto& b : buckets_) out += (b.live.capacity() + b.candidates.capacity()) * sizeof(Handle);
  return out;
}

bool RoutingTable::sane() const {
  std::size_t handles = 0;
  std::size_t good = 0;
  std::size_t crowded = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const auto& b = buckets_[i];
    if (b.live.size() > room(i) || b.candidates.size() > kCandidates) return false;
    std::size_t good_here = 0;
    for (const auto h : b.live) {
      if (book_.at(h).failures < kBad) ++good_here;
      if (!book_.at(h).live || index_of(book_.at(h).contact) != i || !diverse(b, book_.at(h).contact)) return false;
    }
    for (const auto h : b.candidates) {
      if (book_.at(h).live || index_of(book_.at(h).contact) != i) return false;
    }
    if (good_here != b.good) return false;
    for (auto at = b.live.begin(); i < kPlaceBits && at != b.live.end(); ++at) {
      const auto same = [&](Handle h) { return one_place(book_.lead(h), book_.lead(*at)); };
      crowded += std::any_of(b.live.begin(), at, same) ? 1 : 0;
    }
    good += good_here;
    handles += b.live.size() + b.candidates.size();
  }
  return handles == book_.size() && good == good_ && crowded == crowded_;
}

}  // namespace linnet::dht
