#include "nat/ice_candidate.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace linnet::nat::ice {
namespace {

std::string_view type_name(Type type) {
  switch (type) {
    case Type::host: return "host";
    case Type::peer_reflexive: return "prflx";
    case Type::port_mapped:
    case Type::server_reflexive: return "srflx";
    case Type::relayed: return "relay";
  }
  return "host";
}

std::optional<Type> type_of(std::string_view name) {
  for (const auto type : {Type::host, Type::peer_reflexive, Type::server_reflexive, Type::relayed}) {
    if (name == type_name(type)) return type;
  }
  return std::nullopt;
}

std::string_view tcp_name(TcpType tcp) {
  switch (tcp) {
    case TcpType::active: return "active";
    case TcpType::passive: return "passive";
    case TcpType::simultaneous: return "so";
    case TcpType::none: break;
  }
  return "";
}

TcpType tcp_of(std::string_view name) {
  for (const auto tcp : {TcpType::active, TcpType::passive, TcpType::simultaneous}) {
    if (name == tcp_name(tcp)) return tcp;
  }
  return TcpType::none;
}

// RFC 6544, section 4.2: without a NAT who connects is more likely to get through than who listens; with NATs on both
// sides only opening at the same time is.
unsigned direction_preference(Type type, TcpType tcp) {
  const bool near = type == Type::host || type == Type::relayed;
  switch (tcp) {
    case TcpType::active: return near ? 6 : 4;
    case TcpType::passive: return near ? 4 : 2;
    case TcpType::simultaneous: return near ? 2 : 6;
    case TcpType::none: break;
  }
  return 0;
}

bool is_ice_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
}

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

template <class T>
std::optional<T> number(std::string_view text) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::string_view word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto out = rest.substr(0, rest.find(' '));
  rest.remove_prefix(out.size());
  return out;
}

}  // namespace

unsigned type_preference(Type type) {
  switch (type) {
    case Type::host: return 126;
    case Type::peer_reflexive: return 110;
    case Type::port_mapped: return 105;
    case Type::server_reflexive: return 100;
    case Type::relayed: break;
  }
  return 0;
}

std::uint32_t candidate_priority(Type type, std::uint16_t local_preference) {
  return type_preference(type) << 24 | std::uint32_t{local_preference} << 8 | (256 - kComponent);
}

std::uint32_t tcp_priority(Type type, TcpType tcp, std::uint16_t local_preference) {
  constexpr unsigned kBelowUdp = 27;  // a host by TCP, 99, comes after the server-reflexive address by UDP, 100
  constexpr unsigned kOtherBits = 13;
  const auto of_type = type_preference(type);
  const auto local = direction_preference(type, tcp) << kOtherBits | unsigned{local_preference} >> (16 - kOtherBits);
  return (of_type > kBelowUdp ? of_type - kBelowUdp : 0) << 24 | local << 8 | (256 - kComponent);
}

std::uint32_t reflexive_priority(std::uint32_t of_base) {
  return type_preference(Type::peer_reflexive) << 24 | (of_base & 0xffffff);
}

std::uint32_t reflexive_priority(const Candidate& base) {
  if (base.tcp == TcpType::none) return reflexive_priority(base.priority);
  return tcp_priority(Type::peer_reflexive, base.tcp, static_cast<std::uint16_t>(base.priority >> 5 & 0xfff8));
}

