// What is found out about the way to somebody, without ringing: `linnet ping` and `linnet doctor WHO`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/address.h"
#include "node/call_view.h"
#include "node/path_message.h"

namespace linnet::node {

// One path's answer to one round of challenges; without a round trip: nothing of that device answered this round.
struct Answer {
  std::size_t device = 0;
  unsigned round = 0;  // from 1
  PathWord path = PathWord::unknown;
  std::string via;
  std::string by;  // which way, by_word(); empty: no answer
  std::optional<Duration> rtt;
};

struct Examination {
  struct Candidate {
    std::string endpoint;
    std::string result;  // "answered", "no answer"; of a circuit "stands", "no answer"
  };
  struct Device {
    std::string key_name;
    std::int64_t age_s = 0;         // of its record, as far as its life is the usual one
    std::int64_t expires_in_s = 0;  // of its record
    std::vector<std::string> homes;
    std::optional<Duration> connected;  // since the command: a sealed link stood
    std::optional<Duration> direct;     // likewise: a direct path carried it
    PathWord path = PathWord::unknown;
    std::string via;
    std::optional<Duration> rtt;
    unsigned rounds = 0, answered = 0;
    std::string failure;                            // why there is no link
    std::vector<Candidate> circuits, ours, theirs;  // ours: what we tried of their addresses; theirs: the reverse
    std::optional<path_message::Network> network;   // what the other side says of its NAT
    bool shares = false;                            // addresses were exchanged: a contact, or somebody in a call
  };

  crypto::Address address;
  bool contact = false;
  std::optional<Duration> looked_up;  // since the command
  std::size_t hops = 0;
  std::vector<Device> devices;
};

}  // namespace linnet::node
