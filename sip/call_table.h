// Every call of the node, found by its id, by a dialog of it, and by its peer; the next deadline of all of them. Hashed
// throughout; bounded by its owner.
#pragma once

#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sip/invite_session.h"

namespace linnet::sip {

class CallTable {
 public:
  InviteSession& add(InviteSession session);
  void erase(CallId call);
  // The dialog came into being: requests inside it find the call from now on.
  void index(InviteSession& session, const Dialog& dialog);
  // A request that makes a call, so that its copy by another way is seen (RFC 3261 section 8.2.2.2).
  void index_request(InviteSession& session, const MessageView& invite);

  // What these hand out may be changed: settle() looks at its deadline again.
  InviteSession* find(CallId call);
  InviteSession* find_dialog(const PeerId& peer, const MessageView& request);
  // With any peer, early ones included. Looks at each call.
  InviteSession* find_named(std::string_view call_id, std::string_view local_tag, std::string_view remote_tag);
  bool knows_request(const PeerId& peer, const MessageView& invite) const;

  std::vector<CallId> of(const PeerId& peer) const;
  std::size_t count(const PeerId& peer) const;
  std::size_t size() const { return calls_.size(); }

  void settle();
  // True after settle().
  Time next_timeout() const { return due_.empty() ? kNever : due_.begin()->first; }
  std::vector<CallId> due(Time now);

 private:
  InviteSession* touch(InviteSession& session);
  void put(InviteSession& session, std::string key);

  std::unordered_map<CallId, InviteSession> calls_;
  std::unordered_map<std::string, CallId> index_;
  std::unordered_map<PeerId, std::vector<CallId>> per_peer_;
  std::set<std::pair<Time, CallId>> due_;
  std::vector<CallId> touched_;
};

}  // namespace linnet::sip
