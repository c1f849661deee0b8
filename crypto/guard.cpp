#include "crypto/guard.h"

#include <algorithm>

namespace linnet::crypto {
namespace {

constexpr std::chrono::minutes kCookieLife{2};

Hash256 mac1_key(ByteView responder_key) { return hash256({view("linnet-1 mac1"), responder_key}); }

Mac cookie(const Suite& suite, const Secret& secret, const Endpoint& source) {
  Writer bytes(kMaxEndpointBytes);
  write(bytes, source);
  return suite.mac(secret.bytes(), {bytes.written()});
}

}  // namespace

Mac1::Mac1(const Suite& suite, ByteView responder_key) : suite_(&suite), key_(mac1_key(responder_key)) {}

Mac Mac1::compute(ByteView message) const { return suite_->mac(key_, {message}); }

bool Mac1::check(ByteView message, const Mac& mac) const { return same(compute(message), mac); }

CookieJar::CookieJar(const Suite& suite, Rng& rng) : suite_(&suite), rng_(&rng) {}

void CookieJar::rotate(Time now) {
  const auto age = now - rotated_at_;
  if (fresh_ && age < kCookieLife) return;
  previous_ = fresh_ && age < 2 * kCookieLife ? current_ : Secret(rng_->array<32>());
  current_ = Secret(rng_->array<32>());
  rotated_at_ = now;
  fresh_ = true;
}

Mac CookieJar::cookie_for(Time now, const Endpoint& source) {
  rotate(now);
  return cookie(*suite_, current_, source);
}

bool CookieJar::check_mac2(Time now, const Endpoint& source, ByteView message, const Mac& mac2) {
  rotate(now);
  for (const auto* secret : {&current_, &previous_}) {
    if (same(suite_->mac(cookie(*suite_, *secret, source), {message}), mac2)) return true;
  }
  return false;
}

PrefixLimiter::PrefixLimiter(double tokens_per_second, double burst, std::size_t capacity)
    : rate_(tokens_per_second), burst_(burst), capacity_(std::max<std::size_t>(capacity, 1)) {}

void PrefixLimiter::Table::forget_oldest() {
  index.erase(buckets.back().prefix);
  buckets.pop_back();
}

void PrefixLimiter::forget_full(Time now) {
  for (int i = 0; i < 2 && !table_->buckets.empty(); ++i) {
    const auto& oldest = table_->buckets.back();
    const double elapsed = now > oldest.at ? std::chrono::duration<double>(now - oldest.at).count() : 0;
    if (oldest.tokens + (elapsed * rate_) < burst_) return;
    table_->forget_oldest();
  }
}

PrefixLimiter::Bucket& PrefixLimiter::touch(Time now, const ByteArray<7>& prefix) {
  auto& [buckets, index] = *table_;
  if (const auto found = index.find(prefix); found != index.end()) {
    buckets.splice(buckets.begin(), buckets, found->second);
    return buckets.front();
  }
  if (buckets.size() >= capacity_) table_->forget_oldest();
  buckets.push_front({prefix, burst_, now});
  index.emplace(prefix, buckets.begin());
  return buckets.front();
}

bool PrefixLimiter::allow(Time now, const IpAddress& source, double cost) {
  if (!table_) table_ = std::make_unique<Table>();
  forget_full(now);
  auto& bucket = touch(now, source.prefix());
  if (now > bucket.at) {
    const double elapsed = std::chrono::duration<double>(now - bucket.at).count();
    bucket.tokens = std::min(burst_, bucket.tokens + (elapsed * rate_));
    bucket.at = now;
  }
  if (bucket.tokens < cost) {
    ++refused_;
    return false;
  }
  bucket.tokens -= cost;
  return true;
}

std::size_t PrefixLimiter::Hash::operator()(const ByteArray<7>& p) const noexcept {
  std::uint64_t v = 0;
  std::memcpy(&v, p.data(), p.size());
  v *= 0x9e3779b97f4a7c15U;
  return static_cast<std::size_t>(v ^ (v >> 32));
}

}  // namespace linnet::crypto
