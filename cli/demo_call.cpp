#include "cli/demo_call.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "media/compare.h"
#include "node/io/clock.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

constexpr double kMatch = 0.95;  // STOI
constexpr double kGapMs = 20;
constexpr Duration kSetup = std::chrono::seconds(15);
constexpr Duration kAfter = std::chrono::seconds(10);

std::optional<double> number_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

std::string text(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// What a daemon has sent so far, IPv4 and UDP headers counted.
struct Sent {
  Time at{};
  double bytes = 0;
};
std::optional<Sent> sent_by(const io::Home& home) {
  const auto line = io::ask(home, R"({"cmd":"counters"})", kSetup);
  const Json counters = line ? Json::parse(*line, nullptr, false) : Json();
  const auto bytes = number_in(counters, "bytes_out"), datagrams = number_in(counters, "datagrams_out");
  if (!bytes || !datagrams) return std::nullopt;
  return Sent{io::now(), *bytes + 28 * *datagrams};
}

// The call as the caller's daemon tells it, line by line, until it is over.
class Talk {
 public:
  Talk(const io::Home& home, io::Client client, const DemoCallPlan& plan, int interrupt)
      : home_(home), client_(std::move(client)), plan_(plan), interrupt_(interrupt) {}

  io::Outcome<Json> run() {
    const Json request{{"cmd", "call"},
                       {"who", plan_.to},
                       {"cold", true},
                       {"play", plan_.speech_file},
                       {"duration", millis(plan_.duration) / 1000}};
    if (auto sent = client_.send(request.dump()); !sent) return tl::unexpected(sent.error());
    const Time until = io::now() + kSetup + plan_.duration + kAfter;
    while (true) {
      const auto line = client_.line(std::max(until - io::now(), Duration(1)), interrupt_);
      if (!line) return tl::unexpected(line.error());
      if (!*line) return io::trouble("The caller's daemon went away.");
      const Json message = Json::parse(**line, nullptr, false);
      if (!message.is_object()) return io::trouble("The caller's daemon cannot be understood.");
      const auto event = text(message, "event");
      if (event == "ended") {
        const auto end = sent_by(home_);
        if (begin_ && end && end->at - begin_->at > std::chrono::seconds(1))
          wire_kbps_ = 8 * (end->bytes - begin_->bytes) / millis(end->at - begin_->at);
        Json summary = message["summary"];
        summary["why"] = text(message, "error");
        return summary;
      }
      if (event.empty()) return io::trouble("The call was refused: " + text(message, "error"));
      if (event == "call")
        if (auto done = progress(message["call"]); !done) return tl::unexpected(done.error());
    }
  }

  const std::string& via() const { return via_; }
  std::optional<double> wire_kbps() const { return wire_kbps_; }

 private:
  io::Done progress(const Json& call) {
    if (via_.empty() && text(call, "path") == "relayed") via_ = text(call, "via");
    const auto talking = number_in(call, "seconds");
    if (talking && !begin_) begin_ = sent_by(home_);
    if (!plan_.while_talking || acted_ || !talking || *talking * 1000 < millis(plan_.talk_before)) return {};
    acted_ = true;
    return plan_.while_talking(via_, text(call, "path"));
  }

  const io::Home& home_;
  io::Client client_;
  const DemoCallPlan& plan_;
  int interrupt_;
  std::string via_;
  bool acted_ = false;
  std::optional<Sent> begin_;
  std::optional<double> wire_kbps_;
};

// The callee ends its own side a moment after the caller's: asks until its history has the call.
io::Outcome<Json> callee_side(const DemoNode& callee, int interrupt) {
  auto client = io::Client::connect(callee.home());
  if (!client) return tl::unexpected(client.error());
  if (auto sent = client->send(R"({"cmd":"status","watch":true})"); !sent) return tl::unexpected(sent.error());
  const Time until = io::now() + kAfter;
  while (true) {
    const auto line = client->line(std::max(until - io::now(), Duration(1)), interrupt);
    if (!line) return tl::unexpected(line.error());
    if (!*line) return io::trouble("The callee's daemon went away.");
    const Json status = Json::parse(**line, nullptr, false);
    if (status.is_object() && status.contains("calls") && status["calls"].empty()) break;
  }
  const auto row = callee.last_call();
  if (!row) return tl::unexpected(row.error());
  const Json json = Json::parse(*row, nullptr, false);
  if (!json.is_object() || !json.contains("summary")) return io::trouble("The callee has no history of the call.");
  return Json(json["summary"]);
}

void compare_voice(DemoCall& out, const media::Audio& said, const media::Audio& heard,
                   std::optional<double> offset_ms) {
  const auto comparison = media::compare(said, heard, offset_ms.value_or(0), kGapMs);
  out.said_s = static_cast<double>(said.samples.size()) / said.rate;
  out.heard_s =
      comparison.silent ? 0 : std::max(0.0, out.said_s - (comparison.lost_ms + comparison.gap_ms_total) / 1000);
  out.match = comparison.stoi;
  if (offset_ms) out.mouth_to_ear_ms = comparison.delay_ms;
  for (const auto& gap : comparison.gaps) out.longest_gap_ms = std::max(out.longest_gap_ms, gap.length_ms);
}

}  // namespace

bool DemoCall::pass() const {
  return result == "ended" && callee_result == "ended" && match && *match >= kMatch && longest_gap_ms <= kGapMs;
}

io::Outcome<DemoCall> run_demo_call(const DemoNode& caller, const DemoNode& callee, const DemoCallPlan& plan,
                                    const media::Audio& said, int interrupt) {
  auto client = io::Client::connect(caller.home());
  if (!client) return tl::unexpected(client.error());
  Talk talk(caller.home(), std::move(*client), plan, interrupt);
  const auto summary = talk.run();
  if (!summary) return tl::unexpected(summary.error());
  DemoCall out;
  out.result = text(*summary, "result");
  if (out.result != "ended")
    return io::trouble(caller.name() + " calls " + plan.to + ": " + out.result + ". " + text(*summary, "why"));
  const auto theirs = callee_side(callee, interrupt);
  if (!theirs) return tl::unexpected(theirs.error());
  out.callee_result = text(*theirs, "result");
  out.ring_ms = number_in(*summary, "ring_ms");
  out.setup_ms = number_in(*summary, "setup_ms");
  out.lookup_hops = number_in(*summary, "lookup_hops");
  out.path = text(*summary, "path");
  out.codec = text(*summary, "codec");
  out.signalling_via = talk.via();
  out.wire_kbps = talk.wire_kbps();
  out.loss_pct = number_in(*theirs, "loss_pct");
  out.jitter_ms = number_in(*theirs, "jitter_ms");
  out.mos = number_in(*theirs, "mos");
  const auto bytes = io::read_file(plan.heard_file, media::kMaxWavBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return io::trouble(callee.name() + " recorded nothing.");
  const auto heard = media::parse_wav(**bytes);
  if (!heard) return io::trouble("What " + callee.name() + " recorded is no WAV file.");
  const auto from = number_in(*summary, "record_start_us");
  const auto to = number_in(*theirs, "play_start_us");
  compare_voice(out, said, *heard, from && to ? std::optional((*to - *from) / 1000) : std::nullopt);
  return out;
}

}  // namespace linnet::cli
