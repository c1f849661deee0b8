#include "nat/ice_streams.h"

#include <algorithm>

namespace linnet::nat::ice {

std::size_t Streams::count(bool of_known) const {
  return static_cast<std::size_t>(
      std::count_if(all_.begin(), all_.end(), [of_known](const Stream& s) { return known(s) == of_known; }));
}

bool Streams::connect(Time now, const StreamName& name) {
  if (find(name) != nullptr || count(true) >= kMaxKnown) return false;
  Stream made;
  made.name = name;
  made.outgoing = true;
  made.until = now + kConnect;
  all_.push_back(std::move(made));
  return true;
}

std::optional<StreamName> Streams::accept(Time now, const StreamName& name) {
  std::optional<StreamName> out;
  if (count(false) >= kMaxUnknown) {
    const Stream* worst = nullptr;
    std::ptrdiff_t neighbours = 0;
    for (const auto& s : all_) {  // the eldest first
      if (known(s)) continue;
      const auto n = std::count_if(all_.begin(), all_.end(), [&](const Stream& other) {
        return !known(other) && other.name.remote.ip.prefix() == s.name.remote.ip.prefix();
      });
      if (n > neighbours) worst = &s;
      neighbours = std::max(neighbours, n);
    }
    out = worst->name;
    remove(*out);
  }
  Stream made;
  made.name = name;
  made.open = true;
  made.until = now + kUse;
  all_.push_back(std::move(made));
  return out;
}

bool Streams::prove(const StreamName& name) {
  auto* stream = find(name);
  if (stream == nullptr) return false;
  if (!known(*stream) && count(true) >= kMaxKnown) return false;
  stream->proven = true;
  return true;
}

void Streams::keep(const StreamName& name) {
  if (auto* stream = find(name)) stream->until = kNever;
}

Stream* Streams::find(const StreamName& name) {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const Stream& s) { return s.name == name; });
  return at == all_.end() ? nullptr : &*at;
}

const Stream* Streams::find(const StreamName& name) const {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const Stream& s) { return s.name == name; });
  return at == all_.end() ? nullptr : &*at;
}

void Streams::remove(const StreamName& name) {
  std::erase_if(all_, [&](const Stream& s) { return s.name == name; });
}

std::vector<StreamName> Streams::overdue(Time now) const {
  std::vector<StreamName> out;
  for (const auto& s : all_) {
    if (s.until <= now) out.push_back(s.name);
  }
  return out;
}

Time Streams::next_timeout() const {
  Time next = kNever;
  for (const auto& s : all_) next = std::min(next, s.until);
  return next;
}

bool Streams::connecting() const {
  return std::any_of(all_.begin(), all_.end(), [](const Stream& s) { return !s.open; });
}

}  // namespace linnet::nat::ice
