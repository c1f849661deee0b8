#include "node/io/net/name_watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>

#include "node/io/clock.h"
#include "node/io/files.h"
#include "node/io/net/resolver.h"

namespace linnet::io {
namespace {

constexpr Duration kLimit = std::chrono::seconds(20);

bool all_numeric(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [](const auto& name) { return Endpoint::parse(name).has_value(); });
}

}  // namespace

// Shared with the thread, which may outlive the watch: getaddrinfo cannot be called off.
struct NameWatch::Answer {
  std::mutex mutex;
  std::vector<Endpoint> endpoints;
  Fd ready{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

NameWatch::NameWatch(Loop& loop, std::vector<std::string> names, Found found)
    : NameWatch(loop, std::move(names), std::move(found),
                [](const auto& list) { return resolve(list, kLimit).endpoints; }) {}

NameWatch::NameWatch(Loop& loop, std::vector<std::string> names, Found found, Resolve resolve)
    : loop_(loop), names_(std::move(names)), found_(std::move(found)), resolve_(std::move(resolve)) {}
NameWatch::~NameWatch() = default;

void NameWatch::every_second(bool alone) {
  if (!alone || all_numeric(names_)) {
    next_ = kNever;
    pause_ = kFirst;
    return;
  }
  if (next_ == kNever) next_ = now() + pause_;
  if (now() < next_ || answer_) return;
  pause_ = std::min(pause_ * 2, kMost);
  next_ = now() + pause_;
  ask();
}

void NameWatch::rename(std::vector<std::string> names) {
  names_ = std::move(names);
  pause_ = kFirst;
  if (answer_)
    again_ = true;
  else
    ask();
}

void NameWatch::ask() {
  auto answer = std::make_shared<Answer>();
  if (!answer->ready) return;  // out of descriptors: later
  watch_ = loop_.watch(answer->ready.get(), [this] { take(); });
  answer_ = answer;
  try {
    std::thread([answer, names = names_, resolve = resolve_] {
      auto endpoints = resolve(names);
      {
        const std::lock_guard lock(answer->mutex);
        answer->endpoints = std::move(endpoints);
      }
      const std::uint64_t one = 1;
      if (::write(answer->ready.get(), &one, sizeof one) < 0) return;
    }).detach();
  } catch (const std::system_error&) {  // no thread to be had: later
    watch_.reset();
    answer_.reset();
  }
}

void NameWatch::take() {
  const auto answer = std::exchange(answer_, nullptr);
  watch_.reset();
  std::vector<Endpoint> endpoints;
  {
    const std::lock_guard lock(answer->mutex);
    endpoints = std::move(answer->endpoints);
  }
  if (std::exchange(again_, false)) return ask();
  // A lookup that failed takes no address away that was good before.
  if (!endpoints.empty() || names_.empty()) found_(std::move(endpoints));
}

}  // namespace linnet::io
