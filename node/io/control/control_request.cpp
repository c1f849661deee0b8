#include "node/io/control/control_request.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "node/io/settings/config.h"

namespace linnet::io {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxWho = 1024;
constexpr std::size_t kMaxDigits = 64;
constexpr std::size_t kMaxPath = 4096;
constexpr double kMaxSeconds = 7 * 24 * 3600;
constexpr std::uint64_t kMaxRounds = 86'400;
constexpr std::size_t kMaxCode = 4096;
constexpr std::uint64_t kMaxInvited = 90 * 24 * 3600;  // seconds
constexpr std::size_t kMaxCalled = 149;                // into a conference at once, and its name
constexpr std::uint64_t kMaxRows = 10'000;

// Reads fields and remembers the first that is not as it should be; absent ones keep their fallback.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  std::string text(const char* name, std::size_t max) {
    const Json* v = find(name);
    if (v == nullptr) return {};
    if (!v->is_string()) return wrong(name), std::string();
    auto out = v->get<std::string>();
    if (out.size() > max || out.find('\0') != std::string::npos) return wrong(name), std::string();
    return out;
  }
  std::vector<std::string> texts(const char* name, std::size_t most, std::size_t max) {
    const Json* v = find(name);
    std::vector<std::string> out;
    if (v == nullptr || !v->is_array() || v->size() > most) return wrong(name), out;
    for (const auto& one : *v) {
      if (!one.is_string() || one.get_ref<const std::string&>().size() > max) return wrong(name), out;
      out.push_back(one.get<std::string>());
      if (out.back().empty() || out.back().find('\0') != std::string::npos) wrong(name);
    }
    return out;
  }
  std::string path(const char* name) {
    auto out = text(name, kMaxPath);
    if (!out.empty() && out.front() != '/') return wrong(name), std::string();
    return out;
  }
  bool flag(const char* name, bool fallback) {
    const Json* v = find(name);
    if (v == nullptr) return fallback;
    if (!v->is_boolean()) return wrong(name), fallback;
    return v->get<bool>();
  }
  std::optional<node::CallId> call() {
    const Json* v = find("call");
    if (v == nullptr) return std::nullopt;
    if (!v->is_number_unsigned()) return wrong("call"), std::nullopt;
    return node::CallId{v->get<std::uint64_t>()};
  }
  std::optional<Duration> seconds(const char* name) {
    const Json* v = find(name);
    if (v == nullptr) return std::nullopt;
    const double s = v->is_number() ? v->get<double>() : -1;
    if (!(s >= 0 && s <= kMaxSeconds)) return wrong(name), std::nullopt;
    return Duration(static_cast<std::int64_t>(std::llround(s * 1e6)));
  }
  std::uint64_t whole(const char* name, std::uint64_t max, std::uint64_t fallback) {
    const Json* v = find(name);
    if (v == nullptr) return fallback;
    if (!v->is_number_unsigned() || v->get<std::uint64_t>() > max) return wrong(name), fallback;
    return v->get<std::uint64_t>();
  }
  request::Files files() { return {path("play"), path("record"), flag("silent", false)}; }

  void wrong(const char* name) {
    if (wrong_.empty()) wrong_ = name;
  }
  template <class T>
  Outcome<Request> as(T value) const {
    if (!wrong_.empty())
      return trouble("The request's \"" + wrong_ + "\" is missing or not as it should be.", Exit::usage);
    return Request(std::move(value));
  }

 private:
  const Json* find(const char* name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  const Json& object_;
  std::string wrong_;
};

Outcome<Request> people(Fields& f) {
  const auto ask = f.text("ask", 16);
  const auto who = f.text("who", kMaxWho);
  const auto name = f.text("name", kMaxWho);
  const auto key = f.text("key", kMaxWho);
  const auto needs_who = [&] {
    if (who.empty()) f.wrong("who");
  };
  if (ask == "invite") {
    const auto life = f.whole("seconds", kMaxInvited, 7 * 24 * 3600);
    return f.as(request::People{node::ask::Invite{std::chrono::seconds(life)}});
  }
  if (ask == "revoke") return f.as(request::People{node::ask::Revoke{}});
  if (ask == "cancel") return f.as(request::People{node::ask::CancelInvitation{f.text("id", 64)}});
  if (ask == "accept") return f.as(request::People{node::ask::Accept{f.text("code", kMaxCode), name}});
  needs_who();
  if (ask == "add") return f.as(request::People{node::ask::Add{who, key, name}});
  if (ask == "block") return f.as(request::People{node::ask::Block{who, f.flag("on", true)}});
  if (ask == "forget") return f.as(request::People{node::ask::Forget{who}});
  if (ask == "request") return f.as(request::People{node::ask::AnswerRequest{who, f.flag("accept", true), name}});
  if (ask == "verify") {
    const bool anew = f.flag("new", false);
    const bool confirm = f.flag("confirm", false);
    return f.as(request::People{node::ask::Verify{who, anew, key, confirm, f.flag("withdraw", false)}});
  }
  f.wrong("ask");
  return f.as(request::Down{});
}

Outcome<Request> confer(Fields& f) {
  request::Confer out{f.text("name", kMaxWho), f.texts("words", kMaxCalled + 1, kMaxWho), f.seconds("duration"),
                      f.files(), f.text("at", kMaxWho)};
  if (out.words.empty() && out.at.empty()) f.wrong("words");
  return f.as(std::move(out));
}

Outcome<Request> join(Fields& f) {
  request::Join out{f.text("who", kMaxWho), f.seconds("duration"), f.files()};
  if (out.who.empty()) f.wrong("who");
  return f.as(std::move(out));
}

