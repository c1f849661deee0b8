// What is left of speech on hard links: whole calls through the media session in virtual time, scored against what was
// said. Real speech, fixed seeds; prints one line a row, or JSON.
//
//   bench_hard_links [--trials N] [--first SEED] [--row NAME] [--seconds S] [--json] [--no-adapt] [--no-red] [--trace]
//   [--each] WAV...
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "media/wav.h"
#include "tests/media/call_twin.h"

namespace {

using namespace linnet;
using namespace linnet::media;

struct Row {
  const char* name;
  Network network;
  int frame_ms = 20;
  double scored_from = 0;  // second
  double bar = 0;          // STOI
  bool low_delay = false;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {"clean-20ms", {}, 20, 0, 0.98},
      {"clean-10ms", {}, 10, 0, 0.95, true},
      {"loss-10", {.loss = 0.10}, 20, 0, 0.95},
      {"loss-30", {.loss = 0.30}, 20, 0, 0.90},
      {"loss-10-rtt-100", {.loss = 0.10, .delay_ms = 50}, 20, 0, 0.95},
      {"jitter-30", {.delay_ms = 20, .jitter_ms = 30}, 20, 0, 0.95},
      {"jitter-60", {.delay_ms = 20, .jitter_ms = 60}, 20, 0, 0.95},
      {"burst-300", {.delay_ms = 20, .outage_every_ms = 16000, .outage_ms = 300}, 20, 0, 0.95},
      {"bursts-300-each-4s", {.delay_ms = 20, .outage_every_ms = 4000, .outage_ms = 300}, 20, 0, 0.90},
      {"link-24k", {.delay_ms = 20, .rate = 24000}, 20, 10, 0.90},
      {"link-16k", {.delay_ms = 20, .rate = 16000}, 20, 10, 0.88},
      {"link-12k", {.delay_ms = 20, .rate = 12000}, 20, 10, 0.80},
  };
  return all;
}

struct Options {
  int trials = 10;
  int first = 1;
  double seconds = 30;
  std::string row;
  bool json = false, adapt = true, red = true, trace = false, each = false;
  std::vector<std::string> files;
};

