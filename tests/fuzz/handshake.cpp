// crypto/noise: byte 0 picks a pattern we speak and how far the handshake has come; the rest is what a stranger sends.
// No message but the genuine one is accepted once the pattern authenticates, and a refused one changes nothing.
#include <iterator>

#include "base/rng.h"
#include "crypto/noise.h"
#include "require.h"

namespace {

using namespace linnet;
using namespace linnet::crypto;
using noise::Handshake;
using noise::Role;

struct Spoken {
  const char* pattern;
  bool responder_known;
  bool psk;
};
constexpr Spoken kSpoken[] = {{"XK", true, false},    {"XX", false, false},    {"NK", true, false},
                              {"XKpsk3", true, true}, {"XXpsk3", false, true}, {"NKpsk0", true, true}};

Handshake party(const Spoken& spoken, Role role, SeededRng& rng, const DhPair& own, const SessionKey& responder) {
  noise::Setup setup;
  setup.pattern = spoken.pattern;
  setup.role = role;
  setup.static_pair = own;
  setup.ephemeral_pair = shipped_suite().ephemeral_pair(Secret(rng.array<32>()));
  if (role == Role::initiator && spoken.responder_known) setup.remote_static = responder;
  if (spoken.psk) setup.psk = Secret(ByteArray<32>{1});
  return {shipped_suite(), std::move(setup)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto& spoken = kSpoken[data[0] % std::size(kSpoken)];
  const int before = data[0] / static_cast<int>(std::size(kSpoken)) % 3;  // messages exchanged beforehand
  SeededRng rng(1);
  const auto alice = shipped_suite().static_pair(Secret(rng.array<32>()));
  const auto bob = shipped_suite().static_pair(Secret(rng.array<32>()));
  auto a = party(spoken, Role::initiator, rng, alice, bob.public_key);
  auto b = party(spoken, Role::responder, rng, bob, bob.public_key);
  auto* victim = &b;
  Bytes genuine;
  for (int i = 0; i <= before; ++i) {
    if (a.finished()) return 0;  // NK ends with message 2
    auto& sender = i % 2 == 0 ? a : b;
    victim = i % 2 == 0 ? &b : &a;
    genuine.clear();
    fuzz::require(sender.write(view("payload"), genuine).has_value());
    if (i < before) fuzz::require(victim->read(genuine).has_value());
  }
  const ByteView message(data + 1, size - 1);
  const auto read = victim->read(message);
  const bool open_to_all = before == 0;  // nobody has proved anything in a first message
  if (read && !open_to_all) fuzz::require(equal(message, genuine));
  if (!read) fuzz::require(victim->read(genuine).has_value());
  return 0;
}
