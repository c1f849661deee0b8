// What follows from ports that routers opened: where a supernode tells others that it is, and where a leaf takes
// streams.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/nat_facts.h"

namespace linnet::node {

class Outside {
 public:
  void set(std::vector<OpenPort> open);
  const std::vector<OpenPort>& all() const { return open_; }

  // Datagrams come in there, by IPv4: a supernode behind that router is known by it. The same one as long as it is
  // proven.
  const std::optional<Endpoint>& place() const { return place_; }
  // TLS comes in there: a port of convention, to a listener of ours.
  std::vector<Endpoint> streams() const;
  // Why a supernode that listens at `listen` tells others that it is at `told`, in words.
  std::string why(const Endpoint& told, const std::vector<Endpoint>& listen) const;

 private:
  std::vector<OpenPort> open_;
  std::optional<Endpoint> place_;
  bool lost_ = false;  // there was one before
};

}  // namespace linnet::node
