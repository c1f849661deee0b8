#include "node/io/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

namespace linnet::io {
namespace {

constexpr std::size_t kMaxFile = 5u << 20;
constexpr std::size_t kFiles = 2;

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> it;
  return it;
}

spdlog::level::level_enum level_of(std::string_view level) {
  return level == "debug"   ? spdlog::level::debug
         : level == "warn"  ? spdlog::level::warn
         : level == "error" ? spdlog::level::err
                            : spdlog::level::info;
}

}  // namespace

void open_log(const std::filesystem::path& file, std::string_view level) {
  spdlog::sink_ptr sink;
  try {
    if (!file.empty()) sink = std::make_shared<spdlog::sinks::rotating_file_sink_st>(file.string(), kMaxFile, kFiles);
  } catch (const spdlog::spdlog_ex&) {
    // A log that cannot be written does not keep anybody from telephoning: it goes to stderr.
  }
  if (!sink) sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  auto it = std::make_shared<spdlog::logger>("linnet", sink);
  it->set_level(level_of(level));
  it->flush_on(spdlog::level::info);
  it->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger() = std::move(it);
}

void set_log_level(std::string_view level) {
  if (logger()) logger()->set_level(level_of(level));
}

void log(LogLevel level, std::string_view line) {
  if (!logger()) return;
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                   spdlog::level::err};
  logger()->log(kLevels[static_cast<std::size_t>(level)], spdlog::string_view_t(line.data(), line.size()));
}

std::string shown(Private<std::string> value) {
  return reveal(logger() && logger()->should_log(spdlog::level::debug), value.value);
}

}  // namespace linnet::io
