#include "node/io/machine.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "node/io/files.h"

namespace linnet::io {
namespace {

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

}  // namespace linnet::io