Outcome<Request> conference(Fields& f) {
  using Rule = node::command::ConferenceRule;
  static constexpr std::pair<std::string_view, Rule> kRules[] = {
      {"lock", Rule::lock},     {"unlock", Rule::unlock}, {"mute", Rule::mute},     {"unmute", Rule::unmute},
      {"remove", Rule::remove}, {"leave", Rule::leave},   {"forget", Rule::forget}, {"dismiss", Rule::dismiss}};
  request::Conference out{f.text("which", kMaxWho), std::nullopt, f.text("who", kMaxWho)};
  const auto word = f.text("rule", 16);
  for (const auto& [name, rule] : kRules)
    if (word == name) out.rule = rule;
  if (!out.rule && word != "invite") f.wrong("rule");
  const bool needs_who = !out.rule || out.rule == Rule::remove || out.rule == Rule::dismiss;
  if (needs_who && out.who.empty()) f.wrong("who");
  if ((out.rule == Rule::forget || out.rule == Rule::dismiss) && out.which.empty()) f.wrong("which");
  return f.as(std::move(out));
}

}  // namespace

NameFirst name_first(std::vector<std::string> words, const std::function<bool(const std::string&)>& is_known) {
  NameFirst out{{}, std::move(words)};
  if (out.who.size() < 2) return out;
  const auto& first = out.who.front();
  if (first.find('@') != std::string::npos || is_known(first)) return out;
  out.name = first;
  out.who.erase(out.who.begin());
  return out;
}

Outcome<Request> parse_request(std::string_view line) {
  const auto malformed = [] { return trouble("The request is not one JSON object.", Exit::usage); };
  if (line.size() > kMaxControlLine) return malformed();
  bool deep = false;
  const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > kMaxDepth;
    return !deep;
  };
  const Json json = Json::parse(line.begin(), line.end(), bounded, false);
  if (deep || !json.is_object()) return malformed();
  Fields f(json);
  const auto cmd = f.text("cmd", 16);
  if (cmd == "status") return f.as(request::Status{f.flag("watch", false)});
  if (cmd == "call") {
    request::Call call{f.text("who", kMaxWho), f.flag("cold", false), f.flag("explain", false), f.seconds("duration"),
                       f.files()};
    if (call.who.empty()) f.wrong("who");
    return f.as(std::move(call));
  }
  if (cmd == "answer") {
    const auto id = f.call();
    return f.as(request::Answer{id, f.flag("follow", false), f.files()});
  }
  if (cmd == "confer") return confer(f);
  if (cmd == "join") return join(f);
  if (cmd == "conferences") return f.as(request::Conferences{});
  if (cmd == "conference") return conference(f);
  if (cmd == "keepers") {
    request::Keepers keepers{f.text("which", kMaxWho)};
    if (keepers.which.empty()) f.wrong("which");
    return f.as(std::move(keepers));
  }
  if (cmd == "hangup") return f.as(request::Hangup{f.call()});
  if (cmd == "hold" || cmd == "mute") {
    const auto id = f.call();
    const bool on = f.flag("on", true);
    return cmd == "hold" ? f.as(request::Hold{id, on}) : f.as(request::Mute{id, on});
  }
  if (cmd == "dtmf") {
    const auto id = f.call();
    request::Dtmf dtmf{id, f.text("digits", kMaxDigits)};
    if (dtmf.digits.empty()) f.wrong("digits");
    return f.as(std::move(dtmf));
  }
  if (cmd == "who") {
    request::Who who{f.text("who", kMaxWho)};
    if (who.who.empty()) f.wrong("who");
    return f.as(std::move(who));
  }
  if (cmd == "credentials") {
    const auto name = f.text("name", kMaxWho);
    if (!name.empty() && !fits_turn_name(name)) f.wrong("name");
    const auto life = f.whole("seconds", static_cast<std::uint64_t>(kLongestLife.count()), 3600);
    if (life == 0) f.wrong("seconds");
    return f.as(request::Credentials{name, std::chrono::seconds(life)});
  }
  if (cmd == "relay") {
    const auto word = f.text("mode", 16);
    const auto mode = parse_relay(word);
    if (!word.empty() && !mode) f.wrong("mode");
    return f.as(request::Relay{mode ? std::optional(*mode) : std::nullopt});
  }
  if (cmd == "netcheck") return f.as(request::Netcheck{});
  if (cmd == "examine") {
    request::Examine examine{f.text("who", kMaxWho), static_cast<unsigned>(f.whole("count", kMaxRounds, 4)),
                             f.flag("deep", false)};
    if (examine.who.empty()) f.wrong("who");
    if (examine.count == 0) f.wrong("count");
    return f.as(std::move(examine));
  }
  if (cmd == "log") return f.as(request::Log{f.whole("rows", kMaxRows, kMaxRows)});
  if (cmd == "names") return f.as(request::Names{});
  if (cmd == "audio") return f.as(request::Audio{});
  if (cmd == "people") return people(f);
  if (cmd == "contacts") {
    const auto list = f.text("list", 16);
    if (list == "contacts") return f.as(request::Contacts{request::List::contacts});
    if (list == "requests") return f.as(request::Contacts{request::List::requests});
    if (list == "invitations") return f.as(request::Contacts{request::List::invitations});
    f.wrong("list");
  }
  if (cmd == "counters") return f.as(request::Counters{});
  if (cmd == "down") return f.as(request::Down{});
  f.wrong("cmd");
  return f.as(request::Down{});
}

}  // namespace linnet::io
