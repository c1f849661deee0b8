// Webrtc while Speex learns, then Speex alone: no echo from the first word on, and both may talk at once soon after.
#pragma once

#include "media/echo_speex.h"
#include "media/echo_webrtc.h"

namespace linnet::media {

class AutomaticCanceller final : public EchoCanceller {
 public:
  explicit AutomaticCanceller(const AudioProcessingConfig& config);

  void process(Frame frame, ConstFrame played) override;
  void realign() override;
  EchoChoice active() const override { return first_ ? EchoChoice::webrtc : EchoChoice::speex; }

 private:
  void learn(ConstFrame played);
  bool learned() const;

  AudioProcessingConfig config_;
  std::unique_ptr<WebrtcCanceller> first_;  // gone once the other has learned
  SpeexCanceller second_;
  int frames_ = 0;  // in which the loudspeaker spoke since the last alignment
  double before_ = 0;
  double after_ = 0;
};

}  // namespace linnet::media
