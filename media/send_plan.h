// How the sender spends the bits a path carries: length of frames, bitrate, recovery.
#pragma once

#include <array>
#include <cstdint>

namespace linnet::media {

struct SendPlan {
  int frame_ms = 20;                     // 10, 20, 40, 60 or 120
  int bitrate = 24000;                   // of the codec
  int expected_loss = 0;                 // per cent that redundancy does not cover: the codec's own recovery
  std::array<std::uint8_t, 3> copies{};  // RFC 2198: distances in frames; 0: none
  bool operator==(const SendPlan&) const = default;
};

struct PlanInput {
  int bitrate = 24000;      // as configured: what is sent where nothing is in the way
  int frame_ms = 20;        // as negotiated
  int overhead = 56;        // octets of a packet beside the codec's: IP, UDP, RTP, SRTP
  int ceiling = 1'000'000;  // bit/s on the wire
  double loss = 0;          // 0..1, that is no sign of congestion
  int copies = 0;           // 0..3 of each frame that the loss calls for
  bool recover = false;     // the codec's own recovery is worth its bits where there are no copies
  int outage_ms = 0;        // the runs of loss are about this long; 0: losses come one by one
  bool red = false;         // the peer takes RFC 2198
};

// Speech first, then recovery: frames grow longer before the bitrate falls under what carries speech well, and copies
// are sent only where they fit.
SendPlan make_plan(const PlanInput& in);

// Bit/s on the wire that a plan costs.
int wire_rate(const SendPlan& plan, int overhead);

}  // namespace linnet::media
