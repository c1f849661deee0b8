// Whom our own port has sent to, so that it is known who could come in only because of that. Bounded: once there were
// too many, everybody counts as one of them.
#pragma once

#include <set>

#include "base/endpoint.h"

namespace linnet::io {

class SentTo {
 public:
  static constexpr std::size_t kMost = 1024;

  void add(const IpAddress& ip) {
    if (addresses_.size() < kMost) addresses_.insert(ip);
  }
  bool never(const IpAddress& ip) const { return addresses_.size() < kMost && !addresses_.contains(ip); }

 private:
  std::set<IpAddress> addresses_;
};

}  // namespace linnet::io
