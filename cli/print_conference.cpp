#include "cli/print_conference.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

std::string word_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool flag_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

// An array, empty where there is none.
Json list_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_array() ? *it : Json::array();
}

// "carol" of carol@demo.example; the whole address where another member is called so as well.
std::string short_name(const Json& conference, const std::string& address) {
  const auto name = [](const std::string& of) { return of.substr(0, of.find('@')); };
  const auto members = list_in(conference, "members");
  const auto same = std::count_if(members.begin(), members.end(), [&](const Json& member) {
    return name(word_in(member, "address")) == name(address);
  });
  return same > 1 ? address : name(address);
}

std::string title_of(const Json& conference) {
  const auto name = word_in(conference, "name");
  return name.empty() ? "conference" : name;
}

std::string who_mixes(const Json& conference) {
  if (word_in(conference, "duty") == "mixer") return "you mix";
  const auto mixer = word_in(conference, "mixer");
  return mixer.empty() ? "nobody mixes yet" : short_name(conference, mixer) + " mixes";
}

std::string mixer_is(const Json& conference) {
  if (word_in(conference, "duty") == "mixer") return "you are";
  return short_name(conference, word_in(conference, "mixer")) + " is";
}

std::string who_speaks(const Json& conference) {
  std::string out;
  int count = 0;
  for (const auto& member : list_in(conference, "members")) {
    if (!flag_in(member, "speaks")) continue;
    const auto name = flag_in(member, "self") ? "you" : short_name(conference, word_in(member, "address"));
    out += (out.empty() ? "" : ", ") + name;
    ++count;
  }
  if (out.empty()) return "nobody speaks";
  return out + (count == 1 && out != "you" ? " speaks" : " speak");
}

// What a member does and is.
std::string about(const Json& conference, const Json& member) {
  const auto address = word_in(member, "address");
  std::string out;
  const auto add = [&](bool is, const std::string& what) {
    if (is) out += (out.empty() ? "" : ", ") + what;
  };
  const bool self = flag_in(member, "self");
  add(self, "you");
  add(flag_in(member, "founder"), "began it");
  add(flag_in(member, "speaks"), self ? "speak" : "speaks");
  add(address == word_in(conference, "mixer"), self ? "mix and hear everything" : "mixes and hears everything");
  add(address == word_in(conference, "deputy"), "takes over if " + mixer_is(conference) + " lost");
  add(flag_in(member, "muted"), "muted");
  add(flag_in(member, "poor"), "link poor");
  add(flag_in(member, "recording"), "RECORDS");
  return out;
}

std::string last_day(std::int64_t expires) {
  const std::time_t time = expires;
  std::tm local{};
  if (::localtime_r(&time, &local) == nullptr) return "?";
  char out[32];
  std::strftime(out, sizeof out, "%Y-%m-%d", &local);
  return out;
}

std::string head_of(const Json& conference) {
  const auto here = list_in(conference, "members").size();
  std::string out = title_of(conference) + " (" + std::to_string(conference.value("id", 0)) +
                    "): " + std::to_string(here) + " here, ";
  const auto mixer = word_in(conference, "mixer");
  if (word_in(conference, "duty") == "mixer")
    out += "you mix: this node hears everything";
  else if (mixer.empty())
    out += "nobody mixes yet";
  else
    out += short_name(conference, mixer) + " mixes and hears everything";
  if (flag_in(conference, "locked")) out += "; locked";
  return out;
}

}  // namespace

std::string conference_line(const Json& call, const Json& conference) {
  const auto here = list_in(conference, "members").size();
  const auto called = list_in(conference, "invited").size();
  std::string out = title_of(conference) + "  " + clock_text(call) + "  ";
  if (call.value("muted", false)) out += "muted  ";
  out += std::to_string(here) + " here";
  if (called > 0) out += ", " + std::to_string(called) + " called";
  out += "  " + who_mixes(conference) + "  " + who_speaks(conference);
  const auto rtt = call.find("rtt_ms");
  if (rtt != call.end() && rtt->is_number()) out += "  " + figures_text(call);
  return out;
}

std::string room_table(const Json& rooms) {
  std::string out = "Rooms that you keep: whoever calls one comes in, or begins it. linnet conf join ADDRESS";
  for (const auto& room : rooms) {
    const auto expires = room.value("expires", std::int64_t{0});
    out += "\n  " + word_in(room, "address") + "  ";
    if (flag_in(room, "founded")) {
      const auto keepers = room.value("keepers", 0);
      out += "yours, with " + std::to_string(keepers) + (keepers == 1 ? " other" : " others");
    } else {
      out += "until " + last_day(expires) + "; longer when you meet its founder";
    }
    if (!room.value("conference", Json()).is_null()) out += "; you are in it";
  }
  return out;
}

std::string keeper_table(const Json& view) {
  std::string out;
  for (const auto& one : list_in(view, "keepers")) {
    const auto name = word_in(one, "name"), address = word_in(one, "address"), key_name = word_in(one, "key_name");
    out += (out.empty() ? "" : "\n") + (name.empty() ? address : name + "  " + address);
    if (address != key_name) out += "  " + key_name;
  }
  return out.empty() ? "Nobody else keeps " + word_in(view, "room") + ", as far as this device knows." : out;
}

std::string conference_change(const Json& conference) {
  if (!conference.is_object()) return {};
  std::string out = " " + word_in(conference, "mixer") + " " + word_in(conference, "deputy") + " " +
                    word_in(conference, "duty") + (flag_in(conference, "locked") ? " locked" : "");
  for (const auto& member : list_in(conference, "members"))
    out += " " + word_in(member, "address") + (flag_in(member, "muted") ? " muted" : "") +
           (flag_in(member, "recording") ? " records" : "");
  return out + " " + std::to_string(list_in(conference, "invited").size());
}

std::string conference_over(const Json& conference, const Json& summary) {
  const auto seconds = summary.find("seconds");
  char lasted[32] = "";
  if (seconds != summary.end() && seconds->is_number())
    std::snprintf(lasted, sizeof lasted, "  %.1f s", seconds->get<double>());
  return title_of(conference) + "  " + word_in(summary, "result") + lasted;
}

std::string conference_table(const Json& conference) {
  std::string out = head_of(conference);
  std::size_t width = 0;
  for (const auto& member : list_in(conference, "members")) width = std::max(width, word_in(member, "address").size());
  const auto row_of = [&](std::string address, const std::string& what) {
    if (!what.empty()) address.resize(std::max(width, address.size()), ' ');
    out += "\n  " + address + (what.empty() ? "" : "  " + what);
  };
  for (const auto& member : list_in(conference, "members"))
    row_of(word_in(member, "address"), about(conference, member));
  for (const auto& one : list_in(conference, "invited"))
    if (one.is_string()) row_of(one.get<std::string>(), "is being called");
  return out;
}

std::string conference_call_text(const Json& call, const Json& in_call) {
  if (word_in(in_call, "duty") == "invited")
    return word_in(call, "peer") + " invites you to the conference " + title_of(in_call) + ": linnet answer";
  const auto members = in_call.value("members", 0);
  return title_of(in_call) + "  conference of " + std::to_string(members) + "  " + who_mixes(in_call);
}

}  // namespace linnet::cli
