// Session descriptions (RFC 8866): the lines v, o, s, c, t, m, a; i, u, e, p, b, r, z, k are read over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace linnet::sip {

inline constexpr std::size_t kMaxSdp = 8 * 1024;
inline constexpr std::size_t kMaxMediaLines = 16;

struct SdpAttribute {  // a=name or a=name:value
  std::string name;
  std::string value;
  bool operator==(const SdpAttribute&) const = default;
};

struct SdpOrigin {
  std::string username = "-";
  std::uint64_t session_id = 0;
  std::uint64_t version = 0;
  std::string address_type = "IP4";
  std::string address = "0.0.0.0";
  bool operator==(const SdpOrigin&) const = default;
};

struct SdpConnection {
  std::string address_type = "IP4";
  std::string address = "0.0.0.0";
  bool operator==(const SdpConnection&) const = default;
};

struct SdpMedia {
  std::string media;  // "audio"
  std::uint16_t port = 0;
  std::uint16_t port_count = 1;
  std::string protocol;  // "RTP/SAVP"
  std::vector<std::string> formats;
  std::optional<SdpConnection> connection;
  std::vector<SdpAttribute> attributes;
  bool operator==(const SdpMedia&) const = default;

  // The first value of that attribute; nullptr when absent.
  const std::string* attribute(std::string_view name) const;
};

struct Sdp {
  SdpOrigin origin;
  std::string name = "-";
  std::optional<SdpConnection> connection;
  std::vector<std::string> times = {"0 0"};
  std::vector<SdpAttribute> attributes;
  std::vector<SdpMedia> media;
  bool operator==(const Sdp&) const = default;

  const std::string* attribute(std::string_view name) const;
};

// Fault::too_big over 8 KB or 16 media lines, Fault::unsupported for a version other than 0, else Fault::malformed.
// Lines may end in LF alone (section 5); the first lines must be v=, o= and s= in that order (RFC 3264 allows "s= ").
Result<Sdp> parse_sdp(std::string_view text);
std::string serialise(const Sdp& sdp);

}  // namespace linnet::sip
