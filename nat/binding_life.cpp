#include "nat/binding_life.h"

#include <algorithm>

#include "nat/stun_builder.h"

namespace linnet::nat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using stun::Attr;

constexpr Duration kAlmostNothing = seconds(1);
constexpr Duration kLate = seconds(3);    // an answer may come so long after the first to the same request
constexpr Duration kPause = seconds(30);  // after the server did not answer
const stun::RetransmitPlan kLifePlan{milliseconds(500), 3, 3};
constexpr std::size_t kLifeFiller = 56;  // the answer may not be longer than its request (binding_server.h)

}  // namespace

BindingLife::BindingLife(Time now, const Endpoint& server, Rng& rng)
    : server_(server), rng_(rng), search_(kFirst, kLongest) {
  request(now, Step::open);
}

void BindingLife::request(Time now, Step step) {
  step_ = step;
  at_ = kNever;
  waits_for_ = rng_.array<12>();
  stun::Builder out(stun::Class::request, stun::Method::binding, waits_for_);
  out.fingerprint();
  if (!tested_.start(now, server_, waits_for_, out.take(), kLifePlan)) fail();
}

void BindingLife::ask(Time now) {
  step_ = Step::asking;
  at_ = kNever;
  waits_for_ = rng_.array<12>();
  stun::Builder out(stun::Class::request, stun::Method::binding, waits_for_);
  out.u16(Attr::response_port, mapped_port_).bytes(Attr::software, Bytes(kLifeFiller, ' ')).fingerprint();
  if (!asker_.start(now, server_, waits_for_, out.take(), kLifePlan)) fail();
}

void BindingLife::handle(Time now, By by, const stun::Message& message) {
  if (over()) return;
  if (by == By::tested && step_ == Step::quiet) return on_late(now, message);
  if (message.id() != waits_for_) return;
  const bool success = message.message_class() == stun::Class::success;
  if (step_ == Step::asking) {
    if (!asker_.handle(now, message)) return take_given_up(now);
    // An answer to the asking socket: a refusal, or a server that does not heed RESPONSE-PORT.
    if (by == By::other || !success) return fail();
    return still_there(now);
  }
  if (by == By::tested && tested_.handle(now, message)) return on_contact(now, message);
  take_given_up(now);
}

void BindingLife::on_contact(Time now, const stun::Message& message) {
  const auto mapped = message.endpoint(Attr::xor_mapped_address);
  if (message.message_class() != stun::Class::success || !mapped) return fail();
  failures_ = 0;
  mapped_port_ = mapped->port;
  if (std::exchange(silent_, false)) {
    conclude(false);
    if (over()) return;
  }
  const bool opened = step_ == Step::open;
  step_ = opened ? Step::settling : Step::quiet;
  quiet_since_ = now;
  at_ = now + (opened ? kSettle : trial());
}

Duration BindingLife::trial() const { return proven_ ? search_.next() : kAlmostNothing; }

// The answer to a request that had been sent again already: silence begins with it.
void BindingLife::on_late(Time now, const stun::Message& message) {
  if (message.id() != waits_for_ || now - quiet_since_ > kLate) return disturbed(now);
  at_ = now + trial();
}

void BindingLife::disturbed(Time) {
  if (step_ == Step::quiet) fail();
}

void BindingLife::on_no_server(Time now) {
  silent_ = false;
  if (++failures_ >= kMostFailures) return fail();
  step_ = Step::pausing;
  at_ = now + kPause;
}

void BindingLife::still_there(Time now) {
  if (std::exchange(proven_, true)) conclude(true);
  if (!over()) request(now, Step::refreshing);
}

void BindingLife::gone(Time now) {
  if (!proven_) return fail();
  silent_ = true;
  request(now, Step::open);
}

void BindingLife::conclude(bool still_there) {
  const auto after = search_.next();
  search_.outcome(still_there);
  if (!still_there) found_.dead = std::min(found_.dead.value_or(after), after);
  found_.alive = search_.known();
  found_.finished = search_.finished();
  news_ = true;
  if (found_.finished) step_ = Step::over;
}

void BindingLife::fail() {
  step_ = Step::over;
  at_ = kNever;
  found_.failed = true;
  news_ = true;
}

void BindingLife::take_given_up(Time now) {
  if (tested_.poll_given_up()) on_no_server(now);
  if (asker_.poll_given_up()) gone(now);
}

void BindingLife::handle_timeout(Time now) {
  if (over()) return;
  tested_.handle_timeout(now);
  asker_.handle_timeout(now);
  take_given_up(now);
  if (now < at_) return;
  switch (step_) {
    case Step::settling: return request(now, Step::refreshing);
    case Step::quiet: return ask(now);
    case Step::pausing: return request(now, Step::open);
    case Step::open:
    case Step::refreshing:
    case Step::asking:
    case Step::over: return;
  }
}

Time BindingLife::next_timeout() const {
  return over() ? kNever : std::min({at_, tested_.next_timeout(), asker_.next_timeout()});
}

std::optional<BindingLife::Shot> BindingLife::poll_transmit() {
  if (auto out = tested_.poll_transmit()) return Shot{By::tested, std::move(*out)};
  if (auto out = asker_.poll_transmit()) return Shot{By::other, std::move(*out)};
  return std::nullopt;
}

std::optional<BindingLife::Found> BindingLife::poll_found() {
  if (!std::exchange(news_, false)) return std::nullopt;
  return found_;
}

}  // namespace linnet::nat
