// Multicast DNS from anybody on the link: what is read fits its bounds, and one message never makes us say much.
//
// The first byte chooses the sender's port: a machine's (even) or an ordinary resolver's.
#include "overlay/mdns.h"
#include "overlay/neighbour.h"

#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet;
  using namespace linnet::overlay;
  using fuzz::require;
  if (size == 0) return 0;
  Bytes bytes(data + 1, data + size);
  if (const auto message = dns::read(bytes)) {
    dns::Builder again(message->response, dns::kMaxMessage, message->id);
    for (const auto& q : message->questions) require(q.name.key().size() <= dns::kMaxName && again.add(q));
    // Names are written at least as short as they were read, but for what pointed into the middle of a label.
    for (const auto& r : message->answers) {
      require(r.name.key().size() <= dns::kMaxName);
      if (!again.add(dns::Builder::Section::answer, r)) return 0;
    }
    const auto back = dns::read(again.take());
    require(back.has_value() && back->answers.size() == message->answers.size());
    for (std::size_t i = 0; i < back->answers.size(); ++i) require(back->answers[i].same(message->answers[i]));
  }
  SeededRng rng(1);
  Time now{};
  const auto ip = *IpAddress::parse("fe80::1%1");
  mdns::Mdns machine(mdns::Link{false, 1, {{ip, 64}}}, dns::name("_linnet._udp.local"), rng);
  machine.start(now);
  machine.announce(now, {4400, {"v=1"}});
  std::size_t said = 0;
  const auto run = [&](Duration d) {
    const auto until = now + d;
    while (machine.next_timeout() <= until) {
      now = std::max(now, machine.next_timeout());
      machine.handle_timeout(now);
    }
    now = until;
    while (const auto t = machine.poll_transmit()) {
      require(t->bytes.size() <= mdns::kMaxPacket);
      ++said;
    }
    while (const auto event = machine.poll_event()) {
      const auto* found = std::get_if<mdns::Found>(&*event);
      const auto text = found ? read_lan_text({}, found->txt) : Result<LanText>(fail(Fault::not_found));
      if (text) require(read_lan_text({}, write(*text)).has_value());
    }
  };
  run(std::chrono::seconds(10));
  said = 0;
  const Endpoint from{*IpAddress::parse("fe80::2%1"), (data[0] & 1) != 0 ? std::uint16_t{40'000} : mdns::kPort,
                      Transport::udp};
  machine.handle_datagram(now, {from, bytes});
  run(std::chrono::milliseconds(700));
  require(said <= 12);  // each of our records once, one unicast answer, one question
  return 0;
}
