// Patterns of the Noise specification rev 34: one-way (7.4), fundamental (7.5), deferred (appendix 18.1), psk modifiers
// (9).
#include <algorithm>

#include "crypto/noise.h"

namespace linnet::crypto::noise {
namespace {

struct Entry {
  std::string_view name;
  bool initiator_static_known;
  bool responder_static_known;
  std::string_view messages;  // the first is the initiator's; "/" passes the turn
};

constexpr Entry kPatterns[] = {
    // One-way.
    {"N", false, true, "e es"},
    {"K", true, true, "e es ss"},
    {"X", false, true, "e es s ss"},
    // Fundamental interactive.
    {"NN", false, false, "e / e ee"},
    {"NK", false, true, "e es / e ee"},
    {"NX", false, false, "e / e ee s es"},
    {"KN", true, false, "e / e ee se"},
    {"KK", true, true, "e es ss / e ee se"},
    {"KX", true, false, "e / e ee se s es"},
    {"XN", false, false, "e / e ee / s se"},
    {"XK", false, true, "e es / e ee / s se"},
    {"XX", false, false, "e / e ee s es / s se"},
    {"IN", false, false, "e s / e ee se"},
    {"IK", false, true, "e es s ss / e ee se"},
    {"IX", false, false, "e s / e ee se s es"},
    // Deferred: a "1" moves that party's authenticating DH to the next message.
    {"NK1", false, true, "e / e ee es"},
    {"NX1", false, false, "e / e ee s / es"},
    {"X1N", false, false, "e / e ee / s / se"},
    {"X1K", false, true, "e es / e ee / s / se"},
    {"XK1", false, true, "e / e ee es / s se"},
    {"X1K1", false, true, "e / e ee es / s / se"},
    {"X1X", false, false, "e / e ee s es / s / se"},
    {"XX1", false, false, "e / e ee s / es s se"},
    {"X1X1", false, false, "e / e ee s / es s / se"},
    {"K1N", true, false, "e / e ee / se"},
    {"K1K", true, true, "e es / e ee / se"},
    {"KK1", true, true, "e / e ee se es"},
    {"K1K1", true, true, "e / e ee es / se"},
    {"K1X", true, false, "e / e ee s es / se"},
    {"KX1", true, false, "e / e ee se s / es"},
    {"K1X1", true, false, "e / e ee s / se es"},
    {"I1N", false, false, "e s / e ee / se"},
    {"I1K", false, true, "e es s / e ee / se"},
    {"IK1", false, true, "e s / e ee se es"},
    {"I1K1", false, true, "e s / e ee es / se"},
    {"I1X", false, false, "e s / e ee s es / se"},
    {"IX1", false, false, "e s / e ee se s / es"},
    {"I1X1", false, false, "e s / e ee s / se es"},
};

std::optional<Token> token_of(std::string_view word) {
  if (word == "e") return Token::e;
  if (word == "s") return Token::s;
  if (word == "ee") return Token::ee;
  if (word == "es") return Token::es;
  if (word == "se") return Token::se;
  if (word == "ss") return Token::ss;
  return std::nullopt;
}

Pattern from_entry(const Entry& entry) {
  Pattern out;
  out.initiator_static_known = entry.initiator_static_known;
  out.responder_static_known = entry.responder_static_known;
  out.count = 1;
  auto rest = entry.messages;
  while (!rest.empty()) {
    const auto space = std::min(rest.find(' '), rest.size());
    const auto word = rest.substr(0, space);
    rest.remove_prefix(std::min(space + 1, rest.size()));
    if (word == "/") {
      ++out.count;
      continue;
    }
    auto& message = out.messages[out.count - 1U];
    if (const auto token = token_of(word)) message.tokens[message.count++] = *token;
  }
  return out;
}

bool insert(Pattern::Message& message, bool at_front) {
  if (message.count == message.tokens.size()) return false;
  if (at_front)
    std::copy_backward(message.tokens.begin(), message.tokens.begin() + message.count,
                       message.tokens.begin() + message.count + 1);
  message.tokens[at_front ? 0 : message.count] = Token::psk;
  ++message.count;
  return true;
}

// psk0 stands before the first message, pskN at the end of the N-th (section 9.1).
bool apply(std::string_view modifier, Pattern& pattern) {
  if (modifier.size() != 4 || modifier.substr(0, 3) != "psk" || modifier[3] < '0' || modifier[3] > '9') return false;
  const auto n = static_cast<std::size_t>(modifier[3] - '0');
  if (n > pattern.count) return false;
  pattern.has_psk = true;
  return insert(pattern.messages[n == 0 ? 0 : n - 1], n == 0);
}

}  // namespace

std::optional<Pattern> find_pattern(std::string_view name) {
  const auto modifiers = std::min(name.find("psk"), name.size());
  const auto base = name.substr(0, modifiers);
  const auto entry =
      std::find_if(std::begin(kPatterns), std::end(kPatterns), [base](const Entry& e) { return e.name == base; });
  if (entry == std::end(kPatterns)) return std::nullopt;
  auto out = from_entry(*entry);
  auto rest = name.substr(modifiers);
  while (!rest.empty()) {
    const auto plus = std::min(rest.find('+'), rest.size());
    if (!apply(rest.substr(0, plus), out)) return std::nullopt;
    if (plus + 1 == rest.size()) return std::nullopt;  // a trailing "+"
    rest.remove_prefix(std::min(plus + 1, rest.size()));
  }
  return out;
}

}  // namespace linnet::crypto::noise
