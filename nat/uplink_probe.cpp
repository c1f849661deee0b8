#include "nat/uplink_probe.h"

#include <algorithm>

#include "nat/stun_builder.h"

namespace linnet::nat {
namespace {

constexpr std::size_t kAttributeHeader = 4;
constexpr std::size_t kFingerprint = 8;

std::size_t on_the_wire(const Endpoint& to) { return UplinkProbe::kSize + 8 + (to.ip.is_v4() ? 20 : 40); }

Bytes padded_request(const stun::TransactionId& id) {
  stun::Builder out(stun::Class::request, stun::Method::binding, id);
  const Bytes padding(UplinkProbe::kSize - stun::kHeaderBytes - kAttributeHeader - kFingerprint);
  return out.bytes(stun::Attr::padding, padding).fingerprint().take();
}

}  // namespace

UplinkProbe::UplinkProbe(Time now, Rng& rng, std::vector<Endpoint> servers) : rng_(rng), servers_(std::move(servers)) {
  if (servers_.size() > kTrains) servers_.resize(kTrains);
  begin(now);
}

void UplinkProbe::begin(Time now) {
  if (over()) return;
  ids_.clear();
  answers_.clear();
  until_ = now + kPatience;
  for (std::size_t i = 0; i < kTrain; ++i) {
    ids_.push_back(rng_.array<12>());
    out_.push_back({servers_[done_], padded_request(ids_.back())});
  }
}

void UplinkProbe::handle(Time now, const Endpoint& from, const stun::Message& message) {
  if (over() || !message.is(stun::Class::success, stun::Method::binding) || !same_place(from, servers_[done_])) return;
  const auto id = std::find(ids_.begin(), ids_.end(), message.id());
  if (id == ids_.end()) return;
  const auto number = static_cast<std::size_t>(id - ids_.begin());
  const auto known = [&](const Answer& a) { return a.number == number; };
  if (std::any_of(answers_.begin(), answers_.end(), known)) return;
  answers_.push_back({number, now});
  if (answers_.size() == kTrain) end(now);
}

void UplinkProbe::handle_timeout(Time now) {
  if (!over() && until_ <= now) end(now);
}

void UplinkProbe::end(Time now) {
  if (const auto one = rate()) rates_.push_back(*one);
  ++done_;
  begin(now);
}

// From the first answer to the last: what lies between them had to pass the narrow link meanwhile, whether each was
// answered or not.
std::optional<std::uint64_t> UplinkProbe::rate() const {
  if (answers_.size() < kEnough) return std::nullopt;
  const auto earlier = [](const Answer& a, const Answer& b) { return a.number < b.number; };
  const auto [first, last] = std::minmax_element(answers_.begin(), answers_.end(), earlier);
  const auto bits = (last->number - first->number) * on_the_wire(servers_[done_]) * 8;
  const auto took = micros(last->at - first->at);
  if (took <= 0) return kMost;
  return std::min<std::uint64_t>(kMost, bits * 1'000'000 / static_cast<std::uint64_t>(took));
}

std::optional<std::uint64_t> UplinkProbe::found() const {
  if (!over() || rates_.empty()) return std::nullopt;
  auto sorted = rates_;
  std::sort(sorted.begin(), sorted.end());
  return sorted[(sorted.size() - 1) / 2];  // of two the lower
}

std::optional<Transmit> UplinkProbe::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

}  // namespace linnet::nat
