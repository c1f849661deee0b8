#include "sip/sdp.h"

#include "sip/chars.h"

namespace linnet::sip {
namespace {

using chars::number;

std::string_view take_word(std::string_view& s) {
  const auto space = std::min(s.find(' '), s.size());
  const auto word = s.substr(0, space);
  s.remove_prefix(std::min(space + 1, s.size()));
  return word;
}

const std::string* find_attribute(const std::vector<SdpAttribute>& attributes, std::string_view name) {
  for (const auto& a : attributes)
    if (a.name == name) return &a.value;
  return nullptr;
}

bool parse_origin(std::string_view s, SdpOrigin& out) {
  const auto username = take_word(s);
  const auto id = number(take_word(s), ~std::uint64_t{0});
  const auto version = number(take_word(s), ~std::uint64_t{0});
  const auto net = take_word(s);
  const auto type = take_word(s);
  if (username.empty() || !id || !version || net != "IN" || type.empty() || s.empty()) return false;
  out.username = username;
  out.session_id = *id;
  out.version = *version;
  out.address_type = type;
  out.address = s;
  return s.find(' ') == std::string_view::npos;
}

bool parse_connection(std::string_view s, std::optional<SdpConnection>& out) {
  const auto net = take_word(s);
  const auto type = take_word(s);
  if (net != "IN" || type.empty() || s.empty() || s.find(' ') != std::string_view::npos) return false;
  out = SdpConnection{std::string(type), std::string(s)};
  return true;
}

bool parse_attribute(std::string_view s, std::vector<SdpAttribute>& out) {
  const auto colon = s.find(':');
  const auto name = s.substr(0, colon);
  if (name.empty() || name.find(' ') != std::string_view::npos) return false;
  out.push_back(
      {std::string(name), colon == std::string_view::npos ? std::string{} : std::string(s.substr(colon + 1))});
  return true;
}

bool parse_media(std::string_view s, SdpMedia& out) {
  out.media = take_word(s);
  auto port = take_word(s);
  if (const auto slash = port.find('/'); slash != std::string_view::npos) {
    const auto count = number(port.substr(slash + 1), 65535);
    if (!count || *count == 0) return false;
    out.port_count = static_cast<std::uint16_t>(*count);
    port = port.substr(0, slash);
  }
  const auto value = number(port, 65535);
  if (!value) return false;
  out.port = static_cast<std::uint16_t>(*value);
  out.protocol = take_word(s);
  while (!s.empty()) {
    const auto format = take_word(s);
    if (!format.empty()) out.formats.emplace_back(format);
  }
  return !out.media.empty() && !out.protocol.empty() && !out.formats.empty();
}

// v=, o= and s= come first and once; what follows may come in any order, as many senders do.
Status parse_line(char type, std::string_view value, std::size_t index, Sdp& out) {
  static constexpr std::string_view kHead = "vos";
  if (index < kHead.size() ? type != kHead[index] : kHead.find(type) != std::string_view::npos)
    return fail(Fault::malformed);
  bool ok = true;
  auto* media = out.media.empty() ? nullptr : &out.media.back();
  switch (type) {
    case 'v':
      if (value != "0") return fail(number(value, 999) ? Fault::unsupported : Fault::malformed);
      break;
    case 'o': ok = parse_origin(value, out.origin); break;
    case 's': out.name = value; break;
    case 'c': ok = parse_connection(value, media != nullptr ? media->connection : out.connection); break;
    case 't':
      ok = media == nullptr && !value.empty();
      out.times.emplace_back(value);
      break;
    case 'a': ok = parse_attribute(value, media != nullptr ? media->attributes : out.attributes); break;
    case 'm':
      if (out.media.size() == kMaxMediaLines) return fail(Fault::too_big);
      ok = parse_media(value, out.media.emplace_back());
      break;
    default: ok = type >= 'a' && type <= 'z'; break;
  }
  if (!ok) return fail(Fault::malformed);
  return {};
}

void write_attributes(std::string& out, const std::vector<SdpAttribute>& attributes) {
  for (const auto& a : attributes) {
    out.append("a=").append(a.name);
    if (!a.value.empty()) out.append(":").append(a.value);
    out.append("\r\n");
  }
}

void write_connection(std::string& out, const std::optional<SdpConnection>& c) {
  if (c) out.append("c=IN ").append(c->address_type).append(" ").append(c->address).append("\r\n");
}

}  // namespace

const std::string* SdpMedia::attribute(std::string_view wanted) const { return find_attribute(attributes, wanted); }
const std::string* Sdp::attribute(std::string_view wanted) const { return find_attribute(attributes, wanted); }

Result<Sdp> parse_sdp(std::string_view text) {
  if (text.size() > kMaxSdp) return fail(Fault::too_big);
  Sdp out;
  out.times.clear();
  std::size_t index = 0;
  for (; !text.empty(); ++index) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() && text.empty()) break;  // a spare line break at the end
    if (line.size() < 2 || line[1] != '=') return fail(Fault::malformed);
    for (char c : line)
      if (c == '\0' || c == '\r') return fail(Fault::malformed);
    if (auto ok = parse_line(line[0], line.substr(2), index, out); !ok) return fail(ok.error());
  }
  if (index < 3) return fail(Fault::malformed);
  return out;
}

std::string serialise(const Sdp& sdp) {
  std::string out = "v=0\r\no=";
  const auto& o = sdp.origin;
  out.append(o.username).append(" ").append(std::to_string(o.session_id)).append(" ").append(std::to_string(o.version));
  out.append(" IN ")
      .append(o.address_type)
      .append(" ")
      .append(o.address)
      .append("\r\ns=")
      .append(sdp.name)
      .append("\r\n");
  write_connection(out, sdp.connection);
  for (const auto& t : sdp.times) out.append("t=").append(t).append("\r\n");
  write_attributes(out, sdp.attributes);
  for (const auto& m : sdp.media) {
    out.append("m=").append(m.media).append(" ").append(std::to_string(m.port));
    if (m.port_count != 1) out.append("/").append(std::to_string(m.port_count));
    out.append(" ").append(m.protocol);
    for (const auto& f : m.formats) out.append(" ").append(f);
    out.append("\r\n");
    write_connection(out, m.connection);
    write_attributes(out, m.attributes);
  }
  return out;
}

}  // namespace linnet::sip
