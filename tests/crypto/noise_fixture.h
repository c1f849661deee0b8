// Two parties who know what their pattern lets them know.
#pragma once

#include "base/rng.h"
#include "crypto/noise.h"

namespace linnet::crypto::noise {

struct Party {
  Party(const Suite& used, Rng& rng)
      : suite(&used),
        pair(used.static_pair(Secret(rng.array<32>()))),
        ephemeral(used.ephemeral_pair(Secret(rng.array<32>()))) {}

  Handshake start(std::string_view pattern, Role role, std::optional<SessionKey> remote = std::nullopt,
                  std::optional<Secret> psk = std::nullopt, std::string_view prologue = "linnet-1") const {
    Setup setup;
    setup.pattern = pattern;
    setup.role = role;
    setup.prologue = view(prologue);
    setup.static_pair = pair;
    setup.ephemeral_pair = ephemeral;
    setup.remote_static = remote;
    setup.psk = psk;
    return {*suite, std::move(setup)};
  }

  const Suite* suite;
  DhPair pair;
  DhPair ephemeral;
};

inline Bytes must_write(Handshake& h, std::string_view payload) {
  Bytes out;
  const auto ok = h.write(view(payload), out);
  EXPECT_TRUE(ok.has_value());
  return out;
}

// The patterns that Linnet speaks.
struct Spoken {
  const char* pattern;
  bool responder_known;
  bool psk;
};
inline constexpr Spoken kSpoken[] = {{"XK", true, false},    {"XX", false, false},    {"NK", true, false},
                                     {"XKpsk3", true, true}, {"XXpsk3", false, true}, {"NKpsk0", true, true}};

}  // namespace linnet::crypto::noise
