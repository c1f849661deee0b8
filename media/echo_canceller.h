// One canceller behind media/audio_processing.h: aligned 10 ms frames at 48 kHz. The echo of `played` lies in `frame`,
// no earlier than kLead before and no later than the canceller's tail after it.
#pragma once

#include <memory>
#include <span>

#include "media/audio_processing.h"

namespace linnet::media {

class EchoCanceller {
 public:
  static constexpr int kLeadMs = 20;  // the alignment aims this far before the echo

  using Frame = std::span<std::int16_t, AudioProcessing::kFrame>;
  using ConstFrame = std::span<const std::int16_t, AudioProcessing::kFrame>;

  virtual ~EchoCanceller() = default;
  virtual void process(Frame frame, ConstFrame played) = 0;
  // The alignment has changed: what was learned is of no use any more.
  virtual void realign() = 0;
  virtual EchoChoice active() const = 0;
  virtual int latency_ms() const { return 10; }
};

// Echo, noise and gain as the configuration has them; `config.echo` says which.
std::unique_ptr<EchoCanceller> make_echo_canceller(const AudioProcessingConfig& config);

}  // namespace linnet::media
