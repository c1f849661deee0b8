#include "cli/demo.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/demo_call.h"
#include "cli/speech.h"
#include "node/io/clock.h"
#include "node/io/files.h"
#include "node/io/settings/config.h"
#include "node/io/terminal.h"

namespace linnet::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr Duration kJoin = std::chrono::seconds(20);
constexpr Duration kLeave = std::chrono::seconds(3);
constexpr int kSupernodes = 3;

std::string figure(const char* format, std::optional<double> value) {
  if (!value) return "?";
  char out[64];
  std::snprintf(out, sizeof out, format, *value);
  return out;
}

std::string wide(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

OrderedJson json_of(const std::string& name, const DemoCall& c) {
  const auto number = [](std::optional<double> v) { return v ? OrderedJson(*v) : OrderedJson(nullptr); };
  return {{"call", name},
          {"result", c.result},
          {"callee_result", c.callee_result},
          {"ring_ms", number(c.ring_ms)},
          {"setup_ms", number(c.setup_ms)},
          {"lookup_hops", number(c.lookup_hops)},
          {"path", c.path},
          {"codec", c.codec},
          {"said_s", c.said_s},
          {"heard_s", c.heard_s},
          {"loss_pct", number(c.loss_pct)},
          {"jitter_ms", number(c.jitter_ms)},
          {"mos", number(c.mos)},
          {"match", number(c.match)},
          {"mouth_to_ear_ms", number(c.mouth_to_ear_ms)},
          {"longest_gap_ms", c.longest_gap_ms},
          {"wire_kbps", number(c.wire_kbps)},
          {"pass", c.pass()}};
}

// The folder of all homes; removed at the end unless it is to be kept.
class Folder {
 public:
  static io::Outcome<Folder> make(const std::string& keep) {
    std::error_code failed;
    if (!keep.empty()) {
      const auto path = std::filesystem::absolute(keep, failed);
      if (io::file_exists(path)) return io::trouble("There is a " + keep + " already. Give --keep a new folder.");
      if (auto made = io::make_private_folder(path); !made) return tl::unexpected(made.error());
      return Folder(path, true);
    }
    std::string pattern = (std::filesystem::temp_directory_path(failed) / "linnet-demo-XXXXXX").string();
    if (failed || ::mkdtemp(pattern.data()) == nullptr)
      return io::trouble("Cannot make a folder for the demo: " + io::os_error() + ".");
    return Folder(pattern, false);
  }
  Folder(Folder&& other) noexcept : path_(std::move(other.path_)), keep_(other.keep_) { other.keep_ = true; }
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (!keep_) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  Folder(std::filesystem::path path, bool keep) : path_(std::move(path)), keep_(keep) {}
  std::filesystem::path path_;
  bool keep_;
};

class Demo {
 public:
  Demo(const Context& context, const verb::Demo& options, const Folder& folder, media::Audio said)
      : context_(context), options_(options), folder_(folder.path()), said_(std::move(said)) {
    talk_time_ = std::chrono::seconds(1) +
                 std::chrono::milliseconds(1000 * said_.samples.size() / static_cast<std::size_t>(said_.rate));
  }

  io::Outcome<bool> run() {
    if (auto written = io::write_file(speech(), speech_wav(), 0600, io::Replace::yes); !written)
      return tl::unexpected(written.error());
    for (auto step : {&Demo::start_nodes, &Demo::alice_calls_bob, &Demo::bob_calls_alice, &Demo::supernode_dies})
      if (auto done = (this->*step)(); !done) return tl::unexpected(done.error());
    if (context_.json) {
      say(OrderedJson{{"schema", 1},
                      {"nodes", kSupernodes + 2},
                      {"joined_ms", joined_ms_},
                      {"calls", calls_},
                      {"heard", options_.out},
                      {"pass", pass_}}
              .dump());
    } else {
      tell(pass_ ? "Next: linnet up" : "What was heard does not match what was said.");
    }
    return pass_;
  }

  ~Demo() {
    for (auto& node : nodes_) node.process().terminate();
    for (auto& node : nodes_) node.process().wait(kLeave);
  }

 private:
  std::string speech() const { return (folder_ / "speech.wav").string(); }
  std::string heard(const std::string& who) const { return (folder_ / (who + ".wav")).string(); }
  const DemoNode& alice() const { return nodes_[kSupernodes]; }
  const DemoNode& bob() const { return nodes_[kSupernodes + 1]; }
  void tell(const std::string& line) const {
    if (!context_.json) say(line);
  }

  io::Done start(const DemoPlan& plan) {
    auto node = DemoNode::start(folder_, plan, interrupts_.fd());
    if (!node) return tl::unexpected(node.error());
    nodes_.push_back(std::move(*node));
    return {};
  }

  io::Done start_nodes() {
    if (!context_.json) talk("Starting " + std::to_string(kSupernodes + 2) + " nodes ...");
    const Time begin = io::now();
    nodes_.reserve(kSupernodes + 2);
    for (int i = 1; i <= kSupernodes; ++i) {
      DemoPlan plan{"supernode" + std::to_string(i), "relay" + std::to_string(i) + "@demo.example", {"--relay", "on"}};
      if (i > 1) plan.up.insert(plan.up.end(), {"--bootstrap", nodes_.front().endpoint()});
      if (auto started = start(plan); !started) return started;
    }
    // Each person knows one supernode, and not the same one.
    for (const auto& [name, supernode] : {std::pair<std::string, std::size_t>{"alice", 1}, {"bob", 2}}) {
      const DemoPlan plan{name,
                          name + "@demo.example",
                          {"--relay", "off", "--bootstrap", nodes_[supernode].endpoint(), "--auto-answer", "--play",
                           speech(), "--record", heard(name)}};
      if (auto started = start(plan); !started) return started;
    }
    for (const auto& node : nodes_)
      if (auto joined = node.online(kJoin, interrupts_.fd()); !joined) return joined;
    joined_ms_ = millis(io::now() - begin);
    tell(wide(std::to_string(nodes_.size()) + " nodes up", 16) + wide("overlay joined", 48) +
         figure("%.1f s", joined_ms_ / 1000));
    return {};
  }

  DemoCallPlan plan(const std::string& to, const std::string& heard_file) const {
    DemoCallPlan out;
    out.to = to;
    out.speech_file = speech();
    out.duration = talk_time_;
    out.heard_file = heard_file;
    return out;
  }

  void judge(const std::string& name, const DemoCall& call) {
    calls_.push_back(json_of(name, call));
    pass_ = pass_ && call.pass();
  }

  std::string found(const std::string& who, const DemoCall& call) const {
    const auto hops = !call.lookup_hops          ? std::string("found")
                      : *call.lookup_hops == 1.0 ? std::string("found in 1 hop")
                                                 : "found in " + figure("%.0f hops", call.lookup_hops);
    return wide(who, 16) + wide(hops + ", ringing, answered in " + figure("%.0f ms", call.setup_ms), 48) + call.path +
           ", sealed, " + call.codec + (call.wire_kbps ? figure(", %.0f kbit/s on the wire", call.wire_kbps) : "");
  }
  std::string voice(const DemoCall& call) const {
    return "speech.wav " + figure("%.1f s", call.said_s) + " sent, " + figure("%.1f s", call.heard_s) +
           " heard    loss " + figure("%.1f %%", call.loss_pct) + "  jitter " + figure("%.1f ms", call.jitter_ms) +
           "  MOS " + figure("%.1f", call.mos) + "  mouth to ear " + figure("%.0f ms", call.mouth_to_ear_ms) +
           "   audio match " + figure("%.2f", call.match) + (call.pass() ? "  PASS" : "  FAIL") +
           (call.longest_gap_ms > 0 ? "  longest gap " + figure("%.0f ms", call.longest_gap_ms) : "");
  }

  io::Done alice_calls_bob() {
    const auto call = run_demo_call(alice(), bob(), plan("bob@demo.example", heard("bob")), said_, interrupts_.fd());
    if (!call) return tl::unexpected(call.error());
    const auto bytes = io::read_file(heard("bob"), media::kMaxWavBytes);
    if (!bytes || !*bytes) return io::trouble("What bob heard cannot be read.");
    const auto out = io::absolute(options_.out);
    if (auto written = io::write_file(out, **bytes, 0644, io::Replace::yes); !written) return written;
    tell(found("alice -> bob", *call));
    tell(voice(*call));
    judge("alice -> bob", *call);
    return {};
  }

  io::Done bob_calls_alice() {
    const auto call =
        run_demo_call(bob(), alice(), plan("alice@demo.example", heard("alice-2")), said_, interrupts_.fd());
    if (!call) return tl::unexpected(call.error());
    tell(found("bob -> alice", *call));
    tell(voice(*call));
    judge("bob -> alice", *call);
    return {};
  }

  // The supernode whose endpoint it was; the first home of the callee when the call never was seen on one.
  io::Outcome<DemoNode*> carrier(const std::string& via) {
    std::string endpoint = via;
    if (endpoint.empty()) {
      const auto status = bob().status();
      if (!status) return tl::unexpected(status.error());
      const auto json = nlohmann::json::parse(*status, nullptr, false);
      if (json.is_object() && json.contains("supernodes") && !json["supernodes"].empty())
        endpoint = json["supernodes"][0].get<std::string>();
    }
    for (int i = 0; i < kSupernodes; ++i)
      if (auto& node = nodes_[static_cast<std::size_t>(i)]; node.endpoint() == endpoint) return &node;
    return io::trouble("No supernode carries the signalling.");
  }

  io::Done supernode_dies() {
    std::string killed, part, path;
    auto p = plan("bob@demo.example", heard("bob-3"));
    p.talk_before = talk_time_ / 3;
    p.while_talking = [&](const std::string& via, const std::string& path_then) -> io::Done {
      const auto node = carrier(via);
      if (!node) return tl::unexpected(node.error());
      killed = (*node)->name();
      part = via.empty() ? "bob's home" : "carried the call's setup";
      path = path_then;
      (*node)->process().kill();
      return {};
    };
    const auto call = run_demo_call(alice(), bob(), p, said_, interrupts_.fd());
    if (!call) return tl::unexpected(call.error());
    if (killed.empty()) return io::trouble("The call was over before a supernode was killed.");
    const std::string number = killed.substr(killed.size() - 1);
    // Where the call ran by then tells what the death could hurt; the goodbye shows that the signalling lives.
    tell("supernode " + number + " killed mid-call (" + part + "; then the path was " + path + ")  gap " +
         figure("%.0f ms", call->longest_gap_ms) + "  audio match " + figure("%.2f", call->match) + "  goodbye " +
         (call->callee_result == "ended" ? "arrived" : "lost (" + call->callee_result + ")") +
         (call->pass() ? "  PASS" : "  FAIL"));
    tell("heard: " + options_.out);
    judge("alice -> bob, " + killed + " killed", *call);
    return {};
  }

  const Context& context_;
  const verb::Demo& options_;
  std::filesystem::path folder_;
  media::Audio said_;
  Duration talk_time_{};
  io::Interrupts interrupts_;
  std::vector<DemoNode> nodes_;
  double joined_ms_ = 0;
  OrderedJson calls_ = OrderedJson::array();
  bool pass_ = true;
};

}  // namespace

int demo(const Context& context, const verb::Demo& options) {
  auto said = media::parse_wav(speech_wav());
  if (!said) return fail({"The demo's speech is damaged."});
  // The nodes of the demo take nothing from this person's settings, and make no sound.
  for (const char* name : io::config_variables()) ::unsetenv(name);
  for (const char* name : {"LINNET_HOME", "NOTIFY_SOCKET"}) ::unsetenv(name);
  ::setenv("LINNET_AUDIO", "none", 1);
  const auto folder = Folder::make(options.keep);
  if (!folder) return fail(folder.error());
  auto verdict = Demo(context, options, *folder, std::move(*said)).run();
  if (!verdict) return fail(verdict.error());
  return *verdict ? 0 : 1;
}

}  // namespace linnet::cli
