// What start-up and the commands of a person report: one plain sentence (or a few) and the exit code of docs/config.md.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace linnet::io {

enum class Exit : int {
  ok = 0,
  failed = 1,
  usage = 2,
  no_daemon = 3,
  not_found = 4,
  unreachable = 5,
  declined = 6,
  identity = 7,
  relayed = 8,
  interrupted = 130,
};

struct Trouble {
  std::string text;
  Exit exit = Exit::failed;
};

template <class T>
using Outcome = tl::expected<T, Trouble>;
using Done = tl::expected<void, Trouble>;

inline tl::unexpected<Trouble> trouble(std::string text, Exit exit = Exit::failed) {
  return tl::unexpected<Trouble>(Trouble{std::move(text), exit});
}

// "Permission denied" for the errno of the call that just failed.
std::string os_error();

}  // namespace linnet::io
