#include "node/port_search.h"

#include <algorithm>

namespace linnet::node {

bool SearchBudget::take(Time now) {
  if (filled_ != Time::min())
    left_ =
        std::min(kAtOnce, left_ + static_cast<double>((now - filled_).count()) / static_cast<double>(kEvery.count()));
  filled_ = now;
  if (busy_ || left_ < 1) return false;
  left_ -= 1;
  busy_ = true;
  return true;
}

// One end has another port for each destination, the other the same for all: what two symmetric NATs want of each other
// cannot be guessed in any such number.
bool PortSearch::wanted(const SearchFacts& facts, NatKind symmetric, NatKind other) {
  return facts.shown && facts.talking && facts.relayed && symmetric == NatKind::symmetric &&
         (other == NatKind::independent || other == NatKind::none);
}

void PortSearch::look(Time now, const SearchFacts& facts, SearchBudget& budget) {
  facts_ = facts;
  if (part_ != Part::none) {
    const auto opens = wanted(facts, facts.mine, facts.theirs);
    const auto probes = wanted(facts, facts.theirs, facts.mine);
    if (now >= ends_ || !(part_ == Part::opens ? opens : probes)) {
      not_before_ = now + (part_ == Part::opens ? kAgain : kAgainAsked);
      stop(budget);
    }
    return;
  }
  if (!wanted(facts, facts.mine, facts.theirs) || rounds_ >= kMaxRounds) return;
  if (not_before_ == kNever) not_before_ = now + kPatience;
  if (now < not_before_) return;
  not_before_ = now + kAgain;
  if (!budget.take(now)) return;
  begin(now, Part::opens);
  open_ = true;
}

void PortSearch::on_asked(Time now, const SearchAsk& ask, SearchBudget& budget) {
  if (part_ != Part::none || !wanted(facts_, facts_.theirs, facts_.mine) || rounds_ >= kMaxRounds) return;
  if (not_before_ != kNever && now < not_before_) return;
  if (!budget.take(now)) return;
  begin(now, Part::probes);
  guess_ = ask.guess;
  settle(now);
}

void PortSearch::begin(Time now, Part part) {
  part_ = part;
  ++rounds_;
  ends_ = now + kLongest;
  told_ = false;
  show_ = true;
}

void PortSearch::stop(SearchBudget& budget) {
  if (part_ != Part::none) budget.release();
  part_ = Part::none;
  ends_ = kNever;
  opener_.reset();
  prober_.reset();
  attested_.reset();
  ask_.reset();
  show_ = open_ = false;
  shots_.clear();
  shot_ = 0;
}

std::optional<Endpoint> PortSearch::attested(Time now) const {
  return attested_ && now - attested_at_ < kAttestedFor ? attested_ : std::nullopt;
}

void PortSearch::on_attested(Time now, const Endpoint& at) {
  if (attested(now)) return;  // the first holds for the whole search
  attested_ = at;
  attested_at_ = now;
  settle(now);
}

void PortSearch::on_opened(Time now, Rng& rng, std::size_t sockets, const std::optional<Endpoint>& server) {
  if (part_ != Part::opens || opener_) return;
  if (sockets == 0) {
    ends_ = now;
    return;
  }
  opener_.emplace(now, rng, sockets, server);
  settle(now);
}

void PortSearch::on_measuring(Time now, std::size_t socket, const nat::stun::Message& answer) {
  if (opener_) opener_->handle(socket, answer);
  settle(now);
}

void PortSearch::settle(Time now) {
  if (opener_ && !told_ && opener_->measured()) {
    told_ = true;
    ask_ = SearchAsk{rounds_, opener_->guess()};
  }
  const auto at = attested(now);
  if (!at) return;
  if (opener_ && told_ && !opener_->aimed()) opener_->aim(now, *at);
  if (part_ == Part::probes && !prober_) prober_.emplace(now, at->ip, guess_);
}

void PortSearch::handle_timeout(Time now, Rng& rng) {
  if (opener_) opener_->handle_timeout(now, shots_);
  settle(now);
  if (prober_) prober_->handle_timeout(now, rng, shots_);
}

Time PortSearch::next_timeout() const {
  Time next = ends_;
  if (part_ == Part::none && rounds_ < kMaxRounds && wanted(facts_, facts_.mine, facts_.theirs)) next = not_before_;
  if (opener_) next = std::min(next, opener_->next_timeout());
  if (prober_) next = std::min(next, prober_->next_timeout());
  return next;
}

std::optional<nat::birthday::Shot> PortSearch::poll_shot() {
  if (shot_ == shots_.size()) {
    shots_.clear();
    shot_ = 0;
    return std::nullopt;
  }
  return std::move(shots_[shot_++]);
}

}  // namespace linnet::node
