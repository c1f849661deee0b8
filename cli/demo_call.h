// One call of the demo: made through the caller's daemon, judged by what the callee's daemon wrote down.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/demo_node.h"
#include "media/wav.h"

namespace linnet::cli {

struct DemoCall {
  std::string result;                              // caller's
  std::string callee_result;                       // "ended" when the goodbye arrived
  std::optional<double> ring_ms, setup_ms;         // caller's
  std::optional<double> lookup_hops;               // likewise
  std::string path, codec;                         // caller's
  std::string signalling_via;                      // endpoint of the supernode that carried the INVITE; empty: not seen
  std::optional<double> loss_pct, jitter_ms, mos;  // of what the callee heard
  double said_s = 0, heard_s = 0;
  std::optional<double> match;  // STOI
  std::optional<double> mouth_to_ear_ms;
  double longest_gap_ms = 0;        // over 20 ms; 0: none
  std::optional<double> wire_kbps;  // what the caller's node sent while they talked, IP and UDP headers counted

  bool pass() const;
};

struct DemoCallPlan {
  std::string to;  // address
  std::string speech_file;
  Duration duration{};     // of talking
  std::string heard_file;  // what the callee's daemon records
  Duration talk_before{};  // then `while_talking` runs once, with the supernode that carried the signalling
  // `via`: endpoint of the supernode that carried the INVITE, empty: not seen. `path`: the call's own word for it now.
  std::function<io::Done(const std::string& via, const std::string& path)> while_talking;
};

io::Outcome<DemoCall> run_demo_call(const DemoNode& caller, const DemoNode& callee, const DemoCallPlan& plan,
                                    const media::Audio& said, int interrupt);

}  // namespace linnet::cli
