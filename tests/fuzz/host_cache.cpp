// The file of the host cache as a disk may give it back: as it is, and with a sum that is right. What is read is within
// its bounds, reads the same when it is written again, and is lived with.
#include "overlay/host_cache.h"

#include "require.h"

using namespace linnet;
using namespace linnet::overlay;

namespace {

void live_with(HostCache cache) {
  SeededRng rng(1);
  const auto all = cache.candidates(HostCache::kCapacity + 1, rng);
  fuzz::require(all.size() == cache.size() && cache.candidates(3, rng).size() <= 3);
  fuzz::require(cache.to_test(rng).has_value() || cache.size() == 0 || all.front().proven());
  const auto way = cache.latest_way();
  fuzz::require(!way || static_cast<std::size_t>(*way) < kWays);
  dht::Contact fresh;
  fresh.endpoint = {IpAddress::v4(203, 0, 113, 9), 4400, Transport::udp};
  fresh.device.bytes.fill(9);
  cache.heard_of(fresh, IpAddress::v4(203, 0, 113, 10));
  cache.succeeded(fresh, Way::udp, Wall{1'800'000'000}, std::chrono::milliseconds(20));
  for (const auto& host : all) cache.failed(host.contact.endpoint);
  fuzz::require(cache.size() <= HostCache::kCapacity);
  cache.key(rng.array<16>());
  const auto written = cache.save();
  const auto again = HostCache::load(written);
  fuzz::require(again && again->save() == written);
}

void read(ByteView file) {
  auto cache = HostCache::load(file);
  if (!cache) return;
  fuzz::require(cache->size() <= HostCache::kCapacity);
  const auto written = cache->save();
  const auto again = HostCache::load(written);
  fuzz::require(again && again->size() == cache->size() && again->save() == written);
  live_with(std::move(*cache));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  read(bytes);
  auto summed = copy(bytes);
  append(summed, ByteView(crypto::hash256({bytes})).first(8));
  read(summed);
  return 0;
}
