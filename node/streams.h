// Streams straight from one end of a call to the other, where no datagram finds a way and one end takes streams (the
// passive candidates of RFC 6544; nobody opens at the same time). The session proves such a path as any other, and
// prefers it to a circuit. The ends name their streams in a message of their own on the channel `candidates`.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/time.h"
#include "overlay/sessions.h"

namespace linnet::node {

class Streams {
 public:
  static constexpr std::size_t kMost = 4;                              // endpoints that an end names
  static constexpr Duration kAfter = std::chrono::milliseconds(1500);  // datagrams come first
  static constexpr Duration kAgain = std::chrono::seconds(15);
  static constexpr int kTries = 3;  // of one link

  struct Facts {
    bool shared = false;   // the other end may learn where we are
    bool talking = false;  // a call has its voice on the link
    bool relayed = false;  // and goes by a supernode
  };

  // Where we take streams.
  void set(std::vector<Endpoint> taken);
  // What the other end said of its own. False: it was something else.
  bool on_message(overlay::SessionId link, ByteView bytes);
  void forget(overlay::SessionId link) { links_.erase(link); }

  // What is to be said to the other end: once for each link, and when it changed.
  std::optional<Bytes> say(overlay::SessionId link, const Facts& facts);
  // Where to try now.
  std::vector<Endpoint> look(Time now, overlay::SessionId link, const Facts& facts);
  Time next_timeout() const;

 private:
  struct Link {
    std::vector<Endpoint> theirs;
    std::size_t told = 0;  // version of ours
    Time at = kNever;
    int tries = 0;
  };

  std::vector<Endpoint> ours_;
  std::size_t version_ = 0;
  std::map<overlay::SessionId, Link> links_;
};

Bytes write_streams(const std::vector<Endpoint>& streams);
// Form and limits: at most Streams::kMost, none of UDP.
Result<std::vector<Endpoint>> read_streams(ByteView bytes);

}  // namespace linnet::node
