#include "overlay/feelers.h"

#include <utility>

#include "overlay/hello.h"

namespace linnet::overlay {

void Feelers::handle_timeout(const Context& c, bool free, const HostCache& cache, std::optional<Way> way) {
  if (at_ > c.now) return;
  at_ = c.now + c.jittered(free ? kEvery : kAgain);
  if (!free || asked_) return;
  const auto contact = cache.to_test(c.rng);
  if (!contact) return;
  ConnectTo to;
  to.remote = contact->session;
  to.paths = {{PathKind::direct, by(way.value_or(Way::udp), contact->endpoint), 0, false}};
  to.give_up = kPatience;
  to.probe = true;
  if (const auto session = c.sessions.connect(c.now, std::move(to))) asked_ = Asked{*session, *contact};
}

std::optional<dht::Contact> Feelers::on_answer(const Context& c, const ProbeAnswered& answer) {
  const auto greeting = read_greeting(c.suite, c.config.network, answer.remote, answer.greeting);
  if (!greeting || greeting->contact.device != asked_->contact.device) return std::nullopt;
  asked_->answered = true;
  return asked_->contact;
}

std::optional<Endpoint> Feelers::on_down() {
  const auto asked = std::exchange(asked_, std::nullopt);
  return asked->answered ? std::nullopt : std::optional(asked->contact.endpoint);
}

}  // namespace linnet::overlay
