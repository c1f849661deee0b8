#include "node/io/net/own_domain.h"

#include <algorithm>
#include <array>

namespace linnet::io {
namespace {

constexpr std::array<std::string_view, 10> kNobodys{"alt",       "example", "internal", "invalid",   "local",
                                                    "localhost", "onion",   "test",     "home.arpa", "in-addr.arpa"};

bool is_under(std::string_view domain, std::string_view top) {
  if (domain == top) return true;
  return domain.size() > top.size() && domain.ends_with(top) && domain[domain.size() - top.size() - 1] == '.';
}

}  // namespace

std::optional<std::string> domain_in_dns(std::string_view domain) {
  const auto nobodys = [&](std::string_view top) { return is_under(domain, top); };
  if (domain.find('.') == std::string_view::npos || !is_domain(domain)) return std::nullopt;
  if (std::any_of(kNobodys.begin(), kNobodys.end(), nobodys)) return std::nullopt;
  return std::string(domain);
}

std::vector<Endpoint> supernodes_of(const std::string& domain, Duration limit, const FindServices& services) {
  std::vector<std::string> names;
  for (const auto& record : services(domain, limit)) names.push_back(record.target + ":" + std::to_string(record.port));
  auto out = resolve(names, limit).endpoints;
  if (out.size() > kMostOfDomain) out.resize(kMostOfDomain);
  return out;
}

}  // namespace linnet::io
