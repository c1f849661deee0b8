#include "nat/ice_message.h"

#include <algorithm>

#include "nat/stun_auth.h"
#include "nat/stun_builder.h"

namespace linnet::nat::ice {
namespace {

using stun::Attr;

constexpr std::string_view kChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
constexpr Attr kUnderstood[] = {Attr::username, Attr::message_integrity, Attr::message_integrity_sha256, Attr::priority,
                                Attr::use_candidate};

template <std::size_t N>
std::string random_text(Rng& rng) {
  std::string out;
  for (const auto byte : rng.array<N>()) out += kChars[byte & 63];
  return out;
}

bool all_ice_chars(std::string_view text) { return text.find_first_not_of(kChars) == std::string_view::npos; }

}  // namespace

Credentials make_credentials(Rng& rng) {
  auto ufrag = random_text<8>(rng);
  return {std::move(ufrag), random_text<24>(rng)};
}

bool sound(const Credentials& c) {
  return c.ufrag.size() >= 4 && c.ufrag.size() <= kMaxUfrag && c.password.size() >= 22 && c.password.size() <= 256 &&
         all_ice_chars(c.ufrag) && all_ice_chars(c.password);
}

Bytes write_check(const stun::TransactionId& id, const Check& check, const Credentials& local,
                  const Credentials& remote) {
  stun::Builder out(stun::Class::request, stun::Method::binding, id);
  out.text(Attr::username, remote.ufrag + ':' + local.ufrag).u32(Attr::priority, check.priority);
  if (check.use_candidate) out.flag(Attr::use_candidate);
  out.u64(check.role == Role::controlling ? Attr::ice_controlling : Attr::ice_controlled, check.tie_breaker);
  out.integrity(view(remote.password)).fingerprint();
  return out.take();
}

Bytes write_success(const stun::Message& request, const Endpoint& from, const Credentials& local) {
  stun::Builder out(stun::Class::success, stun::Method::binding, request.id());
  out.endpoint(Attr::xor_mapped_address, from).integrity(view(local.password)).fingerprint();
  return out.take();
}

Bytes write_error(const stun::Message& request, stun::ErrorCode code, const Credentials* local) {
  stun::Builder out(stun::Class::error, stun::Method::binding, request.id());
  out.error(code);
  if (code == stun::ErrorCode::unknown_attribute) {
    const auto unknown = request.unknown_required(kUnderstood);
    out.unknown_attributes({unknown.begin(), unknown.end()});
  }
  if (local != nullptr) out.integrity(view(local->password));
  out.fingerprint();
  return out.take();
}

std::optional<std::string_view> ufrag_of(const stun::Message& request) {
  const auto name = request.text(Attr::username);
  if (!name) return std::nullopt;
  const auto colon = name->find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return name->substr(0, colon);
}

tl::expected<Check, Refusal> read_check(const stun::Message& request, const Credentials& local) {
  const auto refuse = [](stun::ErrorCode code, bool authentic) {
    return tl::make_unexpected(Refusal{code, authentic});
  };
  const auto name = ufrag_of(request);
  if (!name || !request.has(Attr::message_integrity)) return refuse(stun::ErrorCode::bad_request, false);
  if (*name != local.ufrag || !stun::integrity_holds(request, view(local.password)))
    return refuse(stun::ErrorCode::unauthenticated, false);
  if (!request.unknown_required(kUnderstood).empty()) return refuse(stun::ErrorCode::unknown_attribute, true);
  Check out;
  const auto priority = request.u32(Attr::priority);
  const auto controlling = request.u64(Attr::ice_controlling);
  const auto controlled = request.u64(Attr::ice_controlled);
  // Neither, or both, is no role.
  if (!priority || controlling.has_value() == controlled.has_value()) return refuse(stun::ErrorCode::bad_request, true);
  out.role = controlling ? Role::controlling : Role::controlled;
  out.tie_breaker = controlling ? *controlling : *controlled;
  out.priority = *priority;
  out.use_candidate = request.has(Attr::use_candidate);
  return out;
}

}  // namespace linnet::nat::ice