// One after the other, again and again.
Audio speech_for(const Options& options) {
  Audio out;
  std::vector<std::int16_t> once;
  for (const auto& path : options.files) {
    std::ifstream in(path, std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto audio = parse_wav(bytes);
    if (!audio) {
      std::fprintf(stderr, "%s: no sound file\n", path.c_str());
      std::exit(2);
    }
    out.rate = audio->rate;
    once.insert(once.end(), audio->samples.begin(), audio->samples.end());
  }
  const auto wanted = static_cast<std::size_t>(options.seconds * out.rate);
  while (!once.empty() && out.samples.size() < wanted) {
    const auto n = std::min(wanted - out.samples.size(), once.size());
    out.samples.insert(out.samples.end(), once.begin(), once.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return out;
}

struct Trial {
  double stoi = 0;        // at one delay over all that is scored
  double stoi_drift = 0;  // the delay found again each second
  double drift_ms = 0;
  double mouth_to_ear_ms = 0;  // one device block included
  double rtcp_kbps = 0;        // of one end, IP, UDP and SRTP counted, in the scored time
  double wire_kbps = 0;        // codec payload, headers and RTCP of one end, in the scored time
  double concealed_pct = 0;
  double playout_ms = 0;
};

SessionConfig config_of(const Row& row, const Options& options) {
  SessionConfig c;
  c.ptime = std::chrono::milliseconds(row.frame_ms);
  c.low_delay = row.low_delay;
  c.adapt = options.adapt;
  if (options.red) c.auxiliary.red = 63;
  c.reduced_size = c.metrics = true;
  return c;
}

double octets_sent(const Stats& s) {
  constexpr double kHeaders = 28 + 12 + 16;
  return static_cast<double>(s.bytes_sent) + static_cast<double>(s.packets_sent) * kHeaders +
         static_cast<double>(s.rtcp_octets_sent);
}

void trace(const Call& call, const Stats& a, const Stats& b) {
  std::fprintf(
      stderr,
      "%6.1f s  %2d ms %5d bit/s +%d  ceiling %6d  queue %4.0f ms  rtt %4.0f  lost %5.1f %%  playout %4.0f ms  "
      "concealed %5.0f  recovered %llu  sent %llu got %llu late %llu  "
      "given back %.0f ms taken %.0f ms\n",
      call.now_ms / 1000, a.frame_ms, a.bitrate, a.copies, a.ceiling.value_or(0), a.queue_ms.value_or(-1),
      a.rtt_ms.value_or(-1), a.remote_loss_pct.value_or(-1), b.playout_delay_ms.value_or(-1), b.concealed_ms,
      static_cast<unsigned long long>(b.frames_fec), static_cast<unsigned long long>(a.packets_sent),
      static_cast<unsigned long long>(b.packets_received), static_cast<unsigned long long>(b.packets_late),
      b.accelerated_ms, b.expanded_ms);
}

Trial run(const Row& row, const Audio& said, std::uint64_t seed, const Options& options) {
  auto network = row.network;
  network.seed = seed;
  Call call(said, network, config_of(row, options));
  const double length = options.seconds + 1.5;
  Stats at_start, at_end;
  const auto now = [&call] { return at_ms(call.now_ms); };
  double concealed_before = 0;
  for (double second = 0; second < length; second += 0.5) {
    if (second == row.scored_from) {
      at_start = call.alice->session.stats(now());
      concealed_before = call.stats().concealed_ms;
    }
    call.run(0.5);
    if (options.trace) trace(call, call.alice->session.stats(now()), call.stats());
  }
  at_end = call.alice->session.stats(now());
  const double scored = length - row.scored_from;
  const auto heard = row.scored_from > 0 ? call.heard_from(row.scored_from) : call.heard(call.offset_ms());
  Trial out;
  out.stoi = heard.stoi.value_or(0);
  out.stoi_drift = heard.stoi_drift.value_or(0);
  out.drift_ms = heard.drift_span_ms;
  out.mouth_to_ear_ms = row.scored_from > 0 ? 0 : heard.delay_ms.value_or(0);
  out.rtcp_kbps = static_cast<double>(at_end.rtcp_octets_sent - at_start.rtcp_octets_sent) * 8 / scored / 1000;
  out.wire_kbps = (octets_sent(at_end) - octets_sent(at_start)) * 8 / scored / 1000;
  out.concealed_pct = (call.stats().concealed_ms - concealed_before) / scored / 10;
  out.playout_ms = call.stats().playout_delay_ms.value_or(0);
  return out;
}

double quantile(std::vector<Trial> trials, double Trial::*field, double q) {
  std::sort(trials.begin(), trials.end(), [field](const Trial& a, const Trial& b) { return a.*field < b.*field; });
  return trials[static_cast<std::size_t>(q * static_cast<double>(trials.size() - 1) + 0.5)].*field;
}

void print(const Row& row, const std::vector<Trial>& trials, const Options& options) {
  const double p5 = quantile(trials, &Trial::stoi, 0.05), p50 = quantile(trials, &Trial::stoi, 0.5);
  const char* const format =
      options.json
          ? "{\"row\":\"%s\",\"trials\":%zu,\"first_seed\":%d,\"stoi_bar\":%.2f,\"stoi_p50\":%.3f,\"stoi_p5\":%.3f,"
            "\"mouth_to_ear_ms_p50\":%.1f,\"mouth_to_ear_ms_p95\":%.1f,\"playout_ms_p50\":%.1f,\"concealed_pct_p50\":%."
            "2f,"
            "\"wire_kbps_p50\":%.2f,\"rtcp_kbps_p95\":%.3f,\"pass\":%s}\n"
          : "%-20s %3zu trials (seeds from %d)  STOI bar %.2f  p50 %.3f  p5 %.3f  mouth to ear p50 %5.1f p95 %5.1f ms  "
            "playout %4.0f ms  concealed %5.2f %%  wire %6.2f kbit/s  RTCP p95 %.3f kbit/s  %s\n";
  const bool pass = p5 >= row.bar;
  std::printf(format, row.name, trials.size(), options.first, row.bar, p50, p5,
              quantile(trials, &Trial::mouth_to_ear_ms, 0.5), quantile(trials, &Trial::mouth_to_ear_ms, 0.95),
              quantile(trials, &Trial::playout_ms, 0.5), quantile(trials, &Trial::concealed_pct, 0.5),
              quantile(trials, &Trial::wire_kbps, 0.5), quantile(trials, &Trial::rtcp_kbps, 0.95),
              options.json ? (pass ? "true" : "false") : (pass ? "PASS" : "MISS"));
  std::fflush(stdout);
}

Options read_options(int argc, char** argv) {
  Options out;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (word == "--trials")
      out.trials = std::max(1, std::atoi(value()));
    else if (word == "--first")
      out.first = std::max(1, std::atoi(value()));
    else if (word == "--seconds")
      out.seconds = std::max(1.0, std::atof(value()));
    else if (word == "--row")
      out.row = value();
    else if (word == "--json")
      out.json = true;
    else if (word == "--no-adapt")
      out.adapt = false;
    else if (word == "--no-red")
      out.red = false;
    else if (word == "--each")
      out.each = true;
    else if (word == "--trace")
      out.trace = true;
    else
      out.files.push_back(word);
  }
  if (out.files.empty()) out.files.push_back("assets/speech.wav");
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  const Audio said = speech_for(options);
  bool any = false;
  for (const auto& row : rows()) {
    if (!options.row.empty() && options.row != row.name) continue;
    any = true;
    std::vector<Trial> trials;
    for (int t = 0; t < options.trials; ++t) {
      trials.push_back(run(row, said, static_cast<std::uint64_t>(options.first + t), options));
      if (!options.each) continue;
      const auto& last = trials.back();
      std::fprintf(stderr, "  seed %d  STOI %.3f  by seconds %.3f  delay moved %.0f ms  concealed %.2f %%\n",
                   options.first + t, last.stoi, last.stoi_drift, last.drift_ms, last.concealed_pct);
    }
    print(row, trials, options);
  }
  return any ? 0 : 2;
}
