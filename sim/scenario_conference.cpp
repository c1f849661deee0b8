// More members than one mixes for: all come in by whom they know, one speaks, and what each of the others heard is
// compared with what was said.
#include "sim/scenario_conference.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "media/audio_device.h"
#include "media/compare.h"
#include "sim/gathering.h"
#include "sim/population.h"

namespace linnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kRoomMembers = 100;
constexpr std::uint32_t kLeavesEach = 25;   // of a supernode
constexpr std::uint32_t kMostAtFirst = 16;  // called by whoever starts it
constexpr std::uint32_t kUnderWay = 8;      // come in at once, and one more for every ten who are in
constexpr std::uint32_t kPatience = 5;      // a call that failed is tried again after so many seconds at the most
constexpr Duration kGathers = seconds(3600);
constexpr Duration kSettlesDown = seconds(5);
constexpr Duration kEcho = milliseconds(1500);  // is listened for so long after the last word
constexpr double kUnderstood = 0.9;
constexpr std::size_t kMostTold = 20;

std::vector<std::int16_t> speech_of(const std::string& file, Report& report) {
  std::ifstream in(file, std::ios::binary);
  const Bytes bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto audio = media::parse_wav(bytes);
  if (!audio) {
    report.broken.push_back(file + " is no sound that can be read");
    return {};
  }
  media::WavSource source(audio->samples, audio->rate);
  std::vector<std::int16_t> out(source.size());
  source.read(out);
  return out;
}

class CascadeScenario {
 public:
  explicit CascadeScenario(const ScenarioConfig& config)
      : config_(config),
        rng_(config.seed ^ 0x63617363U),
        gathering_(config, std::max<std::uint32_t>(3, members_of(config) / kLeavesEach), means_for(config)),
        tries_(gathering_.members()) {}

  Report run() {
    const auto speech = speech_of(config_.speech, report_);
    if (!speech.empty()) {
      gathering_.go_online(report_);
      gather();
      speak(speech);
    }
    report_world(report_, config_, gathering_.population(), gathering_.world(), gathering_.oversize());
    report_.cascade = std::move(figures_);
    return std::move(report_);
  }

 private:
  struct Try {
    Time at = kNever;  // of the last call
    Time again = Time::min();
    std::size_t ended = 0;  // calls of it that were over before
    bool timed = false;
  };

  static std::uint32_t members_of(const ScenarioConfig& config) {
    return config.members != 0 ? config.members : kRoomMembers;
  }
  static std::vector<node::ConferenceMeans> means_for(const ScenarioConfig& config) {
    std::vector<node::ConferenceMeans> out(members_of(config));
    for (std::uint32_t i = 0; i < out.size(); ++i) {
      out[i].mixes = config.carries;
      out[i].reachable = nat_of(i) == NatKind::none;
    }
    return out;
  }

  // Whoever starts it calls a few; the others call somebody who is in.
  void gather() {
    const Time from = gathering_.world().now();
    std::vector<std::uint32_t> first;
    for (std::uint32_t i = 1; i < gathering_.members() && first.size() < kMostAtFirst; ++i) first.push_back(i);
    for (const auto i : first) begin_try(i, from);
    begin_try(0, from);
    gathering_.confer(0, first);
    Time next_look = from;
    (void)gathering_.run("gathering", from + kGathers, milliseconds(50), [&] {
      const bool all_in = bring_in();
      if (!all_in || gathering_.world().now() < next_look) return false;
      next_look = gathering_.world().now() + seconds(1);
      return complete() == gathering_.members();
    });
    figures_.gathered_s = millis(gathering_.world().now() - from) / 1000;
    (void)gathering_.run("settling", gathering_.world().now() + kSettlesDown, seconds(1), [] { return false; });
  }
  void begin_try(std::uint32_t who, Time now) {
    auto& t = tries_[who];
    t.at = now;
    t.ended = gathering_.member(who).ended().size();
    ++figures_.tries;
  }
  // True: all are in.
  bool bring_in() {
    const Time now = gathering_.world().now();
    std::vector<std::uint32_t> in, out;
    std::uint32_t under_way = 0;
    for (std::uint32_t i = 0; i < tries_.size(); ++i) {
      auto& t = tries_[i];
      if (const auto at = gathering_.came_in(i)) {
        in.push_back(i);
        if (!t.timed) figures_.join_ms.push_back(millis(*at - t.at));
        t.timed = true;
        continue;
      }
      const bool failed = t.at != kNever && gathering_.member(i).ended().size() > t.ended;
      if (failed) {
        t.at = kNever;
        t.again = now + milliseconds(500 + rng_.below(1000 * kPatience));
      }
      if (t.at != kNever) {
        ++under_way;
      } else if (now >= t.again) {
        out.push_back(i);
      }
    }
    const auto most = kUnderWay + static_cast<std::uint32_t>(in.size()) / 10;
    for (const auto who : out) {
      if (under_way >= most || in.empty()) break;
      begin_try(who, now);
      gathering_.join(who, in[rng_.below(in.size())]);
      ++under_way;
    }
    return in.size() == tries_.size();
  }
  // Of how many the roster has all.
  std::uint64_t complete() {
    std::uint64_t n = 0;
    for (std::uint32_t i = 0; i < gathering_.members(); ++i) {
      const auto& s = gathering_.shown(i);
      n += s && s->members == gathering_.members() ? 1 : 0;
    }
    return n;
  }

