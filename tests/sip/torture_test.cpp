// The messages of RFC 4475 and RFC 5118, each fed to a user agent of its own; the table beside them says which answers
// are right.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "checkout.h"
#include "sip/offer_answer.h"
#include "tests/sip/pair.h"

namespace linnet::sip {
namespace {

namespace fs = std::filesystem;

fs::path torture_folder() {
  if (const char* data = std::getenv("LINNET_TEST_DATA")) return fs::path(data) / "sip-torture";
  return fs::path(LINNET_SOURCE_DIR) / ".." / "shared" / "data" / "sip-torture";
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string trimmed(std::string s) {
  s.erase(0, s.find_first_not_of(' '));
  s.erase(s.find_last_not_of(' ') + 1);
  return s;
}

std::vector<std::string> split(const std::string& s, char by) {
  std::vector<std::string> out;
  std::istringstream in(s);
  for (std::string part; std::getline(in, part, by);) out.push_back(trimmed(part));
  return out;
}

// "400", "4xx", "none"; a leading '!' excludes. All exclusions hold, and one of the others if there are any.
bool allowed(const std::string& list, const std::string& status) {
  const auto is = [&](const std::string& pattern) {
    return pattern == status ||
           (pattern.size() == 3 && pattern.substr(1) == "xx" && status != "none" && pattern[0] == status[0]);
  };
  bool named = false;
  bool excluded = false;
  bool any_exclusion = false;
  for (const auto& item : split(list, ',')) {
    if (item.empty()) continue;
    if (item[0] == '!') {
      any_exclusion = true;
      excluded = excluded || is(item.substr(1));
    } else if (is(item)) {
      named = true;
    }
  }
  return named || (any_exclusion && !excluded);
}

struct Row {
  std::string name;
  std::string ok;
  std::string tolerated;
};

std::vector<Row> table(const fs::path& folder) {
  std::vector<Row> out;
  for (const auto& line : split(slurp(folder / "README.md"), '\n')) {
    const auto cells = split(line, '|');
    if (cells.size() < 7 || !fs::exists(folder / (cells[1] + ".dat"))) continue;
    out.push_back({cells[1], cells[6], cells.size() > 7 ? cells[7] : ""});
  }
  return out;
}

// The final status a node answers with: what offer/answer says of the SDP decides over a call that comes through.
std::string answer_to(const std::string& message) {
  SeededRng rng(1);
  Core core(config_of("bob@home.example", true), rng);
  core.handle_message(Time{}, peer_id(1), view(message));
  while (auto event = core.poll_event())
    if (const auto* call = std::get_if<IncomingCall>(&*event)) {
      EXPECT_FALSE(read_audio(call->sdp)) << "none of them is encrypted";
      EXPECT_TRUE(core.reject(Time{}, call->call, 488));
    }
  std::string out = "none";
  while (auto response = core.poll_message()) {
    EXPECT_EQ(out, "none") << "answered once";
    out = std::string(text(response->bytes)).substr(8, 3);
  }
  return out;
}

TEST(Torture, EachMessageGetsTheRightClassOfAnswer) {
  const auto folder = torture_folder();
  if (!fs::exists(folder / "README.md")) GTEST_SKIP() << "no torture messages in " << folder;
  const auto rows = table(folder);
  ASSERT_EQ(rows.size(), 61u);
  int ok = 0;
  int tolerated = 0;
  for (const auto& row : rows) {
    const auto status = answer_to(slurp(folder / (row.name + ".dat")));
    if (allowed(row.ok, status))
      ++ok;
    else if (allowed(row.tolerated, status))
      ++tolerated;
    else
      ADD_FAILURE() << row.name << " got " << status << ", right is " << row.ok;
    if (!allowed(row.ok, status)) std::cout << "  " << row.name << ": " << status << "\n";
  }
  std::cout << "torture messages: " << ok << " ok, " << tolerated << " tolerated, " << 61 - ok - tolerated
            << " wrong\n";
  EXPECT_GE(ok, 60);
}

TEST(Torture, NoTruncationOfAnyMessageIsACrash) {
  const auto folder = torture_folder();
  if (!fs::exists(folder / "README.md")) GTEST_SKIP() << "no torture messages in " << folder;
  SeededRng rng(1);
  Core core(config_of("bob@home.example", true), rng);
  for (const auto& row : table(folder)) {
    const auto message = slurp(folder / (row.name + ".dat"));
    for (std::size_t n = 0; n < message.size(); ++n) {
      core.handle_message(Time{}, peer_id(1), view(message).first(n));
      while (core.poll_message()) {
      }
    }
    core.peer_lost(Time{}, peer_id(1));
    while (core.poll_event()) {
    }
  }
  EXPECT_GT(core.counters().malformed, 10000u);
}

}  // namespace
}  // namespace linnet::sip
