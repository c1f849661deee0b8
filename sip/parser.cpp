#include "sip/parser.h"

#include <bit>
#include <cstring>

#include "sip/chars.h"
#include "sip/grammar.h"

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
    const auto marks = (((v - 0x20 * kOnes) & ~v) | ((del - kOnes) & ~del)) & kHigh;
    if (marks == 0) continue;
    if constexpr (std::endian::native != std::endian::little) break;
    i += static_cast<std::size_t>(std::countr_zero(marks)) / 8;
    if (s[i] != '\t') return i;
    i -= 7;  // the loop adds 8
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
  Line out;
  auto quote = std::string_view::npos;
  std::size_t looked = 0;  // as far as a quote was looked for: no byte is searched twice
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
    if (quote == std::string_view::npos) quote = rest.substr(0, i).find('"', looked);
    looked = i;
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
  if (!parse_uri(out.uri_text, out.uri) || !out.uri.headers.empty()) return {400, "Bad Request-URI"};
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
  ViaView further;
  for (bool first = topmost;; first = false) {
    if (!take_via(value, first ? out.via : further)) return "Bad Via";
    if (value.empty()) return {};
    value.remove_prefix(1);  // the comma
  }
}

std::string_view check_contact(std::string_view value, bool first_field, MessageView& out) {
  if (value == "*") return out.is_request && out.method == Method::register_ ? "" : "Bad Contact";
  NameAddrView further;
  for (bool first = first_field;; first = false) {
    if (!take_name_addr(value, first ? out.contact : further)) return "Bad Contact";
    if (value.empty()) return {};
    value.remove_prefix(1);
  }
}

std::string_view check_party(std::string_view value, std::string_view why, NameAddrView& out) {
  return take_name_addr(value, out) && value.empty() ? std::string_view{} : why;
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
    case HeaderId::content_disposition:
    case HeaderId::event:
    case HeaderId::expires:
    case HeaderId::info_package:
    case HeaderId::join:
    case HeaderId::rack:
    case HeaderId::refer_sub:
    case HeaderId::referred_by:
    case HeaderId::refer_to:
    case HeaderId::replaces:
    case HeaderId::rseq:
    case HeaderId::subscription_state:
    case HeaderId::linnet_call_group:
    case HeaderId::linnet_conference: return true;
    default: return false;
  }
}

std::string_view check_number(std::string_view value, std::uint64_t max, std::uint64_t& out, std::string_view why) {
  const auto n = number(value, max);
  out = n.value_or(0);
  return n ? std::string_view{} : why;
}

// Fields that are held to the grammar and not taken apart here.
std::string_view check_other(const Field& f) {
  switch (f.id) {
    case HeaderId::allow:
    case HeaderId::content_disposition:
    case HeaderId::content_encoding:
    case HeaderId::expires:
    case HeaderId::info_package:
    case HeaderId::linnet_call_group:
    case HeaderId::linnet_conference:
    case HeaderId::proxy_require:
    case HeaderId::rack:
    case HeaderId::record_route:
    case HeaderId::recv_info:
    case HeaderId::refer_to:
    case HeaderId::referred_by:
    case HeaderId::require:
    case HeaderId::route:
    case HeaderId::rseq:
    case HeaderId::supported:
    case HeaderId::unsupported: return follows_grammar(f.id, f.value) ? std::string_view{} : "Bad header field value";
    default: return {};
  }
}

std::string_view check_field(const Field& f, bool first, MessageView& out, std::optional<std::size_t>& length) {
  std::uint64_t n = 0;
  switch (f.id) {
    case HeaderId::via: return check_via(f.value, first, out);
    case HeaderId::contact: return check_contact(f.value, first, out);
    case HeaderId::from: return check_party(f.value, "Bad From", out.from);
    case HeaderId::to: return check_party(f.value, "Bad To", out.to);
    case HeaderId::call_id: out.call_id = f.value; return is_call_id(f.value) ? "" : "Bad Call-ID";
    case HeaderId::content_type: return take_media_type(f.value, out.content_type) ? "" : "Bad Content-Type";
    case HeaderId::cseq: {
      const auto parsed = parse_cseq(f.value);
      if (parsed) out.cseq = *parsed;
      return parsed ? "" : "Bad CSeq";
    }
    case HeaderId::max_forwards: {
      const auto bad = check_number(f.value, 255, n, "Bad Max-Forwards");
      out.max_forwards = static_cast<std::uint8_t>(n);
      return bad;
    }
    case HeaderId::content_length: {
      const auto bad = check_number(f.value, 0xffffffffu, n, "Bad Content-Length");
      length = static_cast<std::size_t>(n);
      return bad;
    }
    default: return check_other(f);
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
