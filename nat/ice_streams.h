// The TCP connections of an agent (RFC 6544), those under way included. One is named by its base and its other end.
//
// Whoever finds the port may connect; what he has until his first authentic check is one of a few places, for a few
// seconds, that strangers take from each other. Connections that are proven take none of those places.
#pragma once

#include <optional>
#include <vector>

#include "base/time.h"
#include "nat/ice_candidate.h"
#include "nat/stream_frame.h"

namespace linnet::nat::ice {

struct StreamName {
  Base base = 0;
  Endpoint remote;

  bool operator==(const StreamName&) const = default;
};

struct Stream {
  StreamName name;
  bool outgoing = false;
  bool open = false;
  bool proven = false;  // a check or an answer on it was the other side's
  Time until = kNever;  // to be open by then, or to be of use
  FrameReader reader;
};

class Streams {
 public:
  static constexpr std::size_t kMaxKnown = 16;  // outgoing ones, and incoming ones that are proven
  static constexpr std::size_t kMaxUnknown = 8;
  static constexpr Duration kConnect = std::chrono::seconds(10);
  static constexpr Duration kUse = std::chrono::seconds(5);

  // False: no room.
  bool connect(Time now, const StreamName& name);
  // Who loses his place to it, if anybody: the eldest stranger of the /24 or /48 with most of them.
  std::optional<StreamName> accept(Time now, const StreamName& name);
  // False: no room.
  bool prove(const StreamName& name);
  void keep(const StreamName& name);  // it is of use
  Stream* find(const StreamName& name);
  const Stream* find(const StreamName& name) const;
  void remove(const StreamName& name);
  // Whose time is over.
  std::vector<StreamName> overdue(Time now) const;
  Time next_timeout() const;
  bool connecting() const;
  const std::vector<Stream>& all() const { return all_; }

 private:
  static bool known(const Stream& stream) { return stream.outgoing || stream.proven; }
  std::size_t count(bool known) const;

  std::vector<Stream> all_;
};

}  // namespace linnet::nat::ice
