#include "media/send_plan.h"

#include <algorithm>

namespace linnet::media {
namespace {

constexpr int kLeast = 6000;       // Opus needs this much for speech
constexpr int kMaxOffsetMs = 340;  // RFC 2198 has 14 bits for it, at 48 kHz

// A frame this long is chosen when it leaves the codec at least `enough`.
struct Step {
  int frame_ms;
  int enough;
};
constexpr std::array<Step, 4> kSteps{Step{20, 20000}, Step{40, 15000}, Step{60, 11000}, Step{120, 0}};

int header_rate(int overhead, int frame_ms) { return overhead * 8 * 1000 / frame_ms; }

// With copies the primary encoding may be a little leaner: two of 20 kbit/s beat one of 24 (docs/protocol/media.md).
int lean(int bitrate, int copies) {
  if (copies == 0) return bitrate;
  constexpr std::array<int, 3> kLean{20000, 16000, 13000};
  return std::min(bitrate, kLean[static_cast<std::size_t>(copies - 1)]);
}

std::uint8_t outage_distance(const PlanInput& in, int frame_ms) {
  if (in.outage_ms <= 0) return 0;
  const int frames = std::min(in.outage_ms + frame_ms, kMaxOffsetMs) / frame_ms;
  return static_cast<std::uint8_t>(frames > 1 ? frames : 0);
}

bool add_copies(const PlanInput& in, SendPlan& plan) {
  int count = 0;
  if (in.copies >= 1) plan.copies[count++] = 1;
  const auto far = outage_distance(in, plan.frame_ms);
  for (std::uint8_t near = 2; near <= in.copies && near < plan.copies.size() + (far == 0 ? 1 : 0); ++near)
    plan.copies[count++] = near;
  if (far != 0) plan.copies[count++] = far;
  plan.bitrate = lean(in.bitrate, count);
  return count > 0;
}

}  // namespace

int wire_rate(const SendPlan& plan, int overhead) {
  constexpr int kHeaderOfCopy = 4;
  const int frame = plan.bitrate * plan.frame_ms / 8000;
  int octets = frame + overhead;
  for (const auto distance : plan.copies) octets += distance != 0 ? frame + kHeaderOfCopy : 0;
  if (plan.copies[0] != 0) ++octets;
  return octets * 8 * 1000 / plan.frame_ms;
}

SendPlan make_plan(const PlanInput& in) {
  SendPlan plan;
  plan.frame_ms = in.frame_ms;
  plan.bitrate = in.bitrate;
  // From 7 % on the codec carries a second copy itself (media/opus_codec.cpp).
  const int loss = static_cast<int>(in.loss * 100 + 0.5);
  plan.expected_loss = in.recover ? std::max(loss, 7) : std::min(loss, 6);
  if (in.red && add_copies(in, plan) && wire_rate(plan, in.overhead) <= in.ceiling) {
    // What is left: a frame and all its copies lost.
    double left = in.loss;
    for (const auto distance : plan.copies) left *= distance != 0 ? in.loss : 1;
    plan.expected_loss = static_cast<int>(left * 100 + 0.5);
    return plan;
  }
  plan.copies = {};
  plan.bitrate = in.bitrate;
  if (wire_rate(plan, in.overhead) <= in.ceiling) return plan;
  for (const auto& step : kSteps) {
    if (step.frame_ms < in.frame_ms) continue;
    const int left = in.ceiling - header_rate(in.overhead, step.frame_ms);
    plan.frame_ms = step.frame_ms;
    plan.bitrate = std::clamp(left, kLeast, in.bitrate);
    if (left >= std::min(step.enough, in.bitrate)) break;
  }
  return plan;
}

}  // namespace linnet::media
