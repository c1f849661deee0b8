// What arrives on the RPC door and what is inside it. The first byte chooses: payload of a request, of an answer, or
// whole datagrams thrown at a supernode that has a question under way.
#include "base/pack.h"
#include "dht/dht.h"
#include "dht/frame.h"
#include "dht/message.h"
#include "require.h"

namespace {

using namespace linnet;

void request(ByteView bytes) {
  const auto parsed = dht::read_request(bytes);
  if (!parsed) return;
  const auto again = dht::read_request(dht::encode(*parsed, 0));
  fuzz::require(again.has_value() && again->kind == parsed->kind && again->target == parsed->target &&
                again->record == parsed->record);
}

void answer(ByteView bytes) {
  const auto parsed = dht::read_answer(bytes);
  if (!parsed) return;
  const auto packed = dht::encode(*parsed, kMaxDatagram);
  fuzz::require(packed.size() <= kMaxDatagram);
  fuzz::require(dht::read_answer(packed).has_value());
}

// The sealing is the stand-ins', so that mutations come past it now and then; the bytes are a request's payload.
void datagram(ByteView bytes) {
  const auto& suite = crypto::typed_suite();
  SeededRng rng(1);
  static const auto own = [&] {
    return crypto::make_identity(suite, rng, *crypto::Address::parse("a@b.example"), Wall{1'800'000'000});
  }();
  dht::Config config;
  config.network = crypto::network_id("linnet");
  dht::Dht core(config, suite, rng, own, Endpoint{IpAddress::v4(10, 0, 0, 1), 4400, Transport::udp});
  core.handle_wall(Time{}, Wall{1'800'000'000});
  const Endpoint from{IpAddress::v4(10, 0, 0, 2), 4400, Transport::udp};
  Bytes raw = copy(bytes);
  core.handle_datagram(Time{}, Datagram{from, raw});
  if (bytes.size() < 900) {
    const dht::Sealer sealer(suite, config.network, std::nullopt);
    auto sealed = sealer.seal_request(1, own.session_key(), crypto::Secret(rng.array<32>()), bytes);
    fuzz::require(sealed.has_value());
    core.handle_datagram(Time{}, Datagram{from, sealed->frame});
    while (auto out = core.poll_transmit()) {
      if (out->bytes[0] == dht::kAnswerType) fuzz::require(out->bytes.size() <= sealed->frame.size());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0: request(rest); break;
    case 1: answer(rest); break;
    default: datagram(rest); break;
  }
  return 0;
}
