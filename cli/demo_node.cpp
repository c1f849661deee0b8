#include "cli/demo_node.h"

#include <nlohmann/json.hpp>

#include "node/io/clock.h"
#include "node/io/random.h"
#include "node/io/store/key_file.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

constexpr Duration kListening = std::chrono::seconds(20);
constexpr Duration kNodeAnswer = std::chrono::seconds(10);

}  // namespace

io::Outcome<DemoNode> DemoNode::start(const std::filesystem::path& folder, const DemoPlan& plan, int interrupt) {
  const auto home = io::find_home((folder / plan.name).string());
  if (!home) return tl::unexpected(home.error());
  if (auto made = io::make_home(*home); !made) return tl::unexpected(made.error());
  io::SystemRng rng;
  const auto address = crypto::Address::parse(plan.address);
  if (!address) return io::trouble(plan.address + " is not an address");
  if (auto keys = io::create_identity_file(home->identity(), rng, *address, plan.name, io::wall()); !keys)
    return tl::unexpected(keys.error());

  std::vector<std::string> arguments{"--home",   home->data.string(), "up",    "--foreground", "--json",
                                     "--listen", "127.0.0.1:0",       "--lan", "off"};
  arguments.insert(arguments.end(), plan.up.begin(), plan.up.end());
  const auto log = home->data / "linnet.log";
  auto child = io::Child::start(arguments, log);
  if (!child) return tl::unexpected(child.error());
  const auto line = child->first_line(kListening, interrupt);
  if (!line)
    return io::trouble("Node " + plan.name + " " + line.error().text + ". Its log: " + log.string(), line.error().exit);
  const Json started = Json::parse(*line, nullptr, false);
  if (!started.is_object() || !started.contains("listen") || started["listen"].empty())
    return io::trouble("Node " + plan.name + " said: " + *line);
  DemoNode node(plan.name, *home, std::move(*child));
  node.endpoint_ = started["listen"][0].get<std::string>();
  return node;
}

io::Done DemoNode::online(Duration limit, int interrupt) const {
  auto client = io::Client::connect(home_);
  if (!client) return tl::unexpected(client.error());
  if (auto sent = client->send(R"({"cmd":"status","watch":true})"); !sent) return sent;
  const Time until = io::now() + limit;
  std::string state = "silent";
  while (io::now() < until) {
    const auto line = client->line(until - io::now(), interrupt);
    if (!line && line.error().exit == io::Exit::interrupted) return tl::unexpected(line.error());
    if (!line || !*line) break;
    const Json status = Json::parse(**line, nullptr, false);
    state = status.is_object() ? status.value("state", state) : state;
    if (state == "online") return {};
  }
  return io::trouble("Node " + name_ + " is " + state + " after " +
                     std::to_string(static_cast<int>(millis(limit) / 1000)) + " s.");
}

io::Outcome<std::string> DemoNode::status() const { return io::ask(home_, R"({"cmd":"status"})", kNodeAnswer); }

io::Outcome<std::string> DemoNode::last_call() const {
  return io::ask(home_, R"({"cmd":"log","rows":1})", kNodeAnswer);
}

}  // namespace linnet::cli
