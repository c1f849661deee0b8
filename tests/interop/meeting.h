// Our agent and libnice's, and how each is told of the other.
#pragma once

#include <gtest/gtest.h>

#include "coturn.h"
#include "foreign_agent.h"
#include "our_agent.h"

namespace linnet::interop {

struct Terms {
  bool we_control = true;
  bool both_control = false;
  bool trickle = false;
  bool they_reach_us = true;  // trickled: by candidates that we have not told them of, nor they us
  OurMeans ours;
  ForeignConfig theirs;  // controlling and trickle are said above
};

class Meeting {
 public:
  explicit Meeting(const Terms& terms);

  // Until both have chosen: a failure says why they have not.
  testing::AssertionResult agree();
  // A word each way.
  testing::AssertionResult talk();
  // Turns the loop until that holds. A minute is not a measure of anything.
  template <class Until>
  bool wait(Until until) {
    bool over = false;
    auto* end = g_timeout_source_new_seconds(60);
    g_source_set_callback(
        end,
        [](gpointer flag) -> gboolean {
          *static_cast<bool*>(flag) = true;
          return G_SOURCE_REMOVE;
        },
        &over, nullptr);
    g_source_attach(end, context.get());
    while (!until() && !over) g_main_context_iteration(context.get(), TRUE);
    g_source_destroy(end);
    g_source_unref(end);
    return until();
  }

 private:
  void all_at_once();
  void one_by_one();
  void take_theirs(const std::vector<std::string>& lines);
  void take_ours();

  Terms terms_;

 public:
  Context context;
  std::unique_ptr<OurAgent> ours;
  std::unique_ptr<ForeignAgent> theirs;
};

}  // namespace linnet::interop
