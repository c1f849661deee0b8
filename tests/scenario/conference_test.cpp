// A conference of real daemons: each hears the four others and not itself, all agree on who is here and who mixes, and
// when that one is killed the others hear on.
#include <poll.h>

#include <array>
#include <cmath>
#include <csignal>
#include <map>
#include <numbers>

#include "base/rng.h"
#include "media/codec_kind.h"
#include "media/wav.h"
#include "node/io/clock.h"
#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

constexpr int kRate = 16000;
constexpr double kBeep = 0.3;       // seconds
constexpr double kMostPause = 2.4;  // between two of one member
constexpr double kSayFor = 120;     // longer than any of this takes
constexpr double kHeardFor = 9;     // a stretch in which everybody beeps three times at the least
constexpr double kLoud = 1200;      // amplitude of a beep that was heard, of 6000
constexpr double kFailover = 3;     // seconds after which everybody else is heard again, a pause between beeps included

constexpr std::array<double, 5> kPitches{500, 730, 1070, 1310, 1790};  // none a multiple of another

// Beeps at random times: no two members are at it together for long.
Bytes beeps(double pitch, std::uint64_t seed) {
  SeededRng rng(seed);
  std::vector<std::int16_t> out(static_cast<std::size_t>(kSayFor * kRate));
  for (double at = kMostPause * rng.unit(); at + kBeep < kSayFor; at += kBeep + 0.8 + (kMostPause - 0.8) * rng.unit()) {
    const auto begin = static_cast<std::size_t>(at * kRate);
    for (std::size_t i = 0; i < static_cast<std::size_t>(kBeep * kRate); ++i)
      out[begin + i] =
          static_cast<std::int16_t>(6000 * std::sin(2 * std::numbers::pi * pitch * static_cast<double>(i) / kRate));
  }
  return media::serialise_wav(out, kRate);
}

// Of one pitch in 80 ms: the amplitude of a sine that lasts as long (Goertzel 1958).
double amplitude(std::span<const std::int16_t> samples, int rate, double pitch) {
  const double w = 2 * std::numbers::pi * pitch / rate;
  double s1 = 0, s2 = 0;
  for (const auto sample : samples) {
    const double s = sample + 2 * std::cos(w) * s1 - s2;
    s2 = s1;
    s1 = s;
  }
  const double power = s1 * s1 + s2 * s2 - 2 * std::cos(w) * s1 * s2;
  return 2 * std::sqrt(std::max(0.0, power)) / static_cast<double>(samples.size());
}

// When that pitch is first heard from `from` on, and before `to`, in seconds from the beginning; nothing: not at all.
std::optional<double> first_heard(const media::Audio& audio, double pitch, double from, double to) {
  const auto step = static_cast<std::size_t>(audio.rate) * 4 / 100, window = 2 * step;
  const auto end = std::min(audio.samples.size(), static_cast<std::size_t>(std::max(0.0, to) * audio.rate));
  for (auto at = static_cast<std::size_t>(std::max(0.0, from) * audio.rate); at + window <= end; at += step)
    if (amplitude(std::span(audio.samples).subspan(at, window), audio.rate, pitch) > kLoud)
      return static_cast<double>(at) / audio.rate;
  return std::nullopt;
}

class Conference : public testing::Test {
 protected:
  static constexpr std::size_t kMembers = 5;

