// The daemon's log. Names, addresses and SDP are written only at debug level; keys at none.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/private.h"

namespace linnet::io {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

// Empty path: stderr. A level that is not known counts as info. Called once, before anything is logged.
void open_log(const std::filesystem::path& file, std::string_view level);
void set_log_level(std::string_view level);
void log(LogLevel level, std::string_view line);

inline void log_info(std::string_view line) { log(LogLevel::info, line); }
inline void log_warn(std::string_view line) { log(LogLevel::warn, line); }
inline void log_error(std::string_view line) { log(LogLevel::error, line); }
inline void log_debug(std::string_view line) { log(LogLevel::debug, line); }

// The text at debug level, a placeholder otherwise.
std::string shown(Private<std::string> value);

}  // namespace linnet::io