  void speak(const std::vector<std::int16_t>& speech) {
    const auto who = speaker();
    std::vector<std::vector<std::int16_t>> heard(gathering_.members());
    for (std::uint32_t i = 0; i < gathering_.members(); ++i) {
      figures_.in += gathering_.came_in(i) ? 1 : 0;
      if (i == who) continue;
      gathering_.member(i).hears = [&heard, i](std::span<const std::int16_t> sound) {
        heard[i].insert(heard[i].end(), sound.begin(), sound.end());
      };
    }
    figures_.members = gathering_.members();
    figures_.carries = config_.carries;
    figures_.complete = complete();
    if (const auto& s = gathering_.shown(who)) figures_.mixers = s->mixers;
    std::size_t said = 0;
    gathering_.member(who).says = [&](std::span<std::int16_t> out) {
      for (auto& sample : out) sample = said < speech.size() ? speech[said++] : std::int16_t{0};
    };
    const auto length = milliseconds(speech.size() / media::kSamplesPerMs);
    (void)gathering_.run("speaking", gathering_.world().now() + length + kEcho, seconds(1), [] { return false; });
    for (std::uint32_t i = 0; i < gathering_.members(); ++i) gathering_.member(i).hears = {};
    gathering_.member(who).says = [](std::span<std::int16_t> out) {
      std::fill(out.begin(), out.end(), std::int16_t{0});
    };
    score(who, speech, heard);
  }
  // Anybody who only hears.
  std::uint32_t speaker() {
    std::vector<std::uint32_t> may;
    for (std::uint32_t i = 0; i < gathering_.members(); ++i) {
      const auto v = gathering_.view(i);
      if (v && (v->duty == "member" || v->duty == "deputy")) may.push_back(i);
    }
    return may.empty() ? 0 : may[rng_.below(may.size())];
  }
  void score(std::uint32_t who, const std::vector<std::int16_t>& speech,
             const std::vector<std::vector<std::int16_t>>& heard) {
    for (std::uint32_t i = 0; i < gathering_.members(); ++i) {
      if (i == who) continue;
      const auto found = media::compare({media::kRate, speech}, {media::kRate, heard[i]});
      const auto stoi = found.silent ? 0 : found.stoi_drift.value_or(0);
      figures_.stoi.push_back(stoi);
      if (stoi >= kUnderstood) ++figures_.heard;
      if (stoi < kUnderstood) tell_of(i, stoi, found);
      if (config_.progress)
        config_.progress({"scoring", static_cast<double>(i), gathering_.world().events(), gathering_.members()});
    }
    if (figures_.complete < figures_.members)
      report_.broken.push_back(std::to_string(figures_.members - figures_.complete) + " do not have all in the roster");
  }
  void tell_of(std::uint32_t who, double stoi, const media::Comparison& found) {
    if (report_.broken.size() >= kMostTold) return;
    const auto& s = gathering_.shown(who);
    char heard[120];
    std::snprintf(heard, sizeof heard, " heard with a STOI of %.3f, %.0f ms of it silent, delays within %.0f ms, by ",
                  stoi, found.gap_ms_total, found.drift_span_ms);
    report_.broken.push_back(gathering_.name(who) + heard + (s ? s->hears : "nobody"));
  }

  ScenarioConfig config_;
  SeededRng rng_;
  Gathering gathering_;
  std::vector<Try> tries_;
  CascadeFigures figures_;
  Report report_;
};

}  // namespace

Report run_cascade(const ScenarioConfig& config) { return CascadeScenario(config).run(); }

Report run_conference(const ScenarioConfig& config) {
  return config.elections > 0 ? run_elections(config) : run_cascade(config);
}

}  // namespace linnet::sim
