#include "node/io/control/conference_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "node/io/control/view_json.h"

namespace linnet::io {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered said(const std::string& text) { return text.empty() ? Ordered(nullptr) : Ordered(text); }

Ordered member_object(const node::ConferenceView::Member& member) {
  return Ordered{{"address", member.address},
                 {"key_name", member.key_name},
                 {"self", member.self},
                 {"founder", member.founder},
                 {"speaks", member.speaks},
                 {"muted", member.muted},
                 {"poor", member.poor},
                 {"recording", member.recording},
                 {"mixes", member.mixes},
                 {"uplink_kbps", member.uplink_kbps == 0 ? Ordered(nullptr) : Ordered(member.uplink_kbps)},
                 {"hears", said(member.hears)}};
}

Ordered room_object(const node::RoomView& room) {
  return Ordered{
      {"address", room.address},
      {"key_name", room.key_name},
      {"founded", room.founded},
      {"keepers", room.keepers},
      {"expires", room.expires},
      {"conference", room.conference ? Ordered(static_cast<std::uint64_t>(*room.conference)) : Ordered(nullptr)}};
}

Ordered no_conference() {
  Ordered out = conference_json({});
  for (auto& [key, value] : out.items()) value = value.is_array() ? Ordered::array() : Ordered(nullptr);
  return out;
}

}  // namespace

Ordered conference_json(const node::ConferenceView& view) {
  Ordered members = Ordered::array();
  Ordered mixers = Ordered::array();
  for (const auto& mixer : view.mixers)
    mixers.push_back(Ordered{{"address", mixer.address}, {"members", mixer.members}});
  for (const auto& member : view.members) members.push_back(member_object(member));
  return Ordered{{"id", static_cast<std::uint64_t>(view.id)},
                 {"name", said(view.name)},
                 {"address", said(view.address)},
                 {"room", view.room},
                 {"duty", view.duty},
                 {"term", view.term},
                 {"locked", view.locked},
                 {"muted", view.muted},
                 {"mixer", said(view.mixer)},
                 {"deputy", said(view.deputy)},
                 {"deputy_streams", view.deputy_streams},
                 {"mixers", std::move(mixers)},
                 {"deadline", view.deadline ? Ordered(to_string(*view.deadline)) : Ordered(nullptr)},
                 {"heard_at_once", view.deadline ? Ordered(view.heard_at_once) : Ordered(nullptr)},
                 {"members", std::move(members)},
                 {"invited", view.invited}};
}

Ordered conferences_json(const std::vector<node::ConferenceView>& views, const std::vector<node::RoomView>& rooms) {
  Ordered all = Ordered::array();
  for (const auto& view : views) all.push_back(conference_json(view));
  Ordered out{{"schema", kSchema}};
  out.update(views.size() == 1 ? all.front() : no_conference());
  out["conferences"] = std::move(all);
  out["rooms"] = Ordered::array();
  for (const auto& room : rooms) out["rooms"].push_back(room_object(room));
  return out;
}

Ordered keepers_json(const std::string& room, const std::vector<node::KeeperView>& all) {
  Ordered out{{"schema", kSchema}, {"room", room}, {"keepers", Ordered::array()}};
  for (const auto& one : all)
    out["keepers"].push_back({{"name", said(one.name)}, {"address", one.address}, {"key_name", one.key_name}});
  return out;
}

const node::ConferenceView* conference_of(const std::vector<node::ConferenceView>& views, node::CallId call) {
  const auto found =
      std::find_if(views.begin(), views.end(), [&](const node::ConferenceView& view) { return view.id == call; });
  return found == views.end() ? nullptr : &*found;
}

Ordered conference_of_call_json(const std::vector<node::ConferenceView>& views, const node::CallView& call) {
  const auto* view = conference_of(views, call.id);
  if (view == nullptr && call.conference.empty()) return nullptr;
  if (view == nullptr)
    return Ordered{{"name", call.conference}, {"members", nullptr}, {"mixer", nullptr}, {"duty", "invited"}};
  return Ordered{{"name", said(view->name)},
                 {"members", view->members.size()},
                 {"mixer", said(view->mixer)},
                 {"duty", view->duty}};
}

}  // namespace linnet::io
