#include "node/io/mixer_means.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <system_error>

#include "media/mix_benchmark.h"
#include "node/io/clock.h"
#include "node/io/files.h"
#include "node/io/machine.h"

namespace linnet::io {
namespace {

constexpr std::size_t kMembers = 24;
constexpr double kFrameMs = 20;
constexpr int kWarmUp = 3;  // frames, until encoders and caches are at work
constexpr int kLeastFrames = 10;
constexpr double kLeastMs = 100;                           // of the thread's time
constexpr Duration kLongestRun = std::chrono::seconds(4);  // of the wall's

double thread_ms() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e3 + static_cast<double>(at.tv_nsec) / 1e6;
}

// A datagram that leaves and comes back: what a member's packet costs beside its seal, either way.
class Echo {
 public:
  Echo() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    auto* plain = reinterpret_cast<sockaddr*>(&at);
    ready_ = ::bind(fd_.get(), plain, length) == 0 && ::getsockname(fd_.get(), plain, &length) == 0 &&
             ::connect(fd_.get(), plain, length) == 0;
  }
  bool ready() const { return ready_; }
  void carry(ByteView packet) {
    (void)::send(fd_.get(), packet.data(), packet.size(), 0);
    (void)::recv(fd_.get(), room_.data(), room_.size(), 0);
  }

 private:
  Fd fd_;
  bool ready_ = false;
  ByteArray<2048> room_{};
};

// The thread's time since the last one, taken out of a stretch of work.
class Stretch {
 public:
  double lap() {
    const double now = thread_ms(), out = now - last_;
    last_ = now;
    return out;
  }

 private:
  double last_ = thread_ms();
};

struct Sums {
  int frames = 0;
  double mix = 0, members = 0;
};

void work(media::MixBenchmark& mixer, Echo& echo, Sums& sums) {
  mixer.prepare();
  Stretch stretch;
  mixer.receive();
  sums.members += stretch.lap();
  mixer.mix();
  sums.mix += stretch.lap();
  for (const auto& packet : mixer.send()) echo.carry(packet);
  sums.members += stretch.lap();
  ++sums.frames;
}

}  // namespace

std::optional<MixerCost> measure_mixer(const std::atomic<bool>& stop) {
  SeededRng rng(1);  // keys that protect nothing
  auto mixer = media::MixBenchmark::make(kMembers, media::CodecSettings{}, rng);
  Echo echo;
  if (!mixer || !echo.ready()) return std::nullopt;
  Sums warm, sums;
  while (warm.frames < kWarmUp) work(*mixer, echo, warm);
  const Time began = now();
  const double began_ms = thread_ms();
  const auto spent = [&] { return thread_ms() - began_ms; };
  while ((spent() < kLeastMs || sums.frames < kLeastFrames) && now() < began + kLongestRun) {
    if (stop) return std::nullopt;
    work(*mixer, echo, sums);
  }
  const double wall_ms = std::max(millis(now() - began), 1e-3);
  return MixerCost{sums.mix / sums.frames, sums.members / sums.frames / static_cast<double>(kMembers),
                   std::min(1.0, spent() / wall_ms)};
}

std::uint32_t members_mixed(const MixerCost& cost, double idle_cores) {
  const double available = std::clamp(std::min(idle_cores, cost.share), 0.0, 1.0);
  const double left = kShareForMixing * available * kFrameMs - cost.frame_ms;
  const double members = left / std::max(cost.member_ms, 1e-6);
  return static_cast<std::uint32_t>(std::clamp<double>(members, 1, kMostMixed));
}

MixerMeans::~MixerMeans() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MixerMeans::ask(Time now, std::function<void(const Found&)> found) {
  if (found_ && now < at_ + kGood) return found(*found_);
  if (measuring_) return;
  if (thread_.joinable()) thread_.join();  // it has answered
  try {
    thread_ = std::thread([this, tell = std::move(found)]() mutable { run(std::move(tell)); });
    measuring_ = true;
  } catch (const std::system_error&) {  // no thread is to be had: what is believed of a machine stays
  }
}

void MixerMeans::run(std::function<void(const Found&)> found) {
  MachineWatch watch;
  (void)watch.look();
  {
    std::unique_lock lock(mutex_);
    if (ended_.wait_for(lock, kLooks, [this] { return stop_.load(); })) return;
  }
  const auto state = watch.look();
  const auto cost = measure_mixer(stop_);
  std::optional<Found> out;
  if (cost) out = Found{members_mixed(*cost, state.idle_cores), state.mains, *cost, state.idle_cores};
  loop_.post([this, alive = alive_, out, tell = std::move(found)] {
    if (!*alive) return;
    measuring_ = false;
    if (!out) return;
    found_ = out;
    at_ = now();
    tell(*out);
  });
}

}  // namespace linnet::io
