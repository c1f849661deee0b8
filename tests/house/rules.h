// The rules of ARCHITECTURE.md. Each says what is wrong with one file, or nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source.h"

namespace linnet::house {

using Findings = std::vector<std::string>;

inline constexpr std::size_t kMaxLines = 500;

// "Who may include whom": base <- crypto <- {dht nat sip media} <- overlay, node <- node/io <- cli; overlay, node <-
// sim.
Findings include_graph(const Source& source);
// Sockets, files, threads, Asio, PortAudio and SQLite stand in node/io alone.
Findings system_headers(const Source& source);
// Clocks and random devices are read in node/io alone.
Findings clocks_and_chance(const Source& source);
// A core owns by value or by unique_ptr.
Findings shared_ownership(const Source& source);
// A bad packet is counted and dropped, never thrown.
Findings exceptions(const Source& source);
Findings length(const Source& source);
Findings include_guard(const Source& source);
// No path of the machine that a file was written on.
Findings machine_paths(std::string_view path, std::string_view text);
// tests/FOLDER stands for FOLDER, or for one of the kinds of test that stand for no folder.
Findings mirror(std::string_view test_folder, const std::vector<std::string>& source_folders);

}  // namespace linnet::house
