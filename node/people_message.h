// What two nodes say on the people channel of a session (overlay::Channel::people). Fixed binary: kind 1 byte, then
//   1 use      secret 16      the one-time secret of an invitation of yours
//   2 answer   id 16, verdict 1
#pragma once

#include <variant>

#include "crypto/invitation.h"

namespace linnet::node::people_message {

enum class Verdict : std::uint8_t {
  welcome = 0,
  unknown = 1,  // never given out, or withdrawn
  used = 2,     // by somebody else
  expired = 3,
};

struct Use {
  crypto::InvitationSecret secret{};
};
struct Answer {
  crypto::InvitationId id{};
  Verdict verdict{};
};
using Message = std::variant<Use, Answer>;

Bytes write(const Message& message);
// Fault::unsupported for a kind of a later version.
Result<Message> read(ByteView bytes);

}  // namespace linnet::node::people_message
