// AudioOffer to SDP and back.
#include <algorithm>

#include "base/base64.h"
#include "sip/chars.h"
#include "sip/offer_answer.h"
#include "sip/sdp.h"

namespace linnet::sip {
namespace {

using chars::iequal;
using chars::number;

constexpr std::string_view kProfile = "RTP/SAVP";
constexpr std::size_t kMaxCodecs = 64;
constexpr std::size_t kMaxKeys = 8;
constexpr std::size_t kMaxCandidates = 64;
constexpr std::size_t kMaxExtensions = 16;

std::string_view next_word(std::string_view& s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  const auto space = std::min(s.find(' '), s.size());
  const auto word = s.substr(0, space);
  s.remove_prefix(space);
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  return word;
}

// The static payload types of RFC 3551 that this program speaks; they need no rtpmap.
bool static_codec(std::uint8_t type, AudioCodec& out) {
  switch (type) {
    case 0: out.name = "PCMU"; break;
    case 8: out.name = "PCMA"; break;
    case 9: out.name = "G722"; break;
    default: return false;
  }
  out.clock_rate = 8000;
  return true;
}

// "NAME/RATE[/CHANNELS]"
bool parse_rtpmap(std::string_view s, AudioCodec& out) {
  const auto slash = s.find('/');
  if (slash == std::string_view::npos || slash == 0) return false;
  out.name = s.substr(0, slash);
  s.remove_prefix(slash + 1);
  const auto second = s.find('/');
  const auto rate = number(s.substr(0, second), 0xffffffffu);
  if (!rate || *rate == 0) return false;
  out.clock_rate = static_cast<std::uint32_t>(*rate);
  if (second == std::string_view::npos) return true;
  const auto channels = number(s.substr(second + 1), 255);
  if (!channels || *channels == 0) return false;
  out.channels = static_cast<std::uint8_t>(*channels);
  return true;
}

// The value of "a=NAME:PT VALUE" for that payload type.
std::string_view for_type(const SdpMedia& media, std::string_view name, std::string_view type) {
  for (const auto& a : media.attributes) {
    if (a.name != name) continue;
    std::string_view rest = a.value;
    if (next_word(rest) == type) return rest;
  }
  return {};
}

// Formats that are unknown or ill described are left out: they are simply not chosen.
std::vector<AudioCodec> read_codecs(const SdpMedia& media) {
  std::vector<AudioCodec> out;
  for (const auto& format : media.formats) {
    const auto type = number(format, 127);
    if (!type || out.size() == kMaxCodecs) continue;
    AudioCodec codec;
    codec.payload_type = static_cast<std::uint8_t>(*type);
    const auto map = for_type(media, "rtpmap", format);
    if (map.empty() ? !static_codec(codec.payload_type, codec) : !parse_rtpmap(map, codec)) continue;
    codec.fmtp = for_type(media, "fmtp", format);
    out.push_back(std::move(codec));
  }
  return out;
}

// "TAG SUITE inline:BASE64[|lifetime][|MKI:length]"; session parameters change what is encrypted, so such a line is not
// taken (RFC 4568 section 6.3.5: unknown ones refuse the line).
bool parse_crypto(std::string_view s, CryptoKey& out) {
  const auto tag = number(next_word(s), 999999999);
  out.suite = next_word(s);
  auto key = next_word(s);
  if (!tag || !s.empty() || !iequal(key.substr(0, 7), "inline:") || key.find(';') != std::string_view::npos)
    return false;
  out.tag = static_cast<std::uint32_t>(*tag);
  key.remove_prefix(7);
  if (key.find(':') != std::string_view::npos) return false;  // an MKI lengthens each packet; not spoken
  auto bytes = from_base64(key.substr(0, key.find('|')));
  if (!bytes || bytes->empty() || bytes->size() != crypto_key_length(out.suite)) return false;
  out.key_and_salt = std::move(*bytes);
  return true;
}

bool parse_direction(std::string_view s, Direction& out) {
  for (auto d : {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
    if (s != to_string(d)) continue;
    out = d;
    return true;
  }
  return false;
}

Direction read_direction(const Sdp& sdp, const SdpMedia& media) {
  Direction out = Direction::sendrecv;
  for (const auto* attributes : {&media.attributes, &sdp.attributes})
    for (const auto& a : *attributes)
      if (parse_direction(a.name, out)) return out;
  return out;
}

// Identifiers that no packet can carry are not taken: 15 ends the elements of a packet, those from 4096 on ask the
// answerer for another one (RFC 8285 section 7), which is optional.
bool parse_extmap(std::string_view s, HeaderExtension& out) {
  auto id = next_word(s);
  if (const auto slash = id.find('/'); slash != std::string_view::npos) {
    if (!parse_direction(id.substr(slash + 1), out.direction)) return false;
    id = id.substr(0, slash);
  }
  const auto value = number(id, 255);
  out.uri = next_word(s);
  out.attributes = s;
  if (!value || *value == 0 || *value == 15 || out.uri.empty()) return false;
  out.id = static_cast<std::uint8_t>(*value);
  return true;
}

// An identifier has one meaning: the first.
void read_extmap(std::string_view s, std::vector<HeaderExtension>& out) {
  HeaderExtension extension;
  if (out.size() == kMaxExtensions || !parse_extmap(s, extension)) return;
  const auto taken = [&](const HeaderExtension& e) { return e.id == extension.id; };
  if (std::none_of(out.begin(), out.end(), taken)) out.push_back(std::move(extension));
}

void read_attribute(const SdpAttribute& a, AudioOffer& out) {
  std::string_view rest = a.value;
  if (a.name == "crypto") {
    CryptoKey key;
    if (out.crypto.size() < kMaxKeys && parse_crypto(rest, key)) out.crypto.push_back(std::move(key));
  } else if (a.name == "ssrc") {
    const auto ssrc = number(next_word(rest), 0xffffffffu);
    if (ssrc && !out.ssrc) out.ssrc = static_cast<std::uint32_t>(*ssrc);
    if (rest.starts_with("cname:")) out.cname = rest.substr(6);
  } else if (a.name == "rtcp-mux") {
    out.rtcp_mux = true;
  } else if (a.name == "rtcp-rsize") {
    out.rtcp_rsize = true;
  } else if (a.name == "rtcp-xr") {
    while (!rest.empty()) out.rtcp_metrics = next_word(rest) == "voip-metrics" || out.rtcp_metrics;
  } else if (a.name == "extmap") {
    read_extmap(a.value, out.extensions);
  } else if (a.name == "ptime") {
    if (const auto ms = number(rest, 1000)) out.ptime_ms = static_cast<std::uint32_t>(*ms);
  } else if (a.name == "candidate" && out.candidates.size() < kMaxCandidates) {
    out.candidates.push_back(a.value);
  }
}

// Old-style hold (RFC 3264 section 8.4): a zero address stops sending to this end, unless ICE says where it is.
bool is_zero_address(const AudioOffer& audio) {
  return audio.port != 9 && (audio.address == "0.0.0.0" || audio.address == "::") && audio.ice_ufrag.empty();
}

void add(std::vector<SdpAttribute>& to, std::string name, std::string value = {}) {
  to.push_back({std::move(name), std::move(value)});
}

SdpMedia write_media(const AudioOffer& audio) {
  SdpMedia m;
  m.media = "audio";
  m.port = audio.port;
  m.protocol = kProfile;
  for (const auto& c : audio.codecs) {
    const auto type = std::to_string(c.payload_type);
    m.formats.push_back(type);
    auto map = type + " " + c.name + "/" + std::to_string(c.clock_rate);
    if (c.channels > 1) map += "/" + std::to_string(c.channels);
    add(m.attributes, "rtpmap", std::move(map));
    if (!c.fmtp.empty()) add(m.attributes, "fmtp", type + " " + c.fmtp);
  }
  if (m.formats.empty()) m.formats.emplace_back("0");
  if (audio.ptime_ms) add(m.attributes, "ptime", std::to_string(*audio.ptime_ms));
  for (const auto& k : audio.crypto)
    add(m.attributes, "crypto", std::to_string(k.tag) + " " + k.suite + " inline:" + to_base64(k.key_and_salt));
  add(m.attributes, std::string(to_string(audio.direction)));
  if (audio.rtcp_mux) add(m.attributes, "rtcp-mux");
  if (audio.rtcp_rsize) add(m.attributes, "rtcp-rsize");
  if (audio.rtcp_metrics) add(m.attributes, "rtcp-xr", "voip-metrics");
  for (const auto& e : audio.extensions) {
    if (e.id == 0) continue;
    auto id = std::to_string(e.id);
    if (e.direction != Direction::sendrecv) id.append("/").append(to_string(e.direction));
    add(m.attributes, "extmap", id + " " + e.uri + (e.attributes.empty() ? "" : " " + e.attributes));
  }
  if (audio.ssrc)
    add(m.attributes, "ssrc", std::to_string(*audio.ssrc) + (audio.cname.empty() ? "" : " cname:" + audio.cname));
  if (!audio.ice_ufrag.empty()) add(m.attributes, "ice-ufrag", audio.ice_ufrag);
  if (!audio.ice_pwd.empty()) add(m.attributes, "ice-pwd", audio.ice_pwd);
  for (const auto& c : audio.candidates) add(m.attributes, "candidate", c);
  return m;
}

SdpMedia write_other(const OtherMedia& other) {
  SdpMedia m;
  m.media = other.media;
  m.protocol = other.protocol;
  m.formats = {other.format};
  return m;
}

std::string address_type(const std::string& address) { return address.find(':') == std::string::npos ? "IP4" : "IP6"; }

}  // namespace

std::string to_sdp(const AudioOffer& audio) {
  Sdp sdp;
  sdp.origin.session_id = audio.session_id;
  sdp.origin.version = audio.version;
  sdp.origin.address_type = address_type(audio.address);
  sdp.origin.address = audio.address;
  sdp.connection = SdpConnection{address_type(audio.address), audio.address};
  for (const auto& other : audio.others) sdp.media.push_back(write_other(other));
  const auto at = std::min(audio.position, sdp.media.size());
  sdp.media.insert(sdp.media.begin() + static_cast<std::ptrdiff_t>(at), write_media(audio));
  return serialise(sdp);
}

Result<AudioOffer> read_audio(std::string_view text) {
  const auto sdp = parse_sdp(text);
  if (!sdp) return fail(sdp.error());
  const auto is_ours = [](const SdpMedia& m) { return m.media == "audio" && m.protocol == kProfile && m.port != 0; };
  const auto found = std::find_if(sdp->media.begin(), sdp->media.end(), is_ours);
  if (found == sdp->media.end()) {
    const bool any =
        std::any_of(sdp->media.begin(), sdp->media.end(), [](const SdpMedia& m) { return m.media == "audio"; });
    return fail(any ? Fault::refused : Fault::not_found);
  }
  AudioOffer out;
  out.session_id = sdp->origin.session_id;
  out.version = sdp->origin.version;
  if (const auto& c = found->connection ? found->connection : sdp->connection) out.address = c->address;
  out.port = found->port;
  out.codecs = read_codecs(*found);
  out.rtcp_mux = false;
  for (const auto& a : found->attributes) read_attribute(a, out);
  for (const auto& a : sdp->attributes)  // of all streams
    if (a.name == "extmap") read_extmap(a.value, out.extensions);
  for (auto [name, to] : {std::pair{"ice-ufrag", &out.ice_ufrag}, std::pair{"ice-pwd", &out.ice_pwd}}) {
    const auto* value = found->attribute(name) != nullptr ? found->attribute(name) : sdp->attribute(name);
    if (value != nullptr) *to = *value;
  }
  out.direction = read_direction(*sdp, *found);
  if (is_zero_address(out)) out.direction = common(out.direction, Direction::sendonly);
  out.position = static_cast<std::size_t>(found - sdp->media.begin());
  for (auto it = sdp->media.begin(); it != sdp->media.end(); ++it)
    if (it != found) out.others.push_back({it->media, it->protocol, it->formats.front()});
  if (out.crypto.empty() || out.codecs.empty()) return fail(Fault::refused);
  return out;
}

}  // namespace linnet::sip
