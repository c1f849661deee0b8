#include "node/io/loop.h"

#include <sys/prctl.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <ctime>
#include <new>
#include <vector>

#include "node/io/clock.h"
#include "node/io/reserve.h"

namespace linnet::io {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

// Memory that is out costs the event that asked for it, never the daemon: calls go on, and what the event left undone
// is done by the next one.
template <class Work>
void survive(Work&& work) {
  try {
    work();
  } catch (const std::bad_alloc&) {
  }
  MemoryReserve::refill();
}

// What keeps the loop alive is tried again until it stands.
template <class Work>
void insist(Work&& work) {
  for (int tries = 0; tries < 1000; ++tries) {
    try {
      return work();
    } catch (const std::bad_alloc&) {
    }
  }
  std::abort();  // better a clean end, and a new start, than a daemon that is deaf
}

// Handlers may destroy what they belong to; the shared state says whether it still stands.
struct WatchState : std::enable_shared_from_this<WatchState> {
  WatchState(asio::io_context& context, int fd, std::function<void()> r)
      : descriptor(context, fd), readable(std::move(r)) {}

  void wait_read() {
    insist([this] {
      descriptor.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](error_code failed) {
        if (failed || self->closed) return;
        survive(self->readable);
        if (!self->closed) self->wait_read();
      });
    });
  }
  void wait_write(std::function<void()> then) {
    if (std::exchange(writable, std::move(then))) return;  // it waits already
    insist([this] {
      descriptor.async_wait(stream_descriptor::wait_write, [self = shared_from_this()](error_code failed) {
        const auto ready = std::exchange(self->writable, nullptr);
        if (!failed && !self->closed) survive(ready);
      });
    });
  }
  void close() {
    closed = true;
    descriptor.release();  // cancels; the descriptor is the caller's to close
  }

  stream_descriptor descriptor;
  std::function<void()> readable;
  std::function<void()> writable;
  bool closed = false;
};

class WatchImpl final : public Loop::Watch {
 public:
  explicit WatchImpl(std::shared_ptr<WatchState> state) : state_(std::move(state)) { state_->wait_read(); }
  ~WatchImpl() override { state_->close(); }
  void when_writable(std::function<void()> writable) override { state_->wait_write(std::move(writable)); }

 private:
  std::shared_ptr<WatchState> state_;
};

struct AlarmState {
  std::function<void()> ring;
  Time at = kNever;
  std::uint64_t rang = 0;  // in this turn of all alarms
  bool closed = false;
};

// All alarms on one timer. A packet moves deadlines, mostly to later: the kernel's timer is set only when one is due
// earlier than it goes off. One that went off too early costs a turn.
class Alarms {
 public:
  explicit Alarms(asio::io_context& context) : context_(context), timer_(context) {}

  std::shared_ptr<AlarmState> make(std::function<void()> ring) {
    if (!ringing_) forget();
    all_.push_back(std::make_shared<AlarmState>(AlarmState{std::move(ring)}));
    return all_.back();
  }

  void due_at(Time at) {
    if (at >= armed_) return;
    armed_ = at;
    // steady_clock is CLOCK_MONOTONIC here, as io::now() is.
    timer_.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
    insist([this] {
      timer_.async_wait([this](error_code failed) {
        if (!failed) ring_due();
      });
    });
  }

 private:
  // Each rings once: one that is set to the past by what rings goes on in the next turn.
  void ring_due() {
    ringing_ = true;
    ++turn_;
    armed_ = Time::min();  // what rings arms nothing meanwhile
    const auto time = now();
    for (auto left = all_.size(); left > 0 && !context_.stopped(); --left) {
      auto* const alarm = due(time);
      if (alarm == nullptr) break;
      alarm->at = kNever;
      alarm->rang = turn_;
      survive(alarm->ring);  // it may be destroyed, and others made, but none leaves the list meanwhile
    }
    ringing_ = false;
    armed_ = kNever;
    forget();
    auto next = kNever;
    for (const auto& alarm : all_) next = std::min(next, alarm->at);
    if (next != kNever) due_at(next);
  }

  AlarmState* due(Time time) const {
    AlarmState* first = nullptr;
    for (const auto& alarm : all_) {
      if (alarm->rang != turn_ && alarm->at <= time && (first == nullptr || alarm->at < first->at)) first = alarm.get();
    }
    return first;
  }

  void forget() {
    std::erase_if(all_, [](const auto& alarm) { return alarm->closed; });
  }

  asio::io_context& context_;
  asio::steady_timer timer_;
  std::vector<std::shared_ptr<AlarmState>> all_;
  std::uint64_t turn_ = 0;
  Time armed_ = kNever;
  bool ringing_ = false;
};

class AlarmImpl final : public Loop::Alarm {
 public:
  AlarmImpl(Alarms& alarms, std::shared_ptr<AlarmState> state) : alarms_(alarms), state_(std::move(state)) {}
  ~AlarmImpl() override {
    state_->closed = true;
    state_->at = kNever;
  }
  AlarmImpl(const AlarmImpl&) = delete;
  AlarmImpl& operator=(const AlarmImpl&) = delete;

  void set(Time at) override {
    state_->at = at;
    if (at != kNever) alarms_.due_at(at);
  }

 private:
  Alarms& alarms_;
  std::shared_ptr<AlarmState> state_;
};

void sleep_until(Time at) {
  const auto us = micros(at.time_since_epoch());
  const timespec until{static_cast<time_t>(us / 1'000'000), static_cast<long>(us % 1'000'000 * 1000)};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

struct Loop::Impl {
  asio::io_context context{1};
  Alarms alarms{context};
  asio::signal_set signals{context};
  std::function<void(int)> on_signal;
  bool exact = false;  // short rests
  Time rest{};

  void wait_signal() {
    insist([this] {
      signals.async_wait([this](error_code failed, int number) {
        if (failed) return;
        survive([&] { on_signal(number); });
        wait_signal();
      });
    });
  }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  const auto work = asio::make_work_guard(impl_->context);
  impl_->context.restart();
  while (impl_->context.run_one() != 0) {
    if (const auto until = std::exchange(impl_->rest, Time{}); until != Time{}) sleep_until(until);
  }
}

void Loop::stop() { impl_->context.stop(); }
void Loop::post(std::function<void()> work) {
  asio::post(impl_->context, [work = std::move(work)] { survive(work); });
}

// The first time it asks the kernel for rests as short as they are said: timers of a thread may else be 50 us late.
void Loop::rest_until(Time at) {
  if (!std::exchange(impl_->exact, true)) ::prctl(PR_SET_TIMERSLACK, 1000UL);
  impl_->rest = std::min(at, now() + kLongestRest);
}

std::unique_ptr<Loop::Watch> Loop::watch(int fd, std::function<void()> readable) {
  return std::make_unique<WatchImpl>(std::make_shared<WatchState>(impl_->context, fd, std::move(readable)));
}

std::unique_ptr<Loop::Alarm> Loop::alarm(std::function<void()> ring) {
  return std::make_unique<AlarmImpl>(impl_->alarms, impl_->alarms.make(std::move(ring)));
}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
  for (const int number : signals) impl_->signals.add(number);
  impl_->on_signal = std::move(handler);
  impl_->wait_signal();
}

}  // namespace linnet::io
