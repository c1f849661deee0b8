#include "media/resampler.h"

#include <speex/speex_resampler.h>

#include <new>

namespace linnet::media {

void Resampler::Free::operator()(SpeexResamplerState_* state) const { speex_resampler_destroy(state); }

Resampler::Resampler(int from, int to, int quality) : from_(from), to_(to) {
  int error = 0;
  state_.reset(
      speex_resampler_init(1, static_cast<spx_uint32_t>(from), static_cast<spx_uint32_t>(to), quality, &error));
  if (!state_) throw std::bad_alloc();
}

std::size_t Resampler::process(std::span<const std::int16_t> in, std::span<std::int16_t> out) {
  auto used = static_cast<spx_uint32_t>(in.size());
  auto made = static_cast<spx_uint32_t>(out.size());
  speex_resampler_process_int(state_.get(), 0, in.data(), &used, out.data(), &made);
  return made;
}

void Resampler::process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out) {
  while (!in.empty()) {
    const std::size_t at = out.size();
    out.resize(at + in.size() * static_cast<std::size_t>(to_) / static_cast<std::size_t>(from_) + 64);
    auto used = static_cast<spx_uint32_t>(in.size());
    auto made = static_cast<spx_uint32_t>(out.size() - at);
    speex_resampler_process_int(state_.get(), 0, in.data(), &used, out.data() + at, &made);
    out.resize(at + made);
    if (used == 0 && made == 0) return;
    in = in.subspan(used);
  }
}

void Resampler::skip_zeros() { speex_resampler_skip_zeros(state_.get()); }

int Resampler::output_latency() const { return speex_resampler_get_output_latency(state_.get()); }

std::vector<std::int16_t> resample(std::span<const std::int16_t> in, int from, int to, int quality) {
  std::vector<std::int16_t> out;
  if (from == to) {
    out.assign(in.begin(), in.end());
    return out;
  }
  const std::size_t want = in.size() * static_cast<std::size_t>(to) / static_cast<std::size_t>(from);
  out.reserve(want + 4096);
  Resampler resampler(from, to, quality);
  resampler.skip_zeros();
  resampler.process(in, out);
  // The filter still holds its latency; silence pushes it out.
  const std::vector<std::int16_t> tail(static_cast<std::size_t>(from) / 10);
  if (out.size() < want) resampler.process(tail, out);
  out.resize(want);
  return out;
}

}  // namespace linnet::media
