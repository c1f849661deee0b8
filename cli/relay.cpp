#include "cli/relay.h"

#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"

namespace linnet::cli {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr Duration kMade = std::chrono::seconds(15);

std::string written(const Ordered& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

int relay_credentials(const Context& context, const verb::RelayCredentials& options) {
  const Ordered request{{"cmd", "credentials"}, {"name", options.name}, {"seconds", options.life.count()}};
  const auto line = io::ask(context.home, request.dump(), kMade);
  if (!line) return fail(line.error());
  const auto answer = Ordered::parse(*line, nullptr, false);
  if (!answer.is_object()) return fail({"The daemon's answer cannot be read."});
  const auto made = answer.value("credentials", Ordered());
  if (!made.is_object())
    return fail({answer.value("error", std::string("Failed.")), static_cast<io::Exit>(answer.value("exit", 1))});
  if (context.json) {
    say(io::line_of(made));
    return 0;
  }
  say("username  " + written(made, "username"));
  say("password  " + written(made, "password"));
  say("good for  " + std::to_string(made.value("ttl", std::int64_t{0})) + " s");
  for (const auto& uri : made.value("uris", Ordered::array()))
    if (uri.is_string()) say("at        " + uri.get<std::string>());
  return 0;
}

}  // namespace linnet::cli
