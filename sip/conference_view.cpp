#include "sip/conference_view.h"

#include <algorithm>
#include <unordered_map>

namespace linnet::sip {
namespace {

template <class T>
void renew(std::optional<T>& held, const std::optional<T>& news) {
  if (news) held = news;
}

const std::string& key_of(const ConferenceEndpoint& endpoint) { return endpoint.entity; }
const std::string& key_of(const ConferenceMedia& media) { return media.id; }

template <class T>
auto place_of(std::vector<T>& list, const std::string& key) {
  return std::find_if(list.begin(), list.end(), [&](const T& t) { return key_of(t) == key; });
}
template <class T>
const T* known_in(const std::vector<T>& list, const std::string& key) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const T& t) { return key_of(t) == key; });
  return it == list.end() ? nullptr : &*it;
}

void renew(ConferenceMedia& held, const ConferenceMedia& news) { held = news; }

template <class T>
void renew(std::vector<T>& held, const std::vector<T>& news, std::size_t most);

void renew(ConferenceEndpoint& held, const ConferenceEndpoint& news) {
  renew(held.display_text, news.display_text);
  renew(held.status, news.status);
  renew(held.joining_method, news.joining_method);
  renew(held.disconnection_method, news.disconnection_method);
  renew(held.media, news.media, kMaxConferenceParts);
}

void renew(ConferenceUser& held, const ConferenceUser& news) {
  renew(held.display_text, news.display_text);
  renew(held.roles, news.roles);
  renew(held.cascaded_focus, news.cascaded_focus);
  renew(held.endpoints, news.endpoints, kMaxConferenceParts);
}

template <class T>
constexpr bool has_state = !std::is_same_v<T, ConferenceMedia>;

// A full element comes in the place of what was held, a partial one changes it.
template <class T>
void place(T& held, const T& news, bool fresh) {
  bool whole = true;
  if constexpr (has_state<T>) whole = fresh || news.state == InfoState::full;
  if (whole) {
    held = T{};
    if constexpr (has_state<T>)
      held.entity = news.entity;
    else
      held.id = news.id;
  }
  renew(held, news);
}

template <class T>
bool is_deleted(const T& news) {
  if constexpr (has_state<T>) return news.state == InfoState::deleted;
  return false;
}

template <class T>
void renew(std::vector<T>& held, const std::vector<T>& news, std::size_t most) {
  for (const auto& n : news) {
    const auto at = place_of(held, key_of(n));
    if (is_deleted(n)) {
      if (at != held.end()) held.erase(at);
    } else if (at != held.end()) {
      place(*at, n, false);
    } else if (held.size() <= most) {  // one more than that is seen by fits()
      place(held.emplace_back(), n, true);
    }
  }
}

// The same for users, of whom there are many: each is found by a table.
void renew_users(std::vector<ConferenceUser>& held, const std::vector<ConferenceUser>& news) {
  std::unordered_map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < held.size(); ++i) at.emplace(held[i].entity, i);
  std::vector<bool> dead(held.size());
  for (const auto& n : news) {
    auto [it, fresh] = at.emplace(n.entity, held.size());
    if (n.state == InfoState::deleted) {
      if (!fresh) dead[it->second] = true;
      at.erase(it);
    } else if (!fresh) {
      place(held[it->second], n, false);
    } else if (held.size() > 2 * kMaxConferenceUsers) {
      at.erase(it);
    } else {
      dead.push_back(false);
      place(held.emplace_back(), n, true);
    }
  }
  std::size_t i = 0;
  std::erase_if(held, [&](const ConferenceUser&) { return dead[i++]; });
}

void renew_state(std::optional<ConferenceState>& held, const std::optional<ConferenceState>& news) {
  if (!news) return;
  if (!held) held.emplace();
  renew(held->user_count, news->user_count);
  renew(held->active, news->active);
  renew(held->locked, news->locked);
}

void renew_description(std::optional<ConferenceDescription>& held, const std::optional<ConferenceDescription>& news) {
  if (!news) return;
  if (news->state == InfoState::deleted) return held.reset();
  if (!held || news->state == InfoState::full) held.emplace();
  renew(held->display_text, news->display_text);
  renew(held->subject, news->subject);
  renew(held->free_text, news->free_text);
  renew(held->maximum_user_count, news->maximum_user_count);
}

std::size_t bytes_of(const std::optional<std::string>& text) { return text ? text->size() : 0; }

std::size_t bytes_of(const ConferenceUser& user) {
  std::size_t out = 64 + user.entity.size() + bytes_of(user.display_text) + bytes_of(user.cascaded_focus);
  if (user.roles)
    for (const auto& role : *user.roles) out += 64 + role.size();
  for (const auto& e : user.endpoints) {
    out += 64 + e.entity.size() + bytes_of(e.display_text);
    for (const auto& m : e.media)
      out += 64 + m.id.size() + bytes_of(m.display_text) + bytes_of(m.type) + bytes_of(m.label) + bytes_of(m.src_id);
  }
  return out;
}

bool fits(const ConferenceInfo& info) {
  if (info.users.size() > kMaxConferenceUsers) return false;
  std::size_t bytes = 0;
  for (const auto& user : info.users) {
    bytes += bytes_of(user);
    if (bytes > kMaxConferenceHeld || user.endpoints.size() > kMaxConferenceParts) return false;
    for (const auto& endpoint : user.endpoints)
      if (endpoint.media.size() > kMaxConferenceParts) return false;
  }
  return true;
}

}  // namespace

