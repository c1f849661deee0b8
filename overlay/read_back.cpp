#include "overlay/read_back.h"

#include <algorithm>

namespace linnet::overlay {

void ReadBack::stored(const Context& c, const crypto::UserKey& user, unsigned home) {
  auto at = std::find_if(names_.begin(), names_.end(), [&](const Name& n) { return n.user == user; });
  if (at == names_.end()) at = names_.insert(names_.end(), Name{user, 0, 0, 0, 0, false, kNever});
  if (!std::exchange(at->mending, false)) at->questions = 0;
  at->home = at->asked = home;
  at->request = 0;
  ask_later(c, *at, kAfter);
}

void ReadBack::ask_later(const Context& c, Name& name, Duration after) {
  name.at = name.questions < kMostQuestions ? c.now + c.jittered(after) : kNever;
}

ReadBack::Name* ReadBack::with(std::uint64_t request) {
  const auto at = std::find_if(names_.begin(), names_.end(), [&](const Name& n) { return n.request == request; });
  return request == 0 || at == names_.end() ? nullptr : &*at;
}

bool ReadBack::owns(std::uint64_t request) const { return request > kFirstRequest && request <= requests_; }

std::optional<crypto::UserKey> ReadBack::about(std::uint64_t request) const {
  const auto* name = const_cast<ReadBack*>(this)->with(request);
  return name == nullptr ? std::nullopt : std::optional(name->user);
}

void ReadBack::on_answer(const Context& c, std::uint64_t request, std::optional<bool> shown) {
  auto* name = with(request);
  if (name == nullptr) return;
  name->request = 0;
  name->at = kNever;
  if (!shown) return ask_later(c, *name, kAfter);
  if (*shown) return;
  name->mending = true;
  missing_.push_back({name->user, name->asked});
}

void ReadBack::handle_timeout(const Context& c) {
  for (auto& name : names_) {
    if (name.at > c.now) continue;
    if (c.sessions.slow()) {  // a call needs the line for itself
      name.request = 0;
      name.at = c.now + c.jittered(kAfter);
      continue;
    }
    if (name.request != 0) {  // silence: another one is asked
      name.request = 0;
      ask_later(c, name, Duration(0));
      continue;
    }
    ++name.questions;
    ++name.asked;
    name.request = ++requests_;
    name.at = c.now + kAnswer;
    questions_.push_back({name.request, name.user, name.asked});
  }
}

Time ReadBack::next_timeout() const {
  Time next = kNever;
  for (const auto& name : names_) next = std::min(next, name.at);
  return next;
}

std::optional<ReadBack::Question> ReadBack::poll_question() {
  if (questions_.empty()) return std::nullopt;
  return questions_.take();
}

std::optional<ReadBack::Missing> ReadBack::poll_missing() {
  if (missing_.empty()) return std::nullopt;
  return missing_.take();
}

}  // namespace linnet::overlay
