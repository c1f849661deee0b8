// SRTP protect and unprotect of a 160-octet payload, AES-256-GCM: our wrapper against libsrtp2 alone, taking turns in
// one run. Prints nanoseconds of CPU a packet and the median ratio.
#include <srtp2/srtp.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/rng.h"
#include "media/rtp.h"
#include "media/srtp.h"

namespace {

using namespace linnet;
using namespace linnet::media;

constexpr int kPackets = 100'000, kTurns = 5;
constexpr std::size_t kPayload = 160;

double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

Bytes packet(std::uint16_t sequence) {
  RtpHeader header;
  header.ssrc = 1;
  header.sequence = sequence;
  Bytes out;
  out.reserve(kRtpHeader + kPayload + 160);
  write_rtp(out, header, Bytes(kPayload, 0x5a));
  return out;
}

double ours(const SrtpKey& key) {
  auto out = *Srtp::outbound(key), in = *Srtp::inbound(key);
  const double begin = cpu_ns();
  for (int i = 0; i < kPackets; ++i) {
    Bytes bytes = packet(static_cast<std::uint16_t>(i));
    if (!out.protect_rtp(bytes) || !in.open_rtp(bytes)) return 0;
  }
  return (cpu_ns() - begin) / kPackets;
}

srtp_t context(const SrtpKey& key, srtp_ssrc_type_t direction) {
  std::array<std::uint8_t, 64> master{};
  std::copy(key.inline_key().begin(), key.inline_key().end(), master.begin());
  srtp_policy_t policy{};
  srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
  srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
  policy.ssrc.type = direction;
  policy.key = master.data();
  policy.window_size = kSrtpReplayWindow;
  srtp_t out = nullptr;
  return srtp_create(&out, &policy) == srtp_err_status_ok ? out : nullptr;
}

// The same packets in the same kind of buffer, with the room the library asks for.
double library(const SrtpKey& key) {
  const srtp_t out = context(key, ssrc_any_outbound), in = context(key, ssrc_any_inbound);
  if (out == nullptr || in == nullptr) return 0;
  const double begin = cpu_ns();
  for (int i = 0; i < kPackets; ++i) {
    Bytes bytes = packet(static_cast<std::uint16_t>(i));
    int length = static_cast<int>(bytes.size());
    bytes.resize(bytes.size() + SRTP_MAX_TRAILER_LEN + 4);
    if (srtp_protect(out, bytes.data(), &length) != srtp_err_status_ok) return 0;
    if (srtp_unprotect(in, bytes.data(), &length) != srtp_err_status_ok) return 0;
  }
  const double each = (cpu_ns() - begin) / kPackets;
  srtp_dealloc(out);
  srtp_dealloc(in);
  return each;
}

}  // namespace

int main() {
  SeededRng rng(1);
  const auto key = SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng);
  (void)ours(key);  // warms up, and starts the library
  std::array<double, kTurns> ratios{};
  for (int turn = 0; turn < kTurns; ++turn) {
    const double a = ours(key), b = library(key);
    if (a <= 0 || b <= 0) return 1;
    ratios[static_cast<std::size_t>(turn)] = a / b;
    std::printf("turn %d  linnet %.0f ns  libsrtp2 %.0f ns  ratio %.3f\n", turn + 1, a, b, a / b);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("median ratio %.3f\n", ratios[kTurns / 2]);
  return 0;
}
