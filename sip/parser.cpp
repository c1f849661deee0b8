#include "sip/parser.h"

#include <cstring>

#include "sip/chars.h"
#include "sip/params.h"

namespace linnet::sip {
namespace {

using namespace chars;

struct Line {
  std::string_view text;
  bool clean = true;  // no control characters outside folding
  bool ended = false;
};

bool is_plain(char c) { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t'; }

// Where the first character that is not plain stands, from `i` on. Eight at a time: most of a message is plain text.
std::size_t plain_until(std::string_view s, std::size_t i) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  for (; i + 8 <= s.size(); i += 8) {
    std::uint64_t v = 0;
    std::memcpy(&v, s.data() + i, 8);
    const auto del = v ^ (0x7f * kOnes);
    // High bit set where a byte is below 0x20, or is 0x7f (Mycroft); a byte above such a one may be marked wrongly.
    if ((((v - 0x20 * kOnes) & ~v) | ((del - kOnes) & ~del)) & kHigh) break;
  }
  while (i < s.size() && is_plain(s[i])) ++i;
  return i;
}

// A control character passes as the second half of a quoted-pair: an odd number of backslashes stands before it, and a
// quote opened somewhere before them (`quote` is where the line's first one stands).
bool escaped_control(std::string_view line, std::size_t at, std::size_t quote) {
  std::size_t slashes = 0;
  while (slashes < at && line[at - 1 - slashes] == '\\') ++slashes;
  return slashes % 2 == 1 && quote < at - slashes;
}

// Takes one line, with the lines folded onto it (only field lines fold), and its CRLF.
Line take_line(std::string_view& rest, bool folds) {
  constexpr auto kUnknown = std::string_view::npos - 1;
  Line out;
  auto quote = kUnknown;
  std::size_t i = 0;
  for (;; ++i) {
    i = plain_until(rest, i);
    if (i >= rest.size()) break;
    if (rest[i] == '\r' && i + 1 < rest.size() && rest[i + 1] == '\n') {
      const bool more = folds && i != 0 && i + 2 < rest.size() && (rest[i + 2] == ' ' || rest[i + 2] == '\t');
      if (!more) {
        out.ended = true;
        break;
      }
      i += 2;
      continue;
    }
    if (!out.clean) continue;  // a bad line is looked at once
    if (quote == kUnknown) quote = rest.find('"');
    out.clean = folds && rest[i] != '\r' && rest[i] != '\n' && escaped_control(rest, i, quote);
  }
  out.text = rest.substr(0, i);
  rest.remove_prefix(out.ended ? i + 2 : i);
  return out;
}

std::string_view parse_status_line(std::string_view line, MessageView& out) {
  line.remove_prefix(8);  // "SIP/2.0 "
  if (line.size() < 3) return "Bad status line";
  const auto status = number(line.substr(0, 3), 699);
  if (!status || *status < 100 || (line.size() > 3 && line[3] != ' ')) return "Bad status line";
  out.status = static_cast<int>(*status);
  out.reason = line.size() > 4 ? line.substr(4) : std::string_view{};
  return {};
}

// "SIP/" digits "." digits that is not 2.0.
bool is_other_version(std::string_view v) {
  if (v.size() < 7 || !iequal(v.substr(0, 4), "SIP/")) return false;
  const auto dot = v.find('.');
  return dot != std::string_view::npos && number(v.substr(4, dot - 4), ~0ull) && number(v.substr(dot + 1), ~0ull);
}

Refusal parse_request_line(std::string_view line, MessageView& out) {
  out.is_request = true;
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  out.method_text = line.substr(0, first);
  out.method = method_of(out.method_text);
  if (!is_token(out.method_text) || first == std::string_view::npos || first == last) return {400, "Bad request line"};
  const auto version = line.substr(last + 1);
  if (!iequal(version, "SIP/2.0")) {
    if (is_other_version(version)) return {505, "Version Not Supported"};
    return {400, "Bad request line"};
  }
  out.uri_text = line.substr(first + 1, last - first - 1);
  const auto uri = parse_uri(out.uri_text);
  if (!uri || !uri->headers.empty()) return {400, "Bad Request-URI"};
  out.uri = *uri;
  return {0, {}};
}

Refusal parse_start_line(std::string_view& rest, MessageView& out) {
  const auto line = take_line(rest, false);
  Refusal result{0, {}};
  if (line.text.size() >= 8 && iequal(line.text.substr(0, 8), "SIP/2.0 ")) {
    const auto why = parse_status_line(line.text, out);
    if (!why.empty()) result = {400, why};
  } else {
    result = parse_request_line(line.text, out);
  }
  if (result.status != 505 && (!line.ended || !line.clean)) return {400, "Bad start line"};
  return result;
}

// Cuts the header block into fields. Goes on after a bad line, since the rest is needed to answer.
std::string_view cut_fields(std::string_view& rest, MessageView& out) {
  std::string_view why;
  for (;;) {
    auto line = take_line(rest, true);
    if (!line.ended) return "Header not ended";
    if (line.text.empty()) return why;
    if (out.fields.size() == kMaxHeaderFields) return "Too many header fields";
    if (!line.clean) why = "Control character in header";
    auto value = line.text;
    const auto name = take(value, kToken);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    if (name.empty() || value.empty() || value.front() != ':') {
      why = "Bad header field";
      continue;
    }
    value.remove_prefix(1);
    const auto id = header_id(name);
    out.fields.push_back({id, name, trim(value)});
  }
}

std::string_view check_via(std::string_view value, bool topmost, MessageView& out) {
  for (bool first = true;; first = false) {
    const auto via = take_via(value);
    if (!via) return "Bad Via";
    if (first && topmost) out.via = *via;
    if (value.empty()) return {};
    value.remove_prefix(1);  // the comma
  }
}

std::string_view check_contact(std::string_view value, bool first_field, MessageView& out) {
  if (value == "*") return out.is_request && out.method == Method::register_ ? "" : "Bad Contact";
  for (bool first = first_field;; first = false) {
    const auto contact = take_name_addr(value);
    if (!contact) return "Bad Contact";
    if (first) out.contact = *contact;
    if (value.empty()) return {};
    value.remove_prefix(1);
  }
}

std::string_view check_call_id(std::string_view value, MessageView& out) {
  const auto at = value.find('@');
  const auto left = value.substr(0, at);
  if (left.empty() || !all(left, kWord)) return "Bad Call-ID";
  if (at != std::string_view::npos) {
    const auto right = value.substr(at + 1);
    if (right.empty() || !all(right, kWord)) return "Bad Call-ID";
  }
  out.call_id = value;
  return {};
}

std::string_view check_content_type(std::string_view value, MessageView& out) {
  const auto begin = value;
  if (take(value, kToken).empty() || !take_separator(value, '/') || take(value, kToken).empty())
    return "Bad Content-Type";
  out.content_type = begin.substr(0, begin.size() - value.size());
  if (!take_params(value, [](auto, auto) {}) || !value.empty()) return "Bad Content-Type";
  return {};
}

// Fields of which a second one is an error (RFC 3261 section 7.3.1: not defined as a list).
bool is_single(HeaderId id) {
  switch (id) {
    case HeaderId::from:
    case HeaderId::to:
    case HeaderId::call_id:
    case HeaderId::cseq:
    case HeaderId::max_forwards:
    case HeaderId::content_length:
    case HeaderId::content_type:
    case HeaderId::expires:
    case HeaderId::referred_by:
    case HeaderId::refer_to:
    case HeaderId::linnet_call_group: return true;
    default: return false;
  }
}

std::string_view check_field(const Field& f, bool first, MessageView& out, std::optional<std::size_t>& length) {
  switch (f.id) {
    case HeaderId::via: return check_via(f.value, first, out);
    case HeaderId::contact: return check_contact(f.value, first, out);
    case HeaderId::call_id: return check_call_id(f.value, out);
    case HeaderId::content_type: return check_content_type(f.value, out);
    case HeaderId::from:
    case HeaderId::to: {
      const auto parsed = parse_name_addr(f.value);
      if (!parsed) return f.id == HeaderId::from ? "Bad From" : "Bad To";
      (f.id == HeaderId::from ? out.from : out.to) = *parsed;
      return {};
    }
    case HeaderId::cseq: {
      const auto parsed = parse_cseq(f.value);
      if (!parsed) return "Bad CSeq";
      out.cseq = *parsed;
      return {};
    }
    case HeaderId::max_forwards: {
      const auto n = number(f.value, 255);
      if (!n) return "Bad Max-Forwards";
      out.max_forwards = static_cast<std::uint8_t>(*n);
      return {};
    }
    case HeaderId::content_length: {
      const auto n = number(f.value, 0xffffffffu);
      if (!n) return "Bad Content-Length";
      length = static_cast<std::size_t>(*n);
      return {};
    }
    case HeaderId::expires: return number(f.value, 0xffffffffu) ? "" : "Bad Expires";
    case HeaderId::linnet_call_group: return is_token(f.value) ? "" : "Bad Linnet-Call-Group";
    default: return {};
  }
}

std::string_view check_fields(MessageView& out, std::optional<std::size_t>& length) {
  std::string_view why;
  for (const auto& f : out.fields) {
    const bool first = !out.has(f.id);
    out.seen |= std::uint64_t{1} << static_cast<unsigned>(f.id);
    const auto bad =
        !first && is_single(f.id) ? std::string_view("Header field repeated") : check_field(f, first, out, length);
    if (!bad.empty() && why.empty()) why = bad;
  }
  if (!why.empty()) return why;
  for (auto id : {HeaderId::via, HeaderId::from, HeaderId::to, HeaderId::call_id, HeaderId::cseq})
    if (!out.has(id)) return "Missing header field";
  if (out.is_request && out.cseq.method_text != out.method_text) return "CSeq method differs";
  return {};
}

}  // namespace

tl::expected<void, Refusal> parse(ByteView bytes, MessageView& out) {
  out.clear();
  auto rest = text(bytes);
  while (rest.starts_with("\r\n")) rest.remove_prefix(2);  // RFC 3261 section 7.5
  const auto start = parse_start_line(rest, out);
  const auto cut = cut_fields(rest, out);
  std::optional<std::size_t> length;
  const auto bad = check_fields(out, length);
  if (start.status != 0) return tl::unexpected<Refusal>(start);
  if (!cut.empty()) return tl::unexpected<Refusal>({400, cut});
  if (!bad.empty()) return tl::unexpected<Refusal>({400, bad});
  if (length && *length > rest.size()) return tl::unexpected<Refusal>({400, "Content-Length beyond the end"});
  out.body = length ? rest.substr(0, *length) : rest;
  return {};
}

}  // namespace linnet::sip
