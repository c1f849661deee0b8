// Files of one folder may be compiled as one (cmake/LinnetTargets.cmake): what is local to a file has a name of its own
// there.
#include <gmock/gmock.h>

#include <array>
#include <map>
#include <regex>
#include <sstream>

#include "rules.h"
#include "source.h"

namespace linnet::house {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What one folder compiles into: node/io takes those below it along. Nothing where each file is a program.
std::string unit_of(const Source& source) {
  for (const auto* alone : {"bench", "examples", "tests/fuzz", "tests/lab"})
    if (source.folder.rfind(alone, 0) == 0) return {};
  return source.folder.rfind("node/io", 0) == 0 ? "node/io" : source.folder;
}

// What a line at the left edge of an anonymous namespace defines, so that two of it cannot stand beside each other.
std::string defined_by(const std::string& line) {
  static const std::regex constant(R"(^(?:inline |static |constexpr |const ).*?\b(k[A-Z]\w*)\b.*)");
  static const std::regex type(R"(^(?:struct|class|enum class|enum) (\w+).*)");
  static const std::regex function(R"(^[A-Za-z][\w:<>&*, ]* \*?&?(\w+\([^)]*\)).*)");
  std::smatch found;
  if (std::regex_match(line, found, constant) || std::regex_match(line, found, type) ||
      std::regex_match(line, found, function))
    return found[1];
  return {};
}

Findings local_names(const std::vector<Source>& sources) {
  Findings out;
  std::map<std::array<std::string, 3>, std::string> seen;  // unit, namespace and name -> file
  for (const auto& source : sources) {
    const auto unit = unit_of(source);
    if (unit.empty() || !source.path.ends_with(".cpp") || source.path.ends_with("/main.cpp")) continue;
    std::istringstream lines(code_of(source.text));
    std::string around;
    bool local = false;
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind("namespace ", 0) == 0 && line != "namespace {") around = line;
      if (line == "namespace {") local = true;
      if (line.rfind("}  ", 0) == 0 && line.find_first_not_of("} ") == std::string::npos) local = false;
      const auto name = local ? defined_by(line) : std::string();
      if (name.empty()) continue;
      const auto [at, fresh] = seen.emplace(std::array{unit, around, name}, source.path);
      if (!fresh && at->second != source.path) out.push_back(source.path + ": " + name + " is in " + at->second);
    }
  }
  return out;
}

Findings of(const std::string& first, const std::string& second, const std::string& other = "sip/b.cpp") {
  const auto file = [](const std::string& path, const std::string& inner) {
    return Source{path, folder_of(path),
                  "namespace linnet {\nnamespace {\n\n" + inner + "\n\n}  // namespace\nint outside(int x) {\n"};
  };
  return local_names({file("sip/a.cpp", first), file(other, second)});
}

TEST(House, LocalNamesStandOnceInTheirFolder) { EXPECT_THAT(local_names(sources(true)), IsEmpty()); }

TEST(House, LocalNameRuleFires) {
  EXPECT_THAT(of("constexpr int kMost = 3;", "constexpr std::size_t kMost = 4;"),
              ElementsAre("sip/b.cpp: kMost is in sip/a.cpp"));
  EXPECT_THAT(of("struct Held {", "class Held {"), ElementsAre("sip/b.cpp: Held is in sip/a.cpp"));
  EXPECT_THAT(of("bool fits(int n) {", "bool fits(int n) {"), ElementsAre("sip/b.cpp: fits(int n) is in sip/a.cpp"));
  EXPECT_THAT(of("bool fits(int n) {", "bool fits(double n) {"), IsEmpty()) << "overloads";
  EXPECT_THAT(of("struct Held {", "struct Held {", "nat/b.cpp"), IsEmpty()) << "another folder";
  EXPECT_THAT(of("// kMost", "constexpr int kMost = 3;"), IsEmpty());
}

}  // namespace
}  // namespace linnet::house