  void SetUp() override {
    for (std::size_t i = 0; i < kMembers; ++i) {
      const auto file = said(i);
      ASSERT_TRUE(io::write_file(file, beeps(kPitches[i], i + 1), 0600, io::Replace::yes));
    }
    ASSERT_TRUE(relay_.up({"--relay", "on"}));
    for (std::size_t i = 0; i < kMembers; ++i) {
      std::vector<std::string> flags{"--relay", "off", "--bootstrap", relay_.endpoint()};
      if (i > 0) flags.insert(flags.end(), {"--auto-answer", "--play", said(i), "--record", heard(i)});
      ASSERT_TRUE(people_[i].up(flags));
    }
    for (const auto& person : people_) ASSERT_TRUE(person.online());
  }
  std::string said(std::size_t i) const { return (people_[i].home() / "said.wav").string(); }
  std::string heard(std::size_t i) const { return (people_[i].home() / "heard.wav").string(); }
  media::Audio recording(std::size_t i) const {
    const auto bytes = io::read_file(heard(i), media::kMaxWavBytes);
    return bytes && *bytes ? media::parse_wav(**bytes).value_or(media::Audio{}) : media::Audio{};
  }
  std::vector<std::string> begin_line() const {
    std::vector<std::string> out{"conf", "new", "office"};
    for (std::size_t i = 1; i < kMembers; ++i) out.push_back(people_[i].address());
    for (const auto& word : {std::string("--play"), said(0), std::string("--record"), heard(0), std::string("--json")})
      out.push_back(word);
    return out;
  }
  // With no members where there is no answer, so that a daemon that is busy fails a test and does not end the program.
  Json view(std::size_t i) const {
    auto out = people_[i].run({"conf", "ls", "--json"}).last_line();
    if (out.is_object() && out.contains("members")) return out;
    return Json{{"members", Json::array()}, {"mixer", nullptr},  {"deputy", nullptr}, {"room", nullptr},
                {"name", nullptr},          {"locked", nullptr}, {"muted", nullptr},  {"conferences", Json::array()},
                {"rooms", Json::array()}};
  }
  static std::vector<std::string> addresses(const Json& view) {
    std::vector<std::string> out;
    for (const auto& member : view["members"]) out.push_back(member["address"].get<std::string>());
    std::sort(out.begin(), out.end());
    return out;
  }
  // Until all of these say the same of who is here, who mixes and who is the deputy; that view.
  std::optional<Json> agreed(const std::vector<std::size_t>& who, std::size_t members, int limit_ms = 30'000) const {
    const Time end = io::now() + std::chrono::milliseconds(limit_ms);
    while (io::now() < end) {
      const auto first = view(who.front());
      bool same = addresses(first).size() == members && first["mixer"].is_string() && first["deputy"].is_string();
      for (const auto i : who) {
        if (!same) break;
        const auto other = view(i);
        same = addresses(other) == addresses(first) && other["mixer"] == first["mixer"] &&
               other["deputy"] == first["deputy"] && other["room"] == first["room"];
      }
      if (same) return first;
    }
    return std::nullopt;
  }
  // Until what that one is shown is so.
  testing::AssertionResult shows(std::size_t i, const std::function<bool(const Json&)>& so) const {
    const Time end = io::now() + std::chrono::seconds(20);
    Json last;
    while (io::now() < end)
      if (so(last = view(i))) return testing::AssertionSuccess();
    return testing::AssertionFailure() << people_[i].address() << " is shown " << last;
  }
  // A flag of a member in a view.
  static bool is(const Json& view, const std::string& address, const char* flag) {
    for (const auto& member : view["members"])
      if (member["address"] == address) return member[flag].get<bool>();
    return false;
  }
  static std::uint64_t number_of(const Json& view, const std::string& address, const char* key) {
    for (const auto& member : view["members"])
      if (member["address"] == address) return member[key].get<std::uint64_t>();
    return 0;
  }
  // What the daemon wrote into its log when it had measured its mixer; nothing: not yet.
  std::optional<std::uint64_t> measured(std::size_t i) const {
    const auto bytes = io::read_file(people_[i].home() / "linnet.log", 1 << 20);
    if (!bytes || !*bytes) return std::nullopt;
    const std::string log((**bytes).begin(), (**bytes).end()), before = "could mix for ";
    const auto at = log.rfind(before);
    return at == std::string::npos ? std::nullopt : std::optional(std::stoull(log.substr(at + before.size(), 6)));
  }
  // Sound takes its time: until so many seconds more are in the file.
  testing::AssertionResult recorded_on(std::size_t i, double seconds) const {
    const auto size = [&] {
      std::error_code failed;
      const auto bytes = std::filesystem::file_size(heard(i), failed);
      return failed ? 0.0 : static_cast<double>(bytes) / (2.0 * media::kRate);
    };
    const double goal = size() + seconds;
    const Time end = io::now() + std::chrono::seconds(30);
    while (size() < goal && io::now() < end) ::poll(nullptr, 0, 50);
    if (size() >= goal) return testing::AssertionSuccess();
    auto out = testing::AssertionFailure()
               << people_[i].address() << " has " << size() << " s of sound, not " << goal << "; is shown " << view(i)
               << "; its calls were " << people_[i].run({"log"}).out << "; its files are";
    std::error_code failed;
    for (const auto& file : std::filesystem::directory_iterator(people_[i].home().path(), failed))
      out << " " << file.path().filename() << " " << file.file_size(failed);
    return out;
  }
  std::size_t index_of(const std::string& address) const {
    for (std::size_t i = 0; i < kMembers; ++i)
      if (people_[i].address() == address) return i;
    return kMembers;
  }

  Daemon relay_{"relay@demo.example"};
  Daemon people_[kMembers] = {Daemon("alice@demo.example"), Daemon("bob@demo.example"), Daemon("carol@demo.example"),
                              Daemon("dave@demo.example"), Daemon("erin@demo.example")};
};

