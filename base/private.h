// Private data in logs: names, addresses and SDP are written only at debug level (security.md, check 29).
#pragma once

#include <string>
#include <utility>

namespace linnet {

// Wraps a value for a log line. The sink decides with `show` whether the text or a placeholder is written.
template <class T>
struct Private {
  const T& value;
};
template <class T>
Private(const T&) -> Private<T>;

// "…" stands for what is hidden; nothing about the value, its length included, can be read from it.
inline std::string reveal(bool show, const std::string& value) { return show ? value : std::string("\xE2\x80\xA6"); }

}  // namespace linnet
