#include "sim/wire_check.h"

#include <algorithm>

#include "base/rng.h"

namespace linnet::sim {
namespace {

bool same(const dht::Request& a, const dht::Request& b) { return dht::encode(a, 0) == dht::encode(b, 0); }
bool same(const dht::Answer& a, const dht::Answer& b) {
  return a.status == b.status && a.more == b.more && a.contacts == b.contacts && a.record == b.record &&
         a.cookie == b.cookie && a.time == b.time;
}

}  // namespace

WireCheck::WireCheck(const crypto::NetworkId& network)
    : shipped_(dht::Sealer(suite_, network, std::nullopt)),
      asking_(ephemerals(0x61736bU)),
      answering_(ephemerals(0x616e73U)) {}

WireCheck::Ephemerals WireCheck::ephemerals(std::uint64_t seed) {
  SeededRng rng(seed);
  Ephemerals out;
  for (auto& one : out) one = crypto::Secret(rng.array<32>());
  return out;
}

WireCheck::UnderWay* WireCheck::find(dht::TransactionId id) {
  const auto at = under_way_.find(id);
  return at == under_way_.end() ? nullptr : &at->second;
}

void WireCheck::expect(bool holds, const char* what) {
  if (!holds && std::find(different_.begin(), different_.end(), what) == different_.end())
    different_.emplace_back(what);
}

double WireCheck::checked_pct() const {
  return made_ == 0 ? 0 : 100.0 * static_cast<double>(checked_) / static_cast<double>(made_);
}

void WireCheck::on_request(dht::TransactionId id, const dht::Contact& to, const dht::Request& request,
                           std::size_t padded, std::size_t typed_size) {
  ++made_;
  if (++requests_ % kOneOf != 0) return;
  if (under_way_.size() >= kMaxUnderWay) under_way_.clear();  // of those whose other half was lost
  auto sealed = shipped_.seal_request(id, to, one_of(asking_), request, padded);
  expect(sealed.has_value(), "the shipped codec does not seal a request");
  if (!sealed) return;
  ++checked_;
  expect(sealed->frame.size() == typed_size, "a request has another size");
  auto& one = under_way_[id];
  one.request = std::move(sealed->frame);
  one.asking = std::move(sealed->state);
}

void WireCheck::on_opened(dht::TransactionId id, const crypto::DhPair& own, const dht::Request& typed) {
  auto* one = find(id);
  if (one == nullptr) return;
  if (!one->answer.empty()) {  // asked again: it will be answered twice, and nobody can say which answer comes
    under_way_.erase(id);
    return;
  }
  const auto view = dht::split_request(one->request);
  expect(view && crypto::Mac1(suite_, own.public_key).check(view->before_mac1, view->mac1),
         "the shipped mac1 of a request does not hold");
  if (!view) return;
  auto opened = shipped_.open_request(*view, own, one_of(answering_));
  expect(opened && same(opened->request, typed), "a request reads differently");
  if (opened) one->answering = std::move(opened->state);
}

void WireCheck::on_answer(dht::TransactionId id, const dht::Answer& answer, std::size_t room, std::size_t typed_size) {
  ++made_;
  auto* one = find(id);
  if (one == nullptr || !one->answering || !one->answer.empty()) return;
  auto sealed = shipped_.seal_answer(id, one->answering, answer, room);
  expect(sealed.has_value(), "the shipped codec does not seal an answer");
  if (!sealed) return;
  ++checked_;
  expect(sealed->size() == typed_size, "an answer has another size");
  one->answer = std::move(*sealed);
}

void WireCheck::on_answered(dht::TransactionId id, const Result<dht::Answer>& typed) {
  auto* one = find(id);
  if (one == nullptr || one->answer.empty()) return;
  const auto opened = shipped_.open_answer(one->asking, one->answer);
  expect(opened && opened->has_value() == typed.has_value() && (!typed || same(**opened, *typed)),
         "an answer reads differently");
  under_way_.erase(id);
}

}  // namespace linnet::sim
