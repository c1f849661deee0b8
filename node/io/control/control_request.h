// What a program asks of the daemon: one JSON object a line, at most 64 KiB.
//
//   {"cmd":"status"}                      the status object                {"cmd":"status","watch":true}  one line per
//   change, until closed
//   {"cmd":"call","who":A,"cold":false,"explain":false,"duration":S,"play":F,"record":F,"silent":false}
//                                         {"event":"started"|"call"|"ended",...} lines; the call ends when the
//                                         connection closes
//   {"cmd":"answer","call":ID,"follow":false,"play":F,"record":F,"silent":false}         the same lines with "follow"
//   {"cmd":"hangup","call":ID}  {"cmd":"hold","call":ID,"on":true}  {"cmd":"mute","call":ID,"on":true}     call:
//   optional
//   {"cmd":"confer","words":[A,..],"name":N,"duration":S,"play":F,"record":F,"silent":false}   as of a call; with no
//   name the first word may be it (name_first), or a room that is kept here; "at":ADDRESS: in that room
//   {"cmd":"join","who":A,"duration":S,"play":F,"record":F,"silent":false}                       as of a call
//   {"cmd":"conferences"}                 {"ok":true,"conferences":{..}}
//   {"cmd":"conference","which":N,"rule":"invite|lock|unlock|mute|unmute|remove|leave|forget|dismiss","who":A}  which
//   and who are optional; of forget and dismiss, which is the address of a room
//   {"cmd":"keepers","which":ADDRESS}     {"ok":true,"keepers":{..}}       whom the founder of that room certified
//   {"cmd":"audio"}                       the devices in use, and what cleans their sound
//   {"cmd":"dtmf","call":ID,"digits":"0-9*#A-D"}
//   {"cmd":"credentials","name":N,"seconds":S}    {"ok":true,"credentials":{..}}
//   {"cmd":"relay"}                       {"ok":true,"relay":{..}}         {"cmd":"relay","mode":"on|off|auto"}  the
//   same
//   {"cmd":"netcheck"}                    {"event":"progress","text":T} lines, then {"ok":true,"netcheck":{..}}
//   {"cmd":"examine","who":A,"count":N,"deep":false}   {"event":"examined",..} lines, at last
//   {"exit":N,"examined":{..}}
//   {"cmd":"who","who":A}  {"cmd":"log","rows":N}  {"cmd":"counters"}  {"cmd":"down"}
//   {"cmd":"people","ask":"invite|cancel|accept|add|verify|block|forget|request|revoke",...}   {"ok":true,"reply":{..}}
//   {"cmd":"contacts","list":"contacts|requests|invitations"}                   {"row":{..}} lines, then {"ok":true}
//   {"cmd":"names"}                       {"ok":true,"names":[..]}: contacts, and people this node has pinned or talked
//   to
//
// Paths are absolute. An answer that is not one of the above is {"ok":true,...} or {"error":"a sentence","exit":N}.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/command.h"
#include "node/io/relay_mode.h"
#include "node/io/trouble.h"

namespace linnet::io {

inline constexpr std::size_t kMaxControlLine = 64 * 1024;

namespace request {
struct Files {
  std::string play;  // empty: none
  std::string record;
  bool silent = false;  // a machine without sound makes a silent call instead of none
};
struct Status {
  bool watch = false;
};
struct Call {
  std::string who;
  bool cold = false;
  bool explain = false;
  std::optional<Duration> duration;
  Files files;
};
struct Answer {
  std::optional<node::CallId> call;
  bool follow = false;
  Files files;
};
struct Confer {
  std::string name;
  std::vector<std::string> words;
  std::optional<Duration> duration;
  Files files;
  std::string at;  // the address of a room; every word is somebody then, and there may be none
};
struct Join {
  std::string who;
  std::optional<Duration> duration;
  Files files;
};
struct Conferences {};
struct Conference {
  std::string which;                                  // its name or number; empty: the only one
  std::optional<node::command::ConferenceRule> rule;  // none: call `who` into it
  std::string who;
};
struct Keepers {
  std::string which;  // the address of a room
};
struct Hangup {
  std::optional<node::CallId> call;
};
struct Hold {
  std::optional<node::CallId> call;
  bool on = true;
};
struct Mute {
  std::optional<node::CallId> call;
  bool on = true;
};
struct Dtmf {
  std::optional<node::CallId> call;
  std::string digits;
};
struct Who {
  std::string who;
};
struct Credentials {  // of TURN, of a short life
  std::string name;   // empty: none
  std::chrono::seconds life{};
};
struct Relay {
  std::optional<RelayMode> mode;  // from now on
};
struct Netcheck {};
struct Examine {
  std::string who;
  unsigned count = 4;
  bool deep = false;
};
struct Log {
  std::size_t rows = 0;
};
struct People {
  node::Ask ask;
};
enum class List : std::uint8_t { contacts, requests, invitations };
struct Contacts {
  List list = List::contacts;
};
struct Names {};
struct Audio {};
struct Counters {};
struct Down {};
}  // namespace request

using Request =
    std::variant<request::Status, request::Call, request::Answer, request::Confer, request::Join, request::Conferences,
                 request::Conference, request::Keepers, request::Hangup, request::Hold, request::Mute, request::Dtmf,
                 request::Who, request::Credentials, request::Relay, request::Netcheck, request::Examine, request::Log,
                 request::Audio, request::People, request::Contacts, request::Names, request::Counters, request::Down>;

// Trouble (exit 2) for what is no JSON object, lacks a field, has one of another kind or over its bound, or nests
// deeper than 4.
Outcome<Request> parse_request(std::string_view line);

// Of several words the first is the conference's name when it has no @ and is nobody that is known: a person who types
// "office alice bob" means a room, and one who types "alice bob" means two people.
struct NameFirst {
  std::string name;  // empty: none
  std::vector<std::string> who;
};
NameFirst name_first(std::vector<std::string> words, const std::function<bool(const std::string&)>& is_known);

}  // namespace linnet::io
