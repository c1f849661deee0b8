// A router that speaks UPnP IGD alone (miniupnpc), on a thread of its own: finding it and talking to it wait for the
// network. Tried where neither PCP nor NAT-PMP brought a port.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "nat/port_map_client.h"
#include "node/io/loop.h"

namespace linnet::io {

class Upnp {
 public:
  static constexpr std::chrono::seconds kLifetime{3600};         // asked for; renewed after half of it
  static constexpr Duration kAgain = std::chrono::minutes(30);   // after no router was found, or it refused
  static constexpr Duration kGoodbye = std::chrono::seconds(3);  // the longest that stop() waits

  using Changed = std::function<void(std::vector<nat::PortMapping>)>;

  // Loop outlives this. `changed` comes on the loop, and not after the end.
  Upnp(Loop& loop, Changed changed);
  ~Upnp();
  Upnp(const Upnp&) = delete;
  Upnp& operator=(const Upnp&) = delete;

  // From this address of ours; asked anew at each call. Starts the thread.
  void open(const IpAddress& local, std::vector<nat::PortWish> wishes);
  // Gives back what is held and ends.
  void stop();

 private:
  struct Shared;  // with the thread, which may outlive us by what it waits for

  std::shared_ptr<Shared> shared_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // read and written on the loop's thread
};

}  // namespace linnet::io
