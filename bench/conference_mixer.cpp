// For how many one core mixes: real sockets on loopback, SRTP both ways, Opus at 24 kbit/s in frames of 20 ms, three
// who talk. The mixer is what ships (node/conference_sound.h, media::Session a member), on one thread whose CPU time is
// counted; the members are a second thread. Beside it, in the same run, the naive way: everybody decoded, everybody's
// own sum encoded.
//
//   bench_conference_mixer [--members N] [--naive N] [--seconds S] [--turns T] [--urgent 1]
//
// prints one line of JSON a turn, then the medians. Urgent: the mixing thread goes first on a busy machine, as the
// daemon's does while it mixes (node/io/urgency.h).
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "node/conference_sound.h"
#include "node/sdp_glue.h"

namespace {

using namespace linnet;
using Steady = std::chrono::steady_clock;

constexpr auto kFrame = std::chrono::milliseconds(20);
constexpr std::size_t kBatch = 64, kRoom = 1500;

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Time now() { return Time(std::chrono::duration_cast<Duration>(Steady::now().time_since_epoch())); }

struct Socket {
  int fd = -1;
  sockaddr_in at{};
  Socket() {
    fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at);
    socklen_t length = sizeof at;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length);
    const int room = 8 << 20;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  }
  ~Socket() { ::close(fd); }
  Socket(const Socket&) = delete;
};

// Packets to one place each, in batches.
class Batch {
 public:
  explicit Batch(int fd) : fd_(fd) {}
  // All that waits there.
  void take(node::Voice& voice, const sockaddr_in& to) {
    while (voice.poll_packet(packets_[count_])) {
      to_[count_++] = to;
      if (count_ == kBatch) flush();
    }
  }
  void flush() {
    std::array<mmsghdr, kBatch> headers{};
    std::array<iovec, kBatch> pieces{};
    for (std::size_t i = 0; i < count_; ++i) {
      pieces[i] = {packets_[i].data(), packets_[i].size()};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_name = &to_[i];
      headers[i].msg_hdr.msg_namelen = sizeof to_[i];
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t at = 0; at < count_;) {
      const int sent = ::sendmmsg(fd_, headers.data() + at, static_cast<unsigned>(count_ - at), 0);
      if (sent <= 0) break;
      at += static_cast<std::size_t>(sent);
    }
    count_ = 0;
  }

 private:
  int fd_;
  std::array<Bytes, kBatch> packets_;
  std::array<sockaddr_in, kBatch> to_{};
  std::size_t count_ = 0;
};

template <class F>
void receive_all(int fd, F f) {
  static thread_local std::vector<std::array<std::uint8_t, kRoom>> rooms(kBatch);
  std::array<mmsghdr, kBatch> headers{};
  std::array<iovec, kBatch> pieces{};
  std::array<sockaddr_in, kBatch> from{};
  while (true) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces[i] = {rooms[i].data(), kRoom};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_name = &from[i];
      headers[i].msg_hdr.msg_namelen = sizeof from[i];
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int n = ::recvmmsg(fd, headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (n <= 0) return;
    for (int i = 0; i < n; ++i) f(from[i], MutableBytes(rooms[i].data(), headers[i].msg_len));
    if (static_cast<std::size_t>(n) < kBatch) return;
  }
}

struct Pair {
  std::unique_ptr<node::Voice> mixer, member;
};

std::vector<Pair> connect(std::size_t members, Rng& rng) {
  std::vector<Pair> out;
  node::NodeConfig config;
  for (std::size_t i = 0; i < members; ++i) {
    const auto offer = node::describe(config, rng, node::Levels::wanted);
    std::string answer;
    auto there = node::Voice::from_offer(config, rng, offer, answer);
    auto here = node::Voice::from_answer(config, rng, offer, answer);
    if (!there || !here) std::abort();
    out.push_back({std::make_unique<node::Voice>(std::move(*here)), std::make_unique<node::Voice>(std::move(*there))});
  }
  return out;
}

// What a member says: a voice's loudness in words and pauses, or a quiet room.
std::vector<std::int16_t> speech(bool talks, std::uint64_t frame, double hz) {
  std::vector<std::int16_t> out(media::Mixer::kFrame);
  const bool word = talks && frame % 30 < 24;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(frame * media::Mixer::kFrame + i) / 48000;
    out[i] = static_cast<std::int16_t>((word ? 7000 : 8) * std::sin(2 * 3.14159265 * hz * t) *
                                       (0.6 + 0.4 * std::sin(25 * t)));
  }
  return out;
}

