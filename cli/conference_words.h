// The words of `linnet conf`, as CLI11 reads them: a part of cli/arguments.cpp.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "cli/arguments.h"

namespace linnet::cli {

class ConferenceWords {
 public:
  void add(CLI::App& app);
  // Nothing where `command` ("conf new ") is another one. After the words were read.
  std::optional<io::Outcome<Verb>> verb_of(const std::string& command);

 private:
  io::Outcome<Verb> mute() const;

  verb::ConfNew begin_;
  verb::ConfJoin join_;
  std::string who_, on_, conference_;
  std::vector<std::string> mute_words_;
};

}  // namespace linnet::cli
