#include "cli/conference_words.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace linnet::cli {
namespace {

constexpr double kLongest = 604800;  // seconds, as of a call

// A script's variable that is not set.
std::string somebody(const std::string& who) { return who.empty() ? "nobody is named" : ""; }

void receiver(CLI::App* command, std::string& play, std::string& record, std::optional<double>& duration) {
  command->add_option("--play", play, "speak this WAV file, then silence")->type_name("F.wav");
  command->add_option("--record", record, "write what is heard")->type_name("F.wav");
  command->add_option("--duration", duration, "leave after so long")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, kLongest));
}

void which(CLI::App* command, std::string& conference) {
  command->add_option("--conf", conference, "its name or number, when there are several (linnet conf ls)")
      ->type_name("NAME");
}

}  // namespace

void ConferenceWords::add(CLI::App& app) {
  auto* conf = app.add_subcommand("conf", "conferences: calls of many, one of whom mixes");
  conf->require_subcommand(1);
  auto* begin = conf->add_subcommand("new", "begin one, call people into it, and stay until it is over");
  begin
      ->add_option("WHO", begin_.words,
                   "contacts or name@domain; of several words the first is the conference's name when it has no @ and "
                   "is no contact")
      ->expected(0, 149)
      ->check(somebody);
  begin->add_option("--name", begin_.name, "what it is called; every WHO is somebody then")->type_name("NAME");
  begin
      ->add_option("--at", begin_.at,
                   "the address of a room, room@office: whoever is called into it may come again by conf join or call")
      ->type_name("ADDRESS")
      ->check(somebody)
      ->excludes("--name");
  receiver(begin, begin_.play, begin_.record, begin_.duration);
  auto* join = conf->add_subcommand(
      "join", "come into the conference that somebody is in, or that of a room, and stay until it is over");
  join->add_option("WHO", join_.who, "a contact, name@domain, or the address of a room")->check(somebody)->required();
  receiver(join, join_.play, join_.record, join_.duration);
  auto* invite = conf->add_subcommand("invite", "call one more into it");
  invite->add_option("WHO", who_, "a contact or name@domain")->check(somebody)->required();
  which(invite, conference_);
  conf->add_subcommand("ls", "who is here, who speaks, who mixes, whose link is poor");
  conf->add_subcommand("leave", "leave it; the others go on")
      ->add_option("NAME", conference_, "its name or number, when there are several (linnet conf ls)");
  auto* mute = conf->add_subcommand("mute", "say nothing into it; with WHO: that one is not heard by anybody");
  mute->add_option("WHO", mute_words_,
                   "of whoever began the conference: a member; on or off may follow, or stand alone")
      ->expected(0, 2);
  which(mute, conference_);
  auto* kick = conf->add_subcommand("kick", "put a member out; only whoever began the conference can");
  kick->add_option("WHO", who_, "a member")->check(somebody)->required();
  which(kick, conference_);
  auto* forget = conf->add_subcommand("forget", "keep a room with an address no more on this node");
  forget->add_option("ADDRESS", who_, "of the room (linnet conf ls)")->check(somebody)->required();
  auto* keepers = conf->add_subcommand("keepers", "who keeps a room that you founded, beside you");
  keepers->add_option("ROOM", conference_, "its address (linnet conf ls)")->check(somebody)->required();
  auto* dismiss = conf->add_subcommand("dismiss", "let somebody keep a room no more that you founded");
  dismiss->add_option("ROOM", conference_, "its address (linnet conf ls)")->check(somebody)->required();
  dismiss->add_option("WHO", who_, "a keeper (linnet conf keepers ROOM)")->check(somebody)->required();
  auto* lock = conf->add_subcommand("lock", "let nobody in any more; only whoever began the conference can");
  lock->add_option("on", on_, "off takes it back")->type_name("on|off")->check(CLI::IsMember({"on", "off"}));
  which(lock, conference_);
}

io::Outcome<Verb> ConferenceWords::mute() const {
  const auto is_switch = [](const std::string& word) { return word == "on" || word == "off"; };
  verb::ConfMute out{{}, false, conference_};
  auto words = mute_words_;
  if (!words.empty() && is_switch(words.back())) {
    out.off = words.back() == "off";
    words.pop_back();
  }
  if (words.size() > 1 || (!words.empty() && (words.front().empty() || is_switch(words.front()))))
    return io::trouble("conf mute takes a member, and on or off.\nSee: linnet conf mute --help", io::Exit::usage);
  if (!words.empty()) out.who = words.front();
  return Verb(out);
}

std::optional<io::Outcome<Verb>> ConferenceWords::verb_of(const std::string& command) {
  if (command == "conf new ") {
    const bool all_named =
        std::none_of(begin_.words.begin(), begin_.words.end(), [](const auto& w) { return w.empty(); });
    if (all_named && !(begin_.words.empty() && begin_.at.empty())) return Verb(begin_);
    return io::Outcome<Verb>(io::trouble("WHO is required.\nSee: linnet conf new --help", io::Exit::usage));
  }
  if (command == "conf forget ") return Verb(verb::ConfForget{who_});
  if (command == "conf keepers ") return Verb(verb::ConfKeepers{conference_});
  if (command == "conf dismiss ") return Verb(verb::ConfDismiss{conference_, who_});
  if (command == "conf join ") return Verb(join_);
  if (command == "conf invite ") return Verb(verb::ConfInvite{who_, conference_});
  if (command == "conf ls ") return Verb(verb::ConfList{});
  if (command == "conf leave ") return Verb(verb::ConfLeave{conference_});
  if (command == "conf mute ") return mute();
  if (command == "conf kick ") return Verb(verb::ConfKick{who_, conference_});
  if (command == "conf lock ") return Verb(verb::ConfLock{on_ == "off", conference_});
  return std::nullopt;
}

}  // namespace linnet::cli
