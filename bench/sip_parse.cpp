// How many messages one core reads, answers and writes in a second.
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "sip/core.h"
#include "sip/offer_answer.h"
#include "sip/parser.h"
#include "sip/sdp.h"

namespace {

using namespace linnet;
using namespace linnet::sip;

// 694 bytes, the body included: the size at which other stacks were measured (targets.md).
std::string invite() {
  const std::string sdp =
      "v=0\r\no=- 1000 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 9 RTP/SAVP 96\r\na=rtpmap:96 "
      "opus/48000/2\r\n"
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
      "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\na=rtcp-mux\r\na=sendrecv\r\n";
  std::string head =
      "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
      "Via: SIP/2.0/LINNET client.atlanta.example.com;branch=z9hG4bK74bf9a01d2e3f4a5b6c7\r\n"
      "Max-Forwards: 70\r\n"
      "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
      "To: Bob <sip:bob@biloxi.example.com>\r\n"
      "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
      "CSeq: 1 INVITE\r\n"
      "Contact: <sip:alice@client.atlanta.example.com>\r\n"
      "Content-Type: application/sdp\r\n";
  head += "Content-Length: " + std::to_string(sdp.size()) + "\r\n";
  while (head.size() + sdp.size() + 2 + 11 < 694) head += "Subject: a\r\n";
  return head + "\r\n" + sdp;
}

void parse_invite(benchmark::State& state) {
  const auto text = invite();
  MessageView message;
  for (auto _ : state) {
    if (!parse(view(text), message)) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(message);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(parse_invite);

void write_invite(benchmark::State& state) {
  const auto text = invite();
  MessageView parsed;
  if (!parse(view(text), parsed)) return state.SkipWithError("refused");
  const auto message = to_message(parsed);
  for (auto _ : state) benchmark::DoNotOptimize(serialise(message));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_invite);

void read_session_description(benchmark::State& state) {
  const auto text = invite();
  const auto sdp = text.substr(text.find("\r\n\r\n") + 4);
  for (auto _ : state) {
    if (!read_audio(sdp)) return state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_session_description);

// Both user agents: INVITE, 180, 200, ACK, BYE, 200.
void call(benchmark::State& state) {
  SeededRng rng(1);
  Config config;
  config.local_uri = Uri::parse("alice@home.example").value();
  Core alice(config, rng);
  config.local_uri = Uri::parse("bob@home.example").value();
  Core bob(config, rng);
  const PeerId at_alice{{1}};
  const PeerId at_bob{{2}};
  const auto text = invite();
  const auto sdp = text.substr(text.find("\r\n\r\n") + 4);
  const Time now{};
  const auto move = [&] {
    while (auto m = alice.poll_message()) bob.handle_message(now, at_alice, m->bytes);
    while (auto m = bob.poll_message()) alice.handle_message(now, at_bob, m->bytes);
    while (auto m = alice.poll_message()) bob.handle_message(now, at_alice, m->bytes);
  };
  for (auto _ : state) {
    InviteParams params;
    params.to = at_bob;
    params.target = config.local_uri;
    params.from = config.local_uri;
    params.sdp_offer = sdp;
    const auto made = alice.invite(now, std::move(params));
    move();
    const auto event = bob.poll_event();
    const auto* incoming = event ? std::get_if<IncomingCall>(&*event) : nullptr;
    if (!made || incoming == nullptr) return state.SkipWithError("no call");
    (void)bob.ring(now, incoming->call);
    (void)bob.accept(now, incoming->call, sdp);
    move();
    (void)alice.bye(now, *made);
    move();
    while (alice.poll_event() || bob.poll_event()) {
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(call);

}  // namespace

BENCHMARK_MAIN();
