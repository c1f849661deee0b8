#include "node/io/net/upnp.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <array>
#include <optional>
#include <string>

#include "node/io/clock.h"
#include "node/io/log.h"

namespace linnet::io {
namespace {

constexpr int kDiscoverMs = 2000;
constexpr int kUpnpTries = 4;  // ports, where one is taken
constexpr int kConflict = 718;
constexpr int kOnlyPermanent = 725;

using Devices = std::unique_ptr<UPNPDev, void (*)(UPNPDev*)>;

// What a router's description told of how it is spoken to.
class Igd {
 public:
  Igd() = default;
  ~Igd() { FreeUPNPUrls(&urls_); }
  Igd(const Igd&) = delete;
  Igd& operator=(const Igd&) = delete;

  // True: a router that says it is connected.
  bool find(const IpAddress& local) {
    int error = 0;
    const Devices found(
        upnpDiscover(kDiscoverMs, local.to_string().c_str(), nullptr, UPNP_LOCAL_PORT_ANY, 0, 2, &error),
        freeUPNPDevlist);
    if (!found) return false;
    std::array<char, 64> ours{};
#if MINIUPNPC_API_VERSION >= 18
    std::array<char, 64> theirs{};
    const int kind =
        UPNP_GetValidIGD(found.get(), &urls_, &data_, ours.data(), ours.size(), theirs.data(), theirs.size());
#else
    const int kind = UPNP_GetValidIGD(found.get(), &urls_, &data_, ours.data(), ours.size());
#endif
    local_ = ours.data();
    return kind == 1;
  }

  std::optional<IpAddress> external() const {
    std::array<char, 64> text{};
    if (UPNP_GetExternalIPAddress(urls_.controlURL, type(), text.data()) != UPNPCOMMAND_SUCCESS) return std::nullopt;
    return IpAddress::parse(text.data());
  }

  // 0, or why not.
  int add(const nat::PortWish& wish, std::uint16_t external, std::chrono::seconds lifetime) const {
    return UPNP_AddPortMapping(urls_.controlURL, type(), std::to_string(external).c_str(),
                               std::to_string(wish.internal).c_str(), local_.c_str(), "Linnet",
                               protocol(wish.transport), nullptr, std::to_string(lifetime.count()).c_str());
  }
  void remove(Transport transport, std::uint16_t external) const {
    (void)UPNP_DeletePortMapping(urls_.controlURL, type(), std::to_string(external).c_str(), protocol(transport),
                                 nullptr);
  }

 private:
  const char* type() const { return data_.first.servicetype; }
  static const char* protocol(Transport transport) { return transport == Transport::udp ? "UDP" : "TCP"; }

  UPNPUrls urls_{};
  IGDdatas data_{};
  std::string local_;
};

}  // namespace

struct Upnp::Shared {
  Shared(Loop& l, Changed c, std::shared_ptr<bool> a) : loop(l), changed(std::move(c)), alive(std::move(a)) {}

  Loop& loop;
  const Changed changed;
  const std::shared_ptr<bool> alive;

  std::mutex mutex;
  std::condition_variable moved;
  IpAddress local;  // and all that follows, under the mutex
  std::vector<nat::PortWish> wishes;
  bool asked = false;
  bool ending = false;
  bool ended = false;
  bool begun = false;

  // The thread alone.
  std::unique_ptr<Igd> igd;
  std::vector<nat::PortMapping> held;

  void run();
  void ask(const IpAddress& from, const std::vector<nat::PortWish>& wanted);
  std::optional<nat::PortMapping> map(const IpAddress& from, const IpAddress& external,
                                      const nat::PortWish& wish) const;
  void give_back();
  void tell();
};

void Upnp::Shared::tell() {
  const std::lock_guard lock(mutex);
  if (ending) return;  // the loop may be gone
  loop.post([changed = changed, alive = alive, held = held] {
    if (*alive) changed(held);
  });
}

std::optional<nat::PortMapping> Upnp::Shared::map(const IpAddress& from, const IpAddress& external,
                                                  const nat::PortWish& wish) const {
  auto port = wish.external;
  auto lifetime = kLifetime;
  for (int i = 0; i < kUpnpTries; ++i) {
    const int error = igd->add(wish, port, lifetime);
    if (error == UPNPCOMMAND_SUCCESS) {
      const auto until = lifetime.count() == 0 ? kNever : now() + lifetime;
      return nat::PortMapping{nat::MappedBy::upnp, wish.internal, Endpoint{external, port, wish.transport}, until,
                              from};
    }
    if (error == kOnlyPermanent) {
      lifetime = std::chrono::seconds(0);
    } else if (error == kConflict && !wish.exact) {
      port = static_cast<std::uint16_t>(port < 60'000 ? port + 1 : 20'000);
    } else {
      break;
    }
  }
  return std::nullopt;
}

void Upnp::Shared::ask(const IpAddress& from, const std::vector<nat::PortWish>& wanted) {
  auto fresh = std::make_unique<Igd>();
  const bool found = fresh->find(from);
  const auto external = found ? fresh->external() : std::nullopt;
  std::vector<nat::PortMapping> before;
  before.swap(held);
  if (external) {
    igd = std::move(fresh);
    for (auto wish : wanted) {
      for (const auto& mapping : before) {
        if (mapping.internal == wish.internal && mapping.external.transport == wish.transport)
          wish.external = mapping.external.port;  // renewed where it is
      }
      if (auto mapping = map(from, *external, wish)) held.push_back(*mapping);
    }
  }
  if (held != before) tell();
}

void Upnp::Shared::give_back() {
  if (igd) {
    for (const auto& mapping : held) igd->remove(mapping.external.transport, mapping.external.port);
  }
  held.clear();
}

void Upnp::Shared::run() {
  std::unique_lock lock(mutex);
  while (!ending) {
    if (!std::exchange(asked, false)) {
      const Duration pause = held.empty() ? kAgain : std::chrono::duration_cast<Duration>(kLifetime) / 2;
      if (moved.wait_for(lock, pause, [this] { return ending || asked; })) continue;
    }
    const auto from = local;
    const auto wanted = wishes;
    lock.unlock();
    ask(from, wanted);
    lock.lock();
  }
  lock.unlock();
  give_back();
  lock.lock();
  ended = true;
  moved.notify_all();
}

Upnp::Upnp(Loop& loop, Changed changed) { shared_ = std::make_shared<Shared>(loop, std::move(changed), alive_); }

Upnp::~Upnp() {
  stop();
  *alive_ = false;
}

void Upnp::open(const IpAddress& local, std::vector<nat::PortWish> wishes) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->ending) return;
  shared_->local = local;
  shared_->wishes = std::move(wishes);
  shared_->asked = true;
  if (!std::exchange(shared_->begun, true)) std::thread([shared = shared_] { shared->run(); }).detach();
  shared_->moved.notify_all();
}

// A router that takes longer is left behind: it forgets what we hold when the time asked for is over.
void Upnp::stop() {
  std::unique_lock lock(shared_->mutex);
  if (!shared_->begun || shared_->ending) return;
  shared_->ending = true;
  shared_->moved.notify_all();
  shared_->moved.wait_for(lock, kGoodbye, [this] { return shared_->ended; });
}

}  // namespace linnet::io