class Members {
 public:
  // The first three talk; the others send one frame of a quiet room again and again, encoded once.
  Members(std::vector<Pair>& pairs, const sockaddr_in& mixer) : pairs_(pairs), mixer_(mixer), sockets_(pairs.size()) {
    auto codec = media::make_codec(media::CodecKind::opus, {});
    (void)codec->encode(speech(false, 0, 200), quiet_);
  }
  const sockaddr_in& at(std::size_t i) const { return sockets_[i].at; }
  std::uint64_t received() const { return received_; }

  void run(const std::atomic<bool>& stop) {
    auto next = Steady::now();
    for (std::uint64_t frame = 0; !stop; ++frame) {
      // Spread over the frame, as members of the world are.
      constexpr std::size_t kParts = 10;
      for (std::size_t part = 0; part < kParts; ++part) {
        std::this_thread::sleep_until(next + kFrame * part / kParts);
        for (std::size_t i = part; i < pairs_.size(); i += kParts) send(i, frame);
      }
      next += kFrame;
    }
  }

 private:
  void send(std::size_t i, std::uint64_t frame) {
    auto& voice = *pairs_[i].member;
    const Time at = now();
    if (i < 3) {
      voice.capture(at, speech(true, frame, 200 + 90 * static_cast<double>(i)));
    } else {
      (void)voice.send_encoded(at, {media::CodecKind::opus, quiet_, media::Mixer::kFrame, {90, false}});
    }
    if (at >= voice.next_timeout()) voice.handle_timeout(at);
    while (auto packet = voice.poll_packet())
      ::sendto(sockets_[i].fd, packet->data(), packet->size(), 0, reinterpret_cast<const sockaddr*>(&mixer_),
               sizeof mixer_);
    // Their reports matter to the mixer; the rest is only taken away.
    receive_all(sockets_[i].fd, [&](const sockaddr_in&, MutableBytes packet) {
      ++received_;
      (void)voice.receive(at, packet);
    });
    voice.skim(at, media::Mixer::kFrame);
  }

  std::vector<Pair>& pairs_;
  sockaddr_in mixer_;
  std::vector<Socket> sockets_;
  Bytes quiet_;
  std::uint64_t received_ = 0;
};

struct Naive {
  std::vector<media::Mixer::Frame> heard;
  std::array<std::int32_t, media::Mixer::kFrame> sum{};

  void mix(Time at, std::vector<Pair>& pairs) {
    heard.resize(pairs.size());
    sum.fill(0);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      (void)pairs[i].mixer->play(at, heard[i]);
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += heard[i][k];
    }
    media::Mixer::Frame own;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      for (std::size_t k = 0; k < sum.size(); ++k)
        own[k] = static_cast<std::int16_t>(std::clamp(sum[k] - heard[i][k], -32768, 32767));
      pairs[i].mixer->capture(at, own);
    }
  }
};

struct Outcome {
  double share = 0;           // of one core
  double late = 0;            // share of frames whose last packet left after the next one was due
  double p99 = 0, worst = 0;  // ms from when a frame was due to its last packet
  double own = 0;             // members a frame for whom one of their own was encoded
  double heard = 0;           // packets that came to each member, of those that should have
};

bool go_first() {
  sched_param param{};
  param.sched_priority = 1;
  return ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0;
}