ConferenceView::Applied ConferenceView::apply(const ConferenceInfo& document) {
  if (held_ && (document.entity != held_->entity || document.version <= held_->version)) return Applied::ignored;
  if (document.state == InfoState::deleted) {
    held_.reset();
    return Applied::gone;
  }
  const bool full = document.state == InfoState::full;
  if (!full && (!held_ || document.version != held_->version + 1)) return Applied::gap;
  if (full) {
    held_.emplace();
    held_->entity = document.entity;
    held_->users_state = InfoState::full;
  }
  held_->version = document.version;
  renew_description(held_->description, document.description);
  renew_state(held_->conference_state, document.conference_state);
  if (document.users_state.value_or(InfoState::partial) != InfoState::partial) held_->users.clear();
  if (document.users_state != InfoState::deleted) renew_users(held_->users, document.users);
  if (fits(*held_)) return Applied::taken;
  held_.reset();
  return Applied::too_big;
}

namespace {

// True if something that stood in `before` does not in `after`: a partial element cannot say so.
template <class T>
bool vanished(const std::optional<T>& before, const std::optional<T>& after) {
  return before && !after;
}

template <class T>
std::optional<T> changed(const std::optional<T>& before, const std::optional<T>& after) {
  return before == after ? std::nullopt : after;
}

template <class T>
std::unordered_map<std::string_view, const T*> by_entity(const std::vector<T>& list) {
  std::unordered_map<std::string_view, const T*> out;
  for (const auto& t : list) out.emplace(t.entity, &t);
  return out;
}

template <class T, class Differ>
std::vector<T> changed(const std::vector<T>& before, const std::vector<T>& after, Differ differ) {
  const auto old = by_entity(before);
  const auto now = by_entity(after);
  std::vector<T> out;
  for (const auto& b : before) {
    if (now.contains(b.entity)) continue;
    out.emplace_back();
    out.back().entity = b.entity;
    out.back().state = InfoState::deleted;
  }
  for (const auto& a : after) {
    const auto b = old.find(a.entity);
    if (b == old.end())
      out.push_back(a);
    else if (*b->second != a)
      out.push_back(differ(*b->second, a));
  }
  return out;
}

ConferenceEndpoint endpoint_changes(const ConferenceEndpoint& before, const ConferenceEndpoint& after) {
  const bool media_gone = std::any_of(before.media.begin(), before.media.end(),
                                      [&](const ConferenceMedia& m) { return known_in(after.media, m.id) == nullptr; });
  if (media_gone || vanished(before.display_text, after.display_text) || vanished(before.status, after.status) ||
      vanished(before.joining_method, after.joining_method) ||
      vanished(before.disconnection_method, after.disconnection_method))
    return after;
  ConferenceEndpoint out;
  out.entity = after.entity;
  out.state = InfoState::partial;
  out.display_text = changed(before.display_text, after.display_text);
  out.status = changed(before.status, after.status);
  out.joining_method = changed(before.joining_method, after.joining_method);
  out.disconnection_method = changed(before.disconnection_method, after.disconnection_method);
  for (const auto& m : after.media) {
    const auto* was = known_in(before.media, m.id);
    if (was == nullptr || *was != m) out.media.push_back(m);
  }
  return out;
}

ConferenceUser user_changes(const ConferenceUser& before, const ConferenceUser& after) {
  ConferenceUser out;
  out.entity = after.entity;
  out.state = InfoState::partial;
  out.endpoints = changed(before.endpoints, after.endpoints, endpoint_changes);
  // Those that left and those that came may be more together than one element holds.
  if (out.endpoints.size() > kMaxConferenceParts || vanished(before.display_text, after.display_text) ||
      vanished(before.roles, after.roles) || vanished(before.cascaded_focus, after.cascaded_focus))
    return after;
  out.display_text = changed(before.display_text, after.display_text);
  out.roles = changed(before.roles, after.roles);
  out.cascaded_focus = changed(before.cascaded_focus, after.cascaded_focus);
  return out;
}

bool state_vanished(const std::optional<ConferenceState>& before, const std::optional<ConferenceState>& after) {
  if (!before) return false;
  return !after || vanished(before->user_count, after->user_count) || vanished(before->active, after->active) ||
         vanished(before->locked, after->locked);
}

}  // namespace

ConferenceInfo conference_changes(const ConferenceInfo& before, const ConferenceInfo& after) {
  ConferenceInfo out;
  out.entity = after.entity;
  out.state = InfoState::partial;
  out.version = after.version;
  out.description = changed(before.description, after.description);
  out.conference_state = changed(before.conference_state, after.conference_state);
  out.users = changed(before.users, after.users, user_changes);
  if (!out.users.empty()) out.users_state = InfoState::partial;
  const bool all = before.entity != after.entity || out.users.size() > kMaxConferenceUsers ||
                   vanished(before.description, after.description) ||
                   state_vanished(before.conference_state, after.conference_state);
  return all ? after : out;
}

std::vector<ConferenceInfo> conference_parts(const ConferenceInfo& full, std::size_t most) {
  ConferenceInfo frame = full;
  frame.users.clear();
  frame.users_state = InfoState::full;
  std::vector<ConferenceInfo> out{frame};
  auto bytes = to_xml(frame).size();
  ConferenceInfo further;
  further.entity = full.entity;
  further.state = InfoState::partial;
  further.users_state = InfoState::partial;
  const auto overhead = to_xml(further).size() + 16;  // the version grows
  for (const auto& user : full.users) {
    ConferenceInfo alone = further;
    alone.users = {user};
    const auto more = to_xml(alone).size() - overhead + 16;
    if (bytes + more > most && !(out.back().users.empty() && out.size() > 1)) {
      out.push_back(further);
      bytes = overhead;
    }
    bytes += more;
    out.back().users.push_back(user);
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].version = full.version + static_cast<std::uint32_t>(i);
  return out;
}

}  // namespace linnet::sip
