// A TURN client in a test: writes requests, reads answers, and opens for the server what it asks to be opened.
#pragma once

#include <gmock/gmock.h>

#include "nat/turn_server.h"

namespace linnet::nat::turn {

using stun::Attr;
using stun::Builder;
using stun::Class;
using stun::ErrorCode;
using stun::Message;
using stun::Method;

inline const Endpoint kClient = *Endpoint::parse("203.0.113.9:5000");
inline const Endpoint kPeer = *Endpoint::parse("198.51.100.7:6000");
inline const IpAddress kServer = *IpAddress::parse("192.0.2.1");
inline const IpAddress kServer6 = *IpAddress::parse("2001:db8::1");

inline ServerConfig config_of_tests() {
  ServerConfig out;
  out.realm = "example.org";
  out.users = {{"alice", "secret"}, {"bob", "hush"}};
  out.v6 = true;
  return out;
}

// An answer with the bytes it points into.
struct Answer {
  Bytes bytes;
  Message message() const { return *Message::parse(bytes); }
  bool success() const { return message().message_class() == Class::success; }
  int code() const { return success() ? 0 : static_cast<int>(message().error()->code); }
};

struct World {
  explicit World(ServerConfig config = config_of_tests()) : server(std::move(config), rng) {}

  // Does what the driver does.
  void serve() {
    while (const auto event = server.poll_event()) {
      if (const auto* closed = std::get_if<event::Close>(&*event)) closed_relays.push_back(closed->relay);
      const auto* open = std::get_if<event::Open>(&*event);
      if (open == nullptr) continue;
      Server::Opened out;
      const auto port = static_cast<std::uint16_t>(50'000 + 2 * next_relay);
      if (open->v4 && ports_left) out.v4 = {next_relay++, {kServer, port}};
      if (open->v6 && ports_left) out.v6 = {next_relay++, {kServer6, port}};
      if (open->and_next && ports_left) out.next = {next_relay++, {kServer, static_cast<std::uint16_t>(port + 1)}};
      server.opened(now, open->allocation, out);
    }
  }
  std::optional<Answer> said() {
    serve();
    auto out = server.poll_transmit();
    if (!out) return std::nullopt;
    last_to = out->to;
    return Answer{std::move(out->bytes)};
  }
  std::optional<Answer> ask(const Endpoint& from, Bytes request) {
    const auto what = server.from_client(now, from, request);
    if (what.to == Onward::To::core) server.handle_request(now, from, request);
    return said();
  }

  Time now{std::chrono::hours(1)};
  SeededRng rng{7};
  Server server;
  RelayId next_relay = 1;
  bool ports_left = true;
  std::vector<RelayId> closed_relays;
  Endpoint last_to;
};

class Client {
 public:
  explicit Client(World& world, const Endpoint& at = kClient, std::string name = "alice",
                  std::string password = "secret")
      : world_(world), at_(at), name_(std::move(name)), password_(std::move(password)) {}

  stun::TransactionId id() {
    stun::TransactionId out{};
    out[0] = static_cast<std::uint8_t>(at_.port);
    out[10] = static_cast<std::uint8_t>(ids_ >> 8);
    out[11] = static_cast<std::uint8_t>(ids_++);
    return out;
  }
  Builder request(Method method) { return Builder(Class::request, method, id()); }
  // With what the challenge said.
  Bytes sealed(Builder out) {
    out.text(Attr::username, name_).text(Attr::realm, realm_).text(Attr::nonce, nonce_);
    out.integrity(*stun::long_term_key_md5(name_, realm_, password_));
    return out.take();
  }
  // As a client does it: once bare, then with credentials.
  Answer ask(const Builder& request) {
    if (nonce_.empty()) challenged();
    return *world_.ask(at_, sealed(request));
  }
  void challenged() {
    const auto answer = world_.ask(at_, request(Method::allocate).take());
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->code(), 401);
    realm_ = *answer->message().text(Attr::realm);
    nonce_ = *answer->message().text(Attr::nonce);
  }
  Builder allocate_request() { return request(Method::allocate).u8(Attr::requested_transport, 17); }
  Answer allocate() { return ask(allocate_request()); }
  Answer refresh(std::uint32_t seconds) { return ask(request(Method::refresh).u32(Attr::lifetime, seconds)); }
  Answer permit(const Endpoint& peer) {
    return ask(request(Method::create_permission).endpoint(Attr::xor_peer_address, peer));
  }
  Answer bind(std::uint16_t number, const Endpoint& peer) {
    return ask(request(Method::channel_bind).u16(Attr::channel_number, number).endpoint(Attr::xor_peer_address, peer));
  }
  Onward send(const Endpoint& peer, std::string_view data) {
    sent_ = Builder(Class::indication, Method::send, id())
                .endpoint(Attr::xor_peer_address, peer)
                .bytes(Attr::data, view(data))
                .take();
    return world_.server.from_client(world_.now, at_, sent_);
  }
  Onward on_channel(std::uint16_t number, ByteView data) {
    sent_ = Writer().u16(number).u16(static_cast<std::uint16_t>(data.size())).bytes(data).take();
    return world_.server.from_client(world_.now, at_, sent_);
  }
  Onward on_channel(std::uint16_t number, std::string_view data) { return on_channel(number, view(data)); }
  // A datagram of the peer comes to the relayed address.
  Onward hears(const Endpoint& peer, ByteView data, RelayId relay = 1) {
    came_.assign(Room::kBefore, 0xaa);
    append(came_, data);
    came_.resize(came_.size() + Room::kBehind, 0xaa);
    return world_.server.from_peer(world_.now, relay, peer, Room{came_.data() + Room::kBefore, data.size()});
  }
  Onward hears(const Endpoint& peer, std::string_view data, RelayId relay = 1) {
    return hears(peer, view(data), relay);
  }

  World& world_;
  Endpoint at_;
  std::string name_, password_, realm_, nonce_;
  unsigned ids_ = 1;
  Bytes sent_, came_;
};

}  // namespace linnet::nat::turn
