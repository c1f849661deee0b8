// The words of RFC 4575's schema for the enumerations of conference_info.h. Inside the module only.
#pragma once

#include <array>

#include "sip/conference_info.h"

namespace linnet::sip {

inline constexpr std::array<std::string_view, 3> kInfoStateWords = {"full", "partial", "deleted"};
inline constexpr std::array<std::string_view, 9> kEndpointStatusWords = {
    "pending",   "dialing-out",     "dialing-in",    "alerting",    "on-hold",
    "connected", "muted-via-focus", "disconnecting", "disconnected"};
inline constexpr std::array<std::string_view, 3> kJoiningWords = {"dialed-in", "dialed-out", "focus-owner"};
inline constexpr std::array<std::string_view, 4> kDisconnectionWords = {"departed", "booted", "failed", "busy"};
inline constexpr std::array<std::string_view, 4> kMediaStatusWords = {"recvonly", "sendonly", "sendrecv", "inactive"};

constexpr const auto& words_of(InfoState) { return kInfoStateWords; }
constexpr const auto& words_of(EndpointStatus) { return kEndpointStatusWords; }
constexpr const auto& words_of(JoiningMethod) { return kJoiningWords; }
constexpr const auto& words_of(DisconnectionMethod) { return kDisconnectionWords; }
constexpr const auto& words_of(MediaStatus) { return kMediaStatusWords; }

template <class E>
std::string_view word_for(E value) {
  return words_of(value)[static_cast<std::size_t>(value)];
}
template <class E>
std::optional<E> word_from(std::string_view word) {
  const auto& words = words_of(E{});
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == word) return static_cast<E>(i);
  return std::nullopt;
}

}  // namespace linnet::sip
