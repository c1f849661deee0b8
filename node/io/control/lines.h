// The lines that the daemon writes to the programs that talk to it; what they ask is control_request.h. One JSON object
// each. Every line with "exit" ends a request; its keys keep their order (view_json.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "nat/turn_counters.h"
#include "node/io/net/turn_carrier.h"
#include "node/io/sound/sound.h"
#include "node/io/store/store.h"
#include "node/io/trouble.h"
#include "node/node.h"

namespace linnet::io {
class Driver;
}

namespace linnet::io::lines {

std::string ok();
std::string ok(node::CallId call);
std::string error(const Trouble& why);

// status, and of a watched one every line that differs from the last in more than what is measured anew all the time.
// `turn`: nothing where none is served. `turn_client`: nothing where none is used.
std::string status(const node::NodeStatus& status, const std::vector<Endpoint>& listen, int pid,
                   const std::vector<Sound::InUse>& sound, const std::optional<nat::turn::Status>& turn = {},
                   const std::optional<TurnCarrierStatus>& turn_client = {});

// Of such a line what makes it another one: without round trips and how far the clock is off, which change by
// themselves.
std::string lasting(const std::string& status);

// While a call is followed: started, then call and notice, at last ended. `why` of ended has an exit code of its own:
// how the call ended.
std::string started(node::CallId call);
// `conference`: none where the call is one of two.
std::string call(const node::CallView& call, const node::ConferenceView* conference = nullptr);
std::string notice(const std::string& text);
std::string ended(const Trouble& why, const node::CallSummary& summary);
// For a call that never came to be.
std::string never_began(const Trouble& why, const std::string& who, node::CallResult result);

std::string who(const Trouble& why, const node::event::WhoResult& result);
// `served`: where TURN clients come to.
std::string credentials(const std::string& username, const std::string& password, std::chrono::seconds life,
                        const std::vector<Endpoint>& served);
std::string relay(const Driver& driver);
std::string progress(const std::string& text);
std::string netcheck(const node::NodeStatus& status, const node::Probed& found);
// While it goes on, with what was answered just now; and the last line.
std::string examining(const node::Examination& found, const std::optional<node::Answer>& answer);
std::string examined(const Trouble& why, const node::Examination& found, node::NatType ours);
std::string people(const node::Reply& reply);
std::string row(const node::Contact& contact);
std::string row(const node::Request& request);
std::string row(const node::StoredInvitation& invitation, Wall now);
std::string row(const HistoryRow& row);
std::string names(const std::set<std::string>& names);
std::string conferences(const std::vector<node::ConferenceView>& views, const std::vector<node::RoomView>& rooms);
std::string keepers(const std::string& room, const std::vector<node::KeeperView>& all);
std::string audio(const std::vector<Sound::InUse>& in_use);
// What was needed yet of what starts at first use.
struct Started {
  bool tls = false;
  bool sound = false;
  bool cleaning = false;
};
std::string counters(const overlay::Peer::Counters& counters, std::uint64_t unsent, const Started& started);

}  // namespace linnet::io::lines
