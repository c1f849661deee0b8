#include "node/io/loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <deque>
#include <mutex>
#include <new>
#include <system_error>
#include <vector>

#include "node/io/clock.h"
#include "node/io/files.h"
#include "node/io/reserve.h"

namespace linnet::io {
namespace {

constexpr int kEventsAtOnce = 64;

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

timespec monotonic(Time at) {
  const auto us = std::max<std::int64_t>(micros(at.time_since_epoch()), 1);  // nought would stop a timer
  return {static_cast<time_t>(us / 1'000'000), static_cast<long>(us % 1'000'000 * 1000)};
}

Fd opened(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return Fd(fd);
}

void clear(const Fd& event) {
  std::uint64_t count = 0;
  (void)!::read(event.get(), &count, sizeof count);
}

void notify(int event) {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);
}

// What a signal handler may touch.
std::atomic<std::uint64_t> came{0};
std::atomic<int> tell{-1};

void on_signal(int number) {
  const int kept = errno;
  came.fetch_or(std::uint64_t{1} << number);
  notify(tell.load());
  errno = kept;
}

// Outlives its Watch until the turn is over: an event of this turn may name it.
struct WatchState {
  int fd = -1;
  bool closed = false;
  std::function<void()> readable;
  std::function<void()> writable;
  std::unique_ptr<WatchState> next_dead;
};

struct AlarmState {
  std::function<void()> ring;
  Time at = kNever;
  bool closed = false;
};

struct Poller {
  Poller() {
    for (Fd* one : {&timer, &posted_fd, &signal_fd}) add(one->get(), one);
  }

  void add(int fd, void* who) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = who;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw std::bad_alloc();
  }
  void want(WatchState& watch, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &watch;
    (void)::epoll_ctl(epoll.get(), EPOLL_CTL_MOD, watch.fd, &event);  // it is registered: needs no memory
  }

  void turn();
  void on(WatchState& watch, std::uint32_t events);
  void run_posted();
  void take_signals();
  void ring_due();
  AlarmState* due(Time time) const;
  void forget_alarms() {
    std::erase_if(alarms, [](const auto& alarm) { return alarm->closed; });
  }
  void arm();
  void bury();

