// A TURN server and whoever speaks to it: strangers' bytes, requests of a user and of who has a pair with any
// attributes in any order, peers' datagrams and time. Nothing is ever relayed to who may not be reached, and every
// table keeps its bound.
#include <variant>

#include "nat/turn_server.h"
#include "require.h"

using namespace linnet;
using namespace linnet::nat;
using namespace linnet::nat::turn;

namespace {

const Endpoint kPlaces[] = {*Endpoint::parse("203.0.113.9:5000"), *Endpoint::parse("[2001:db8:9::1]:5000"),
                            Endpoint{IpAddress::v4(203, 0, 113, 10), 9, Transport::tls}};
const Endpoint kOwn{IpAddress::v4(192, 0, 2, 1), 4400};
constexpr auto kSecret = "long enough a secret";

class Harness {
 public:
  explicit Harness(ByteView input) : in_(input), server_(config(), rng_) {
    server_.set_own({kOwn});
    server_.handle_wall(now_, Wall{1000});
  }

  void run() {
    for (int step = 0; step < 64 && in_.remaining() > 1; ++step) {
      const auto what = in_.u8();
      const auto& who = kPlaces[what / 8 % std::size(kPlaces)];
      switch (what % 8) {
        case 0:
        case 1:
        case 2: request(who); break;
        case 3: raw(who, some()); break;
        case 4: peer(); break;
        case 5: indication(who); break;
        case 6: wait(); break;
        default: server_.client_gone(who); break;
      }
      serve();
      fuzz::require(server_.size() <= std::size(kPlaces));
    }
  }

 private:
  static ServerConfig config() {
    ServerConfig out;
    out.users = {{"u", "p"}};
    out.secret = kSecret;
    out.v6 = true;
    out.limits.reservations = 2;
    return out;
  }
  Bytes some() {
    const auto wanted = in_.u8();
    return copy(in_.bytes(std::min<std::size_t>(wanted, in_.remaining())));
  }
  void attributes(stun::Builder& out) {
    constexpr stun::Attr kKinds[] = {stun::Attr::requested_transport,
                                     stun::Attr::lifetime,
                                     stun::Attr::xor_peer_address,
                                     stun::Attr::channel_number,
                                     stun::Attr::requested_address_family,
                                     stun::Attr::even_port,
                                     stun::Attr::additional_address_family,
                                     stun::Attr::reservation_token,
                                     stun::Attr::dont_fragment,
                                     stun::Attr::data};
    for (auto n = in_.u8() % 8; n > 0; --n) {
      const auto kind = in_.u8();
      if (kind < 200 && kKinds[kind % std::size(kKinds)] == stun::Attr::xor_peer_address) {
        const auto ip = kind % 3 == 0 ? IpAddress::v6(in_.array<16>()) : IpAddress::v4(in_.u32());
        out.endpoint(stun::Attr::xor_peer_address, Endpoint{ip, in_.u16()});
      } else if (kind < 200) {
        out.bytes(kKinds[kind % std::size(kKinds)], some());
      } else {
        out.bytes(static_cast<stun::Attr>(in_.u16()), some());
      }
    }
  }
  void request(const Endpoint& who) {
    constexpr stun::Method kMethods[] = {stun::Method::allocate, stun::Method::refresh, stun::Method::create_permission,
                                         stun::Method::channel_bind, stun::Method::connect};
    const auto method = in_.u8();
    const std::string name = method < 128 ? "u" : method < 192 ? "1100:u" : "900:u";  // good for a while; expired
    const auto password = method < 128 ? "p" : pair_password(kSecret, name);
    stun::Builder out(stun::Class::request, kMethods[method % std::size(kMethods)], {in_.u8()});
    attributes(out);
    out.text(stun::Attr::username, name).text(stun::Attr::realm, "linnet").text(stun::Attr::nonce, nonce(who));
    out.integrity(*stun::long_term_key_md5(name, "linnet", password));
    if (out.ok()) raw(who, out.take());
  }
  // As a client has it: from a challenge.
  std::string nonce(const Endpoint& who) {
    server_.handle_request(now_, who, stun::Builder(stun::Class::request, stun::Method::allocate, {1}).written());
    std::string out = "none";
    while (const auto said = server_.poll_transmit()) {
      const auto m = stun::Message::parse(said->bytes);
      if (const auto text = m ? m->text(stun::Attr::nonce) : fail(Fault::malformed)) out = *text;
    }
    return out;
  }
  void indication(const Endpoint& who) {
    stun::Builder out(stun::Class::indication, stun::Method::send, {2});
    attributes(out);
    if (out.ok()) raw(who, out.take());
  }
  void raw(const Endpoint& who, Bytes packet) {
    const auto onward = server_.from_client(now_, who, packet);
    if (onward.to == Onward::To::core) server_.handle_request(now_, who, packet);
    fuzz::require(onward.to != Onward::To::client);
    if (onward.to != Onward::To::peer) return;
    Policy policy;
    policy.own = {kOwn};
    fuzz::require(policy.allows(onward.endpoint) && onward.endpoint.port != 0 && onward.relay != 0);
    fuzz::require(onward.bytes.data() >= packet.data() &&
                  onward.bytes.data() + onward.bytes.size() <= packet.data() + packet.size());
  }
  void peer() {
    const auto ip = in_.u8() % 2 == 0 ? IpAddress::v4(in_.u32()) : IpAddress::v6(in_.array<16>());
    const Endpoint from{ip, in_.u16()};
    const auto relay = in_.u8();
    const auto data = some();
    Bytes room(Room::kBefore);
    append(room, data);
    room.resize(room.size() + Room::kBehind);
    const auto onward = server_.from_peer(now_, relay, from, Room{room.data() + Room::kBefore, data.size()});
    if (onward.to != Onward::To::client) return;
    fuzz::require(onward.bytes.data() >= room.data() &&
                  onward.bytes.data() + onward.bytes.size() <= room.data() + room.size());
    fuzz::require(server_.serves(onward.endpoint));
  }
  void wait() {
    now_ += std::chrono::seconds(in_.u8());
    if (server_.next_timeout() <= now_) server_.handle_timeout(now_);
    fuzz::require(server_.next_timeout() > now_);
  }
  void serve() {
    while (const auto event = server_.poll_event()) {
      const auto* open = std::get_if<event::Open>(&*event);
      if (open == nullptr) continue;
      Server::Opened out;
      if (open->v4) out.v4 = {++relay_, {IpAddress::v4(192, 0, 2, 1), 50'000}};
      if (open->v6) out.v6 = {++relay_, {*IpAddress::parse("2001:db8::1"), 50'000}};
      if (open->and_next) out.next = {++relay_, {IpAddress::v4(192, 0, 2, 1), 50'001}};
      server_.opened(now_, open->allocation, out);
    }
    while (const auto said = server_.poll_transmit()) fuzz::require(stun::Message::parse(said->bytes).has_value());
    fuzz::require(server_.memory_bytes() <= std::size(kPlaces) * 4096);
  }

  Reader in_;
  SeededRng rng_{1};
  Time now_{std::chrono::hours(1)};
  Server server_;
  RelayId relay_ = 0;
};

// On a stream: what is said to be a message is bounded, and told by its first bytes alone.
void frame(ByteView bytes) {
  const auto length = stream_frame(bytes);
  if (!length || *length == 0) return;
  fuzz::require(*length >= kChannelHeader && *length <= stun::kHeaderBytes + 0x10000);
  fuzz::require(stream_frame(bytes.first(std::min(bytes.size(), *length))) == length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  frame(ByteView(data, size));
  Harness(ByteView(data, size)).run();
  return 0;
}
