// docs/security-checks.md names tests: each of them exists.
#include <fnmatch.h>
#include <gmock/gmock.h>

#include <regex>
#include <set>
#include <sstream>

#include "source.h"

namespace linnet::house {
namespace {

// "overlay/Door.NoMessageKindAmplifies" of tests/overlay/door_test.cpp; without what an instance of a suite is called.
std::set<std::string> tests_of(const std::vector<Source>& sources) {
  std::set<std::string> out;
  const std::regex head(R"(\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\))");
  for (const auto& source : sources) {
    if (source.folder.rfind("tests/", 0) != 0) continue;
    for (std::sregex_iterator it(source.text.begin(), source.text.end(), head), end; it != end; ++it)
      out.insert(source.folder.substr(6) + "/" + (*it)[1].str() + "." + (*it)[2].str());
  }
  return out;
}

// What stands between backticks in the table's column of tests; ".Test" is of the suite before it.
std::vector<std::string> named_in(const std::string& page) {
  std::vector<std::string> out;
  std::istringstream lines(page);
  const std::regex word("`([^`]+)`");
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| ", 0) != 0) continue;
    std::vector<std::string> columns;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '|');) columns.push_back(cell);
    if (columns.size() < 4) continue;
    std::string suite;
    for (std::sregex_iterator it(columns[3].begin(), columns[3].end(), word), end; it != end; ++it) {
      auto name = (*it)[1].str();
      if (name.front() == '.' && !suite.empty()) name = suite + name;
      const auto slash = name.find('/');
      if (slash == std::string::npos || name.rfind("scripts/", 0) == 0 || name.rfind("tests/", 0) == 0 ||
          name.rfind(".ci/", 0) == 0 || name.rfind("fuzz/", 0) == 0)
        continue;
      suite = name.substr(0, name.rfind('.'));
      out.push_back(name);
    }
  }
  return out;
}

// "overlay/Kinds/MissingField.IsRefused*": the instance's name is no matter.
std::string pattern_of(const std::string& name) {
  const auto first = name.find('/'), last = name.rfind('/');
  return name.substr(0, first + 1) + name.substr(last + 1);
}

bool exists(const std::set<std::string>& tests, const std::string& name) {
  const auto pattern = pattern_of(name);
  for (const auto& test : tests)
    if (::fnmatch(pattern.c_str(), test.c_str(), 0) == 0) return true;
  return false;
}

TEST(SecurityChecks, NameTestsThatExist) {
  const auto tests = tests_of(sources(true));
  const auto named = named_in(read_file("docs/security-checks.md"));
  ASSERT_GT(tests.size(), 1000u);
  ASSERT_GT(named.size(), 100u) << "the page was not understood";
  for (const auto& name : named) EXPECT_TRUE(exists(tests, name)) << name;
}

TEST(SecurityChecks, AreFoundWantingWhenATestIsGone) {
  const std::set<std::string> tests{"overlay/Door.NoMessageKindAmplifies",
                                    "overlay/MissingField.IsRefusedCutOutAndBlank"};
  EXPECT_TRUE(exists(tests, "overlay/Door.NoMessage*"));
  EXPECT_TRUE(exists(tests, "overlay/Kinds/MissingField.IsRefusedCutOutAndBlank"));
  EXPECT_FALSE(exists(tests, "overlay/Door.NoMessageKindAmplifiesNow"));
  EXPECT_FALSE(exists(tests, "node/Door.NoMessageKindAmplifies"));
  EXPECT_EQ(named_in("| 1 | Title | `overlay/Door.A`, `.B` (with words), `scripts/x` | none |\n"),
            (std::vector<std::string>{"overlay/Door.A", "overlay/Door.B"}));
}

}  // namespace
}  // namespace linnet::house
