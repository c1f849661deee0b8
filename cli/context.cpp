#include "cli/context.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace linnet::cli {
namespace {

// Of this process, whose stdout it is: every line of it is JSON, and one of them has said how the command ended.
bool json_lines = false;
bool verdict_said = false;

}  // namespace

void speak_json() { json_lines = true; }

void row(std::string_view line) { std::cout << line << '\n' << std::flush; }

void say(std::string_view line) {
  row(line);
  verdict_said = true;
}

bool said() { return std::cout.good(); }

void talk(std::string_view line) { std::cerr << line << '\n'; }

std::function<void()> waiting(const Context& context, std::string what) {
  if (context.json) return nullptr;
  return [what = std::move(what)] { talk(what); };
}

int fail(const io::Trouble& trouble) {
  if (!trouble.text.empty()) talk(trouble.text);
  if (json_lines && !verdict_said) say(error_line(trouble));
  return code(trouble.exit);
}

std::string error_line(const io::Trouble& trouble) {
  return R"({"schema":1,"ok":false,"error":)" + json_text(trouble.text) + R"(,"exit":)" +
         std::to_string(code(trouble.exit)) + "}";
}

std::string json_text(std::string_view text) {
  using Any = nlohmann::json;
  return Any(text).dump(-1, ' ', false, Any::error_handler_t::replace);
}

}  // namespace linnet::cli
