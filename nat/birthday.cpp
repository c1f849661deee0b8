#include "nat/birthday.h"

#include <algorithm>

#include "nat/stun_builder.h"

namespace linnet::nat::birthday {

static_assert(Opener::kPasses * kSockets <= kProbes);

std::size_t Pace::due(Time now) {
  if (next_ > now) return 0;
  const auto missed = static_cast<std::size_t>((now - next_) / kInterval) + 1;
  const auto n = std::min<std::size_t>(missed, kCatchUp);
  next_ = std::max(next_ + static_cast<int>(missed) * kInterval, now + kInterval);
  return n;
}

Opener::Opener(Time now, Rng& rng, std::size_t sockets, const std::optional<Endpoint>& server)
    : sockets_(std::min(sockets, kSockets)),
      server_(server),
      measured_by_(now + kMeasuring),
      measured_(false),
      pace_(now) {
  const auto n = server_ ? std::min(kSamples, sockets_) : 0;
  for (std::size_t i = 0; i < n; ++i) samples_.push_back({rng.array<12>(), std::nullopt});
  measured_ = samples_.empty();
}

void Opener::handle(std::size_t socket, const stun::Message& message) {
  if (socket >= samples_.size() || !message.is(stun::Class::success, stun::Method::binding)) return;
  auto& sample = samples_[socket];
  if (message.id() != sample.id || sample.port || !message.understood_answer()) return;
  if (const auto mapped = message.endpoint(stun::Attr::xor_mapped_address)) sample.port = mapped->port;
  measured_ =
      measured_ || std::all_of(samples_.begin(), samples_.end(), [](const Sample& s) { return s.port.has_value(); });
}

std::optional<PortGuess> Opener::guess() const {
  std::vector<std::uint16_t> ports;
  for (const auto& s : samples_) {
    if (s.port) ports.push_back(*s.port);
  }
  return guess_ports(ports);
}

void Opener::aim(Time now, const Endpoint& target) {
  target_ = target;
  pace_ = Pace(std::max(now, pace_.next()));
}

void Opener::handle_timeout(Time now, std::vector<Shot>& out) {
  if (asked_ < samples_.size()) {
    for (auto n = pace_.due(now); n > 0 && asked_ < samples_.size(); --n, ++asked_) {
      stun::Builder request(stun::Class::request, stun::Method::binding, samples_[asked_].id);
      out.push_back({asked_, *server_, request.fingerprint().take()});
    }
    return;
  }
  measured_ = measured_ || now >= measured_by_;
  if (!target_ || !measured_) return;
  for (auto n = pace_.due(now); n > 0 && !done(); --n, ++opened_) {
    // The sockets that were measured with come last: theirs are no ports of the row that the guess begins.
    out.push_back({(samples_.size() + opened_) % sockets_, *target_, {}});
  }
}

Time Opener::next_timeout() const {
  if (asked_ < samples_.size()) return pace_.next();
  if (!measured_) return measured_by_;
  return target_ && !done() ? pace_.next() : kNever;
}

Prober::Prober(Time now, const IpAddress& target, std::optional<PortGuess> guess)
    : target_(target), plan_(guess), pace_(now) {}

void Prober::handle_timeout(Time now, Rng& rng, std::vector<Shot>& out) {
  for (auto n = done() ? 0 : pace_.due(now); n > 0 && !done(); --n, ++sent_)
    out.push_back({0, {target_, plan_.next(rng)}, {}});
}

}  // namespace linnet::nat::birthday
