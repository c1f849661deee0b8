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

constexpr std::size_t kFew = 24, kMany = 192;
constexpr std::uint32_t kManyAbove = 96;  // who could mix for more by the first figure is measured with many
constexpr double kFrameMs = 20;
constexpr int kWarmUp = 3;  // frames, until encoders and caches are at work
constexpr int kRounds = 6, kFramesOfRound = 8;
constexpr Duration kLongestRun = std::chrono::seconds(4);  // of the wall's, for each number of members
constexpr double kWorthTelling = 1.2;                      // times as much, or as little

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

// What one frame took at the least: a round that something disturbed (another's work in the caches, an interrupt that
// is put on our account) says nothing of the work.
std::optional<MixerCost> measure_with(std::size_t members, const std::atomic<bool>& stop) {
  SeededRng rng(1);  // keys that protect nothing
  const Time began = now();
  const double began_ms = thread_ms();
  auto mixer = media::MixBenchmark::make(members, media::CodecSettings{}, rng);
  Echo echo;
  if (!mixer || !echo.ready()) return std::nullopt;
  Sums warm;
  while (warm.frames < kWarmUp) work(*mixer, echo, warm);
  std::optional<MixerCost> best;
  for (int round = 0; round < kRounds && (!best || now() < began + kLongestRun); ++round) {
    Sums sums;
    while (sums.frames < kFramesOfRound) {
      if (stop) return std::nullopt;
      work(*mixer, echo, sums);
    }
    const double frame = sums.mix / sums.frames, member = sums.members / sums.frames / static_cast<double>(members);
    if (!best) best = MixerCost{frame, member, 1};
    best->frame_ms = std::min(best->frame_ms, frame);
    best->member_ms = std::min(best->member_ms, member);
  }
  best->share = std::min(1.0, (thread_ms() - began_ms) / std::max(millis(now() - began), 1e-3));
  return best;
}

}  // namespace

std::optional<MixerCost> measure_mixer(const std::atomic<bool>& stop) {
  const auto few = measure_with(kFew, stop);
  if (!few || members_mixed({few->frame_ms, few->member_ms, 1}, few->share) <= kManyAbove) return few;
  auto many = measure_with(kMany, stop);
  if (many) many->frame_ms = few->frame_ms;
  return many;
}

std::uint32_t members_mixed(const MixerCost& cost, double spare_cores) {
  const double available = std::clamp(std::min(spare_cores, cost.share), 0.0, 1.0);
  const double left = kShareForMixing * available * kFrameMs - cost.frame_ms;
  const double members = left / std::max(cost.member_ms, 1e-6);
  return static_cast<std::uint32_t>(std::clamp<double>(members, 1, kMostMixed));
}

bool worth_telling(const node::ConferenceMeans& told, const node::ConferenceMeans& found) {
  const auto differ = [](std::uint32_t a, std::uint32_t b) { return std::max(a, b) > kWorthTelling * std::min(a, b); };
  return told.reachable != found.reachable || told.mains != found.mains || differ(told.mixes, found.mixes) ||
         differ(told.uplink_kbps, found.uplink_kbps);
}

MixerMeans::MixerMeans(Loop& loop) : loop_(loop), looks_(loop.alarm([this] { look_again(); })) {}

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
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {  // no thread is to be had: what is believed of a machine stays
    return;
  }
  tell_ = std::move(found);
  looks_->set(kNever);
  measuring_ = true;
}

void MixerMeans::run() {
  MachineWatch watch;
  (void)watch.spare_cores();
  {
    std::unique_lock lock(mutex_);
    if (ended_.wait_for(lock, kLooks, [this] { return stop_.load(); })) return;
  }
  const double before = watch.spare_cores();
  auto cost = measure_mixer(stop_);
  std::optional<Measured> out;
  if (cost) {
    const double meanwhile = watch.spare_cores();
    cost->share = left_by_quota(cost->share, meanwhile);
    out = Measured{*cost, std::max(before, meanwhile), watch.cores(), watch.look().mains};
  }
  loop_.post([this, alive = alive_, out] {
    if (!*alive) return;
    measuring_ = false;
    if (out) take(*out);
  });
}

void MixerMeans::take(const Measured& measured) {
  const auto before = spare_ ? std::optional(spare_->believed()) : std::nullopt;
  spare_.emplace(measured.spare, measured.cores, before);
  const double spare = spare_->believed();
  found_ = Found{members_mixed(measured.cost, spare), measured.mains, measured.cost, spare};
  at_ = now();
  (void)watch_.spare_cores();
  await_look();
  tell_(*found_);
}

void MixerMeans::await_look() {
  const auto next = spare_->next();
  looks_->set(next ? now() + *next : kNever);
}

void MixerMeans::look_again() {
  if (measuring_ || !found_) return;
  spare_->look(watch_.spare_cores());
  await_look();
  const auto before = found_->mixes;
  found_->spare_cores = spare_->believed();
  found_->mixes = members_mixed(found_->cost, found_->spare_cores);
  if (found_->mixes != before) tell_(*found_);
}

}  // namespace linnet::io
