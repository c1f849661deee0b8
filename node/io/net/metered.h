// Whether the link that this machine is on costs by volume, as NetworkManager says on the system's bus (property
// Metered). On a thread of its own, since the bus may be slow.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "node/io/loop.h"

namespace linnet::io {

class Metered {
 public:
  // Loop outlives this.
  explicit Metered(Loop& loop);
  ~Metered();
  Metered(const Metered&) = delete;
  Metered& operator=(const Metered&) = delete;

  // `found` is called once on the loop, and not after the end: yes or no, or nothing where nobody knows (no
  // NetworkManager). Nothing is asked while an answer is still due.
  void ask(std::function<void(std::optional<bool>)> found);

 private:
  struct Shared;  // with the thread, which may outlive us by what it waits for

  std::shared_ptr<Shared> shared_;
  bool asking_ = false;
};

}  // namespace linnet::io
