// Frames of an authenticated but hostile peer: the input is sealed with the session's key, so that it reaches the frame reader,
// channels, acknowledgements and path table behind it.
#include "overlay/frame.h"
#include "overlay/session.h"
#include "require.h"

using namespace linnet;
using namespace linnet::overlay;

namespace {

struct World {
  World() {
    config.network = crypto::network_id("linnet");
    start.initiator = true;
    start.local_index = 1;
    start.remote_index = 1;
    start.split.send.key = crypto::Secret(ByteArray<32>{1});
    start.split.receive.key = crypto::Secret(ByteArray<32>{2});
    start.path.endpoint = {IpAddress::v4(192, 0, 2, 1), 1, Transport::udp};
  }
  SeededRng rng{1};
  const crypto::Suite& suite = crypto::typed_suite();
  crypto::Identity identity = crypto::make_identity(suite, rng, *crypto::Address::parse("a@b.example"), Wall{1'700'000'000});
  SessionsConfig config;
  Sessions::Counters counters;
  Fifo<SessionsEvent> events;
  Fifo<PacketOut> out;
  PathIndex paths;
  std::size_t open = 0;
  std::size_t reassembly = 0;
  SessionContext context{config, suite, rng, identity, counters, events, out, paths, open, reassembly};
  Session::Start start;
};

}  // namespace

// The input: packets, each after its length (one byte, times four) and a byte that picks the path.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  world.events.clear();
  world.out.clear();
  auto start = world.start;
  Time now{std::chrono::hours(1)};
  Session session(world.context, now, start, SessionUp{start.id, true, {}, {}, start.path});
  (void)session.send(now, Channel::chat, Bytes(3000));
  session.build(world.context, now);
  Reader in(ByteView(data, size));
  for (std::uint64_t number = 0; in.remaining() > 2 && number < 64; ++number) {
    const auto length = std::min<std::size_t>(in.u8() * 4U, in.remaining() - 1);
    auto path = start.path;
    path.endpoint.port = static_cast<std::uint16_t>(1 + in.u8() % 20);
    Bytes packet;
    write_data_header(packet, {1, 0, number});
    auto plain = copy(in.bytes(length));
    plain.resize(std::max<std::size_t>(plain.size(), 9));
    const auto head = packet;
    world.suite.seal(world.start.split.receive.key, number, head, plain, packet);
    const auto header = read_data_header(packet);
    fuzz::require(header.has_value());
    session.receive(world.context, now, path, *header, packet);
    session.build(world.context, now);
    now += std::chrono::milliseconds(20);
    session.on_timeout(world.context, now);
    session.build(world.context, now);
  }
  fuzz::require(session.memory_bytes() <= 1024 * 1024);
  session.close(world.context, now, frame::CloseReason::closed, DownReason::closed);
  fuzz::require(world.open == 0 && world.reassembly == 0);
  return 0;
}
