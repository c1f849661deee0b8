// The messages of RFC 4475 and RFC 5118, each fed to a user agent of its own; the table beside them says which answers
// are right.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "checkout.h"
#include "sip/offer_answer.h"
#include "sip/parser.h"
#include "sip/sdp.h"
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

struct Whole {
  std::string text;
  MessageView m;
  bool good = false;
};

// A message of the collection, read; the view points into the text beside it.
const Whole& message(const std::string& name) {
  static std::map<std::string, Whole> all;
  auto [it, is_new] = all.try_emplace(name);
  if (is_new) {
    it->second.text = slurp(torture_folder() / (name + ".dat"));
    it->second.good = parse(view(it->second.text), it->second.m).has_value();
  }
  return it->second;
}

std::size_t vias(const MessageView& m) {
  std::size_t out = 0;
  for (const auto& f : m.fields) {
    auto rest = f.value;
    ViaView via;
    while (f.id == HeaderId::via && take_via(rest, via)) {
      ++out;
      if (rest.empty()) break;
      rest.remove_prefix(1);
    }
  }
  return out;
}

TEST(Torture, MessagesThatAreStrangeAndRightAreReadRight) {
  if (!fs::exists(torture_folder() / "README.md")) GTEST_SKIP() << "no torture messages";
  const auto& wsinv = message("wsinv");
  ASSERT_TRUE(wsinv.good);
  EXPECT_EQ(wsinv.m.to.tag, "1918181833n");
  EXPECT_EQ(unquoted(wsinv.m.from.display), "J Rosenberg \\\"");
  EXPECT_EQ(wsinv.m.from.tag, "98asjd8");
  EXPECT_EQ(wsinv.m.max_forwards, 68);
  EXPECT_EQ(wsinv.m.cseq.number, 9u);
  EXPECT_EQ(vias(wsinv.m), 3u);
  EXPECT_EQ(unfolded(wsinv.m.value("NewFangledHeader")), "newfangled value continued newfangled value");
  EXPECT_EQ(wsinv.m.value("UnknownHeaderWithUnusualValue"), ";;,,;;,;");
  const auto& esc01 = message("esc01");
  EXPECT_EQ(canonical_address(esc01.m.uri), "sips:user@example.com@example.net") << "a user part, not a scheme";
  EXPECT_EQ(canonical_address(esc01.m.to.uri), "user@example.com");
  EXPECT_EQ(esc01.m.contact.uri.params, "%6C%72;n%61me=v%61lue%25%34%31");
  EXPECT_EQ(message("semiuri").m.uri.userinfo, "user;par=u%40example.net");
  EXPECT_EQ(message("esc02").m.method, Method::unknown);
  EXPECT_EQ(message("intmeth").m.method_text, "!interesting-Method0123456789_*+`.%indeed'~");
  EXPECT_EQ(message("lwsdisp").m.from.display, "caller");
  EXPECT_EQ(vias(message("longreq").m), 34u);
  EXPECT_TRUE(message("dblreq").m.body.empty()) << "the second request is noise";
  EXPECT_NE(message("mpart01").m.body.find('\0'), std::string_view::npos);
  EXPECT_EQ(message("unreason").m.reason.substr(0, 15), "= 2**3 * 5**2 \xd0");
  EXPECT_TRUE(message("noreason").good);
  EXPECT_TRUE(message("noreason").m.reason.empty());
  EXPECT_EQ(message("port-ambiguous").m.uri.host, "[2001:db8::10:5070]");
  EXPECT_EQ(message("port-ambiguous").m.uri.port, 0);
  EXPECT_EQ(message("port-unambiguous").m.uri.host, "[2001:db8::10]");
  EXPECT_EQ(message("port-unambiguous").m.uri.port, 5070);
  EXPECT_EQ(message("via-received-param-with-delim").m.via.received, "[2001:db8::9:255]");
  EXPECT_EQ(message("via-received-param-no-delim").m.via.received, "2001:db8::9:255");
  EXPECT_EQ(message("ipv4-mapped-ipv6").m.via.port, 19823);
  EXPECT_EQ(vias(message("mult-ip-in-header").m), 3u);
  for (const auto* name : {"ipv6-in-sdp", "mult-ip-in-sdp", "ipv4-mapped-ipv6"})
    EXPECT_TRUE(parse_sdp(message(name).m.body)) << name;
}

