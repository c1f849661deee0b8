// One SRTP packet of 60 and 160 octets of voice, protected and opened.
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "media/rtp.h"
#include "media/srtp.h"

namespace {

using namespace linnet;
using namespace linnet::media;

Bytes packet(std::uint16_t sequence, std::size_t payload) {
  RtpHeader header;
  header.ssrc = 1;
  header.sequence = sequence;
  Bytes out;
  out.reserve(kRtpHeader + payload + 160);
  write_rtp(out, header, Bytes(payload, 0x5a));
  return out;
}

void protect(benchmark::State& state, SrtpSuite suite) {
  SeededRng rng(1);
  auto srtp = *Srtp::outbound(SrtpKey::random(suite, rng));
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    Bytes bytes = packet(sequence++, static_cast<std::size_t>(state.range(0)));
    if (!srtp.protect_rtp(bytes)) state.SkipWithError("protect failed");
    benchmark::DoNotOptimize(bytes.data());
  }
}

void open(benchmark::State& state, SrtpSuite suite) {
  SeededRng rng(1);
  const auto key = SrtpKey::random(suite, rng);
  auto out = *Srtp::outbound(key), in = *Srtp::inbound(key);
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Bytes bytes = packet(sequence++, static_cast<std::size_t>(state.range(0)));
    (void)out.protect_rtp(bytes);
    state.ResumeTiming();
    if (!in.open_rtp(bytes)) state.SkipWithError("open failed");
  }
}

BENCHMARK_CAPTURE(protect, aead_aes_256_gcm, SrtpSuite::aead_aes_256_gcm)->Arg(60)->Arg(160);
BENCHMARK_CAPTURE(protect, aes_cm_128_hmac_sha1_80, SrtpSuite::aes_cm_128_hmac_sha1_80)->Arg(60)->Arg(160);
BENCHMARK_CAPTURE(open, aead_aes_256_gcm, SrtpSuite::aead_aes_256_gcm)->Arg(60)->Arg(160);
BENCHMARK_CAPTURE(open, aes_cm_128_hmac_sha1_80, SrtpSuite::aes_cm_128_hmac_sha1_80)->Arg(60)->Arg(160);

}  // namespace

BENCHMARK_MAIN();
