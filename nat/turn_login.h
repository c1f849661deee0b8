// A client's long-term credentials (RFC 8489, section 9.2): what a challenge asked for, how requests are signed by it,
// and which answers are the server's. The counterpart of turn_credentials.
#pragma once

#include <string>

#include "nat/stun_auth.h"
#include "nat/stun_builder.h"

namespace linnet::nat::turn {

class Login {
 public:
  // Of at most 508 bytes, and at least one.
  Login(std::string user, std::string password);

  // Of a 401 or a 438. False: it cannot be used. No realm or nonce, no algorithm that we know, or somebody on the way
  // took the list of algorithms out of it that its nonce says is there.
  bool challenged(const stun::Message& error);
  // A challenge was heard: requests are signed from now on.
  bool ready() const { return !key_.empty(); }
  void forget();

  // Ends a request: who we are, and the tag.
  void sign(stun::Builder& out) const;
  // The tag is that of somebody who has the password.
  bool authentic(const stun::Message& answer) const;

 private:
  std::string user_;
  std::string password_;
  std::string realm_;
  std::string nonce_;
  Bytes algorithms_;  // PASSWORD-ALGORITHMS as it came; empty: a server of before RFC 8489
  stun::PasswordAlgorithm algorithm_ = stun::PasswordAlgorithm::md5;
  bool by_hash_ = false;  // USERHASH instead of USERNAME
  Bytes key_;
};

}  // namespace linnet::nat::turn
