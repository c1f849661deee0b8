// Speex: a linear filter (J.-M. Valin, "On Adjusting the Learning Rate in Frequency Domain Echo Cancellation With
// Double-Talk", IEEE TASLP 15(3), 2007), and its preprocessor for the residual echo, noise and gain.
#pragma once

#include "media/echo_canceller.h"

struct SpeexEchoState_;
struct SpeexPreprocessState_;

namespace linnet::media {

class SpeexCanceller final : public EchoCanceller {
 public:
  explicit SpeexCanceller(const AudioProcessingConfig& config);
  ~SpeexCanceller() override;

  void process(Frame frame, ConstFrame played) override;
  void realign() override;
  EchoChoice active() const override { return EchoChoice::speex; }

  double gain() const;  // of the voice, as a factor
  // How much the linear filter alone took away from the last frame: energy before and after, per sample.
  double before() const { return before_; }
  double after() const { return after_; }

 private:
  static constexpr int kTailMs = 160;  // kLeadMs of it before the echo

  void hold_gain(bool speaks);

  struct Free {
    void operator()(SpeexEchoState_* state) const;
    void operator()(SpeexPreprocessState_* state) const;
  };
  std::unique_ptr<SpeexEchoState_, Free> echo_;  // null: no echo cancellation
  std::unique_ptr<SpeexPreprocessState_, Free> clean_;
  double before_ = 0;
  double after_ = 0;
  int quiet_frames_ = 0;
};

}  // namespace linnet::media
