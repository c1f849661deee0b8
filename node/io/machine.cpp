#include "node/io/machine.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "crypto/suite.h"
#include "node/io/files.h"

namespace linnet::io {
namespace {

constexpr std::size_t kLongestFile = 64 << 10;
constexpr int kPackets = 256;
constexpr std::size_t kPacketSize = 1200;
constexpr std::int64_t kSlept = 5'000'000;  // microseconds: less is no sleep

std::int64_t clock_us(clockid_t which) {
  timespec at{};
  ::clock_gettime(which, &at);
  return std::int64_t{at.tv_sec} * 1'000'000 + at.tv_nsec / 1000;
}

std::string port(std::uint16_t number) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(number);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) return "free";
  return errno == EACCES ? "not allowed" : "taken";
}

}  // namespace

MachineFacts look_at_machine() {
  MachineFacts out;
  out.cores = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  out.memory_gb = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e9;
  out.port_80 = port(80);
  out.port_443 = port(443);
  return out;
}

namespace {

double packets_once() {
  const auto& suite = crypto::shipped_suite();
  const crypto::Secret key(ByteArray<32>{1});
  Bytes packet(kPacketSize);
  const auto began = clock_us(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < kPackets; ++i) {
    packet.resize(kPacketSize);
    const auto nonce = static_cast<std::uint64_t>(i);
    const auto tag = suite.seal_in_place(key, nonce, {}, packet);
    packet.insert(packet.end(), tag.begin(), tag.end());
    (void)suite.open_in_place(key, nonce, {}, packet);
  }
  return kPackets * 1e6 / static_cast<double>(std::max<std::int64_t>(1, clock_us(CLOCK_THREAD_CPUTIME_ID) - began));
}

}  // namespace

// The best of three: a single one may have been disturbed, and counts for as long as this program runs.
double packets_per_core_second() { return std::max({packets_once(), packets_once(), packets_once()}); }

// Empty: there is none, or it is no file of a few lines.
std::string MachineWatch::read(const std::filesystem::path& path) const {
  const auto bytes = read_file(root_ / path, kLongestFile);
  return bytes && *bytes ? std::string((*bytes)->begin(), (*bytes)->end()) : std::string();
}

// That of a mouse is none of the machine's (scope "Device").
bool MachineWatch::drains_a_battery() const {
  std::error_code failed;
  for (const auto& supply : std::filesystem::directory_iterator(root_ / "sys/class/power_supply", failed)) {
    const auto name = std::filesystem::path("sys/class/power_supply") / supply.path().filename();
    if (read(name / "type") == "Battery\n" && read(name / "scope") != "Device\n" &&
        read(name / "status") == "Discharging\n")
      return true;
  }
  return false;
}

// Of the control group that limits this program, by cgroup v2.
std::filesystem::path MachineWatch::group() const {
  std::istringstream lines(read("proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("0::/", 0) == 0) return std::filesystem::path("sys/fs/cgroup") / line.substr(4);
  return "sys/fs/cgroup";
}

std::uint64_t MachineWatch::memory_free() const {
  std::uint64_t out = 0;
  std::istringstream words(read("proc/meminfo"));
  for (std::string word; words >> word;)
    if (word == "MemAvailable:" && words >> out) out *= 1024;
  std::uint64_t most = 0, used = 0;
  if (std::istringstream(read(group() / "memory.max")) >> most &&
      std::istringstream(read(group() / "memory.current")) >> used)
    out = std::min(out, most - std::min(most, used));
  return out;
}

// The control groups that limit this program's time, its own first, then those around it. By cgroup v1 where the kernel
// has the controller there (both may be mounted), else by v2.
std::vector<std::filesystem::path> MachineWatch::cpu_groups() const {
  std::filesystem::path mount = "sys/fs/cgroup";
  std::string name;
  std::istringstream lines(read("proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool v1 = controllers.find(",cpu,") != std::string::npos;
    if (!v1 && controllers != ",,") continue;
    name = line.substr(second + 1);
    mount = v1 ? "sys/fs/cgroup/cpu" : "sys/fs/cgroup";
    if (v1) break;
  }
  std::vector<std::filesystem::path> out;
  for (auto group = std::filesystem::path(name).relative_path(); !group.empty(); group = group.parent_path())
    out.push_back(mount / group);
  out.push_back(mount);  // in a container its own group is mounted here, whatever it is called outside
  return out;
}

double MachineWatch::cores() const {
  cpu_set_t set;
  CPU_ZERO(&set);
  double out = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  for (const auto& group : cpu_groups()) {
    double quota = 0, period = 0;  // no limit: "max" and -1
    const bool v2 = static_cast<bool>(std::istringstream(read(group / "cpu.max")) >> quota >> period);
    const bool v1 = !v2 && std::istringstream(read(group / "cpu.cfs_quota_us")) >> quota &&
                    std::istringstream(read(group / "cpu.cfs_period_us")) >> period;
    if ((v1 || v2) && quota > 0 && period > 0) out = std::min(out, quota / period);
  }
  return out;
}

// "cpu  user nice system idle iowait irq softirq steal ..." (proc(5)); guests' time is in user's already. What is nice
// gives way to us.
std::optional<MachineWatch::Ticks> MachineWatch::ticks() const {
  constexpr int kFields = 8, kNice = 1, kIdle = 3, kWaits = 4;
  std::istringstream words(read("proc/stat"));
  std::string cpu;
  words >> cpu;
  Ticks out;
  double one = 0;
  for (int i = 0; i < kFields && words >> one; ++i) {
    out.all += one;
    if (i == kNice || i == kIdle || i == kWaits) out.idle += one;
  }
  out.own = own_ticks();
  return cpu == "cpu" && out.all > 0 ? std::optional(out) : std::nullopt;
}

// "pid (name) state ..." (proc(5)): utime and stime are fields 14 and 15, nice is 19. What a nice program uses counts
// as idle already.
double MachineWatch::own_ticks() const {
  constexpr int kState = 3, kUser = 14, kSystem = 15, kNice = 19;
  const auto text = read("proc/self/stat");
  const auto name_ends = text.rfind(')');
  if (name_ends == std::string::npos) return 0;
  std::istringstream words(text.substr(name_ends + 1));
  double out = 0;
  std::string word;
  for (int field = kState; field <= kNice && words >> word; ++field) {
    const double value = std::strtod(word.c_str(), nullptr);
    if (field == kUser || field == kSystem) out += value;
    if (field == kNice && value > 0) return 0;
  }
  return out;
}

std::optional<MachineWatch::Ticks> MachineWatch::since_last() {
  const auto found = ticks();
  if (!found || found->all <= before_.all) return std::nullopt;
  const auto last = std::exchange(before_, *found);
  return Ticks{found->idle - last.idle, found->all - last.all, found->own - last.own};
}

double MachineWatch::spare_cores() {
  const auto since = since_last();
  return since ? cores() * std::clamp((since->idle + since->own) / since->all, 0.0, 1.0) : 0.0;
}

node::MachineState MachineWatch::look() {
  node::MachineState out;
  out.mains = !drains_a_battery();
  out.memory_free = memory_free();
  if (const auto since = since_last()) out.idle_cores = cores() * std::clamp(since->idle / since->all, 0.0, 1.0);
  return out;
}

bool SleepWatch::slept() {
  const auto away = clock_us(CLOCK_BOOTTIME) - clock_us(CLOCK_MONOTONIC);
  const auto before = std::exchange(away_, away);
  return before && away - *before >= kSlept;
}

}  // namespace linnet::io
