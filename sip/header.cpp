#include "sip/header.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "sip/chars.h"

namespace linnet::sip {
namespace {

constexpr std::array<std::string_view, 14> kMethods = {"INVITE",   "ACK",       "BYE",    "CANCEL", "OPTIONS",
                                                       "REGISTER", "UPDATE",    "PRACK",  "INFO",   "REFER",
                                                       "MESSAGE",  "SUBSCRIBE", "NOTIFY", "PUBLISH"};

// clang-format off
constexpr std::array<std::string_view, static_cast<std::size_t>(HeaderId::count_)> kNames = {
    "", "Accept", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Allow-Events", "Authentication-Info",
    "Authorization", "Call-ID", "Call-Info", "Contact", "Content-Disposition", "Content-Encoding", "Content-Language",
    "Content-Length", "Content-Type", "CSeq", "Date", "Error-Info", "Event", "Expires", "From", "In-Reply-To",
    "Info-Package", "Join", "Linnet-Call-Group", "Linnet-Conference", "Max-Forwards", "MIME-Version", "Min-Expires", "Organization", "Priority",
    "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck", "Reason", "Record-Route", "Recv-Info",
    "Refer-Sub", "Refer-To", "Referred-By", "Replaces", "Reply-To", "Require", "Retry-After", "Route", "RSeq", "Server", "Subject",
    "Subscription-State", "Supported", "Timestamp", "To", "Unsupported", "User-Agent", "Via", "Warning",
    "WWW-Authenticate"
};
// clang-format on

constexpr HeaderId compact(char c) {
  switch (c) {
    case 'b': return HeaderId::referred_by;
    case 'c': return HeaderId::content_type;
    case 'e': return HeaderId::content_encoding;
    case 'f': return HeaderId::from;
    case 'i': return HeaderId::call_id;
    case 'k': return HeaderId::supported;
    case 'l': return HeaderId::content_length;
    case 'm': return HeaderId::contact;
    case 'o': return HeaderId::event;
    case 'r': return HeaderId::refer_to;
    case 's': return HeaderId::subject;
    case 't': return HeaderId::to;
    case 'u': return HeaderId::allow_events;
    case 'v': return HeaderId::via;
    default: return HeaderId::other;
  }
}

// Length and two letters tell most names apart; the table holds the few that share a slot in a chain.
constexpr std::size_t kSlots = 256;
constexpr std::uint8_t low(char c) { return static_cast<std::uint8_t>(c | 0x20); }
constexpr std::size_t slot(std::string_view name) {
  return (name.size() * 7u + low(name.front()) * 31u + low(name.back()) * 3u + low(name[name.size() / 2]) * 11u) %
         kSlots;
}

struct Index {
  std::array<std::uint8_t, kSlots> first{};
  std::array<std::uint8_t, static_cast<std::size_t>(HeaderId::count_)> next{};
};
constexpr Index make_index() {
  Index out{};
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    const auto s = slot(kNames[i]);
    out.next[i] = out.first[s];
    out.first[s] = static_cast<std::uint8_t>(i);
  }
  return out;
}
constexpr Index kIndex = make_index();

template <class Word>
bool same_word(const char* known, const char* name) {
  Word a{};
  Word b{};
  std::memcpy(&a, known, sizeof a);
  std::memcpy(&b, name, sizeof b);
  return ((a ^ b) & static_cast<Word>(0xdfdfdfdfdfdfdfdfu)) == 0;
}

// Without case, of equal length. Our names are letters and '-', and what differs from one of those in bit 5 alone is
// the other case or no token at all. Words may overlap: each byte is compared at least once.
template <class Word>
bool same_words(const char* known, const char* name, std::size_t size) {
  for (std::size_t i = 0; i + sizeof(Word) < size; i += sizeof(Word))
    if (!same_word<Word>(known + i, name + i)) return false;
  return same_word<Word>(known + size - sizeof(Word), name + size - sizeof(Word));
}

bool same_name(std::string_view known, std::string_view name) {
  if (known.size() != name.size()) return false;
  if (known.size() >= 8) return same_words<std::uint64_t>(known.data(), name.data(), known.size());
  if (known.size() >= 4) return same_words<std::uint32_t>(known.data(), name.data(), known.size());
  return same_words<std::uint16_t>(known.data(), name.data(), known.size());
}

}  // namespace

Method method_of(std::string_view token) {
  if (token.empty()) return Method::unknown;
  for (std::size_t i = 0; i < kMethods.size(); ++i)
    if (kMethods[i].front() == token.front() && kMethods[i] == token) return static_cast<Method>(i);
  return Method::unknown;
}

std::string_view to_string(Method method) {
  return method == Method::unknown ? std::string_view{} : kMethods[static_cast<std::size_t>(method)];
}

HeaderId header_id(std::string_view name) {
  if (name.empty()) return HeaderId::other;
  if (name.size() == 1) return compact(chars::lower(name.front()));
  for (auto i = kIndex.first[slot(name)]; i != 0; i = kIndex.next[i])
    if (same_name(kNames[i], name)) return static_cast<HeaderId>(i);
  return HeaderId::other;
}

std::string_view header_name(HeaderId id) { return kNames[static_cast<std::size_t>(id)]; }

}  // namespace linnet::sip
