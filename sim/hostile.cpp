#include "sim/hostile.h"

#include <algorithm>

#include "dht/place.h"
#include "sim/owner.h"

namespace linnet::sim {

using dht::Answer;
using dht::Kind;
using dht::Request;

namespace {

bool about_others(const Request& request) {
  return request.kind == Kind::find_node || request.kind == Kind::find_record;
}

}  // namespace

void Conspiracy::join(const dht::Contact& self) {
  const auto known =
      std::find_if(friends.begin(), friends.end(), [&](const auto& f) { return f.device == self.device; });
  if (known == friends.end()) {
    friends.push_back(self);
  } else {
    *known = self;
  }
}

void Conspiracy::keep(const Bytes& record) {
  if (records.size() < kMostRecords) records.push_back(record);
}

std::vector<dht::Contact> Conspiracy::nearest(const dht::Id& target) const {
  auto out = friends;
  std::sort(out.begin(), out.end(),
            [&](const auto& a, const auto& b) { return dht::nearer(target, a.position, b.position); });
  dht::one_of_each_place_first(out, [](const auto& f) { return dht::lead(f.position); });
  out.resize(std::min(out.size(), dht::kMaxContactsInAnswer));
  return out;
}

// A ping in place of a store: the holder answers that all is well, and has nothing.
Result<dht::Codec::Sealed> HostileCodec::seal_request(dht::TransactionId id, const dht::Contact& to,
                                                      const crypto::Secret& ephemeral, const Request& request,
                                                      std::size_t padded) {
  if (request.sender) {
    const Working world;
    others_->join(*request.sender);
  }
  if (request.kind != Kind::store) return honest_->seal_request(id, to, ephemeral, request, padded);
  Request instead;
  instead.sender = request.sender;
  return honest_->seal_request(id, to, ephemeral, instead, padded);
}

Result<dht::Codec::Opened> HostileCodec::open_request(const dht::RequestView& view, const crypto::DhPair& own,
                                                      const crypto::Secret& ephemeral) {
  auto opened = honest_->open_request(view, own, ephemeral);
  if (opened) {
    const Working world;
    const auto& request = opened->request;
    if (about_others(request)) asked_[view.header.transaction] = request;
    if (request.kind == Kind::store) others_->keep(request.record);
  }
  return opened;
}

Result<Bytes> HostileCodec::seal_answer(dht::TransactionId id, const State& state, const Answer& answer,
                                        std::size_t room) {
  auto at = asked_.extract(id);
  if (at.empty()) return honest_->seal_answer(id, state, answer, room);
  if (lie_ == Lie::silence) return fail(Fault::refused);
  auto altered = answer;
  alter(at.mapped(), altered);
  return honest_->seal_answer(id, state, altered, room);
}

void HostileCodec::alter(const Request& asked, Answer& answer) {
  const auto truth = std::exchange(answer.record, {});
  answer.more = false;
  if (lie_ == Lie::denial) return;
  answer.contacts = others_->nearest(asked.target);
  if (lie_ != Lie::poison) return;
  for (auto& contact : answer.contacts) contact.endpoint.port ^= 1;
  if (asked.kind != Kind::find_record) return;
  // In turn the truth with a flipped bit, and somebody else's record.
  if (++lies_ % 2 == 0 && !truth.empty()) {
    answer.record = truth;
    answer.record[lies_ % truth.size()] ^= 1;
  } else if (!others_->records.empty()) {
    answer.record = others_->records[lies_ % others_->records.size()];
  }
}

std::optional<Result<Answer>> HostileCodec::open_answer(const State& state, ByteView frame) {
  auto opened = honest_->open_answer(state, frame);
  if (opened && *opened) {
    (*opened)->record.clear();
    (*opened)->more = false;
  }
  return opened;
}

}  // namespace linnet::sim
