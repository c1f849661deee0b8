// Runs a fuzz target over every file of the given folders: the corpus as an ordinary test, without libFuzzer. An input
// may cost 100 ms of CPU time, which other programs do not lengthen, and 64 MB.
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(folder, missing)) {
    if (entry.is_regular_file()) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

#ifdef LINNET_SANITIZED
constexpr double kMostMs = 2000;  // what is built in costs ten times and more
constexpr long kMostKb = 1L << 20;
#else
constexpr double kMostMs = 100;
constexpr long kMostKb = 64L << 10;
#endif

double cpu_ms() {
  timespec at{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e3 + static_cast<double>(at.tv_nsec) / 1e6;
}
// The most that was ever in memory: it only grows.
long peak_kb() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return use.ru_maxrss;
}

// False, and why, when it cost too much.
bool run(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  // A copy of exactly this size, so that a sanitizer sees a read past its end.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  const double began = cpu_ms();
  const long before = peak_kb();
  LLVMFuzzerTestOneInput(input.data(), input.size());
  const double ms = cpu_ms() - began;
  const long kb = peak_kb() - before;
  if (ms <= kMostMs && kb <= kMostKb) return true;
  std::cerr << path.string() << ": " << ms << " ms of CPU time, " << kb << " KB more in memory\n";
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0, costly = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& path : files_in(argv[i])) {
      std::cerr << path.filename().string() << '\n';  // the last line of a crash names its input
      costly += run(path) ? 0 : 1;
      ++count;
    }
  }
  std::cout << count << " inputs, " << costly << " too costly\n";
  return count > 0 && costly == 0 ? 0 : 1;
}
