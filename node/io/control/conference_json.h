// Conferences as JSON: `linnet conf ls`, and what a followed one is like (view_json.h).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "node/call_view.h"
#include "node/conference_view.h"

namespace linnet::io {

// {"id","name","address","room","duty","term","locked","muted","mixer","deputy","deputy_streams",
//  "mixers":[{"address","members"}],"deadline","heard_at_once","members":[..],"invited":[..]}
nlohmann::ordered_json conference_json(const node::ConferenceView& view);

// conf ls --json: "conferences", and beside it the fields of the only one; null and empty where there is none or
// several. "rooms": those with an address that this node keeps,
// [{"address","key_name","founded","keepers","expires","conference"}], the last the number of the one under way, or
// null.
nlohmann::ordered_json conferences_json(const std::vector<node::ConferenceView>& views,
                                        const std::vector<node::RoomView>& rooms);

// conf keepers --json: {"schema","room","keepers":[{"name","address","key_name"}]}; name: null of who is no contact.
nlohmann::ordered_json keepers_json(const std::string& room, const std::vector<node::KeeperView>& all);

// In a call's line of status --json: {"name","members","mixer","duty"}, or null where that call is no conference. Of
// one that rings only the name is known, and the duty is "invited".
nlohmann::ordered_json conference_of_call_json(const std::vector<node::ConferenceView>& views,
                                               const node::CallView& call);

// The one with this number; none: that call is no conference.
const node::ConferenceView* conference_of(const std::vector<node::ConferenceView>& views, node::CallId call);

}  // namespace linnet::io
