// The domain of the person's own name as a source of bootstrap nodes (protocol.md, section 3): its SRV records, asked
// for while a node is alone. Who has no such records costs a query now and then, and joins as before.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "node/io/net/resolver.h"

namespace linnet::io {

// The domain, where DNS may know it. Nothing: a name of one label, or under a top-level domain that is nobody's in DNS
// (RFC 6761, 6762, 7686, 8375, 9476; "internal"): asking would tell servers of others what they cannot answer.
std::optional<std::string> domain_in_dns(std::string_view domain);

// Where the supernodes of a domain are, by its SRV records alone, at most so many: without them the domain is asked
// nothing. Waits at most twice `limit`.
inline constexpr std::size_t kMostOfDomain = 16;
std::vector<Endpoint> supernodes_of(const std::string& domain, Duration limit, const FindServices& services);

}  // namespace linnet::io
