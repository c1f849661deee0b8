#include "node/fitness.h"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace linnet::node {
namespace {

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

bool costs(const MachineState& machine) { return !machine.mains || machine.metered == true; }

}  // namespace

void Fitness::set_reach(Time now, const std::optional<Endpoint>& datagrams, bool streams, bool refuted) {
  refuted_ = refuted;
  if (datagrams != place_) {
    place_ = datagrams;
    since_ = now;
  }
  streams_ = datagrams && streams;
}

void Fitness::set_machine(Time now, const MachineState& machine) {
  machine_ = machine;
  if (!costs(machine)) {
    dear_since_ = kNever;
  } else if (dear_since_ == kNever) {
    dear_since_ = now;
  }
}

void Fitness::set_uplink(Time now, std::optional<std::uint64_t> rate) {
  uplink_at_ = now;
  if (rate) uplink_ = rate;
}

void Fitness::set_month_left(Time, bool left) { month_left_ = left; }

void Fitness::slept(Time now) {
  slept_ = true;
  since_ = now;
}

Time Fitness::stable_at() const { return since_ + limits_.stable * (slept_ ? kAfterSleep : 1); }

bool Fitness::costs_nothing(Time now) const {
  if (!machine_) return false;
  return dear_since_ == kNever || (serving_ && now < dear_since_ + kGrace);
}

bool Fitness::has_enough() const {
  return machine_->idle_cores >= limits_.idle && machine_->memory_free >= kLeastMemory &&
         machine_->packets_per_core_second >= kLeastPackets && month_left_;
}

bool Fitness::wants_uplink(Time now) const {
  if (serving_ || !place_ || !streams_ || now < stable_at() || !costs_nothing(now) || !has_enough()) return false;
  return !uplink_at_ || now - *uplink_at_ >= kLookAgain;
}

// A power of two: it is told to others, who need not hear of each little change.
std::uint32_t Fitness::leaves() const {
  const auto by_cpu = machine_->packets_per_core_second * std::max(machine_->idle_cores, kLeastIdle) / kPacketsPerLeaf;
  const auto out = std::min({static_cast<double>(uplink_.value_or(kLeastUplink) / kUplinkPerLeaf),
                             static_cast<double>(machine_->memory_free / kMemoryPerLeaf), by_cpu});
  const auto most = static_cast<std::uint32_t>(std::clamp(out, 1.0, static_cast<double>(limits_.leaves)));
  return std::bit_floor(most);
}

std::optional<Fitness::Fit> Fitness::fit(Time now) const {
  if (!place_ || !costs_nothing(now)) return std::nullopt;
  if (!serving_) {
    if (!streams_ || now < stable_at() || !has_enough()) return std::nullopt;
    if (!uplink_ || *uplink_ < kLeastUplink) return std::nullopt;
  }
  return Fit{*place_, leaves()};
}

FitnessCheck Fitness::stable_check(Time now) const {
  if (!place_) return {"stable", std::nullopt, "not before datagrams come in"};
  const auto wanted = std::to_string(std::chrono::ceil<std::chrono::minutes>(stable_at() - since_).count());
  const auto so_far = std::to_string(std::chrono::floor<std::chrono::minutes>(now - since_).count());
  return {"stable", now >= stable_at(),
          so_far + " min at this endpoint, " + wanted + " asked" + (slept_ ? " since this machine slept" : "")};
}

FitnessCheck Fitness::uplink_check() const {
  if (!uplink_) return {"uplink", std::nullopt, uplink_at_ ? "could not be measured" : "measured when all else is met"};
  return {"uplink", *uplink_ >= kLeastUplink, number("%.1f Mbit/s", static_cast<double>(*uplink_) / 1e6)};
}

FitnessCheck Fitness::cpu_check() const {
  if (!machine_) return {"cpu", std::nullopt, "not looked at yet"};
  return {"cpu", machine_->idle_cores >= limits_.idle && machine_->packets_per_core_second >= kLeastPackets,
          number("%.1f cores idle", machine_->idle_cores) +
              number(", %.0f packets a core second", machine_->packets_per_core_second)};
}

FitnessCheck Fitness::memory_check() const {
  if (!machine_) return {"memory", std::nullopt, "not looked at yet"};
  return {"memory", machine_->memory_free >= kLeastMemory,
          number("%.0f MB free", static_cast<double>(machine_->memory_free) / 1e6)};
}

std::vector<FitnessCheck> Fitness::checks(Time now) const {
  std::vector<FitnessCheck> out;
  const auto known = [&](bool met) {
    return met ? std::optional(true) : refuted_ ? std::optional(false) : std::nullopt;
  };
  out.push_back({"datagrams", known(place_.has_value()),
                 place_     ? "anybody's come in at " + place_->to_string()
                 : refuted_ ? "supernodes tried, and nobody's come in unasked"
                            : "nobody's are known to come in unasked"});
  out.push_back({"streams", place_ ? known(streams_) : std::nullopt,
                 streams_             ? "a supernode came in by TCP"
                 : place_ && refuted_ ? "supernodes tried, and none came in by TCP"
                                      : "no supernode is known to come in by TCP"});
  out.push_back(stable_check(now));
  const auto looked = [&](bool met) { return machine_ ? std::optional(met) : std::nullopt; };
  const bool battery = machine_ && !machine_->mains, metered = machine_ && machine_->metered == true;
  out.push_back({"power", looked(!battery), !machine_ ? "not looked at yet" : battery ? "on a battery" : "mains"});
  out.push_back({"link", looked(!metered),
                 !machine_           ? "not looked at yet"
                 : metered           ? "metered"
                 : machine_->metered ? "not metered"
                                     : "nobody says that it is metered"});
  out.push_back(cpu_check());
  out.push_back(memory_check());
  out.push_back({"month", month_left_, month_left_ ? "may pass on more this month" : "relay.month is used up"});
  out.push_back(uplink_check());
  return out;
}

Time Fitness::next_timeout() const {
  Time next = kNever;
  if (place_ && !serving_) next = stable_at();
  if (serving_ && dear_since_ != kNever) next = dear_since_ + kGrace;
  return next;
}

}  // namespace linnet::node
