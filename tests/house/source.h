// The tree as the house rules see it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace linnet::house {

struct Source {
  std::string path;    // from the root: "node/io/net/udp_socket.cpp"
  std::string folder;  // "node/io/net"
  std::string text;
};

struct Include {
  std::string name;     // what stands between the quotes or brackets
  bool quoted = false;  // "x" and not <x>
};

std::string folder_of(std::string_view path);

// .h and .cpp files of the source folders (tests, bench and examples where `with_tests`), sorted by path.
std::vector<Source> sources(bool with_tests = false);
// Paths that version control knows; where there is none, every file outside build folders.
std::vector<std::string> tracked_files();
std::string read_file(std::string_view path);

// The text without comments and without what stands inside quotes; lines keep their numbers.
std::string code_of(std::string_view text);
std::vector<Include> includes_of(std::string_view text);

// True when `name` occurs as a whole identifier ("steady_clock"), or, where it ends in '(', as a call of a free
// function ("rand(").
bool mentions(std::string_view code, std::string_view name);

}  // namespace linnet::house