TEST_F(Conference, OutlivesWhoeverMixesIt) {
  Process begun(people_[0].line(begin_line()));
  const std::vector<std::size_t> all{0, 1, 2, 3, 4};
  ASSERT_TRUE(agreed(all, kMembers)) << view(0);
  for (const auto i : all)
    EXPECT_TRUE(shows(
        (i + 1) % kMembers,
        [&](const Json& v) { return measured(i) && number_of(v, people_[i].address(), "mixes") == *measured(i); }))
        << people_[i].address() << " tells the others for how many it found that it could mix";
  ASSERT_TRUE(recorded_on(1, kHeardFor + 1));

  const auto before = agreed(all, kMembers);
  ASSERT_TRUE(before) << view(0);
  const auto killed = index_of((*before)["mixer"].get<std::string>());
  const auto deputy = (*before)["deputy"].get<std::string>();
  ASSERT_LT(killed, kMembers);
  const auto status = people_[(killed + 1) % kMembers].status();
  ASSERT_EQ(status["calls"].size(), 1u) << status;
  EXPECT_EQ(status["calls"][0]["conference"]["name"], "office");
  EXPECT_EQ(status["calls"][0]["conference"]["members"], kMembers);

  people_[killed].kill_nine();
  const Time died = io::now();
  std::vector<std::size_t> others;
  for (const auto i : all)
    if (i != killed) others.push_back(i);
  const auto after = agreed(others, kMembers - 1);
  ASSERT_TRUE(after) << "who is left, and who mixes now: " << view(others[0]);
  EXPECT_EQ((*after)["room"], (*before)["room"]);
  EXPECT_GT((*after)["term"].get<int>(), (*before)["term"].get<int>());
  EXPECT_EQ((*after)["mixer"], deputy) << "the deputy took over";
  for (const auto i : others) ASSERT_TRUE(recorded_on(i, kHeardFor)) << people_[i].address();

  std::map<std::size_t, double> lived;  // seconds from the death to the end of each recording
  for (const auto i : others) {
    EXPECT_EQ(people_[i].run({"conf", "leave"}).exit, 0);
    ASSERT_TRUE(people_[i].until([](const Json& s) { return s["calls"].empty(); }));
    lived[i] = millis(io::now() - died) / 1000;
  }
  for (const auto i : others) {
    const auto audio = recording(i);
    const double length = static_cast<double>(audio.samples.size()) / audio.rate, death = length - lived[i];
    const auto& name = people_[i].address();
    EXPECT_FALSE(first_heard(audio, kPitches[i], 0, length)) << name << " hears itself";
    for (const auto k : all) {
      if (k == i) continue;
      EXPECT_TRUE(first_heard(audio, kPitches[k], death - kHeardFor, death))
          << name << " does not hear " << people_[k].address() << " in " << death << " s";
      if (k == killed) continue;
      const auto again = first_heard(audio, kPitches[k], death + 0.5, length);
      ASSERT_TRUE(again) << name << " does not hear " << people_[k].address() << " any more";
      EXPECT_LE(*again - death, 0.5 + kBeep + kMostPause + kFailover) << name << " hears nothing for long";
    }
    EXPECT_FALSE(first_heard(audio, kPitches[killed], death + 2, length)) << name << " hears the dead";
  }
}

