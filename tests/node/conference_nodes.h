// A conference of whole nodes in a town: links, SIP, SRTP and sound in virtual time.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "calls_fixture.h"

namespace linnet::node {

// A tone in words and pauses: one that goes on and on is a noise to whoever looks for voice.
inline std::vector<std::int16_t> words(double hz) {
  auto out = tone(hz, std::chrono::seconds(60));
  constexpr std::size_t kWord = 48 * 400, kPause = 48 * 150;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (i % (kWord + kPause) >= kWord) out[i] = 0;
  return out;
}

// The longest time in which next to nothing is heard.
inline Duration longest_quiet(const std::vector<std::int16_t>& heard) {
  std::size_t most = 0, run = 0;
  for (const auto sample : heard) {
    run = std::abs(sample) < 300 ? run + 1 : 0;
    most = std::max(most, run);
  }
  return std::chrono::microseconds(most * 1000 / media::kSamplesPerMs);
}

struct Conference : Calls {
  using Calls::Calls;
  std::vector<Resident*> all;

  Resident& person(const std::string& name, double hz = 0, std::uint32_t mixes = 100) {
    auto& out = town.add(name + "@office.example", [](NodeConfig& c) { c.auto_answer = true; });
    if (hz > 0) out.says = words(hz);
    all.push_back(&out);
    means.push_back(mixes);
    return out;
  }
  std::vector<std::uint32_t> means;

  // The first one starts it with all others.
  void confer() {
    settle();
    for (std::size_t i = 0; i < all.size(); ++i) {
      ConferenceMeans m;
      m.mixes = means[i];
      all[i]->node->set_conference_means(town.now(), m);
    }
    command::Confer what;
    what.name = "team";
    for (std::size_t i = 1; i < all.size(); ++i) what.who.push_back(all[i]->name);
    town.tell(*all[0], what);
  }
  std::optional<ConferenceView> view(const Resident& r) const {
    const auto status = r.node->status(town.now());
    if (status.conferences.empty()) return std::nullopt;
    return status.conferences.front();
  }
  bool gathered(std::size_t members) const {
    for (const auto* r : all) {
      if (!r->alive) continue;
      const auto v = view(*r);
      if (!v || v->members.size() != members || v->mixer.empty()) return false;
    }
    return true;
  }
  Resident* called(const std::string& address) const {
    for (auto* r : all)
      if (r->name == address) return r;
    return nullptr;
  }
  // For who reads a failure.
  std::string told() const {
    std::string out;
    for (const auto* r : all) {
      const auto v = view(*r);
      out += r->name + ": ";
      if (!v) out += "in none";
      if (v)
        out += v->duty + " of " + std::to_string(v->members.size()) + " term " + std::to_string(v->term) + " mixer " +
               v->mixer + " deputy " + v->deputy;
      for (const auto& c : r->node->status(town.now()).calls)
        out += " [" + std::string(to_string(c.state)) + " " + c.conference + "]";
      for (const auto& e : r->events) {
        if (const auto* said = std::get_if<event::ConferenceSaid>(&e)) out += " | " + said->text;
        if (const auto* ended = std::get_if<event::CallEnded>(&e)) out += " | ended: " + ended->summary.text;
      }
      out += "\n";
    }
    return out;
  }
  void forget_sound() {
    for (auto* r : all) r->heard.clear();
  }
};

}  // namespace linnet::node
