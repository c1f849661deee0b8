#include "nat/binding_server.h"

#include "nat/stun_builder.h"

namespace linnet::nat {
namespace {

using stun::Attr;

// MESSAGE-INTEGRITY is understood as what nobody here can check: the server has no credentials (section 9).
// RESPONSE-PORT, always: an answer to the asker's own address, as he could have had it by asking from there.
constexpr Attr kUnderstood[] = {
    Attr::username,     Attr::message_integrity, Attr::message_integrity_sha256, Attr::realm,
    Attr::nonce,        Attr::userhash,          Attr::password_algorithm,       Attr::padding,
    Attr::response_port};
constexpr Attr kWithOther[] = {
    Attr::username, Attr::message_integrity, Attr::message_integrity_sha256, Attr::realm,   Attr::nonce,
    Attr::userhash, Attr::change_request,    Attr::password_algorithm,       Attr::padding, Attr::response_port};

constexpr std::size_t kHeader = 20, kFingerprintBytes = 8;

}  // namespace

std::size_t BindingServer::full_size(bool v4, bool fingerprint) {
  constexpr std::size_t kAddresses = 3;  // XOR-MAPPED-ADDRESS, RESPONSE-ORIGIN, OTHER-ADDRESS
  return kHeader + kAddresses * (v4 ? 12 : 24) + (fingerprint ? kFingerprintBytes : 0);
}

Bytes BindingServer::for_partner(const Endpoint& origin, const Endpoint& client, const stun::TransactionId& id,
                                 bool fingerprint) {
  stun::Builder out(stun::Class::success, stun::Method::binding, id);
  out.endpoint(Attr::xor_mapped_address, client).endpoint(Attr::response_origin, origin);
  if (fingerprint) out.fingerprint();
  return out.take();
}

Bytes BindingServer::not_sent(const stun::TransactionId& id, bool fingerprint) {
  stun::Builder out(stun::Class::error, stun::Method::binding, id);
  out.bytes(Attr::error_code, ByteArray<4>{0, 0, 5, 0});
  if (fingerprint) out.fingerprint();
  return out.take();
}

Endpoint BindingServer::opposite(const Endpoint& at, bool address, bool port) const {
  auto out = at;
  if (address) out.ip = at.ip == config_.primary.ip ? config_.other->ip : config_.primary.ip;
  if (port) out.port = at.port == config_.primary.port ? config_.other->port : config_.primary.port;
  return out;
}

std::optional<BindingAnswer> BindingServer::refuse(const Endpoint& at, const Endpoint& from,
                                                   const stun::Message& request, stun::ErrorCode code,
                                                   std::span<const Attr> unknown) const {
  stun::Builder out(stun::Class::error, request.method(), request.id());
  // Without the words: they would make the answer longer, and no program reads them.
  const auto number = static_cast<std::uint16_t>(code);
  const ByteArray<4> wordless{0, 0, static_cast<std::uint8_t>(number / 100), static_cast<std::uint8_t>(number % 100)};
  out.bytes(Attr::error_code, wordless);
  if (!unknown.empty()) out.unknown_attributes(unknown);
  if (request.has(Attr::fingerprint)) out.fingerprint();
  if (!config_.answers_short && out.written().size() > request.bytes().size()) return std::nullopt;
  return BindingAnswer{at, from, out.take()};
}

std::optional<BindingAnswer> BindingServer::answer(const Endpoint& at, const Endpoint& from,
                                                   const stun::Message& request) const {
  if (!request.is(stun::Class::request, stun::Method::binding)) return std::nullopt;
  const auto unknown = config_.other ? request.unknown_required(kWithOther) : request.unknown_required(kUnderstood);
  if (!unknown.empty())
    return refuse(at, from, request, stun::ErrorCode::unknown_attribute, {unknown.begin(), unknown.end()});
  BindingAnswer answer{at, from, {}};
  if (request.has(Attr::change_request)) {
    const auto change = request.u32(Attr::change_request);
    if (!change) return refuse(at, from, request, stun::ErrorCode::bad_request, {});
    answer.from = opposite(at, (*change & stun::kChangeAddress) != 0, (*change & stun::kChangePort) != 0);
    // Not by the socket that the request came to.
    if (answer.from != at) answer.to.socket = 0;
  }
  if (request.has(Attr::response_port)) {
    const auto port = request.u16(Attr::response_port);
    if (!port || *port == 0 || request.has(Attr::padding))
      return refuse(at, from, request, stun::ErrorCode::bad_request, {});
    answer.to.port = *port;
  }
  stun::Builder out(stun::Class::success, stun::Method::binding, request.id());
  out.endpoint(Attr::xor_mapped_address, from);
  if (config_.other) {
    out.endpoint(Attr::response_origin, answer.from).endpoint(Attr::other_address, opposite(at, true, true));
  }
  if (request.has(Attr::fingerprint)) out.fingerprint();  // 8 bytes there, 8 bytes back
  // To another port it is never longer than what asked for it.
  const bool elsewhere = !config_.other && answer.to.port != from.port;
  if ((elsewhere || !config_.answers_short) && out.written().size() > request.bytes().size()) return std::nullopt;
  answer.bytes = out.take();
  return answer;
}

}  // namespace linnet::nat