TEST_F(Conference, OfARoomWithAnAddressIsCalledAndBegunAnewWithoutItsFounder) {
  const std::string room = "room@office";
  Process founded(people_[0].line({"conf", "new", "--at", room, "bob@demo.example", "carol@demo.example", "--json"}));
  ASSERT_TRUE(agreed({0, 1, 2}, 3)) << view(0);
  EXPECT_EQ(view(0)["address"], room);
  const auto kept = [](const Json& v) { return v["rooms"].size() == 1; };
  ASSERT_TRUE(shows(1, kept) && shows(2, kept)) << view(1);
  EXPECT_EQ(view(0)["rooms"][0]["founded"], true);
  EXPECT_EQ(view(1)["rooms"][0]["address"], room);
  ASSERT_EQ(people_[1].run({"conf", "leave"}).exit, 0);
  Process called(people_[1].line({"call", room, "--json"}));
  ASSERT_TRUE(agreed({0, 1, 2}, 3)) << view(1);

  for (const std::size_t i : {0u, 1u, 2u}) ASSERT_EQ(people_[i].run({"conf", "leave"}).exit, 0);
  ASSERT_EQ(people_[0].run({"down"}).exit, 0);
  Process first(people_[2].line({"conf", "join", room, "--json"}));
  ASSERT_TRUE(shows(2, [](const Json& v) { return v["duty"] == "mixer"; })) << view(2);
  Process second(people_[1].line({"conf", "join", room, "--json"}));
  ASSERT_TRUE(agreed({1, 2}, 2, 60'000)) << view(1);
  ASSERT_EQ(people_[1].run({"conf", "forget", room}).exit, 0);
  EXPECT_EQ(view(1)["rooms"], Json::array());
}

TEST_F(Conference, IsJoinedRuledAndLeftByCommands) {
  Process begun(people_[0].line({"conf", "new", "office", "bob@demo.example", "--json"}));
  ASSERT_TRUE(agreed({0, 1}, 2)) << view(0);
  Process joined(people_[2].line({"conf", "join", "bob@demo.example", "--record", heard(2), "--json"}));
  ASSERT_TRUE(agreed({0, 1, 2}, 3)) << view(2);
  const auto name = view(2)["name"];
  EXPECT_EQ(name, "office");
  EXPECT_TRUE(shows(0, [](const Json& v) { return is(v, "carol@demo.example", "recording"); }))
      << "all see who records";
  EXPECT_FALSE(is(view(2), "alice@demo.example", "recording"));
  EXPECT_TRUE(is(view(2), "alice@demo.example", "founder"));

  ASSERT_EQ(people_[0].run({"conf", "mute", "carol@demo.example"}).exit, 0);
  EXPECT_TRUE(shows(1, [](const Json& v) { return is(v, "carol@demo.example", "muted"); }));
  ASSERT_EQ(people_[0].run({"conf", "mute", "carol@demo.example", "off"}).exit, 0);
  EXPECT_TRUE(shows(1, [](const Json& v) { return !is(v, "carol@demo.example", "muted"); }));
  ASSERT_EQ(people_[1].run({"conf", "mute"}).exit, 0);
  EXPECT_EQ(view(1)["muted"], true);
  const auto presumed = people_[1].run({"conf", "kick", "carol@demo.example", "--json"});
  EXPECT_EQ(presumed.exit, 1) << "only whoever began it";
  EXPECT_EQ(keys_of(presumed.last_line()), (std::vector<std::string>{"schema", "ok", "error", "exit"}));
  EXPECT_EQ(people_[0].run({"conf", "kick", "erin@demo.example"}).exit, 4) << "is not in it";

  ASSERT_EQ(people_[0].run({"conf", "lock"}).exit, 0);
  EXPECT_TRUE(shows(1, [](const Json& v) { return v["locked"] == true; }));
  const auto late = people_[3].run({"conf", "join", "bob@demo.example", "--json"});
  EXPECT_NE(late.exit, 0);
  EXPECT_NE(late.last_line()["result"], "ended") << late.out;
  ASSERT_EQ(people_[0].run({"conf", "lock", "off"}).exit, 0);
  EXPECT_TRUE(shows(1, [](const Json& v) { return v["locked"] == false; }));
  ASSERT_EQ(people_[0].run({"conf", "invite", "dave@demo.example"}).exit, 0);
  ASSERT_TRUE(agreed({0, 1, 2, 3}, 4)) << view(3);

  ASSERT_EQ(people_[0].run({"conf", "kick", "dave@demo.example"}).exit, 0);
  ASSERT_TRUE(people_[3].until([](const Json& s) { return s["calls"].empty(); }));
  ASSERT_TRUE(agreed({0, 1, 2}, 3)) << view(0);
  ASSERT_EQ(people_[1].run({"conf", "leave", "office"}).exit, 0);
  ASSERT_TRUE(agreed({0, 2}, 2)) << view(0);
  begun.signal(SIGINT);
  EXPECT_EQ(begun.wait().exit, 130);
  ASSERT_EQ(people_[2].run({"conf", "leave"}).exit, 0);
  const auto left = joined.wait();
  EXPECT_EQ(left.exit, 0) << left.err;
  EXPECT_EQ(left.last_line()["result"], "ended");
  EXPECT_EQ(view(2)["conferences"].size(), 0u);
  EXPECT_EQ(people_[2].run({"log", "--json"}).last_line()["conference"], "office");
  EXPECT_NE(people_[2].run({"log"}).out.find("office"), std::string::npos);

  Process invites(people_[1].line({"conf", "new", "lunch", "alice@demo.example", "--json"}));
  ASSERT_TRUE(people_[0].until([](const Json& s) {
    return s["calls"].size() == 1 && s["calls"][0]["state"] == "incoming" &&
           s["calls"][0]["conference"]["name"] == "lunch" && s["calls"][0]["peer"] == "bob@demo.example";
  })) << people_[0].status();
  EXPECT_EQ(people_[0].run({"hangup"}).exit, 0);
  ASSERT_TRUE(people_[0].until([](const Json& s) { return s["calls"].empty(); }));
  const auto declined = people_[0].run({"log", "--json"}).last_line();
  EXPECT_EQ(declined["conference"], "lunch");
  EXPECT_EQ(declined["result"], "declined");
  invites.signal(SIGINT);
  EXPECT_EQ(invites.wait().exit, 130);
}

}  // namespace
}  // namespace linnet::scenario
