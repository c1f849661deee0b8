// Leaves that could be supernodes, at a supernode that they are attached to, and when the next of them is called
// (protocol.md section 3; docs/decisions/029).
//
// - At most kMost stand here, kOfPrefix of one /24 or /48 of global addresses: who has one network does not fill it.
// - Who asked first is called first; but where leaves are to be taken off a supernode, who would stand nearest to it.
// Who
//   was called and is no supernode by the next call comes after those who were not, and goes when it was called twice:
//   whoever fills the line and never serves is soon out of it. It may offer itself again after kVainRest.
// - One is called at a time. Each that followed was one more, and leaves need a while until they are with it: the pause
//   is doubled until there is no need.
#pragma once

#include <optional>
#include <vector>

#include "base/rng.h"
#include "dht/id.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

class StandbyLine {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kOfPrefix = 2;
  static constexpr unsigned kCallsInVain = 2;
  static constexpr Duration kPause = std::chrono::seconds(30);  // and up to half of it more
  static constexpr Duration kMostPause = std::chrono::minutes(16);

  static constexpr Duration kVainRest = std::chrono::minutes(30);

  // Takes its place, or keeps the one it has. `place`: where it would stand among the supernodes. False: there is none,
  // for now.
  bool offer(Time now, SessionId session, const IpAddress& from, const dht::Id& place);
  // It could not (any more), is a supernode, or went.
  void withdraw(SessionId session);
  // Where leaves are to be taken from, and how far away somebody still takes some. Nothing: wherever.
  struct Near {
    dht::Id to;
    std::optional<dht::Id> limit;
  };
  // Whom to call, while one more supernode is needed.
  std::optional<SessionId> call(Time now, Rng& rng, const std::optional<Near>& near = std::nullopt);
  void no_need() {
    pause_ = kPause;
    followed_ = false;
  }
  // Somebody did, since there is need.
  bool followed() const { return followed_; }

  std::size_t size() const { return line_.size(); }
  std::size_t memory_bytes() const { return line_.capacity() * sizeof(Standby) + in_vain_.capacity() * sizeof(InVain); }

 private:
  struct Standby {
    SessionId session{};
    IpAddress from;
    dht::Id place;
    unsigned calls = 0;
  };

  struct InVain {
    SessionId session{};
    Time rests_until{};
  };

  void drop_in_vain(Time now);
  std::vector<Standby>::iterator find(SessionId session);
  std::vector<Standby>::iterator next(const std::optional<Near>& near);

  std::vector<Standby> line_;    // who asked first stands first
  std::vector<InVain> in_vain_;  // oldest first, kMost at most
  std::optional<SessionId> called_;
  bool followed_ = false;
  Duration pause_ = kPause;
  Time next_at_ = Time::min();
};

}  // namespace linnet::overlay
