#include "node/io/net/metered.h"

#include <systemd/sd-bus.h>

#include <mutex>
#include <system_error>
#include <thread>

namespace linnet::io {
namespace {

constexpr std::uint64_t kPatience = 2'000'000;  // microseconds

// NMMetered: 0 unknown, 1 yes, 2 no, 3 and 4 a guess at either.
std::optional<bool> ask_network_manager() {
  sd_bus* bus = nullptr;
  if (::sd_bus_open_system(&bus) < 0) return std::nullopt;
  (void)::sd_bus_set_method_call_timeout(bus, kPatience);
  std::uint32_t metered = 0;
  sd_bus_error error{};
  const int found =
      ::sd_bus_get_property_trivial(bus, "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
                                    "org.freedesktop.NetworkManager", "Metered", &error, 'u', &metered);
  ::sd_bus_error_free(&error);
  ::sd_bus_flush_close_unref(bus);
  if (found < 0 || metered == 0 || metered > 4) return std::nullopt;
  return metered == 1 || metered == 3;
}

}  // namespace

struct Metered::Shared {
  std::mutex mutex;
  Loop* loop;  // null: it may be gone
};

Metered::Metered(Loop& loop) : shared_(std::make_shared<Shared>()) { shared_->loop = &loop; }

Metered::~Metered() {
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
}

void Metered::ask(std::function<void(std::optional<bool>)> found) {
  if (std::exchange(asking_, true)) return;
  auto ask = [this, shared = shared_, tell = std::move(found)] {
    const auto metered = ask_network_manager();
    const std::lock_guard lock(shared->mutex);
    if (shared->loop == nullptr) return;
    shared->loop->post([this, shared, tell, metered] {
      if (shared->loop == nullptr) return;
      asking_ = false;
      tell(metered);
    });
  };
  try {
    std::thread(std::move(ask)).detach();
  } catch (const std::system_error&) {  // no thread is to be had: nobody knows
    asking_ = false;
  }
}

}  // namespace linnet::io
