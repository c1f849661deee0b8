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

// From now on stdout is lines of JSON, and fail() writes one as well.
void speak_json();
// Data to stdout, at once: a watcher must not wait for a full buffer. What a command ends with ...
void say(std::string_view line);
// ... and one of several lines that an error may still follow.
void row(std::string_view line);
// Whether all data went out.
bool said();
// Talk to stderr.
void talk(std::string_view line);
// For Client::when_slow: tells a person what is being waited for; a script hears nothing.
std::function<void()> waiting(const Context& context, std::string what);
// Says what went wrong, under --json as an object on stdout too unless the command's own last line is out; returns the
// exit code.
int fail(const io::Trouble& trouble);
// {"schema":1,"ok":false,"error":"...","exit":5}
std::string error_line(const io::Trouble& trouble);
inline int code(io::Exit exit) { return static_cast<int>(exit); }
// A JSON string with its quotes.
std::string json_text(std::string_view text);

}  // namespace linnet::cli
