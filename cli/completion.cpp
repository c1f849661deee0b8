#include "cli/completion.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/grammar.h"
#include "node/io/control/control_client.h"

namespace linnet::cli {
namespace {

// A person who presses Tab does not wait longer for a daemon that is busy.
constexpr Duration kPatience = std::chrono::seconds(1);

// What may stand where a value is expected.
enum class Kind : std::uint8_t { none, words, file, folder, person };

Kind kind_of(const OptionInfo& o) {
  if (o.value.find('|') != std::string::npos) return Kind::words;
  if (o.value == "WHO") return Kind::person;
  if (o.value == "DIR") return Kind::folder;
  if (o.value == "FILE" || o.value.find(".wav") != std::string::npos) return Kind::file;
  return Kind::none;
}

std::string words_of(const OptionInfo& o) {
  std::string out = o.value;
  for (auto& c : out)
    if (c == '|') c = ' ';
  return out;
}

// 'text' for a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Subcommand words of a group, or of the program.
std::string subs_of(const std::vector<CommandInfo>& all, const std::string& group) {
  const std::string prefix = group.empty() ? "" : group + " ";
  std::string out;
  for (const auto& command : all) {
    if (command.name.empty() || command.name == group || command.name.rfind(prefix, 0) != 0) continue;
    const auto word = command.name.substr(prefix.size());
    if (word.find(' ') == std::string::npos) out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

std::string flags_of(const CommandInfo& command) {
  std::string out;
  for (const auto& o : command.options)
    for (const auto& name : o.names) out += (out.empty() ? "" : " ") + name;
  return out;
}

const OptionInfo* positional_of(const CommandInfo& command) {
  for (const auto& o : command.options)
    if (o.names.empty()) return &o;
  return nullptr;
}

std::string pattern(const OptionInfo& o) {
  std::string out;
  for (const auto& name : o.names) out += (out.empty() ? "" : "|") + name;
  return out;
}

// Every option with a value, once by its name and kind.
std::vector<OptionInfo> valued(const std::vector<CommandInfo>& all) {
  std::vector<OptionInfo> out;
  for (const auto& command : all)
    for (const auto& o : command.options) {
      if (o.names.empty() || o.value.empty()) continue;
      const bool seen = std::any_of(out.begin(), out.end(), [&](const OptionInfo& x) { return x.names == o.names; });
      if (!seen) out.push_back(o);
    }
  return out;
}

std::string bash(const std::vector<CommandInfo>& all) {
  const auto offer = [](const OptionInfo& o) -> std::string {
    switch (kind_of(o)) {
      case Kind::words: return "words=" + quoted(words_of(o));
      case Kind::person: return "words=$(_linnet_names)";
      case Kind::file: return "kind=file";
      case Kind::folder: return "kind=folder";
      case Kind::none: break;
    }
    return "kind=none";
  };
  std::string takes, values, commands;
  for (const auto& o : valued(all)) {
    takes += (takes.empty() ? "" : "|") + pattern(o);
    values += "    " + pattern(o) + ") " + offer(o) + " ;;\n";
  }
  for (const auto& command : all) {
    const auto* place = positional_of(command);
    const bool chooses = command.name.empty() || command.group;
    commands += "    " + quoted(command.name) + ")\n      flags=" + quoted(flags_of(command)) + "\n";
    if (chooses) commands += "      words=" + quoted(subs_of(all, command.name)) + "\n";
    if (!chooses && place != nullptr) commands += "      " + offer(*place) + "\n";
    commands += "      ;;\n";
  }
  return R"(# Completion of linnet for bash: source <(linnet completion bash)
_linnet_names() {
  if [[ -n $home ]]; then linnet --home "$home" completion names; else linnet completion names; fi 2>/dev/null
}
_linnet() {
  # The line is split at blanks: bash itself breaks words at "@" and ":".
  local line=${COMP_LINE:0:COMP_POINT} all cur prev='' command='' home='' words='' flags='' kind='' word skip='' w
  read -ra all <<<"$line"
  cur=''
  if [[ $line != *[[:blank:]] && ${#all[@]} -gt 0 ]]; then
    cur=${all[${#all[@]}-1]}
    unset "all[${#all[@]}-1]"
  fi
  for word in "${all[@]:1}"; do
    if [[ -n $skip ]]; then [[ $skip == --home ]] && home=$word; skip=''; prev=$word; continue; fi
    prev=$word
    case $word in
    )" + takes +
         R"() skip=$word ;;
    -*) ;;
    *)
      case " )" +
         [&] {
           std::string names;
           for (const auto& c : all) {
             if (c.name.empty()) continue;
             std::string name = c.name;
             for (auto& ch : name)
               if (ch == ' ') ch = '_';
             names += name + " ";
           }
           return names;
         }() +
         R"(" in
      *" ${command:+${command// /_}_}$word "*) command="${command:+$command }$word" ;;
      esac
      ;;
    esac
  done
  if [[ -n $skip ]]; then
    case $skip in
)" + values +
         R"(    esac
  else
    case $command in
)" + commands +
         R"(    esac
    [[ $cur == -* ]] && { words="$flags --home --json"; kind=''; }
  fi
  COMPREPLY=()
  case $kind in
  file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
  folder) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
  none) return ;;
  esac
  # What bash takes for the word begins behind the last break.
  local typed=$cur breaks=${COMP_WORDBREAKS//[[:space:]]/} head=''
  [[ $breaks == *@* && $typed == *@* ]] && head=${typed%"${typed##*@}"}
  for w in $words; do [[ $w == "$cur"* ]] && COMPREPLY+=("${w#"$head"}"); done
}
complete -F _linnet linnet
)";
}

std::string zsh(const std::vector<CommandInfo>& all) {
  const auto escape = [](std::string text) {
    std::string out;
    for (const char c : text) out += c == '[' || c == ']' || c == ':' ? std::string("\\") + c : std::string(1, c);
    return out;
  };
  const auto action = [](const OptionInfo& o) -> std::string {
    switch (kind_of(o)) {
      case Kind::words: return "(" + words_of(o) + ")";
      case Kind::person: return "_linnet_names";
      case Kind::file: return "_files";
      case Kind::folder: return "_files -/";
      case Kind::none: break;
    }
    return " ";
  };
  const auto spec = [&](const OptionInfo& o) {
    std::string out;
    for (const auto& name : o.names)
      out += " " + quoted("*" + name + "[" + escape(o.help) + "]" +
                          (o.value.empty() ? "" : ":" + escape(o.value) + ":" + action(o)));
    if (o.names.empty()) out = " " + quoted(":" + escape(o.value) + ":" + action(o));
    return out;
  };
  std::string functions;
  for (const auto& command : all) {
    if (command.name.empty()) continue;
    std::string name = command.name;
    for (auto& c : name)
      if (c == ' ') c = '_';
    if (command.group) {
      functions += "    (" + command.name + ") _arguments -C '1: :(" + subs_of(all, command.name) +
                   ")' '*:: :->rest'; sub=\"" + command.name + " $words[1]\" ;;\n";
    }
  }
  std::string leaves;
  for (const auto& command : all) {
    if (command.name.empty() || command.group) continue;
    leaves += "    (" + quoted(command.name) + ") _arguments $common";
    for (const auto& o : command.options) leaves += spec(o);
    leaves += " ;;\n";
  }
  std::string described;
  for (const auto& command : all)
    if (!command.name.empty() && command.name.find(' ') == std::string::npos)
      described += " " + quoted(command.name + ":" + escape(command.help));
  return R"zsh(#compdef linnet
# Completion of linnet for zsh: put this into a file _linnet in a folder of $fpath
_linnet_names() {
  local -a known
  if [[ -n $opt_args[--home] ]]; then known=(${(f)"$(linnet --home $opt_args[--home] completion names 2>/dev/null)"})
  else known=(${(f)"$(linnet completion names 2>/dev/null)"}); fi
  compadd -a known
}
_linnet() {
  local context state line sub curcontext=$curcontext
  typeset -A opt_args
  local -a common all
  common=('--home[every file and socket of this node lies in DIR]:DIR:_files -/' '--json[lines of JSON on stdout]' '--help[what the command takes]')
  all=()zsh" +
         described +
         R"zsh()
  _arguments -C $common '1: :->command' '*:: :->rest'
  case $state in
    (command) _describe command all; return ;;
  esac
  sub=$words[1]
  case $sub in
)zsh" + functions +
         R"zsh(  esac
  case $sub in
)zsh" + leaves +
         R"zsh(  esac
}
if [[ $funcstack[1] == _linnet ]]; then _linnet; else compdef _linnet linnet; fi
)zsh";
}

