#include "node/io/candidacy.h"

#include "node/io/clock.h"

namespace linnet::io {

Time Candidacy::now() { return io::now(); }

Candidacy::Candidacy(Loop& loop, Rng& rng, const node::Fitness::Limits& limits, ReachWatch& reach, Ears ears)
    : loop_(loop), rng_(rng), reach_(reach), ears_(std::move(ears)), fitness_(limits), metered_(loop), began_(now()) {
  (void)sleep_.slept();
}
Candidacy::~Candidacy() = default;

void Candidacy::set_mapped(std::optional<Endpoint> datagrams, bool streams) {
  mapped_ = std::move(datagrams);
  mapped_streams_ = streams;
  settle();
}

void Candidacy::set_serving(bool serving) {
  serving_ = serving;
  fitness_.set_serving(serving);
  settle();
}

void Candidacy::look() {
  auto state = machine_.look();
  state.metered = link_;
  idle_ = idle_ ? *idle_ + (state.idle_cores - *idle_) * kShareOfNew : state.idle_cores;
  state.idle_cores = *idle_;
  if (packets_ == 0) packets_ = packets_per_core_second();
  state.packets_per_core_second = packets_;
  fitness_.set_machine(now(), state);
}

void Candidacy::every_second() {
  if (sleep_.slept()) fitness_.slept(now());
  // Nobody looks at a machine that cannot be reached anyway.
  if (!reach_.datagrams() && !mapped_ && !serving_) return settle();
  if (look_at_ <= now()) {
    look_at_ = now() + kLook;
    look();
  }
  if (ask_link_at_ <= now()) {
    ask_link_at_ = now() + kAskLink;
    metered_.ask([this](std::optional<bool> metered) { link_ = metered; });
  }
  if (uplink_ && ears_.busy()) uplink_.reset();  // the line is a call's; another time
  if (!uplink_ && fitness_.wants_uplink(now()) && !ears_.busy()) measure_uplink();
  settle();
}

void Candidacy::measure_uplink() {
  auto servers = ears_.supernodes();
  const auto own = reach_.datagrams() ? reach_.datagrams() : mapped_;
  std::erase_if(servers, [&](const Endpoint& at) { return own && at.ip.is_v4() != own->ip.is_v4(); });
  uplink_ = UplinkMeasure::begin(loop_, rng_, std::move(servers), [this](std::optional<std::uint64_t> rate) {
    fitness_.set_uplink(now(), rate);
    uplink_.reset();
    settle();
  });
}

// Those that were asked may have died all at once, or be kept busy by somebody who wants us gone: who serves asks
// others before it counts, and goes on while there are some who come in by themselves.
bool Candidacy::lost_for_now(bool reached) {
  if (const auto came = ears_.came_in(); came != came_in_) {
    came_in_ = came;
    came_at_ = now();
  }
  if (!serving_ || reached) {
    lost_at_ = kNever;
    return false;
  }
  if (lost_at_ == kNever || (now() >= lost_at_ + kSecondLook && now() < came_at_ + kVisited)) {
    lost_at_ = now();
    reach_.again();
  }
  return now() < lost_at_ + kSecondLook;
}

void Candidacy::settle() {
  const bool own = reach_.datagrams().has_value();
  const auto at = own ? reach_.datagrams() : mapped_;
  const bool streams = own ? reach_.streams() : mapped_streams_;
  if (!lost_for_now(at.has_value())) fitness_.set_reach(now(), at, streams, reach_.refuted() && !mapped_);
  const auto found = fit();
  // Who serves already is not known yet when this begins.
  if (!told_ && !found && serving_ && now() < began_ + 2 * kSecondLook) return;
  if (told_ == std::optional(found)) return;
  told_ = found;
  ears_.changed();
}

}  // namespace linnet::io
