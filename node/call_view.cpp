#include "node/call_view.h"

namespace linnet::node {

std::string_view to_string(CallState state) {
  switch (state) {
    case CallState::resolving: return "resolving";
    case CallState::connecting: return "connecting";
    case CallState::inviting: return "inviting";
    case CallState::ringing: return "ringing";
    case CallState::incoming: return "incoming";
    case CallState::talking: return "talking";
    case CallState::held: return "held";
    case CallState::ended: return "ended";
  }
  return "unknown";
}

std::string_view to_string(PathWord path) {
  switch (path) {
    case PathWord::unknown: return "unknown";
    case PathWord::lan: return "lan";
    case PathWord::direct: return "direct";
    case PathWord::relayed: return "relayed";
  }
  return "unknown";
}

std::string_view to_string(CallResult result) {
  switch (result) {
    case CallResult::ended: return "ended";
    case CallResult::declined: return "declined";
    case CallResult::busy: return "busy";
    case CallResult::no_answer: return "no-answer";
    case CallResult::unreachable: return "unreachable";
    case CallResult::not_found: return "not-found";
    case CallResult::cancelled: return "cancelled";
    case CallResult::identity: return "identity";
    case CallResult::failed: return "failed";
  }
  return "failed";
}

}  // namespace linnet::node
