// `linnet call` and `linnet answer`: the receiver in a person's hand, until the call is over.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/arguments.h"
#include "cli/context.h"

namespace linnet::cli {

int call(const Context& context, const verb::Call& options);
int answer(const Context& context, const verb::Answer& options);

// Of a conference: `request` begins it.
struct Conferring {
  std::string who;   // stands in the summary of one that never came to be
  std::string said;  // to a person, at once
  std::string play, record;
};
int follow_conference(const Context& context, const Conferring& conferring, nlohmann::json request);

}  // namespace linnet::cli
