#include "media/echo_speex.h"

#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace linnet::media {
namespace {

constexpr int kSpeexFrame = static_cast<int>(AudioProcessing::kFrame);
constexpr spx_int32_t kResidual = -40;          // dB, while only the far side speaks
constexpr spx_int32_t kResidualBothTalk = -15;  // dB, mild: the near speaker stays whole
constexpr spx_int32_t kNoise = -15;             // dB
constexpr spx_int32_t kNoNoise = 0;
constexpr spx_int32_t kMaxGain = 20;          // dB: no more, or pauses come up as loud as speech
constexpr spx_int32_t kGainTarget = 14'000;   // gives speech the usual level of telephony, -26 dB of full scale
constexpr spx_int32_t kGainRises = 6;         // dB/s
constexpr double kSpeaksAbove = 100.0 * 100;  // energy per sample of a loudspeaker that speaks
constexpr int kHangover = 20;                 // frames: the room answers for a while

double energy_of(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const auto s : samples) sum += static_cast<double>(s) * s;
  return sum / static_cast<double>(samples.size());
}

void set(SpeexPreprocessState_* state, int what, spx_int32_t value) { speex_preprocess_ctl(state, what, &value); }

}  // namespace

void SpeexCanceller::Free::operator()(SpeexEchoState_* state) const { speex_echo_state_destroy(state); }
void SpeexCanceller::Free::operator()(SpeexPreprocessState_* state) const { speex_preprocess_state_destroy(state); }

SpeexCanceller::SpeexCanceller(const AudioProcessingConfig& config) {
  if (config.echo != EchoChoice::off) {
    echo_.reset(speex_echo_state_init(kSpeexFrame, kTailMs * kSamplesPerMs));
    spx_int32_t rate = kRate;
    speex_echo_ctl(echo_.get(), SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
  }
  clean_.reset(speex_preprocess_state_init(kSpeexFrame, kRate));
  // Without "denoise" the preprocessor would not touch the residual echo either; 0 dB leaves the noise alone.
  set(clean_.get(), SPEEX_PREPROCESS_SET_DENOISE, 1);
  set(clean_.get(), SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, config.noise ? kNoise : kNoNoise);
  set(clean_.get(), SPEEX_PREPROCESS_SET_AGC_MAX_GAIN, kMaxGain);
  set(clean_.get(), SPEEX_PREPROCESS_SET_AGC_TARGET, kGainTarget);
  set(clean_.get(), SPEEX_PREPROCESS_SET_AGC_INCREMENT, kGainRises);
  set(clean_.get(), SPEEX_PREPROCESS_SET_AGC, config.gain ? 1 : 0);
  if (!echo_) return;
  speex_preprocess_ctl(clean_.get(), SPEEX_PREPROCESS_SET_ECHO_STATE, echo_.get());
  set(clean_.get(), SPEEX_PREPROCESS_SET_ECHO_SUPPRESS, kResidual);
  set(clean_.get(), SPEEX_PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE, kResidualBothTalk);
}

SpeexCanceller::~SpeexCanceller() = default;

double SpeexCanceller::gain() const {
  spx_int32_t on = 0, db = 0;  // in spite of what the header says
  speex_preprocess_ctl(clean_.get(), SPEEX_PREPROCESS_GET_AGC, &on);
  if (on != 0) speex_preprocess_ctl(clean_.get(), SPEEX_PREPROCESS_GET_AGC_GAIN, &db);
  return std::pow(10.0, db / 20.0);
}

// What is left of the echo is no voice to bring up: while the loudspeaker speaks the gain only falls.
void SpeexCanceller::hold_gain(bool speaks) {
  if (!echo_) return;
  quiet_frames_ = speaks ? 0 : std::min(quiet_frames_ + 1, kHangover);
  set(clean_.get(), SPEEX_PREPROCESS_SET_AGC_INCREMENT, quiet_frames_ < kHangover ? 0 : kGainRises);
}

void SpeexCanceller::process(Frame frame, ConstFrame played) {
  hold_gain(energy_of(played) > kSpeaksAbove);
  before_ = energy_of(frame);
  if (echo_) {
    std::array<std::int16_t, AudioProcessing::kFrame> out;
    speex_echo_cancellation(echo_.get(), frame.data(), played.data(), out.data());
    std::copy(out.begin(), out.end(), frame.begin());
  }
  after_ = energy_of(frame);
  speex_preprocess_run(clean_.get(), frame.data());
}

void SpeexCanceller::realign() {
  if (echo_) speex_echo_state_reset(echo_.get());
}

}  // namespace linnet::media
