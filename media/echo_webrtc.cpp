#include "media/echo_webrtc.h"

#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

#include <algorithm>

namespace linnet::media {

struct WebrtcCanceller::Module {
  std::unique_ptr<webrtc::AudioProcessing> processing;
  webrtc::AudioFrame frame;  // 4 KiB, kept off the stack
  bool echo = false;

  void load(std::span<const std::int16_t> samples) {
    frame.UpdateFrame(0, 0, samples.data(), static_cast<int>(samples.size()), kRate, webrtc::AudioFrame::kNormalSpeech,
                      webrtc::AudioFrame::kVadUnknown, 1);
  }
};

WebrtcCanceller::WebrtcCanceller(const AudioProcessingConfig& config) : module_(std::make_unique<Module>()) {
  webrtc::Config options;  // owns what it is given
  options.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));
  module_->processing.reset(webrtc::AudioProcessing::Create(options));
  module_->echo = config.echo != EchoChoice::off;
  auto& processing = *module_->processing;
  processing.high_pass_filter()->Enable(true);
  processing.echo_cancellation()->Enable(module_->echo);
  processing.echo_cancellation()->set_suppression_level(webrtc::EchoCancellation::kLowSuppression);
  processing.noise_suppression()->Enable(config.noise);
  processing.noise_suppression()->set_level(webrtc::NoiseSuppression::kModerate);
  processing.gain_control()->set_mode(webrtc::GainControl::kAdaptiveDigital);
  processing.gain_control()->Enable(config.gain);
}

WebrtcCanceller::~WebrtcCanceller() = default;

void WebrtcCanceller::process(Frame frame, ConstFrame played) {
  auto& processing = *module_->processing;
  module_->load(played);
  processing.ProcessReverseStream(&module_->frame);
  processing.set_stream_delay_ms(kLeadMs);  // the streams come aligned
  module_->load(frame);
  if (processing.ProcessStream(&module_->frame) < 0) return;  // the frame as it was
  std::copy_n(module_->frame.data_, frame.size(), frame.begin());
}

void WebrtcCanceller::realign() { module_->processing->Initialize(); }

}  // namespace linnet::media
