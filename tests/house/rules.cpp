#include "rules.h"

#include <algorithm>
#include <map>
#include <set>

namespace linnet::house {
namespace {

using Names = std::set<std::string, std::less<>>;

Names operator+(Names a, const Names& b) {
  a.insert(b.begin(), b.end());
  return a;
}

const Names kNode = {"base", "crypto", "dht", "nat", "sip", "media", "overlay", "node"};
// What every folder below node/io stands on: the files of node/io itself.
const Names kIo = kNode + Names{"node/io"};
const Names kAllIo =
    kIo + Names{"node/io/net", "node/io/sound", "node/io/store", "node/io/settings", "node/io/control"};

// Source folder -> folders whose headers it may include.
const std::map<std::string, Names, std::less<>> kMayInclude = {
    {"base", {"base"}},
    {"crypto", {"base", "crypto"}},
    {"dht", {"base", "crypto", "dht"}},
    {"nat", {"base", "crypto", "nat"}},
    {"sip", {"base", "crypto", "sip"}},
    {"media", {"base", "crypto", "media"}},
    {"overlay", {"base", "crypto", "dht", "overlay"}},
    {"node", kNode},
    {"node/io", kAllIo},  // the driver and the daemon join what lies below
    {"node/io/net", kIo + Names{"node/io/net"}},
    {"node/io/sound", kIo + Names{"node/io/sound"}},
    {"node/io/store", kIo + Names{"node/io/store"}},
    {"node/io/settings", kIo + Names{"node/io/net", "node/io/sound", "node/io/settings"}},
    {"node/io/control", kAllIo},
    {"cli", kAllIo + Names{"cli"}},
    {"sim", kNode + Names{"sim"}},
};

const Names kCores = {"base", "crypto", "dht", "overlay", "nat", "sip", "media", "node"};

bool is_io(const Source& s) { return s.folder == "node/io" || s.folder.starts_with("node/io/"); }

bool is_core(const Source& s) { return kCores.count(s.folder) != 0; }

// The simulator's report says what a run cost; nothing in a run may depend on it.
bool is_sim_report(const Source& s) { return s.path == "sim/main.cpp" || s.path.starts_with("sim/report"); }

const Names kSystem = {"unistd.h",     "fcntl.h",   "poll.h",    "netdb.h",    "ifaddrs.h",
                       "signal.h",     "csignal",   "pthread.h", "dlfcn.h",    "pwd.h",
                       "spawn.h",      "syslog.h",  "thread",    "mutex",      "future",
                       "shared_mutex", "fstream",   "iostream",  "filesystem", "condition_variable",
                       "portaudio.h",  "sqlite3.h", "random",    "time.h",     "ctime"};
constexpr std::string_view kSystemPrefixes[] = {"sys/",       "netinet/",    "arpa/", "net/",     "linux/",
                                                "boost/asio", "boost/beast", "asio",  "openssl/", "spdlog/"};

const Names kCliMay = {"unistd.h", "sys/wait.h", "signal.h", "csignal", "fstream", "iostream", "filesystem", "ctime"};
const Names kSimMay = {"fstream", "iostream"};

bool is_system(std::string_view header) {
  return kSystem.count(header) != 0 || std::any_of(std::begin(kSystemPrefixes), std::end(kSystemPrefixes),
                                                   [header](std::string_view p) { return header.starts_with(p); });
}

bool excused(const Source& s, std::string_view header) {
  if (s.folder == "crypto") return header == "openssl/evp.h";  // digests, no sockets
  if (s.folder == "cli") return kCliMay.count(header) != 0 || header.starts_with("spdlog/");
  if (s.folder == "sim")
    return kSimMay.count(header) != 0 || (is_sim_report(s) && (header == "sys/resource.h" || header == "unistd.h")) ||
           (s.path == "sim/arena.h" && header == "sys/mman.h");
  return false;
}

constexpr std::string_view kClocks[] = {"steady_clock",  "system_clock", "high_resolution_clock",
                                        "clock_gettime", "gettimeofday", "timespec_get",
                                        "localtime",     "gmtime",       "time(",
                                        "clock(",        "getrusage"};
constexpr std::string_view kChance[] = {"random_device",
                                        "rand(",
                                        "srand(",

                                        "drand48",
                                        "getrandom",
                                        "getentropy",
                                        "arc4random",
                                        "RAND_bytes",
                                        "crypto_box_keypair",
                                        "crypto_sign_keypair",
                                        "crypto_kx_keypair"};

std::size_t lines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) +
         (!text.empty() && text.back() != '\n' ? 1 : 0);
}

