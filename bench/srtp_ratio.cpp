// SRTP protect and unprotect of a 160-octet payload: our wrapper against libsrtp2 alone, once with the ciphers that
// media/srtp_ciphers.h put in and once as it comes. All go through the same packets in short turns on one CPU, who is
// first changing each time, so that a neighbour's load falls on all. Prints nanoseconds of CPU a packet and the median
// of the ratios with its middle half, for each suite.
#include <sched.h>
#include <srtp2/srtp.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/rng.h"
#include "media/rtp.h"
#include "media/srtp.h"

namespace {

using namespace linnet;
using namespace linnet::media;

constexpr int kPackets = 4000, kTurns = 201;
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

srtp_t context(const SrtpKey& key, srtp_ssrc_type_t direction) {
  std::array<std::uint8_t, 64> master{};
  std::copy(key.inline_key().begin(), key.inline_key().end(), master.begin());
  srtp_policy_t policy{};
  const auto set = key.suite() == SrtpSuite::aead_aes_256_gcm ? srtp_crypto_policy_set_aes_gcm_256_16_auth
                                                              : srtp_crypto_policy_set_rtp_default;
  set(&policy.rtp);
  set(&policy.rtcp);
  policy.ssrc.type = direction;
  policy.key = master.data();
  policy.window_size = kSrtpReplayWindow;
  srtp_t out = nullptr;
  return srtp_create(&out, &policy) == srtp_err_status_ok ? out : nullptr;
}

class Ours {
 public:
  explicit Ours(const SrtpKey& key) : out_(*Srtp::outbound(key)), in_(*Srtp::inbound(key)) {}
  bool pass(Bytes& bytes) { return out_.protect_rtp(bytes).has_value() && in_.open_rtp(bytes).has_value(); }

 private:
  Srtp out_, in_;
};

// The same kind of buffer, with the room the library asks for.
class Library {
 public:
  explicit Library(const SrtpKey& key) : out_(context(key, ssrc_any_outbound)), in_(context(key, ssrc_any_inbound)) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    srtp_dealloc(out_);
    srtp_dealloc(in_);
  }
  bool pass(Bytes& bytes) {
    int length = static_cast<int>(bytes.size());
    bytes.resize(bytes.size() + SRTP_MAX_TRAILER_LEN + 4);
    return srtp_protect(out_, bytes.data(), &length) == srtp_err_status_ok &&
           srtp_unprotect(in_, bytes.data(), &length) == srtp_err_status_ok;
  }

 private:
  srtp_t out_, in_;
};

// Nanoseconds of CPU a packet; sequence numbers go on from turn to turn.
template <class Side>
double turn_of(Side& side, std::uint16_t& sequence) {
  const double begin = cpu_ns();
  for (int i = 0; i < kPackets; ++i) {
    Bytes bytes = packet(sequence++);
    if (!side.pass(bytes)) std::exit(1);
  }
  return (cpu_ns() - begin) / kPackets;
}

// Where it is allowed: a change of CPU costs whoever has the turn.
bool stay_on_this_cpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void print(const char* suite, const char* whom, const std::vector<double>& own, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < own.size(); ++i) ratios.push_back(own[i] / theirs[i]);
  std::printf("%s: linnet %.0f ns  %s %.0f ns  ratio median %.3f (middle half %.3f to %.3f)\n", suite,
              quantile(own, 0.5), whom, quantile(theirs, 0.5), quantile(ratios, 0.5), quantile(ratios, 0.25),
              quantile(ratios, 0.75));
}

void measure(const SrtpKey& key, Library& as_it_comes) {
  Ours ours(key);
  Library same_ciphers(key);
  std::array<std::uint16_t, 3> sequence{};
  std::array<std::vector<double>, 3> spent;
  for (int turn = -3; turn < kTurns; ++turn) {  // the first three warm up
    for (int i = 0; i < 3; ++i) {
      const auto side = static_cast<std::size_t>((turn + 3 + i) % 3);
      const double ns = side == 0   ? turn_of(ours, sequence[0])
                        : side == 1 ? turn_of(same_ciphers, sequence[1])
                                    : turn_of(as_it_comes, sequence[2]);
      if (turn >= 0) spent[side].push_back(ns);
    }
  }
  const std::string suite(suite_name(key.suite()));
  print(suite.c_str(), "libsrtp2 with the same ciphers", spent[0], spent[1]);
  print(suite.c_str(), "libsrtp2 as it comes", spent[0], spent[2]);
}

}  // namespace

int main() {
  SeededRng rng(1);
  const auto gcm = SrtpKey::random(SrtpSuite::aead_aes_256_gcm, rng);
  const auto counter = SrtpKey::random(SrtpSuite::aes_cm_128_hmac_sha1_80, rng);
  // What it was made with a context keeps: these come before our ciphers are put in.
  if (srtp_init() != srtp_err_status_ok) return 1;
  Library plain_gcm(gcm), plain_counter(counter);
  if (!Srtp::prepare()) return 1;
  const bool pinned = stay_on_this_cpu();
  measure(gcm, plain_gcm);
  measure(counter, plain_counter);
  std::printf("%d turns of %d packets%s\n", kTurns, kPackets, pinned ? ", on one CPU" : "");
  return 0;
}
