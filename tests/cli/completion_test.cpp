#include "cli/completion.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "checkout.h"
#include "cli/grammar.h"
#include "tests/io/home_folder.h"

namespace linnet::cli {
namespace {

TEST(Grammar, NamesEveryCommandAndItsOptions) {
  const auto all = grammar();
  const auto find = [&](const std::string& name) {
    const auto it = std::find_if(all.begin(), all.end(), [&](const CommandInfo& c) { return c.name == name; });
    return it == all.end() ? CommandInfo{} : *it;
  };
  EXPECT_TRUE(find("id").group);
  EXPECT_FALSE(find("id new").group);
  const auto up = find("up");
  ASSERT_FALSE(up.options.empty());
  const auto relay = std::find_if(up.options.begin(), up.options.end(),
                                  [](const OptionInfo& o) { return o.names == std::vector<std::string>{"--relay"}; });
  ASSERT_NE(relay, up.options.end());
  EXPECT_EQ(relay->value, "on|off|auto");
  const auto call = find("call");
  EXPECT_TRUE(std::any_of(call.options.begin(), call.options.end(),
                          [](const OptionInfo& o) { return o.names.empty() && o.value == "WHO" && o.required; }));
}

TEST(Completion, KnowsEveryCommandAndOptionInEveryShell) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell);
    for (const auto& command : grammar()) {
      const auto word = command.name.substr(command.name.rfind(' ') + 1);
      EXPECT_NE(script.find(word), std::string::npos) << shell << ": " << command.name;
      for (const auto& option : command.options)
        for (const auto& name : option.names)
          EXPECT_NE(script.find(name.substr(2)), std::string::npos) << shell << ": " << command.name << " " << name;
    }
  }
  EXPECT_EQ(completion_script("csh"), "");
}

// What bash offers for a line, words joined by blanks. The function `linnet` stands in for the program.
std::string bash_offers(const std::string& line) {
  const io::HomeFolder folder;
  folder.write("script", completion_script("bash"));
  folder.write("ask",
               "source \"$1\"\nlinnet() { echo \"linnet $*\" >&2; echo alice@home.example; echo bob@home.example; }\n"
               "COMP_LINE=$2; COMP_POINT=${#COMP_LINE}; _linnet; echo \"${COMPREPLY[*]}\"\n");
  const std::string command =
      "bash " + (folder / "ask").string() + " " + (folder / "script").string() + " '" + line + "' 2>&1";
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "no bash";
  std::array<char, 512> chunk;
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe)) out.append(chunk.data(), n);
  ::pclose(pipe);
  return out;
}

TEST(Completion, InBashOffersWhatFits) {
  EXPECT_EQ(bash_offers("linnet ca"), "call\n");
  EXPECT_EQ(bash_offers("linnet up --rel"), "--relay --relay-allow-loopback\n");
  EXPECT_EQ(bash_offers("linnet up --relay "), "on off auto\n");
  EXPECT_EQ(bash_offers("linnet up --relay o"), "on off\n");
  EXPECT_EQ(bash_offers("linnet hold o"), "on off\n");
  EXPECT_EQ(bash_offers("linnet completion f"), "fish\n");
  EXPECT_EQ(bash_offers("linnet --home /h config c"), "check\n") << "the value of an option is no command";
}

TEST(Completion, InBashOffersTheNamesOfPeople) {
  EXPECT_EQ(bash_offers("linnet call al"), "alice@home.example\n");
  EXPECT_EQ(bash_offers("linnet call bob@h"), "home.example\n") << "bash takes the word to begin behind the @";
  EXPECT_EQ(bash_offers("linnet --home /h who b"), "bob@home.example\n");
}

}  // namespace
}  // namespace linnet::cli