Endpoint circuit_endpoint(std::uint64_t circuit) {
  ByteArray<16> bytes{0x01};
  for (std::size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<std::uint8_t>(circuit >> (56 - 8 * i));
  return {IpAddress::v6(bytes), 9, Transport::udp};
}

Endpoint without_place(Endpoint endpoint) {
  endpoint.socket = 0;
  endpoint.ip.scope = 0;
  return endpoint;
}

Endpoint reached_from(const Endpoint& local, Endpoint remote) {
  remote.ip.scope = remote.ip.is_link_local() ? local.ip.scope : 0;
  return remote;
}

std::string to_sdp(const Candidate& c) {
  std::string out = "candidate:" + c.foundation + ' ' + std::to_string(kComponent) +
                    (c.tcp == TcpType::none ? " UDP " : " TCP ") + std::to_string(c.priority) + ' ' +
                    without_place(c.endpoint).ip.to_string() + ' ' + std::to_string(c.endpoint.port) + " typ ";
  out += type_name(c.type);
  if (c.type != Type::host)
    out += " raddr " + without_place(c.related).ip.to_string() + " rport " + std::to_string(c.related.port);
  if (c.tcp != TcpType::none) out += " tcptype " + std::string(tcp_name(c.tcp));
  return out;
}

namespace {

// What follows the type: names and values (RFC 8839, section 5.1).
TcpType tcp_in(std::string_view rest) {
  while (true) {
    const auto name = word(rest);
    const auto value = word(rest);
    if (name.empty()) return TcpType::none;
    if (name == "tcptype") return tcp_of(value);
  }
}

}  // namespace

std::optional<Candidate> from_sdp(std::string_view line) {
  for (const std::string_view prefix : {"a=", "candidate:"}) {
    if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
  }
  Candidate out;
  out.foundation = std::string(word(line).substr(0, kMaxFoundation + 1));
  const bool sound = !out.foundation.empty() && out.foundation.size() <= kMaxFoundation &&
                     std::all_of(out.foundation.begin(), out.foundation.end(), is_ice_char);
  const auto component = number<unsigned>(word(line));
  const auto transport = word(line);
  const auto priority = number<std::uint32_t>(word(line));
  const auto address = word(line);
  const auto ip = address.find('%') == std::string_view::npos ? IpAddress::parse(address) : std::nullopt;
  const auto port = number<std::uint16_t>(word(line));
  const bool typ = word(line) == "typ";
  const auto type = type_of(word(line));
  const bool tcp = same_letters(transport, "tcp");
  out.tcp = tcp ? tcp_in(line) : TcpType::none;
  const bool known = tcp ? out.tcp != TcpType::none : same_letters(transport, "udp");
  if (!sound || component != kComponent || !known || !priority || !ip || !port || !typ || !type) return std::nullopt;
  if (*priority == 0 || *priority > 0x7fffffff) return std::nullopt;
  out.type = *type;
  out.endpoint = {*ip, *port, tcp ? Transport::tcp : Transport::udp};
  out.priority = *priority;
  return out;
}

std::optional<std::size_t> Candidates::find(const Candidate& like) const {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const Candidate& c) {
    return c.endpoint == like.endpoint && c.base == like.base && c.circuit == like.circuit && c.tcp == like.tcp;
  });
  if (at == all_.end()) return std::nullopt;
  return static_cast<std::size_t>(at - all_.begin());
}

std::optional<std::size_t> Candidates::add(Candidate candidate) {
  if (const auto known = find(candidate)) {
    // Learned from a check before it was named (RFC 8838, section 12), or before the STUN server told it: what it is
    // now known to be counts from now on.
    auto& there = all_[*known];
    if (there.type == Type::peer_reflexive && candidate.type != Type::peer_reflexive) {
      there.type = candidate.type;
      there.foundation = std::move(candidate.foundation);
      there.related = candidate.related;
      there.priority = candidate.priority;
    }
    return known;
  }
  const auto learned = static_cast<std::size_t>(
      std::count_if(all_.begin(), all_.end(), [](const Candidate& c) { return c.type == Type::peer_reflexive; }));
  const bool full =
      candidate.type == Type::peer_reflexive ? learned >= kMaxLearned : all_.size() - learned >= kMaxNamed;
  if (full || all_.size() >= kMaxCandidates) return std::nullopt;
  all_.push_back(std::move(candidate));
  return all_.size() - 1;
}

std::string Candidates::foundation(Type type, const IpAddress& base, const std::optional<IpAddress>& server,
                                   Transport transport) {
  const Origin origin{type, base, server, transport};
  auto at = std::find(origins_.begin(), origins_.end(), origin);
  if (at == origins_.end()) {
    // One for each candidate at most; what comes after the table is full is refused there.
    if (origins_.size() > kMaxCandidates) origins_.erase(origins_.begin());
    at = origins_.insert(origins_.end(), origin);
  }
  return std::to_string(at - origins_.begin() + 1);
}

}  // namespace linnet::nat::ice
