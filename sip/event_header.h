// Event and Subscription-State (RFC 6665 sections 8.2.1, 8.2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linnet::sip {

// Of a subscription. `terminated` is its last NOTIFY.
enum class SubscriptionState : std::uint8_t { pending, active, terminated };
std::string_view to_string(SubscriptionState state);

// Views into the value that was parsed. Both are compared byte by byte (section 8.2.1).
struct EventValue {
  std::string_view package;
  std::string_view id;  // empty when absent
};
std::optional<EventValue> parse_event(std::string_view value);
std::string event_value(std::string_view package, std::string_view id);

struct StateValue {
  SubscriptionState state = SubscriptionState::active;  // also for a token that is not known
  std::optional<std::uint32_t> expires;                 // seconds
  std::optional<std::uint32_t> retry_after;             // seconds
  std::string_view reason;
};
std::optional<StateValue> parse_subscription_state(std::string_view value);

}  // namespace linnet::sip
