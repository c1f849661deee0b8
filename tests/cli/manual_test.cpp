// The manual says what the program takes: every command, option, setting and variable.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "checkout.h"
#include "cli/arguments.h"
#include "cli/grammar.h"
#include "node/io/settings/config.h"

namespace linnet::cli {
namespace {

std::string page_path(const std::string& name) { return LINNET_SOURCE_DIR "/docs/man/" + name; }

std::string read(const std::string& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// As a reader sees it: "\-" is a dash.
std::string plain(std::string text) {
  for (std::size_t at; (at = text.find("\\-")) != std::string::npos;) text.replace(at, 2, "-");
  return text;
}

std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '-' ? std::string("\\-") : c == '\\' ? std::string("\\e") : std::string(1, c);
  return out.empty() || (out[0] != '.' && out[0] != '\'') ? out : "\\&" + out;
}

std::string option_line(const OptionInfo& o) {
  std::string out = ".TP\n.B ";
  for (std::size_t i = 0; i < o.names.size(); ++i) out += (i > 0 ? ", " : "") + roff(o.names[i]);
  if (!o.value.empty()) out += (o.names.empty() ? "" : " ") + ("\\fI" + roff(o.value) + "\\fR");
  return out + "\n" + roff(o.help) + "\n";
}

std::string commands_section() {
  std::string out;
  for (const auto& command : grammar()) {
    if (command.group) continue;
    if (!command.name.empty()) {
      out += ".SS linnet " + roff(command.name);
      for (const auto& o : command.options)
        if (o.names.empty()) out += o.required ? " " + roff(o.value) : " [" + roff(o.value) + "]";
      out += "\n" + roff(command.help) + "\n";
    }
    for (const auto& o : command.options)
      if (o.names != std::vector<std::string>{"--help"}) out += option_line(o);
  }
  return out;
}

constexpr const char* kBegin = ".\\\" commands begin\n";
constexpr const char* kEnd = ".\\\" commands end\n";

TEST(Manual, NamesEveryCommandAndOption) {
  const auto path = page_path("linnet.1");
  auto page = read(path);
  const auto begin = page.find(kBegin), end = page.find(kEnd);
  ASSERT_NE(end, std::string::npos);
  if (std::getenv("LINNET_WRITE_MANUAL") != nullptr) {
    page = page.substr(0, begin) + kBegin + commands_section() + page.substr(end);
    std::ofstream(path) << page;
  }
  const auto text = plain(page);
  for (const auto& command : grammar()) {
    if (command.group || command.name.empty()) continue;
    const auto head = text.find(".SS linnet " + command.name);
    ASSERT_NE(head, std::string::npos)
        << command.name << " is not in docs/man/linnet.1. Write it there: LINNET_WRITE_MANUAL=1 test_cli";
    const auto section = text.substr(head, text.find("\n.SS", head + 1) - head);
    for (const auto& option : command.options)
      for (const auto& name : option.names)
        if (name != "--help") {
          EXPECT_NE(section.find(name), std::string::npos)
              << command.name << " " << name
              << " is not in docs/man/linnet.1. LINNET_WRITE_MANUAL=1 test_cli writes it";
        }
  }
}

TEST(Manual, NamesEverySetting) {
  const auto man = read(page_path("linnet.toml.5"));
  const auto table = read(LINNET_SOURCE_DIR "/docs/config.md");
  for (const auto& key : io::config_keys()) {
    EXPECT_NE(man.find("\\fB" + key + "\\fR"), std::string::npos) << key << " is not in docs/man/linnet.toml.5";
    EXPECT_NE(table.find("`" + key + "`"), std::string::npos) << key << " is not in docs/config.md";
  }
}

TEST(Manual, NamesEveryVariable) {
  const auto page = read(page_path("linnet.1"));
  io::Settings settings;
  std::vector<std::string> asked;
  ASSERT_TRUE(io::apply_environment(
      [&](const char* name) -> const char* {
        asked.emplace_back(name);
        return nullptr;
      },
      settings));
  EXPECT_GT(asked.size(), 8u);
  for (const auto& name : asked)
    EXPECT_NE(page.find(name), std::string::npos) << name << " is not in docs/man/linnet.1";
}

TEST(Manual, NamesEveryOptionOfTheSimulator) {
  const auto page = plain(read(page_path("linnet-sim.1")));
  const auto source = read(LINNET_SOURCE_DIR "/sim/main.cpp");
  int options = 0;
  for (std::size_t at = 0; (at = source.find("\"--", at)) != std::string::npos; ++at) {
    const auto name = source.substr(at + 1, source.find_first_of("\" ,", at + 1) - at - 1);
    EXPECT_NE(page.find(name), std::string::npos) << name << " is not in docs/man/linnet-sim.1";
    ++options;
  }
  EXPECT_GT(options, 5);
}

TEST(Units, StartWhatTheProgramUnderstands) {
  for (const auto* name : {"user", "system"}) {
    std::istringstream unit(read(LINNET_SOURCE_DIR "/packaging/systemd/" + std::string(name) + "/linnet.service"));
    std::string line, start;
    while (std::getline(unit, line))
      if (line.rfind("ExecStart=/usr/bin/linnet ", 0) == 0) start = line.substr(26);
    std::istringstream words(start);
    const std::vector<std::string> arguments{std::istream_iterator<std::string>(words), {}};
    const auto parsed = parse_arguments(arguments);
    ASSERT_TRUE(parsed) << name << ": " << parsed.error().text;
    ASSERT_TRUE(std::holds_alternative<verb::Up>(parsed->verb)) << name;
    EXPECT_TRUE(std::get<verb::Up>(parsed->verb).foreground) << name;
  }
}

}  // namespace
}  // namespace linnet::cli
