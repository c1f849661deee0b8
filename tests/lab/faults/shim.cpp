// LD_PRELOAD: stands between a program and the C library, and breaks what the page (faults.h) says. The program under
// test knows nothing of it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "tests/lab/faults/faults.h"

// NOLINTBEGIN: the C library's names are what this file is about.
namespace {

linnet::faults::Page* page = nullptr;

__attribute__((constructor)) void map_page() {
  const char* path = std::getenv("LINNET_FAULTS");
  if (path == nullptr) return;
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
  if (fd < 0) return;
  void* at = ::mmap(nullptr, sizeof(linnet::faults::Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at != MAP_FAILED) page = static_cast<linnet::faults::Page*>(at);
}

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

bool regular(int fd) {
  struct stat s {};
  return ::fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();
}

// Counts a step. True: it is to fail, errno is set. `half` is done first when the process dies here, torn.
template <class Half>
bool step(Half&& half) {
  if (page == nullptr) return false;
  const auto n = ++page->steps;
  if (const auto at = page->kill_at.load(); at != 0 && n >= at) {
    if (page->torn != 0) half();
    die();
  }
  if (page->error != 0 && n >= page->fail_from && n <= page->fail_to) {
    ++page->failed;
    errno = static_cast<int>(page->error);
    return true;
  }
  return false;
}
bool step() {
  return step([] {});
}

}  // namespace

namespace {
// The mode is there only when a file may be made.
int open_by(int (*real)(const char*, int, ...), const char* path, int flags, va_list list) {
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
  return (flags & O_CREAT) != 0 && step() ? -1 : real(path, flags, mode);
}
}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t n) {
  static auto* real = next<ssize_t(int, const void*, size_t)>("write");
  if (page != nullptr && regular(fd) && step([&] { real(fd, bytes, n / 2); })) return -1;
  return real(fd, bytes, n);
}
ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) {
  static auto* real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (page != nullptr && regular(fd) && step([&] { real(fd, bytes, n / 2, at); })) return -1;
  return real(fd, bytes, n, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t n, off64_t at) {
  static auto* real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  if (page != nullptr && regular(fd) && step([&] { real(fd, bytes, n / 2, at); })) return -1;
  return real(fd, bytes, n, at);
}
int fsync(int fd) {
  static auto* real = next<int(int)>("fsync");
  return step() ? -1 : real(fd);
}
int fdatasync(int fd) {
  static auto* real = next<int(int)>("fdatasync");
  return step() ? -1 : real(fd);
}
int ftruncate(int fd, off_t to) {
  static auto* real = next<int(int, off_t)>("ftruncate");
  return step() ? -1 : real(fd, to);
}
int ftruncate64(int fd, off64_t to) {
  static auto* real = next<int(int, off64_t)>("ftruncate64");
  return step() ? -1 : real(fd, to);
}
int rename(const char* from, const char* to) {
  static auto* real = next<int(const char*, const char*)>("rename");
  return step() ? -1 : real(from, to);
}
int link(const char* from, const char* to) {
  static auto* real = next<int(const char*, const char*)>("link");
  return step() ? -1 : real(from, to);
}
int unlink(const char* path) {
  static auto* real = next<int(const char*)>("unlink");
  return step() ? -1 : real(path);
}
int mkostemp(char* pattern, int flags) {
  static auto* real = next<int(char*, int)>("mkostemp");
  return step() ? -1 : real(pattern, flags);
}
int open(const char* path, int flags, ...) {
  static auto* real = next<int(const char*, int, ...)>("open");
  va_list list;
  va_start(list, flags);
  const int out = open_by(real, path, flags, list);
  va_end(list);
  return out;
}
int open64(const char* path, int flags, ...) {
  static auto* real = next<int(const char*, int, ...)>("open64");
  va_list list;
  va_start(list, flags);
  const int out = open_by(real, path, flags, list);
  va_end(list);
  return out;
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  static auto* real = next<int(int, sockaddr*, socklen_t*, int)>("accept4");
  const int out = real(fd, address, size, flags);
  if (page != nullptr && out < 0 && errno == EMFILE) ++page->accepts_refused;
  return out;
}

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static auto* real = next<int(clockid_t, timespec*)>("clock_gettime");
  const int done = real(clock, out);
  if (page != nullptr && clock == CLOCK_REALTIME) out->tv_sec += page->wall_s;
  return done;
}
time_t time(time_t* out) noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  if (out != nullptr) *out = t.tv_sec;
  return t.tv_sec;
}
int gettimeofday(timeval* out, void*) noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  out->tv_sec = t.tv_sec;
  out->tv_usec = t.tv_nsec / 1000;
  return 0;
}

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);

static bool starves() {
  if (page == nullptr) return false;
  if (page->counting != 0) ++page->allocations;
  if (page->starve == 0 || --page->starve != 0) return false;
  ++page->starved;
  errno = ENOMEM;
  return true;
}
void* malloc(size_t n) { return starves() ? nullptr : __libc_malloc(n); }
void* calloc(size_t n, size_t each) { return starves() ? nullptr : __libc_calloc(n, each); }
void* realloc(void* old, size_t n) { return starves() ? nullptr : __libc_realloc(old, n); }

}  // extern "C"
// NOLINTEND