std::string fish(const std::vector<CommandInfo>& all) {
  std::string out = R"(# Completion of linnet for fish: linnet completion fish | source
function __linnet_words
  # The command words so far, without options and what they take.
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1; set skip 0; continue; end
    if contains -- $word)";
  for (const auto& o : valued(all))
    for (const auto& name : o.names) out += " " + name;
  out += R"(; set skip 1; continue; end
    string match -q -- '-*' $word; or echo $word
  end
end
function __linnet_at
  set -l have (__linnet_words)
  test (count $argv) -le (count $have); or return 1
  for i in (seq (count $argv)); test $argv[$i] = $have[$i]; or return 1; end
end
function __linnet_exactly
  test (count (__linnet_words)) = (count $argv); and __linnet_at $argv
end
complete -c linnet -f
complete -c linnet -l home -x -a '(__fish_complete_directories)' -d 'every file and socket of this node lies in DIR'
complete -c linnet -l json -d 'lines of JSON on stdout'
)";
  for (const auto& command : all) {
    if (command.name.empty()) continue;
    const auto space = command.name.rfind(' ');
    const std::string parent = space == std::string::npos ? "" : command.name.substr(0, space);
    const std::string word = space == std::string::npos ? command.name : command.name.substr(space + 1);
    out += "complete -c linnet -n " + quoted(parent.empty() ? "__linnet_exactly" : "__linnet_exactly " + parent) +
           " -a " + word + " -d " + quoted(command.help) + "\n";
    for (const auto& o : command.options) {
      std::string line = "complete -c linnet -n " + quoted("__linnet_at " + command.name);
      for (const auto& name : o.names) line += " -l " + name.substr(2);
      switch (kind_of(o)) {
        case Kind::words: line += " -x -a " + quoted(words_of(o)); break;
        case Kind::person: line += " -x -a '(linnet completion names 2>/dev/null)'"; break;
        case Kind::folder: line += " -x -a '(__fish_complete_directories)'"; break;
        case Kind::file: line += " -r -F"; break;
        case Kind::none:
          if (o.names.empty()) continue;
          if (!o.value.empty()) line += " -x";
      }
      out += line + " -d " + quoted(o.help) + "\n";
    }
  }
  return out;
}

