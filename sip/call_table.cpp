#include "sip/call_table.h"

namespace linnet::sip {
namespace {

std::string dialog_key(const PeerId& peer, std::string_view call_id, std::string_view local, std::string_view remote) {
  return std::string("d")
      .append(text(peer.bytes))
      .append(call_id)
      .append("\n")
      .append(local)
      .append("\n")
      .append(remote);
}

std::string request_key(const PeerId& peer, const MessageView& m) {
  return std::string("r")
      .append(text(peer.bytes))
      .append(m.call_id)
      .append("\n")
      .append(m.from.tag)
      .append("\n")
      .append(std::to_string(m.cseq.number));
}

}  // namespace

InviteSession* CallTable::touch(InviteSession& session) {
  if (!std::exchange(session.touched, true)) touched_.push_back(session.id);
  return &session;
}

InviteSession& CallTable::add(InviteSession session) {
  per_peer_[session.peer].push_back(session.id);
  const auto id = session.id;
  return *touch(calls_.emplace(id, std::move(session)).first->second);
}

void CallTable::erase(CallId call) {
  const auto it = calls_.find(call);
  if (it == calls_.end()) return;
  const auto& session = it->second;
  for (const auto& key : session.keys) index_.erase(key);
  due_.erase({session.due, call});
  if (const auto of_peer = per_peer_.find(session.peer); of_peer != per_peer_.end()) {
    std::erase(of_peer->second, call);
    if (of_peer->second.empty()) per_peer_.erase(of_peer);
  }
  calls_.erase(it);
}

void CallTable::put(InviteSession& session, std::string key) {
  if (index_.emplace(key, session.id).second) session.keys.push_back(std::move(key));
}

void CallTable::index(InviteSession& session, const Dialog& dialog) {
  put(session, dialog_key(session.peer, dialog.call_id, dialog.local_tag, dialog.remote_tag));
}

void CallTable::index_request(InviteSession& session, const MessageView& invite) {
  put(session, request_key(session.peer, invite));
}

InviteSession* CallTable::find(CallId call) {
  const auto it = calls_.find(call);
  return it == calls_.end() ? nullptr : touch(it->second);
}

InviteSession* CallTable::find_dialog(const PeerId& peer, const MessageView& request) {
  const auto it = index_.find(dialog_key(peer, request.call_id, request.to.tag, request.from.tag));
  return it == index_.end() ? nullptr : find(it->second);
}

InviteSession* CallTable::find_named(std::string_view call_id, std::string_view local_tag,
                                     std::string_view remote_tag) {
  for (auto& [id, session] : calls_) {
    const auto& dialog = session.leg.dialog;
    if (dialog.call_id == call_id && dialog.local_tag == local_tag && session.leg_with(remote_tag) != nullptr)
      return touch(session);
  }
  return nullptr;
}

bool CallTable::knows_request(const PeerId& peer, const MessageView& invite) const {
  return index_.contains(request_key(peer, invite));
}

std::vector<CallId> CallTable::of(const PeerId& peer) const {
  const auto it = per_peer_.find(peer);
  return it == per_peer_.end() ? std::vector<CallId>{} : it->second;
}

std::size_t CallTable::count(const PeerId& peer) const {
  const auto it = per_peer_.find(peer);
  return it == per_peer_.end() ? 0 : it->second.size();
}

void CallTable::settle() {
  for (const auto id : touched_) {
    const auto it = calls_.find(id);
    if (it == calls_.end()) continue;
    auto& session = it->second;
    session.touched = false;
    const auto next = session.next_timeout();
    if (next == session.due) continue;
    due_.erase({session.due, id});
    session.due = next;
    if (next != kNever) due_.insert({next, id});
  }
  touched_.clear();
}

std::vector<CallId> CallTable::due(Time now) {
  settle();
  std::vector<CallId> out;
  for (auto it = due_.begin(); it != due_.end() && it->first <= now; ++it) out.push_back(it->second);
  return out;
}

}  // namespace linnet::sip
