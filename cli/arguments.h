// The command line as a value. Only this file and its parts (conference_words.h) know CLI11.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/io/settings/config.h"
#include "node/io/trouble.h"

namespace linnet::cli {

namespace verb {
// Flags that were not given stay empty, so that they do not hide the environment and the files.
struct Up {
  std::vector<Endpoint> listen;
  std::vector<std::string> bootstrap;
  std::optional<io::RelayMode> relay;
  std::optional<bool> lan;
  std::vector<std::string> turn_users;  // NAME:PASSWORD
  std::string turn_secret;
  bool allow_loopback = false;
  bool auto_answer = false;
  bool low_delay = false;
  std::string play;
  std::string record;
  bool foreground = false;
  std::string passphrase_file;
};
struct Down {};
struct Status {
  bool watch = false;
};
struct IdShow {
  std::string passphrase_file;
};
struct IdNew {
  std::string address;  // empty: the user's name at the key name
  bool passphrase = false;
  std::string passphrase_file;
};
struct IdBackup {
  std::string file;
  std::string passphrase_file;      // of the backup
  std::string key_passphrase_file;  // of the key file, when it is locked
};
struct IdRestore {
  std::string file;
  bool revoke = false;
  bool lock = false;  // the key file with the same passphrase
  std::string passphrase_file;
};
struct IdRevoke {
  std::string passphrase_file;
};
struct Invite {
  unsigned days = 7;
  bool qr = false;
  std::string cancel;
};
struct Accept {
  std::string code;  // "-": from stdin
  std::string name;
};
struct ContactAdd {
  std::string who;
  std::string key;
  std::string name;
};
struct ContactList {
  bool requests = false;
  bool invitations = false;
  bool blocked = false;
};
struct ContactVerify {
  std::string who;
  bool anew = false;
  std::string key;
  bool yes = false;
  bool no = false;
  bool qr = false;
  std::string number;
};
struct ContactBlock {
  std::string who;
  bool off = false;
};
struct ContactForget {
  std::string who;
};
struct ContactRequest {
  std::string who;
  bool accept = true;
  std::string name;
};
struct Call {
  std::string who;
  std::string play;
  std::string record;
  std::optional<double> duration;  // seconds
  bool cold = false;
  bool require_direct = false;
  bool explain = false;
};
struct Answer {
  std::optional<std::uint64_t> call;
  std::string play;
  std::string record;
};
// Conferences. `conference`: its name or number; empty: the only one.
struct ConfNew {
  std::string name;                // --name
  std::string at;                  // --at: the address of a room; there may be no words then
  std::vector<std::string> words;  // WHO..., or NAME WHO... (io::name_first)
  std::string play;
  std::string record;
  std::optional<double> duration;  // seconds
};
struct ConfJoin {
  std::string who;
  std::string play;
  std::string record;
  std::optional<double> duration;
};
struct ConfInvite {
  std::string who;
  std::string conference;
};
struct ConfList {};
struct ConfLeave {
  std::string conference;
};
struct ConfMute {
  std::string who;  // empty: oneself
  bool off = false;
  std::string conference;
};
struct ConfKick {
  std::string who;
  std::string conference;
};
struct ConfForget {
  std::string room;
};
struct ConfKeepers {
  std::string room;
};
struct ConfDismiss {
  std::string room, who;
};
struct ConfLock {
  bool off = false;
  std::string conference;
};
struct Hangup {
  std::optional<std::uint64_t> call;
};
struct Hold {
  std::optional<std::uint64_t> call;
  bool off = false;
};
struct Mute {
  std::optional<std::uint64_t> call;
  bool off = false;
};
struct Dtmf {
  std::optional<std::uint64_t> call;
  std::string digits;
};
struct Who {
  std::string who;
};
struct RelayStatus {};
struct RelayMode {
  io::RelayMode mode{};
};
struct RelayCredentials {
  std::string name;
  std::chrono::seconds life{};
};
struct Netcheck {};
struct Ping {
  std::string who;
  unsigned count = 4;
};
struct Doctor {
  std::string who;  // empty: this node
  bool as_supernode = false;
};
struct Log {
  std::size_t rows = 0;  // 0: all
};
struct Demo {
  std::string out = "bob.wav";
  std::string keep;
};
struct AudioList {};
struct AudioStatus {};
struct AudioSet {
  std::string device;  // an index, a name or a part of one, "default"
  bool microphone = false;
  bool loudspeaker = false;  // neither flag: both, as far as the device is both
};
struct AudioTest {
  bool quick = false;  // without the voice
};
struct ConfigCheck {
  std::string file;  // empty: the home's
};
struct Completion {
  std::string shell;  // bash, zsh, fish; names: the people this node knows, a line each
};
struct Print {       // --help, --version: text for stdout
  std::string what;  // "help", "version": its key under --json
  std::string text;
};
}  // namespace verb

using Verb =
    std::variant<verb::Up, verb::Down, verb::Status, verb::IdShow, verb::IdNew, verb::IdBackup, verb::IdRestore,
                 verb::IdRevoke, verb::Invite, verb::Accept, verb::ContactAdd, verb::ContactList, verb::ContactVerify,
                 verb::ContactBlock, verb::ContactForget, verb::ContactRequest, verb::Call, verb::Answer, verb::ConfNew,
                 verb::ConfJoin, verb::ConfInvite, verb::ConfList, verb::ConfLeave, verb::ConfMute, verb::ConfKick,
                 verb::ConfForget, verb::ConfKeepers, verb::ConfDismiss, verb::ConfLock, verb::Hangup, verb::Hold,
                 verb::Mute, verb::Dtmf, verb::Who, verb::RelayStatus, verb::RelayMode, verb::RelayCredentials,
                 verb::Netcheck, verb::Ping, verb::Doctor, verb::Log, verb::Demo, verb::AudioList, verb::AudioStatus,
                 verb::AudioSet, verb::AudioTest, verb::ConfigCheck, verb::Completion, verb::Print>;

struct Invocation {
  std::string home;  // --home, else LINNET_HOME, else empty
  bool json = false;
  Verb verb;
};

// Without the program's name. Trouble: exit 2 and what would have been right.
io::Outcome<Invocation> parse_arguments(std::vector<std::string> arguments);

}  // namespace linnet::cli