// Nothing without a daemon: a Tab says no errors.
std::vector<std::string> known_names(const io::Home& home) {
  const auto line = io::ask(home, R"({"cmd":"names"})", kPatience);
  if (!line) return {};
  const auto answer = nlohmann::json::parse(*line, nullptr, false);
  std::vector<std::string> out;
  if (answer.is_object() && answer.contains("names"))
    for (const auto& name : answer["names"])
      if (name.is_string()) out.push_back(name.get<std::string>());
  return out;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  const auto all = grammar();
  if (shell == "bash") return bash(all);
  if (shell == "zsh") return zsh(all);
  if (shell == "fish") return fish(all);
  return {};
}

int completion(const Context& context, const verb::Completion& options) {
  if (options.shell == "names") {
    const auto names = known_names(context.home);
    if (context.json) {
      std::string list;
      for (const auto& name : names) list += (list.empty() ? "" : ",") + json_text(name);
      say(R"({"schema":1,"names":[)" + list + "]}");
    } else {
      for (const auto& name : names) say(name);
    }
    return 0;
  }
  auto script = completion_script(options.shell);
  script.pop_back();  // say() adds it
  say(context.json ? R"({"schema":1,"shell":)" + json_text(options.shell) + R"(,"script":)" + json_text(script) + "}"
                   : script);
  return 0;
}

}  // namespace linnet::cli
