// What every command is given, and how it ends.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "node/io/settings/home.h"

namespace linnet::cli {

struct Context {
  io::Home home;
  bool json = false;
};

// Data to stdout, at once: a watcher must not wait for a full buffer.
void say(std::string_view line);
// Whether all data went out.
bool said();
// Talk to stderr.
void talk(std::string_view line);
// For Client::when_slow: tells a person what is being waited for; a script hears nothing.
std::function<void()> waiting(const Context& context, std::string what);
// Says what went wrong; returns the exit code.
int fail(const io::Trouble& trouble);
inline int code(io::Exit exit) { return static_cast<int>(exit); }
// A JSON string with its quotes.
std::string json_text(std::string_view text);

}  // namespace linnet::cli
