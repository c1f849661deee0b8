#include "sim/report_runs.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace linnet::sim {
namespace {

std::string own_path() {
  std::array<char, 4096> out{};
  const auto n = readlink("/proc/self/exe", out.data(), out.size() - 1);
  return n > 0 ? std::string(out.data(), static_cast<std::size_t>(n)) : "linnet-sim";
}

// The JSON line that the command prints; empty when it printed none.
std::string output_of(const std::string& arguments) {
  auto* pipe = popen(("'" + own_path() + "' " + arguments).c_str(), "r");
  if (pipe == nullptr) return {};
  std::string out;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), static_cast<int>(part.size()), pipe) != nullptr) out += part.data();
  pclose(pipe);  // 1 where an invariant was broken: the line says which
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::string with_command(const std::string& command, const std::string& line) {
  auto parsed = nlohmann::ordered_json::parse(line, nullptr, false);
  if (!parsed.is_object()) return {};
  nlohmann::ordered_json out;
  out["command"] = command;
  out.update(parsed);
  return out.dump();
}

}  // namespace

RunLog::RunLog(const std::string& path) {
  if (path.empty()) return;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    if (parsed.is_object() && parsed.contains("command")) lines_[parsed["command"]] = line;
  }
  file_.open(path, std::ios::app);
  writable_ = file_.is_open();
}

std::string RunLog::line_of(const std::string& command, const std::string& which) {
  auto& line = lines_[command];
  std::fprintf(stderr, "%s: linnet-sim %s%s\n", which.c_str(), command.c_str(), line.empty() ? "" : "  (known)");
  if (!line.empty()) return line;
  line = with_command(command, output_of(command));
  if (line.empty()) {
    std::fprintf(stderr, "it printed no report\n");
  } else if (file_.is_open()) {
    file_ << line << std::endl;
  }
  return line;
}

std::string number_of(std::size_t index, std::size_t all) {
  return std::to_string(index + 1) + " of " + std::to_string(all);
}

}  // namespace linnet::sim
