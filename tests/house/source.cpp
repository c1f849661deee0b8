#include "source.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include "checkout.h"

namespace linnet::house {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = LINNET_SOURCE_DIR;

constexpr std::string_view kFolders[] = {"base", "crypto", "dht",  "overlay", "nat",
                                         "sip",  "media",  "node", "cli",     "sim"};
constexpr std::string_view kAlso[] = {"tests", "bench", "examples"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

void collect(std::string_view top, std::vector<Source>& out) {
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / top, missing)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".h" && extension != ".cpp")) continue;
    const auto path = entry.path().lexically_relative(kRoot).generic_string();
    out.push_back({path, folder_of(path), read_file(path)});
  }
}

// Copies `text` while blanking comments and the inside of literals.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank_until("\n", false);
      } else if (starts("/*")) {
        blank_until("*/", true);
      } else if (starts("R\"") && !(at_ > 0 && is_word(text_[at_ - 1]))) {
        raw_string();
      } else if (text_[at_] == '"') {
        literal('"');
      } else if (text_[at_] == '\'' && !(at_ > 0 && is_word(text_[at_ - 1]))) {  // else a digit separator
        literal('\'');
      } else {
        out_ += text_[at_++];
      }
    }
    return out_;
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  void blank() {
    out_ += text_[at_] == '\n' ? '\n' : ' ';
    ++at_;
  }
  void blank_until(std::string_view end, bool with_end) {
    while (at_ < text_.size() && !starts(end)) blank();
    for (std::size_t i = 0; with_end && i < end.size() && at_ < text_.size(); ++i) blank();
  }
  void raw_string() {
    const auto open = text_.find('(', at_);
    if (open == std::string_view::npos) return blank_until("\n", false);
    blank_until(")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"", true);
  }
  void literal(char quote) {
    out_ += text_[at_++];
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) blank();
      blank();
    }
    if (at_ < text_.size()) out_ += text_[at_++];
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

std::vector<std::string> walk() {
  std::vector<std::string> out;
  for (auto it = fs::recursive_directory_iterator(kRoot); it != fs::recursive_directory_iterator(); ++it) {
    const auto name = it->path().filename().string();
    if (it->is_directory() && (name == ".git" || name.starts_with("build"))) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file()) {
      out.push_back(it->path().lexically_relative(kRoot).generic_string());
    }
  }
  return out;
}

}  // namespace

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash));
}

std::string read_file(std::string_view path) {
  std::ifstream in(kRoot / path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Source> sources(bool with_tests) {
  std::vector<Source> out;
  for (const auto folder : kFolders) collect(folder, out);
  for (const auto folder : kAlso) {
    if (with_tests) collect(folder, out);
  }
  std::sort(out.begin(), out.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
  return out;
}

std::vector<std::string> tracked_files() {
  const auto command = "git -C '" + kRoot.string() + "' ls-files -z 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string all;
  char buffer[4096];
  while (pipe != nullptr) {
    const auto n = std::fread(buffer, 1, sizeof buffer, pipe.get());
    if (n == 0) break;
    all.append(buffer, n);
  }
  if (all.empty()) return walk();
  std::vector<std::string> out;
  std::istringstream in(all);
  for (std::string path; std::getline(in, path, '\0');) out.push_back(path);
  return out;
}

std::string code_of(std::string_view text) { return Blanker(text).run(); }

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> out;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    const auto hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#') continue;
    const auto word = line.find_first_not_of(" \t", hash + 1);
    if (word == std::string::npos || line.compare(word, 7, "include") != 0) continue;
    const auto open = line.find_first_of("\"<", word);
    if (open == std::string::npos) continue;
    const auto close = line.find(line[open] == '"' ? '"' : '>', open + 1);
    if (close == std::string::npos) continue;
    out.push_back({line.substr(open + 1, close - open - 1), line[open] == '"'});
  }
  return out;
}

bool mentions(std::string_view code, std::string_view name) {
  const bool call = name.ends_with('(');
  if (call) name.remove_suffix(1);
  for (auto at = code.find(name); at != std::string_view::npos; at = code.find(name, at + 1)) {
    if (at > 0 && is_word(code[at - 1])) continue;
    auto end = at + name.size();
    if (end < code.size() && is_word(code[end])) continue;
    if (!call) return true;
    // A member of that name is another function.
    if (at > 0 && (code[at - 1] == '.' || (at > 1 && code.substr(at - 2, 2) == "->"))) continue;
    while (end < code.size() && code[end] == ' ') ++end;
    if (end < code.size() && code[end] == '(') return true;
  }
  return false;
}

}  // namespace linnet::house
