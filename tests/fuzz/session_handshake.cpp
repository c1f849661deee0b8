// Anything on the UDP port that begins with 4 to 8. mac1 is put right, so that the input gets past the first door.
#include "overlay/handshake_packet.h"
#include "overlay/sessions.h"
#include "require.h"

using namespace linnet;
using namespace linnet::overlay;

namespace {

struct World {
  explicit World(std::uint64_t seed) : rng(seed) {
    config.network = crypto::network_id("linnet");
    config.resets = true;
  }
  SeededRng rng;
  const crypto::Suite& suite = crypto::typed_suite();
  crypto::Identity identity = crypto::make_identity(suite, rng, *crypto::Address::parse("a@b.example"), Wall{1'700'000'000});
  SessionsConfig config;
};

void right_mac1(const World& world, Bytes& packet) {
  if (packet.size() < kMacsBytes + 2) return;
  const bool known = packet[1] % 2 == 0;
  const crypto::Mac1 mac1(world.suite, known ? ByteView(world.identity.session_key()) : ByteView(world.config.network));
  packet.resize(packet.size() - kMacsBytes);
  append_macs(packet, mac1);
}

}  // namespace

// The input: packets, each after its length (two bytes).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World world(1);
  Sessions sessions(world.config, world.suite, world.rng, world.identity);
  Path path;
  path.endpoint = {IpAddress::v4(192, 0, 2, 1), 1, Transport::udp};
  Time now{std::chrono::hours(1)};
  (void)sessions.connect(now, {std::nullopt, {path}, {}, std::chrono::seconds(10)});
  std::uint64_t in_bytes = 5 * kMessage1Bytes;  // what connect() itself may send, four cookies included
  std::uint64_t out_bytes = 0;
  Reader in(ByteView(data, size));
  for (int i = 0; i < 64 && in.remaining() > 2; ++i) {
    auto packet = copy(in.bytes(std::min<std::size_t>(in.u16(), in.remaining())));
    if (!packet.empty() && packet[0] >= kMessage1 && packet[0] <= kMessage3) right_mac1(world, packet);
    in_bytes += packet.size();
    sessions.handle_packet(now, path, packet);
    while (const auto out = sessions.poll_packet()) out_bytes += out->bytes.size();
    while (sessions.poll_event()) {
    }
    fuzz::require(out_bytes <= in_bytes);
  }
  return 0;
}