// What every answer must be, whatever it says.
void expect_an_answer_to(const std::string& name, const MessageView& request, const Bytes& bytes, bool must_parse) {
  MessageView m;
  const auto ok = parse(bytes, m);
  EXPECT_TRUE(ok.has_value() || !must_parse) << name << "\n" << text(bytes);
  for (const auto id : {HeaderId::via, HeaderId::from, HeaderId::call_id, HeaderId::cseq})
    EXPECT_EQ(unfolded(m.value(id)), unfolded(request.value(id))) << name << ": " << header_name(id);
  EXPECT_EQ(vias(m), vias(request)) << name;
  EXPECT_TRUE(!must_parse || m.status == 100 || !m.to.tag.empty()) << name << ": no tag in To";
  EXPECT_EQ(m.status == 200 || m.status == 405 || m.status == 501, m.has(HeaderId::allow)) << name;
  EXPECT_EQ(m.status == 200 || m.status == 406 || m.status == 415, m.has(HeaderId::accept)) << name;
  EXPECT_EQ(m.status == 420, m.has(HeaderId::unsupported)) << name;
  if (m.status != 420) return;
  EXPECT_EQ(m.value(HeaderId::unsupported), "nothingSupportsThis, nothingSupportsThisEither");
}

TEST(Torture, AnswersAreMessagesThatBelongToTheirRequestAlsoTheSecondTime) {
  const auto folder = torture_folder();
  if (!fs::exists(folder / "README.md")) GTEST_SKIP() << "no torture messages in " << folder;
  for (const auto& row : table(folder)) {
    const auto& whole = message(row.name);
    SeededRng rng(1);
    Core core(config_of("bob@home.example", false), rng);  // unreliable: each copy is answered again
    std::vector<Bytes> answers;
    for (int copy = 0; copy < 2; ++copy) {
      core.handle_message(Time{}, peer_id(1), view(whole.text));
      while (auto event = core.poll_event()) {
        const auto* call = std::get_if<IncomingCall>(&*event);
        EXPECT_TRUE(call != nullptr ? core.reject(Time{}, call->call, 488).has_value() : copy == 0) << row.name;
      }
      while (auto out = core.poll_message()) answers.push_back(std::move(out->bytes));
    }
    ASSERT_TRUE(answers.empty() || answers.size() == 2) << row.name;
    for (const auto& answer : answers) {
      EXPECT_EQ(answer, answers.front()) << row.name << ": the copy got another answer";
      expect_an_answer_to(row.name, whole.m, answer, whole.good);
    }
    EXPECT_EQ(core.calls(), 0u) << row.name;
  }
}

TEST(Torture, NoBitFlipOfAnyMessageIsACrash) {
  const auto folder = torture_folder();
  if (!fs::exists(folder / "README.md")) GTEST_SKIP() << "no torture messages in " << folder;
  SeededRng rng(1);
  Core core(config_of("bob@home.example", true), rng);
  for (const auto& row : table(folder)) {
    auto bytes = copy(view(message(row.name).text));
    const std::size_t stride = bytes.size() > 1500 ? 13 : 1;  // longreq repeats itself
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += stride) {
      const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
      bytes[bit / 8] ^= mask;
      core.handle_message(Time{}, peer_id(1), bytes);
      bytes[bit / 8] ^= mask;
      while (core.poll_message()) {
      }
      if (bit % 16 == 0) core.peer_lost(Time{}, peer_id(1));
      while (core.poll_event()) {
      }
    }
  }
  EXPECT_GT(core.counters().malformed, 10000u);
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