  Fd epoll = opened(::epoll_create1(EPOLL_CLOEXEC), "epoll");
  Fd timer = opened(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd");
  Fd posted_fd = opened(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
  Fd signal_fd = opened(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
  bool stopped = false;
  bool in_turn = false;
  bool ringing = false;
  bool exact = false;  // short rests
  Time rest{};
  std::unique_ptr<WatchState> dead;
  std::vector<std::shared_ptr<AlarmState>> alarms;
  Time next = kNever;   // no alarm is due earlier
  Time armed = kNever;  // when the kernel's timer goes off
  std::mutex mutex;     // of what follows
  std::deque<std::function<void()>> posted;
  std::vector<int> numbers;  // of signals
  std::function<void(int)> signalled;
};

class WatchImpl final : public Loop::Watch {
 public:
  WatchImpl(Poller& loop, int fd, std::function<void()> readable)
      : loop_(loop), state_(std::make_unique<WatchState>()) {
    state_->fd = fd;
    state_->readable = std::move(readable);
    loop_.add(fd, state_.get());
  }
  ~WatchImpl() override {
    (void)::epoll_ctl(loop_.epoll.get(), EPOLL_CTL_DEL, state_->fd, nullptr);
    state_->closed = true;
    state_->next_dead = std::move(loop_.dead);
    loop_.dead = std::move(state_);
    if (!loop_.in_turn) loop_.bury();
  }
  WatchImpl(const WatchImpl&) = delete;
  WatchImpl& operator=(const WatchImpl&) = delete;

  void when_writable(std::function<void()> writable) override {
    if (!state_->writable) loop_.want(*state_, EPOLLIN | EPOLLOUT);
    state_->writable = std::move(writable);
  }

 private:
  Poller& loop_;
  std::unique_ptr<WatchState> state_;
};

class AlarmImpl final : public Loop::Alarm {
 public:
  AlarmImpl(Poller& loop, std::shared_ptr<AlarmState> state) : loop_(loop), state_(std::move(state)) {}
  ~AlarmImpl() override {
    state_->closed = true;
    state_->at = kNever;
  }
  AlarmImpl(const AlarmImpl&) = delete;
  AlarmImpl& operator=(const AlarmImpl&) = delete;

  void set(Time at) override {
    state_->at = at;
    loop_.next = std::min(loop_.next, at);
  }

 private:
  Poller& loop_;
  std::shared_ptr<AlarmState> state_;
};

void Poller::turn() {
  arm();
  if (const auto until = std::exchange(rest, Time{}); until != Time{}) {
    const auto at = monotonic(until);
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
  }
  std::array<epoll_event, kEventsAtOnce> got;
  const int n = ::epoll_wait(epoll.get(), got.data(), kEventsAtOnce, -1);
  bool rang = false;
  in_turn = true;
  for (int i = 0; i < n && !stopped; ++i) {
    const auto& event = got[static_cast<std::size_t>(i)];
    if (event.data.ptr == &timer) {
      rang = true;
    } else if (event.data.ptr == &posted_fd) {
      run_posted();
    } else if (event.data.ptr == &signal_fd) {
      take_signals();
    } else {
      on(*static_cast<WatchState*>(event.data.ptr), event.events);
    }
  }
  if (rang && !stopped) ring_due();
  in_turn = false;
  bury();
}

// An end of the descriptor is told to both, as connect() needs it.
void Poller::on(WatchState& watch, std::uint32_t events) {
  if (!watch.closed && watch.writable && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    const auto writable = std::exchange(watch.writable, nullptr);
    survive(writable);
    if (!watch.closed && !watch.writable) want(watch, EPOLLIN);
  }
  if (!watch.closed && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) survive(watch.readable);
}

// What is posted meanwhile waits for the next turn.
void Poller::run_posted() {
  std::unique_lock lock(mutex);
  for (auto left = posted.size(); left > 0 && !stopped; --left) {
    auto work = std::move(posted.front());
    posted.pop_front();
    lock.unlock();
    survive(work);
    work = nullptr;  // what it held may post as well
    lock.lock();
  }
  if (posted.empty()) clear(posted_fd);
}

void Poller::take_signals() {
  clear(signal_fd);
  for (auto mask = came.exchange(0); mask != 0; mask &= mask - 1) survive([&] { signalled(std::countr_zero(mask)); });
}

AlarmState* Poller::due(Time time) const {
  AlarmState* first = nullptr;
  for (const auto& alarm : alarms) {
    if (alarm->at <= time && (first == nullptr || alarm->at < first->at)) first = alarm.get();
  }
  return first;
}

// One that is set to the past by what rings goes on in the next turn.
void Poller::ring_due() {
  armed = kNever;
  ringing = true;
  const auto time = now();
  for (auto left = alarms.size(); left > 0 && !stopped; --left) {
    auto* const alarm = due(time);
    if (alarm == nullptr) break;
    alarm->at = kNever;
    survive(alarm->ring);  // it may be destroyed, and others made, but none leaves the list meanwhile
  }
  ringing = false;
  forget_alarms();
  next = kNever;
  for (const auto& alarm : alarms) next = std::min(next, alarm->at);
  // Setting it also takes away that it went off; the disarming does when nothing is to come.
  if (next == kNever) {
    const itimerspec never{};
    ::timerfd_settime(timer.get(), 0, &never, nullptr);
  }
}

void Poller::arm() {
  if (next >= armed) return;
  itimerspec at{};
  at.it_value = monotonic(next);
  ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &at, nullptr);
  armed = next;
}

void Poller::bury() {
  while (dead) dead = std::move(dead->next_dead);
}

}  // namespace

struct Loop::Impl : Poller {};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}

Loop::~Loop() {
  for (const int number : impl_->numbers) ::signal(number, SIG_DFL);
  if (!impl_->numbers.empty()) tell = -1;
  impl_->posted.clear();  // they may hold watches
  impl_->alarms.clear();
}

void Loop::run() {
  impl_->stopped = false;
  while (!impl_->stopped) impl_->turn();
}

void Loop::stop() { impl_->stopped = true; }

void Loop::post(std::function<void()> work) {
  const std::lock_guard lock(impl_->mutex);
  impl_->posted.push_back(std::move(work));
  if (impl_->posted.size() == 1) notify(impl_->posted_fd.get());
}

// The first time it asks the kernel for rests as short as they are said: timers of a thread may else be 50 us late.
void Loop::rest_until(Time at) {
  if (!std::exchange(impl_->exact, true)) ::prctl(PR_SET_TIMERSLACK, 1000UL);
  impl_->rest = std::min(at, now() + kLongestRest);
}

std::unique_ptr<Loop::Watch> Loop::watch(int fd, std::function<void()> readable) {
  return std::make_unique<WatchImpl>(*impl_, fd, std::move(readable));
}

std::unique_ptr<Loop::Alarm> Loop::alarm(std::function<void()> ring) {
  auto& alarms = impl_->alarms;
  if (!impl_->ringing) impl_->forget_alarms();
  auto state = std::make_shared<AlarmState>();
  state->ring = std::move(ring);
  auto made = std::make_unique<AlarmImpl>(*impl_, state);
  alarms.push_back(std::move(state));
  return made;
}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
  impl_->signalled = std::move(handler);
  tell = impl_->signal_fd.get();
  for (const int number : signals) {
    struct sigaction action {};
    action.sa_handler = &on_signal;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
    impl_->numbers.push_back(number);
  }
}

}  // namespace linnet::io
