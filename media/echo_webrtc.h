// The audio processing module of WebRTC as Debian has it (0.3): a short linear filter and a suppressor behind it.
#pragma once

#include "media/echo_canceller.h"

namespace linnet::media {

class WebrtcCanceller final : public EchoCanceller {
 public:
  explicit WebrtcCanceller(const AudioProcessingConfig& config);
  ~WebrtcCanceller() override;

  void process(Frame frame, ConstFrame played) override;
  void realign() override;
  EchoChoice active() const override { return EchoChoice::webrtc; }

 private:
  struct Module;
  std::unique_ptr<Module> module_;
};

}  // namespace linnet::media
