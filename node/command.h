// What a person asks of a node. Each command carries an id of the driver's; its outcome comes back as event Done{id}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "node/people.h"

namespace linnet::node {

enum class CommandId : std::uint64_t {};
enum class CallId : std::uint64_t {};

namespace command {

struct Call {
  std::string who;                   // user@domain, as typed
  bool cold = false;                 // drop cached records and sessions first
  std::optional<Duration> duration;  // hang up by itself this long after the answer
  bool explain = false;              // ask the other end too what its checks come to
};
struct Answer {
  std::optional<CallId> call;
};  // none: the only one that rings
struct Hangup {
  std::optional<CallId> call;
};  // none: every call; also cancels and declines
struct Hold {
  std::optional<CallId> call;
  bool on = true;
};
struct Mute {
  std::optional<CallId> call;
  bool on = true;
};
struct Dtmf {
  std::optional<CallId> call;
  std::string digits;
};  // 0-9 * # A-D
struct Who {
  std::string who;
};  // looks a name up and says what is known
// A link to each device of somebody, without ringing, and how long its paths take: events Examined, at last Done.
struct Examine {
  std::string who;
  unsigned count = 4;  // how often the paths are asked, once a second
  bool deep = false;   // also what the other side sees; at least until a direct path has had its chance
};
struct StopExamining {
  CommandId which{};
};
struct People {
  Ask ask;
};  // about other people, and who we are; event PeopleDone answers
// A conference, started here: these are called, and the sound is that of the call that Done names.
struct Confer {
  std::string name;
  std::vector<std::string> who;
  std::optional<Duration> duration;
  std::string at{};  // the address of a room, which is founded if it is none yet; the name is that then
};
// Into the conference that `who` is in, or that of the room which `who` is: a call, which becomes it.
struct JoinConference {
  std::string who;
  std::optional<Duration> duration;
};
// `which`: its name or number; empty: the only one.
struct InviteToConference {
  std::string which;
  std::string who;
};
// forget: `which` is the address of a room, which this device keeps no more; dismiss: of one that we founded, which
// `who` keeps no more.
enum class ConferenceRule : std::uint8_t { lock, unlock, mute, unmute, remove, leave, forget, dismiss };
struct RuleConference {
  std::string which;
  ConferenceRule rule{};
  std::string who;  // of mute, unmute, remove and dismiss; empty: ourselves
};
struct Leave {};  // drain: end calls, say good-bye; event Left follows

}  // namespace command

using Command =
    std::variant<command::Call, command::Answer, command::Hangup, command::Hold, command::Mute, command::Dtmf,
                 command::Who, command::Examine, command::StopExamining, command::People, command::Confer,
                 command::JoinConference, command::InviteToConference, command::RuleConference, command::Leave>;

}  // namespace linnet::node
