#include "node/io/loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <new>

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
  void wait_write(std::function<void()> writable) {
    descriptor.async_wait(stream_descriptor::wait_write,
                          [self = shared_from_this(), writable = std::move(writable)](error_code failed) {
                            if (!failed && !self->closed) survive(writable);
                          });
  }
  void close() {
    closed = true;
    descriptor.release();  // cancels; the descriptor is the caller's to close
  }

  stream_descriptor descriptor;
  std::function<void()> readable;
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
  AlarmState(asio::io_context& context, std::function<void()> r) : timer(context), ring(std::move(r)) {}
  asio::steady_timer timer;
  std::function<void()> ring;
  Time at = kNever;
  std::uint64_t turn = 0;
};

class AlarmImpl final : public Loop::Alarm {
 public:
  explicit AlarmImpl(std::shared_ptr<AlarmState> state) : state_(std::move(state)) {}
  ~AlarmImpl() override {
    ++state_->turn;
    state_->timer.cancel();
  }
  void set(Time at) override {
    if (at == state_->at) return;
    state_->at = at;
    const auto turn = ++state_->turn;
    if (at == kNever) {
      state_->timer.cancel();
      return;
    }
    // steady_clock is CLOCK_MONOTONIC here, as io::now() is.
    state_->timer.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
    insist([this, turn] {
      state_->timer.async_wait([state = state_, turn](error_code failed) {
        if (failed || state->turn != turn) return;
        state->at = kNever;
        survive(state->ring);
      });
    });
  }

 private:
  std::shared_ptr<AlarmState> state_;
};

}  // namespace

struct Loop::Impl {
  asio::io_context context{1};
  asio::signal_set signals{context};
  std::function<void(int)> on_signal;

  void wait_signal() {
    signals.async_wait([this](error_code failed, int number) {
      if (failed) return;
      survive([&] { on_signal(number); });
      wait_signal();
    });
  }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  const auto work = asio::make_work_guard(impl_->context);
  impl_->context.restart();
  impl_->context.run();
}

void Loop::stop() { impl_->context.stop(); }
void Loop::post(std::function<void()> work) {
  asio::post(impl_->context, [work = std::move(work)] { survive(work); });
}

std::unique_ptr<Loop::Watch> Loop::watch(int fd, std::function<void()> readable) {
  return std::make_unique<WatchImpl>(std::make_shared<WatchState>(impl_->context, fd, std::move(readable)));
}

std::unique_ptr<Loop::Alarm> Loop::alarm(std::function<void()> ring) {
  return std::make_unique<AlarmImpl>(std::make_shared<AlarmState>(impl_->context, std::move(ring)));
}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
  for (const int number : signals) impl_->signals.add(number);
  impl_->on_signal = std::move(handler);
  impl_->wait_signal();
}

}  // namespace linnet::io
