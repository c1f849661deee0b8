#include "sip/event_header.h"

#include "sip/params.h"

namespace linnet::sip {
namespace {

std::optional<std::uint32_t> seconds_of(std::string_view value) {
  const auto n = chars::number(value, 0xffffffffu);
  if (!n) return std::nullopt;
  return static_cast<std::uint32_t>(*n);
}

}  // namespace

std::string_view to_string(SubscriptionState state) {
  switch (state) {
    case SubscriptionState::pending: return "pending";
    case SubscriptionState::active: return "active";
    case SubscriptionState::terminated: return "terminated";
  }
  return {};
}

std::optional<EventValue> parse_event(std::string_view value) {
  EventValue out;
  out.package = chars::take(value, chars::kToken);
  bool good = !out.package.empty();
  const bool ok = take_params(value, [&](std::string_view name, std::string_view v) {
    if (!chars::iequal(name, "id")) return;
    good = good && out.id.empty() && is_token_value(v);
    out.id = v;
  });
  if (!ok || !good || !value.empty()) return std::nullopt;
  return out;
}

std::string event_value(std::string_view package, std::string_view id) {
  std::string out(package);
  if (!id.empty()) out.append(";id=").append(id);
  return out;
}

std::optional<StateValue> parse_subscription_state(std::string_view value) {
  StateValue out;
  const auto state = chars::take(value, chars::kToken);
  if (chars::iequal(state, "pending")) out.state = SubscriptionState::pending;
  if (chars::iequal(state, "terminated")) out.state = SubscriptionState::terminated;
  bool good = !state.empty();
  const bool ok = take_params(value, [&](std::string_view name, std::string_view v) {
    if (chars::iequal(name, "reason")) {
      out.reason = v;
      good = good && chars::is_token(v);
    } else if (chars::iequal(name, "expires")) {
      out.expires = seconds_of(v);
      good = good && out.expires.has_value();
    } else if (chars::iequal(name, "retry-after")) {
      out.retry_after = seconds_of(v);
      good = good && out.retry_after.has_value();
    }
  });
  if (!ok || !good || !value.empty()) return std::nullopt;
  return out;
}

}  // namespace linnet::sip
