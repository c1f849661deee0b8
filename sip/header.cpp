#include "sip/header.h"

#include <array>

#include "sip/chars.h"

namespace linnet::sip {
namespace {

constexpr std::array<std::string_view, 14> kMethods = {"INVITE",   "ACK",       "BYE",    "CANCEL", "OPTIONS",
                                                       "REGISTER", "UPDATE",    "PRACK",  "INFO",   "REFER",
                                                       "MESSAGE",  "SUBSCRIBE", "NOTIFY", "PUBLISH"};

constexpr std::array<std::string_view, static_cast<std::size_t>(HeaderId::count_)> kNames = {"",
                                                                                             "Accept",
                                                                                             "Accept-Encoding",
                                                                                             "Accept-Language",
                                                                                             "Alert-Info",
                                                                                             "Allow",
                                                                                             "Authorization",
                                                                                             "Call-ID",
                                                                                             "Call-Info",
                                                                                             "Contact",
                                                                                             "Content-Disposition",
                                                                                             "Content-Encoding",
                                                                                             "Content-Language",
                                                                                             "Content-Length",
                                                                                             "Content-Type",
                                                                                             "CSeq",
                                                                                             "Date",
                                                                                             "Expires",
                                                                                             "From",
                                                                                             "Linnet-Call-Group",
                                                                                             "Max-Forwards",
                                                                                             "MIME-Version",
                                                                                             "Proxy-Authorization",
                                                                                             "Proxy-Require",
                                                                                             "Reason",
                                                                                             "Record-Route",
                                                                                             "Refer-To",
                                                                                             "Referred-By",
                                                                                             "Require",
                                                                                             "Retry-After",
                                                                                             "Route",
                                                                                             "Server",
                                                                                             "Subject",
                                                                                             "Supported",
                                                                                             "Timestamp",
                                                                                             "To",
                                                                                             "Unsupported",
                                                                                             "User-Agent",
                                                                                             "Via",
                                                                                             "Warning"};

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
    case 'r': return HeaderId::refer_to;
    case 's': return HeaderId::subject;
    case 't': return HeaderId::to;
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

}  // namespace

Method method_of(std::string_view token) {
  for (std::size_t i = 0; i < kMethods.size(); ++i)
    if (kMethods[i] == token) return static_cast<Method>(i);
  return Method::unknown;
}

std::string_view to_string(Method method) {
  return method == Method::unknown ? std::string_view{} : kMethods[static_cast<std::size_t>(method)];
}

HeaderId header_id(std::string_view name) {
  if (name.empty()) return HeaderId::other;
  if (name.size() == 1) return compact(chars::lower(name.front()));
  for (auto i = kIndex.first[slot(name)]; i != 0; i = kIndex.next[i])
    if (chars::iequal(kNames[i], name)) return static_cast<HeaderId>(i);
  return HeaderId::other;
}

std::string_view header_name(HeaderId id) { return kNames[static_cast<std::size_t>(id)]; }

}  // namespace linnet::sip
