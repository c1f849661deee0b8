// What was heard against what was said, for the scripts beside this: one line of JSON for each recording.
//
//   linnet_hear SAID.wav [--gap MS] [--from S] HEARD.wav...
//
// --from: seconds of each recording that are left out; times count from its beginning all the same. Of a longer one
// than can be looked at, its end is. "gaps": [start in the recording in seconds, length in ms], where speech was said
// and nothing heard for longer than MS, on a grid of 5 ms (media/compare.h).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "media/compare.h"

namespace linnet {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr double kLongest = 58;  // seconds: media::compare() looks at 60

std::optional<media::Audio> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
  auto audio = media::parse_wav(bytes);
  return audio ? std::optional(std::move(*audio)) : std::nullopt;
}

Ordered judged(const media::Audio& said, media::Audio heard, double from, double gap_ms) {
  from = std::max(from, static_cast<double>(heard.samples.size()) / heard.rate - kLongest);
  const auto skipped = std::min(heard.samples.size(), static_cast<std::size_t>(from * heard.rate));
  heard.samples.erase(heard.samples.begin(), heard.samples.begin() + static_cast<std::ptrdiff_t>(skipped));
  const auto found = media::compare(said, heard, 0, gap_ms);
  Ordered out{{"seconds", static_cast<double>(heard.samples.size()) / heard.rate},
              {"silent", found.silent},
              {"correlation", found.correlation},
              {"stoi", nullptr},
              {"stoi_drift", nullptr},
              {"delay_ms", nullptr},
              {"gaps", Ordered::array()},
              {"lost_ms", found.lost_ms}};
  if (found.stoi) out["stoi"] = *found.stoi;
  if (found.stoi_drift) out["stoi_drift"] = *found.stoi_drift;
  if (!found.delay_ms) return out;
  out["delay_ms"] = *found.delay_ms + from * 1000;
  for (const auto& gap : found.gaps)
    out["gaps"].push_back({gap.start_s + *found.delay_ms / 1000 + from, gap.length_ms});
  return out;
}

int run(std::vector<std::string> words) {
  double gap = 20, from = 0;
  const auto number = [&](const char* name, double& value) {
    const auto at = std::find(words.begin(), words.end(), name);
    if (at == words.end() || at + 1 == words.end()) return;
    value = std::stod(at[1]);
    words.erase(at, at + 2);
  };
  number("--gap", gap);
  number("--from", from);
  if (words.size() < 2) return 2;
  const auto said = load(words[0]);
  if (!said) return 2;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto heard = load(words[i]);
    std::printf("%s\n", (heard ? judged(*said, *heard, from, gap) : Ordered(nullptr)).dump().c_str());
  }
  return 0;
}

}  // namespace
}  // namespace linnet

int main(int count, char** words) { return linnet::run({words + 1, words + count}); }
