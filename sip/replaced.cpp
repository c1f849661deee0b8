// An INVITE that names a dialog of another call: Replaces (RFC 3891 section 3) and Join (RFC 3911 section 4).
#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

// "0" stands for the tag that a peer of RFC 2543 does not send.
std::string_view tag_of(std::string_view named) { return named == "0" ? std::string_view{} : named; }

}  // namespace

UserAgent::Verdict UserAgent::find_replaced(std::optional<Replaced>& replaced) {
  const bool join = in_.has(HeaderId::join);
  if (!config_.replaces || !(join || in_.has(HeaderId::replaces))) return {};
  if (join && in_.has(HeaderId::replaces)) return {400, {}};
  const auto named = parse_replaces(in_.value(join ? HeaderId::join : HeaderId::replaces));
  if (!named) return {400, {}};
  const auto* session = calls_.find_named(named->call_id, named->to_tag, tag_of(named->from_tag));
  if (session == nullptr) return {481, {}};
  // A call that still rings here was not made by us, and is nobody's to pick up by this.
  if (std::holds_alternative<Alerting>(session->state)) return {481, {}};
  const bool early = !session->talking();
  if (!join && named->early_only && !early) return {486, {}};
  replaced = Replaced{session->id, join, early};
  return {};
}

std::optional<DialogName> UserAgent::dialog(CallId call) {
  const auto* session = calls_.find(call);
  if (session == nullptr || !session->talking()) return std::nullopt;
  const auto& d = session->leg.dialog;
  return DialogName{d.call_id, d.local_tag, d.remote_tag.empty() ? "0" : d.remote_tag};
}

std::string UserAgent::supported() const {
  std::string out(k100rel);
  if (config_.refers) out.append(", ").append(kNorefersub);
  if (config_.replaces) out.append(", replaces, join");
  return out;
}

bool UserAgent::knows_extension(std::string_view tag) const {
  if (config_.refers && chars::iequal(tag, kNorefersub)) return true;
  if (config_.replaces && (chars::iequal(tag, "replaces") || chars::iequal(tag, "join"))) return true;
  return chars::iequal(tag, k100rel);
}

}  // namespace linnet::sip