Outcome measure(std::size_t members, double seconds, bool naive) {
  SeededRng rng(7);
  auto pairs = connect(members, rng);
  Socket socket;
  Members others(pairs, socket.at);
  std::map<std::uint16_t, std::size_t> by_port;
  for (std::size_t i = 0; i < members; ++i) by_port[others.at(i).sin_port] = i;
  std::atomic<bool> stop = false;
  std::thread thread([&] { others.run(stop); });

  node::ConferenceSound sound(1, {24000, 5, true});
  Naive plain;
  std::vector<node::ConferenceSound::Seated> seats;
  for (std::size_t i = 0; i < members; ++i) {
    crypto::DeviceKey device;
    std::memcpy(device.bytes.data(), &i, sizeof i);
    seats.push_back({device, static_cast<std::uint32_t>(100 + i), pairs[i].mixer.get(), false});
  }
  Batch batch(socket.fd);
  const auto frames = static_cast<std::uint64_t>(seconds * 50);
  constexpr std::uint64_t kWarmUp = 50;
  double begun = 0;
  std::uint64_t heard_before = 0, encoded_before = 0;
  std::vector<double> took;  // ms
  auto next = Steady::now();
  for (std::uint64_t frame = 0; frame < frames + kWarmUp; ++frame) {
    if (frame == kWarmUp) {
      begun = thread_seconds();
      heard_before = others.received();
      encoded_before = sound.cost().encoded;
    }
    // The socket is read five times a frame, as a loop that wakes for packets does.
    for (int part = 0; part < 5; ++part) {
      std::this_thread::sleep_until(next + kFrame * part / 5);
      receive_all(socket.fd, [&](const sockaddr_in& from, MutableBytes packet) {
        const auto who = by_port.find(from.sin_port);
        if (who != by_port.end()) (void)pairs[who->second].mixer->receive(now(), packet);
      });
    }
    const auto due = next + kFrame * 4 / 5;  // it is mixed with what the last of the five brought
    next += kFrame;
    const Time at = now();
    naive ? plain.mix(at, pairs) : sound.mix(at, seats, false);
    for (std::size_t i = 0; i < members; ++i) {
      auto& voice = *pairs[i].mixer;
      if (at >= voice.next_timeout()) voice.handle_timeout(at);
      batch.take(voice, others.at(i));
    }
    batch.flush();
    if (frame >= kWarmUp) took.push_back(std::chrono::duration<double, std::milli>(Steady::now() - due).count());
  }
  Outcome out;
  const double length = static_cast<double>(frames) * 0.02;
  out.share = (thread_seconds() - begun) / length;
  std::sort(took.begin(), took.end());
  const auto in_time =
      std::upper_bound(took.begin(), took.end(), std::chrono::duration<double, std::milli>(kFrame).count());
  out.late = static_cast<double>(took.end() - in_time) / static_cast<double>(frames);
  out.p99 = took[took.size() * 99 / 100];
  out.worst = took.back();
  out.own = static_cast<double>(sound.cost().encoded - encoded_before) / static_cast<double>(frames);
  out.heard = static_cast<double>(others.received() - heard_before) /
              (static_cast<double>(members) * static_cast<double>(frames));
  stop = true;
  thread.join();
  return out;
}

double number(int argc, char** argv, const char* name, double fallback) {
  for (int i = 1; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], name) == 0) return std::atof(argv[i + 1]);
  return fallback;
}

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const auto members = static_cast<std::size_t>(number(argc, argv, "--members", 400));
  const auto plain = static_cast<std::size_t>(number(argc, argv, "--naive", 40));
  const double length = number(argc, argv, "--seconds", 5);
  const auto turns = static_cast<int>(number(argc, argv, "--turns", 5));
  if (number(argc, argv, "--urgent", 0) > 0 && !go_first()) return 1;
  std::vector<double> ours, theirs;
  for (int turn = 0; turn < turns; ++turn) {
    const auto a = measure(members, length, false);
    const auto b = measure(plain, length, true);
    ours.push_back(0.7 * static_cast<double>(members) / a.share);
    theirs.push_back(0.7 * static_cast<double>(plain) / b.share);
    std::printf(
        "{\"members\":%zu,\"core\":%.3f,\"late\":%.4f,\"p99_ms\":%.1f,\"worst_ms\":%.1f,\"own\":%.1f,\"heard\":%.4f,"
        "\"per_core_at_"
        "70\":%.0f,\"naive\":%zu,\"naive_"
        "core\":%.3f,"
        "\"naive_late\":%.4f,\"naive_per_core_at_70\":%.0f}\n",
        members, a.share, a.late, a.p99, a.worst, a.own, a.heard, ours.back(), plain, b.share, b.late, theirs.back());
    std::fflush(stdout);
  }
  std::printf("{\"per_core_at_70\":%.0f,\"naive_per_core_at_70\":%.0f,\"ratio\":%.2f}\n", median(ours), median(theirs),
              median(ours) / median(theirs));
}
