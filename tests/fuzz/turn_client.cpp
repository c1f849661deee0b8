// A TURN client and whoever answers it: the server, somebody who says that he is it, peers behind it, and time. What
// has no right tag changes nothing, nobody is heard who was not written to, and every table keeps its bound.
#include "nat/turn_client.h"

#include "require.h"

using namespace linnet;
using namespace linnet::nat;
using namespace linnet::nat::turn;
using stun::Attr;
using stun::ErrorCode;

namespace {

class Harness {
 public:
  explicit Harness(ByteView input) : in_(input) {}

  void run() {
    server_.transport = in_.u8() % 2 == 0 ? Transport::udp : Transport::tcp;
    client_.start(now_);
    take();
    for (int step = 0; step < 200 && in_.remaining() > 0; ++step) {
      switch (in_.u8() % 12) {
        case 0:
        case 1: honest(); break;
        case 2: answer(); break;
        case 3: refuse(); break;
        case 4: raw(some()); break;
        case 5: indication(); break;
        case 6: channel_data(); break;
        case 7:
        case 8: client_.send(now_, peer(), some()); break;
        case 9: wait(); break;
        case 10: talk(); break;
        default: rare(); break;
      }
      take();
      bounds();
    }
  }

 private:
  Bytes some() {
    const auto wanted = in_.u8();
    return copy(in_.bytes(std::min<std::size_t>(wanted, in_.remaining())));
  }
  Endpoint peer() {
    const auto what = in_.u8();
    if (what < 200) return {IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(what % 40)), 6000};
    const auto ip = what % 2 == 0 ? IpAddress::v4(in_.u32()) : IpAddress::v6(in_.array<16>());
    return {ip, in_.u16()};
  }
  // What the driver does with what came of it.
  void take() {
    for (bool moved = true; moved;) {
      moved = false;
      while (const auto bytes = client_.poll_transmit()) {
        moved = true;
        fuzz::require(bytes->size() <= 0xffff);
        const auto message = stun::Message::parse(*bytes);
        if (!message) {
          fuzz::require(is_channel_data(*bytes));
        } else if (message->message_class() == stun::Class::request) {
          last_ = {message->method(), message->id(), message->has(Attr::username) || message->has(Attr::userhash)};
        }
      }
      while (const auto event = client_.poll_event()) {
        moved = true;
        if (std::holds_alternative<client_event::Open>(*event)) client_.opened(now_, server_);
      }
    }
  }
  void bounds() {
    const auto status = client_.status();
    fuzz::require(status.permissions <= AllocationClient::kMaxPermissions);
    fuzz::require(status.channels <= AllocationClient::kMaxChannels);
    fuzz::require(status.given.has_value() == (status.state == ClientState::ready));
    fuzz::require(client_.memory_bytes() <= std::size_t{512} * 1024);
  }
  void raw(Bytes bytes) {
    const auto before = client_.status();
    const auto heard = client_.handle(now_, bytes);
    if (!heard) return;
    fuzz::require(before.state == ClientState::ready && before.permissions > 0);
    fuzz::require(heard->data.data() >= bytes.data() &&
                  heard->data.data() + heard->data.size() <= bytes.data() + bytes.size());
  }
  void sign(stun::Builder& out) {
    if (sha256_) {
      out.integrity_sha256(stun::long_term_key_sha256("u", "r", "p"));
    } else {
      out.integrity(*stun::long_term_key_md5("u", "r", "p"));
    }
  }
  void challenge(stun::Builder& out) {
    out.text(Attr::realm, "r");
    if (sha256_) {
      constexpr stun::PasswordAlgorithm kList[] = {stun::PasswordAlgorithm::sha256, stun::PasswordAlgorithm::md5};
      out.text(Attr::nonce, stun::nonce_with({true, true}, "n")).password_algorithms(kList);
    } else {
      out.text(Attr::nonce, "n");
    }
  }
  // As a server answers that means well.
  void honest() {
    if (!last_.is_signed) {
      stun::Builder out(stun::Class::error, last_.method, last_.id);
      challenge(out.error(ErrorCode::unauthenticated));
      return raw(out.take());
    }
    stun::Builder out(stun::Class::success, last_.method, last_.id);
    if (last_.method == stun::Method::allocate) {
      out.endpoint(Attr::xor_relayed_address, {IpAddress::v4(192, 0, 2, 1), 50'000});
      out.endpoint(Attr::xor_relayed_address, {*IpAddress::parse("2001:db8::1"), 50'000});
      out.endpoint(Attr::xor_mapped_address, {IpAddress::v4(203, 0, 113, 9), 5000});
    }
    if (last_.method == stun::Method::allocate || last_.method == stun::Method::refresh) out.u32(Attr::lifetime, 600);
    sign(out);
    raw(out.take());
  }
  // A success, with any attributes; signed or not.
  void answer() {
    constexpr Attr kKinds[] = {Attr::xor_relayed_address,
                               Attr::xor_mapped_address,
                               Attr::lifetime,
                               Attr::reservation_token,
                               Attr::realm,
                               Attr::nonce};
    stun::Builder out(stun::Class::success, last_.method, last_.id);
    for (auto n = in_.u8() % 4; n > 0; --n) {
      const auto kind = in_.u8();
      if (kind < 60) {
        out.endpoint(Attr::xor_relayed_address, peer());
      } else if (kind < 120) {
        out.u32(Attr::lifetime, in_.u32());
      } else if (kind < 200) {
        out.bytes(kKinds[kind % std::size(kKinds)], some());
      } else {
        out.bytes(static_cast<Attr>(in_.u16()), some());
      }
    }
    const bool with_tag = in_.u8() % 2 == 0;
    if (with_tag) sign(out);
    const auto before = client_.status();
    raw(out.take());
    const auto after = client_.status();
    if (!with_tag) fuzz::require(after.state == before.state && after.given == before.given);
  }
  void refuse() {
    constexpr ErrorCode kCodes[] = {ErrorCode::unauthenticated,
                                    ErrorCode::stale_nonce,
                                    ErrorCode::allocation_mismatch,
                                    ErrorCode::forbidden,
                                    ErrorCode::allocation_quota_reached,
                                    ErrorCode::insufficient_capacity,
                                    ErrorCode::address_family_not_supported,
                                    ErrorCode::try_alternate,
                                    ErrorCode::bad_request,
                                    ErrorCode::unknown_attribute,
                                    ErrorCode::wrong_credentials,
                                    ErrorCode::unsupported_transport,
                                    ErrorCode::server_error};
    stun::Builder out(stun::Class::error, last_.method, last_.id);
    out.error(kCodes[in_.u8() % std::size(kCodes)]);
    const auto how = in_.u8();
    if (how % 2 == 0) challenge(out);
    if (how % 3 == 0) sign(out);
    raw(out.take());
  }
  void indication() {
    const auto method = in_.u8() % 8 == 0 ? stun::Method::binding : stun::Method::data;
    stun::Builder out(stun::Class::indication, method, {2});
    if (in_.u8() % 8 != 0) out.endpoint(Attr::xor_peer_address, peer());
    if (in_.u8() % 8 != 0) out.bytes(Attr::data, some());
    raw(out.take());
  }
  void channel_data() {
    const auto number = static_cast<std::uint16_t>(0x4000 + in_.u8() % 40);
    const auto data = some();
    const auto length = in_.u8() % 16 == 0 ? in_.u16() : static_cast<std::uint16_t>(data.size());
    raw(Writer().u16(number).u16(length).bytes(data).take());
  }
  // A peer that is written to and says much.
  void talk() {
    const auto at = peer();
    client_.send(now_, at, view("x"));
    take();
    honest();
    take();
    for (unsigned i = 0; i < AllocationClient::kTalks; ++i) {
      stun::Builder out(stun::Class::indication, stun::Method::data, {3});
      raw(out.endpoint(Attr::xor_peer_address, at).text(Attr::data, "y").take());
    }
  }
  void wait() {
    const auto steps = in_.u8();
    const auto until = now_ + std::chrono::seconds(steps) * (steps % 2 == 0 ? 1 : 10);
    for (int i = 0; i < 400 && client_.next_timeout() <= until; ++i) {
      now_ = std::max(now_, client_.next_timeout());
      client_.handle_timeout(now_);
      take();
      fuzz::require(client_.next_timeout() > now_);
    }
    now_ = until;
  }
  void rare() {
    switch (in_.u8() % 4) {
      case 0: client_.closed(now_, "gone"); break;
      case 1:
        client_.stop();
        take();
        client_.start(now_);
        break;
      case 2: sha256_ = !sha256_; break;
      default: client_.opened(now_, server_); break;
    }
  }

  struct Asked {
    stun::Method method{};
    stun::TransactionId id{};
    bool is_signed = false;
  };

  Reader in_;
  SeededRng rng_{1};
  Time now_{std::chrono::hours(1)};
  Endpoint server_{IpAddress::v4(192, 0, 2, 1), 3478};
  AllocationClient client_{{"u", "p"}, rng_};
  Asked last_;
  bool sha256_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Harness(ByteView(data, size)).run();
  return 0;
}
