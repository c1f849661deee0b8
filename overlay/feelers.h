// Now and then one supernode of the host cache is asked whether it is there: one that we only heard of, or one whose
// place another would take. So the cache knows enough that answer for the next start, whoever filled it (Heilman et
// al., host_cache.h). A handshake that ends with message 2: some 2 KB, and nobody learns who asked.
#pragma once

#include <optional>

#include "overlay/context.h"
#include "overlay/host_cache.h"

namespace linnet::overlay {

class Feelers {
 public:
  static constexpr Duration kEvery = std::chrono::minutes(10);
  static constexpr Duration kAgain = std::chrono::minutes(1);  // when it was no time for one
  static constexpr Duration kPatience = std::chrono::seconds(4);

  void start(const Context& c) { at_ = c.now + c.jittered(kEvery); }
  // Begins one when it is time and `free`: others answer us, and no call needs the line. By the way that works here.
  void handle_timeout(const Context& c, bool free, const HostCache& cache, std::optional<Way> way);
  Time next_timeout() const { return at_; }

  bool owns(SessionId session) const { return asked_ && asked_->session == session; }
  // The contact that answered as it was told of. Nothing: what is there is another one, or no supernode.
  std::optional<dht::Contact> on_answer(const Context& c, const ProbeAnswered& answer);
  // The one under way has ended. Who did not answer.
  std::optional<Endpoint> on_down();

 private:
  struct Asked {
    SessionId session{};
    dht::Contact contact;
    bool answered = false;
  };
  std::optional<Asked> asked_;
  Time at_ = kNever;
};

}  // namespace linnet::overlay