// "time(" as a call of the C function: with the one argument it takes, not a declaration or another function of the
// name.
bool calls_c_time(std::string_view code) {
  for (const auto* call : {"time(nullptr)", "time(NULL)", "time(0)", "time(&"}) {
    for (auto at = code.find(call); at != std::string_view::npos; at = code.find(call, at + 1)) {
      const char before = at > 0 ? code[at - 1] : ' ';
      if (before != '_' && before != '.' && before != '>' && std::isalnum(static_cast<unsigned char>(before)) == 0)
        return true;
    }
  }
  return false;
}

bool reads(std::string_view code, std::string_view name) {
  return name == "time(" ? calls_c_time(code) : mentions(code, name);
}

}  // namespace

Findings include_graph(const Source& source) {
  Findings out;
  const auto rule = kMayInclude.find(source.folder);
  if (rule == kMayInclude.end()) return {source.path + ": a folder that ARCHITECTURE.md does not name"};
  for (const auto& include : includes_of(source.text)) {
    const auto folder = folder_of(include.name);
    if (!include.quoted && kMayInclude.count(folder) == 0) continue;  // a library's header
    if (rule->second.count(folder) != 0) continue;
    out.push_back(source.path + ": may not include \"" + include.name + "\"");
  }
  return out;
}

Findings system_headers(const Source& source) {
  Findings out;
  if (is_io(source)) return out;
  for (const auto& include : includes_of(source.text)) {
    if (!include.quoted && is_system(include.name) && !excused(source, include.name)) {
      out.push_back(source.path + ": <" + include.name + "> belongs in node/io");
    }
  }
  return out;
}

Findings clocks_and_chance(const Source& source) {
  Findings out;
  if (is_io(source)) return out;
  const auto code = code_of(source.text);
  // The command line reads a clock to redraw its live line, and for nothing else.
  const bool may_read_clocks = source.folder == "cli" || is_sim_report(source);
  for (const auto name : kClocks) {
    if (!may_read_clocks && reads(code, name)) out.push_back(source.path + ": reads a clock: " + std::string(name));
  }
  for (const auto name : kChance) {
    if (mentions(code, name)) out.push_back(source.path + ": reads a random device: " + std::string(name));
  }
  if (code.find("randombytes_") != std::string::npos)
    out.push_back(source.path + ": reads a random device: randombytes_");
  return out;
}

Findings shared_ownership(const Source& source) {
  const auto code = is_core(source) ? code_of(source.text) : std::string();
  Findings out;
  for (const auto* name : {"shared_ptr", "make_shared", "enable_shared_from_this", "weak_ptr"}) {
    if (mentions(code, name)) out.push_back(source.path + ": " + name + " in a core");
  }
  return out;
}

Findings exceptions(const Source& source) {
  if (!is_core(source)) return {};
  auto code = code_of(source.text);
  // What a C library answers when memory is out is what new throws.
  constexpr std::string_view kOutOfMemory = "throw std::bad_alloc()";
  for (auto at = code.find(kOutOfMemory); at != std::string::npos; at = code.find(kOutOfMemory))
    code.erase(at, kOutOfMemory.size());
  if (!mentions(code, "throw")) return {};
  return {source.path + ": throws in a core"};
}

Findings length(const Source& source) {
  const auto n = lines(source.text);
  if (n <= kMaxLines) return {};
  return {source.path + ": " + std::to_string(n) + " lines, at most " + std::to_string(kMaxLines)};
}

Findings include_guard(const Source& source) {
  if (!source.path.ends_with(".h") || source.text.find("#pragma once\n") != std::string::npos) return {};
  return {source.path + ": a header without #pragma once"};
}

Findings machine_paths(std::string_view path, std::string_view text) {
  Findings out;
  for (const auto& place : {std::string("/wo") + "rk/", std::string("/ro") + "ot/"}) {
    for (auto at = text.find(place); at != std::string_view::npos; at = text.find(place, at + 1)) {
      const char before = at > 0 ? text[at - 1] : ' ';
      // In the middle of a longer relative path it is no path of a machine.
      if (std::isalnum(static_cast<unsigned char>(before)) != 0 || before == '_' || before == '.' || before == '}')
        continue;
      out.push_back(std::string(path) + ": names a path of one machine, " + place);
      break;
    }
  }
  return out;
}

Findings mirror(std::string_view test_folder, const std::vector<std::string>& source_folders) {
  static const Names kKinds = {"scenario", "fuzz", "interop", "house", "lab"};  // lab: the instruments of the others
  if (kKinds.count(test_folder) != 0) return {};
  const auto stands_for = [test_folder](const std::string& f) {
    return f == test_folder || (f == "node/io" && test_folder == "io");
  };
  if (std::any_of(source_folders.begin(), source_folders.end(), stands_for)) return {};
  return {"tests/" + std::string(test_folder) + ": there is no such source folder"};
}

}  // namespace linnet::house
