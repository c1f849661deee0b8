// How the choices among a few are spelled, in flags, variables and files alike.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "node/io/settings/config.h"

namespace linnet::io {

template <class E, std::size_t N>
using WordList = std::array<std::pair<std::string_view, E>, N>;

template <class E>
struct Words;
template <>
struct Words<RelayMode> {
  static constexpr WordList<RelayMode, 3> list{
      {{"on", RelayMode::on}, {"off", RelayMode::off}, {"auto", RelayMode::automatic}}};
};
template <>
struct Words<node::Strangers> {
  static constexpr WordList<node::Strangers, 3> list{
      {{"ring", node::Strangers::ring}, {"request", node::Strangers::request}, {"refuse", node::Strangers::refuse}}};
};
template <>
struct Words<node::CodecChoice> {
  static constexpr WordList<node::CodecChoice, 4> list{{{"opus", node::CodecChoice::opus},
                                                        {"pcmu", node::CodecChoice::pcmu},
                                                        {"pcma", node::CodecChoice::pcma},
                                                        {"l16", node::CodecChoice::l16}}};
};
template <>
struct Words<media::EchoChoice> {
  static constexpr WordList<media::EchoChoice, 4> list{{{"auto", media::EchoChoice::automatic},
                                                        {"webrtc", media::EchoChoice::webrtc},
                                                        {"speex", media::EchoChoice::speex},
                                                        {"off", media::EchoChoice::off}}};
};
// The level of the log is its own spelling.
template <>
struct Words<std::string> {
  static constexpr WordList<std::string_view, 4> list{
      {{"error", "error"}, {"warn", "warn"}, {"info", "info"}, {"debug", "debug"}}};
};

template <class E>
std::optional<E> value_of(std::string_view text) {
  for (const auto& [word, value] : Words<E>::list)
    if (word == text) return E(value);
  return std::nullopt;
}

template <class E>
std::string_view word_of(const E& value) {
  for (const auto& [word, known] : Words<E>::list)
    if (known == value) return word;
  return {};
}

// "on", "off" or "auto"
template <class E>
std::string spelled_words() {
  std::string out;
  std::size_t left = Words<E>::list.size();
  for (const auto& entry : Words<E>::list) {
    out += '"' + std::string(entry.first) + '"';
    --left;
    out += left > 1 ? ", " : left == 1 ? " or " : "";
  }
  return out;
}

}  // namespace linnet::io
