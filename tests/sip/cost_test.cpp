// What a message costs grows with its bytes and not with their square, whatever they are: a stranger chooses them. What
// is compared is the CPU time of one size with that of four times as much.
#include <gtest/gtest.h>

#include <ctime>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

struct Shape {
  const char* name;
  std::string begin, unit, end;

  std::string of_size(std::size_t bytes) const {
    std::string out = begin;
    while (out.size() < bytes) out += unit;
    return out + end;
  }
};

std::vector<Shape> shapes() {
  Request plain;
  plain.body.clear();
  const auto whole = plain.str();
  const auto head = whole.substr(0, whole.size() - 2);  // the empty line follows
  const auto field = [&](std::string begin, std::string unit, std::string end = {}) {
    return Shape{"", head + std::move(begin), std::move(unit), std::move(end) + "\r\n\r\n"};
  };
  const auto named = [](const char* name, Shape shape) {
    shape.name = name;
    return shape;
  };
  return {
      named("lines that are no fields, each with a control character and none with a quote", field("", "\x01\r\n")),
      named("fields of control characters", field("Subject: ", "\x01\x02")),
      named("quoted control characters", field("Subject: \"", "\\\x01", "\"")),
      named("backslashes and one control character", field("Subject: \"", "\\\\\\\\\\\\\\\\", "\x01\"")),
      named("tabs", field("Subject: ", "\t")),
      named("folded lines", field("Subject: a", "\r\n \r\n a")),
      named("an Accept of many", field("Accept: ", "a/b,", "c/d")),
      named("a Require of many", field("Require: ", "a,", "b")),
      named("a Supported of many", field("Supported: ", "a,", "b")),
      named("an Allow of many", field("Allow: ", "A,", "B")),
      named("a Via of many", field("Via: ", "SIP/2.0/LINNET h;branch=z,", "SIP/2.0/LINNET h")),
      named("a Contact of many", field("Contact: ", "<sip:a@b>,", "<sip:a@b>")),
      named("a Route of many", field("Route: ", "<sip:a@[::1];lr>,", "<sip:a@b>")),
      named("parameters", field("Reason: SIP", ";a=\"b\"", "")),
      named("white space", field("Reason: SIP", " \t", ";a")),
      named("comments", field("User-Agent: ", "(a) ", "b")),
      named("parentheses", field("User-Agent: ", "(", "")),
      named("escapes in a user", {"", "INVITE sip:", "%41", "@home.example SIP/2.0\r\n\r\n"}),
      named("empty lines before it", {"", "", "\r\n", whole}),
      named("noise behind it", {"", whole, "x", ""}),
  };
}

double cpu() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Cost : FarEnd {
  // The least of several, of which others took nothing.
  double of(const std::string& message) {
    double least = 1;
    for (int i = 0; i < 12; ++i) {
      Core core(config_of("bob@home.example", true), bob.rng);
      const auto begin = cpu();
      core.handle_message(now, peer_id(1), view(message));
      least = std::min(least, cpu() - begin);
    }
    return least;
  }
};

// 4 where it is linear and 16 where it is quadratic.
TEST_F(Cost, OfAMessageIsLinearInItsBytes) {
  constexpr double kSteepest = 9;
  for (const auto& shape : shapes()) {
    const auto small = shape.of_size(15 * 1024), large = shape.of_size(60 * 1024);
    double ratio = 0;
    for (int tries = 0; tries < 5 && (ratio == 0 || ratio > kSteepest); ++tries) ratio = of(large) / of(small);
    EXPECT_LT(ratio, kSteepest) << shape.name;
  }
}

}  // namespace
}  // namespace linnet::sip
