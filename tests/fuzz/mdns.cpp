// Multicast DNS from anybody on the link: what is read fits its bounds, and one message never makes us say much.
//
// The first byte says how it comes (Flag). With kSeveral it is a conversation, each message after its length (two
// bytes); a length of 0xffff sends back what we said last with one octet changed, where (two bytes) and how: so
// somebody claims our names.
#include "overlay/mdns.h"
#include "overlay/neighbour.h"

#include "require.h"

namespace {

using namespace linnet;
using namespace linnet::overlay;
using fuzz::require;

enum Flag : std::uint8_t { kResolver = 1, kWhileProbing = 2, kWithdraw = 4, kIpv4 = 8, kSeveral = 16, kElsewhere = 32 };
constexpr std::uint16_t kEcho = 0xffff;

void round_trip(ByteView bytes) {
  const auto message = dns::read(bytes);
  if (!message) return;
  dns::Builder again(message->response, dns::kMaxMessage, message->id);
  for (const auto& q : message->questions) require(q.name.key().size() <= dns::kMaxName && again.add(q));
  // Names are written at least as short as they were read, but for what pointed into the middle of a label.
  for (const auto& r : message->answers) {
    require(r.name.key().size() <= dns::kMaxName);
    if (!again.add(dns::Builder::Section::answer, r)) return;
  }
  const auto back = dns::read(again.take());
  require(back.has_value() && back->answers.size() == message->answers.size());
  for (std::size_t i = 0; i < back->answers.size(); ++i) require(back->answers[i].same(message->answers[i]));
}

class Play {
 public:
  explicit Play(std::uint8_t flags) : v4_((flags & kIpv4) != 0) {
    machine_.start(now_);
    machine_.announce(now_, {4400, {"v=1"}});
    run(flags & kWhileProbing ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000));
    from_ = neighbour((flags & kElsewhere) != 0);
    if ((flags & kResolver) != 0) from_.port = 40'000;
    said_ = 0;
  }

  void hear(Bytes bytes) {
    machine_.handle_datagram(now_, {from_, bytes});
    run(std::chrono::milliseconds(700));
  }
  void echo(std::size_t at, std::uint8_t flip) {
    auto bytes = last_;
    if (!bytes.empty()) bytes[at % bytes.size()] ^= flip;
    hear(std::move(bytes));
  }
  // Every instance is asked for again, and lost when nobody answers.
  void wait(Duration d) { run(d); }
  void withdraw() {
    machine_.withdraw(now_);
    run(std::chrono::seconds(1));
    require(!machine_.announced());
  }
  std::size_t said() const { return said_; }

 private:
  static mdns::Link link(bool v4) {
    const auto ip = *IpAddress::parse(v4 ? "192.0.2.1" : "fe80::1%1");
    return {v4, 1, {{ip, v4 ? 24U : 64U}}};
  }
  Endpoint neighbour(bool elsewhere) const {
    const auto* ip = v4_ ? (elsewhere ? "198.51.100.1" : "192.0.2.2") : (elsewhere ? "2001:db8::2" : "fe80::2%1");
    return {*IpAddress::parse(ip), mdns::kPort, Transport::udp};
  }
  void run(Duration d) {
    const auto until = now_ + d;
    while (machine_.next_timeout() <= until) {
      now_ = std::max(now_, machine_.next_timeout());
      machine_.handle_timeout(now_);
      drain();
    }
    now_ = until;
    drain();
  }
  void drain() {
    while (const auto t = machine_.poll_transmit()) {
      require(t->bytes.size() <= mdns::kMaxPacket);
      last_ = copy(t->bytes);
      ++said_;
    }
    while (const auto event = machine_.poll_event()) {
      const auto* found = std::get_if<mdns::Found>(&*event);
      const auto text = found ? read_lan_text({}, found->txt) : Result<LanText>(fail(Fault::not_found));
      if (text) require(read_lan_text({}, write(*text)).has_value());
    }
  }

  SeededRng rng_{1};
  bool v4_;
  Time now_{};
  mdns::Mdns machine_{link(v4_), dns::name("_linnet._udp.local"), rng_};
  Endpoint from_;
  Bytes last_;
  std::size_t said_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto flags = data[0];
  Reader in(ByteView(data + 1, size - 1));
  Play play(flags);
  if ((flags & kSeveral) == 0) {
    round_trip(in.rest());
    play.hear(copy(in.rest()));
    if ((flags & kWhileProbing) == 0)
      require(play.said() <= 12);  // each of our records once, one unicast answer, one question
  }
  for (int i = 0; i < 16 && (flags & kSeveral) != 0 && in.remaining() >= 2; ++i) {
    const auto length = in.u16();
    if (length == kEcho) {
      const auto at = in.u16();
      play.echo(at, in.u8());
    } else if (length > 0xff00) {
      play.wait(std::chrono::seconds(length - 0xff00) * 60);
    } else {
      const auto message = in.bytes(std::min<std::size_t>(length, in.remaining()));
      round_trip(message);
      play.hear(copy(message));
    }
  }
  if ((flags & kWithdraw) != 0) play.withdraw();
  return 0;
}
