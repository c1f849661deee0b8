// sip: any bytes as a message. What is accepted is written and read back the same; a user agent answers or is silent,
// and what it answers is itself a message.
#include "base/rng.h"
#include "require.h"
#include "sip/core.h"
#include "sip/parser.h"

namespace {

using namespace linnet;
using namespace linnet::sip;
using linnet::fuzz::require;

void round_trip(ByteView bytes) {
  MessageView first;
  if (!parse(bytes, first)) return;
  const auto message = to_message(first);
  if (message.headers.size() >= kMaxHeaderFields) return;  // Content-Length would be one too many
  const auto written = serialise(message);
  MessageView second;
  require(parse(written, second).has_value());
  require(to_message(second) == message);
}

void feed(ByteView bytes) {
  SeededRng rng(1);
  Config config;
  config.local_uri = Uri::parse("bob@home.example").value();
  Core core(config, rng);
  core.handle_message(Time{}, PeerId{}, bytes);
  while (auto event = core.poll_event())
    if (const auto* call = std::get_if<IncomingCall>(&*event))
      require(core.accept(Time{}, call->call, "v=0\r\n").has_value());
  while (auto out = core.poll_message()) {
    MessageView answer;
    const auto ok = parse(out->bytes, answer);
    require(!answer.is_request);
    require(ok.has_value() || answer.status >= 400);  // a refusal repeats the fields it refuses
  }
  for (int i = 0; i < 100 && core.next_timeout() != kNever; ++i) core.handle_timeout(core.next_timeout());
  require(core.transactions() == 0 || core.next_timeout() != kNever);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  round_trip(bytes);
  feed(bytes);
  return 0;
}
