// Handshakes with anybody: a stranger's packets on the UDP port, and those of a peer who keeps to the rules until one
// octet is changed on the way. mac1 is put right and seals are open, so that the input gets past the doors.
#include <array>
#include <deque>

#include "open_suite.h"
#include "overlay/handshake_packet.h"
#include "overlay/sessions.h"
#include "require.h"

using namespace linnet;
using namespace linnet::overlay;

namespace {

const auto kNetwork = crypto::network_id("linnet");

const crypto::Identity& identity(std::size_t n) {
  static const auto both = [] {
    SeededRng rng(1);
    const auto make = [&](const char* name) {
      return crypto::make_identity(fuzz::open_suite(), rng, *crypto::Address::parse(name), Wall{1'700'000'000});
    };
    return std::array{make("a@b.example"), make("c@d.example")};
  }();
  return both[n];
}

SessionsConfig config(bool psk, bool loaded) {
  SessionsConfig out;
  out.network = kNetwork;
  out.resets = true;
  if (psk) out.psk = crypto::Secret(ByteArray<32>{1});
  if (loaded) out.cookies_over = 0;
  return out;
}

// The first octet of an input.
enum Flag : std::uint8_t { kPsk = 1, kPeerPsk = 2, kLoaded = 4, kPeerLoaded = 8 };
enum class Step : std::uint8_t {
  stranger,
  to_peer,
  from_peer,
  altered,
  lost,
  time,
  connect,
  peer_connects,
  forget,
  talk,
  count
};

struct Side {
  Side(SessionsConfig c, std::size_t n, std::uint64_t seed)
      : own(identity(n)), rng(seed), sessions(std::move(c), fuzz::open_suite(), rng, own) {}

  // What it has to say, and the sessions that stand.
  void drain(Time now) {
    do {
      while (auto out = sessions.poll_packet()) {
        said += out->bytes.size();
        if (packets.size() < 64) packets.push_back(std::move(out->bytes));
      }
      while (const auto event = sessions.poll_event()) {
        if (const auto* up = std::get_if<SessionUp>(&*event)) {
          open.push_back(up->session);
          if (!up->initiator) sessions.accept(now, up->session);
        }
        if (const auto* down = std::get_if<SessionDown>(&*event)) std::erase(open, down->session);
      }
    } while (sessions.next_timeout() <= now && (sessions.handle_timeout(now), true));
  }

  const crypto::Identity& own;
  SeededRng rng;
  Sessions sessions;
  std::deque<Bytes> packets;
  std::vector<SessionId> open;
  std::uint64_t said = 0;
};

class Play {
 public:
  explicit Play(std::uint8_t flags)
      : flags_(flags), we_(config(flags & kPsk, flags & kLoaded), 0, 2), peer_(make_peer()) {}

  bool step(Reader& in) {
    const auto what = static_cast<Step>(in.u8() % static_cast<std::uint8_t>(Step::count));
    switch (what) {
      case Step::stranger: {
        auto packet = copy(in.bytes(std::min<std::size_t>(in.u16(), in.remaining())));
        heard_ += packet.size();
        right_mac1(packet);
        we_.sessions.handle_packet(now_, path(1), packet);
        break;
      }
      case Step::to_peer:
        if (auto packet = take(we_)) peer_->sessions.handle_packet(now_, path(2), *packet);
        break;
      case Step::from_peer:
        if (auto packet = take(*peer_)) receive(*packet);
        break;
      case Step::altered: {
        const std::size_t at = in.u16();
        const auto flip = in.u8();
        auto packet = take(*peer_);
        if (!packet || packet->empty()) break;
        (*packet)[at % packet->size()] ^= flip;
        right_mac1(*packet);
        receive(*packet);
        break;
      }
      case Step::lost: (void)take(we_); break;
      case Step::time:
        now_ += std::chrono::milliseconds(50) * (1 + in.u8());
        strangers_only_ = false;
        break;
      case Step::connect: connect(we_, 1, path(1), in.u8()); break;
      case Step::peer_connects: connect(*peer_, 0, path(2), in.u8()); break;
      case Step::forget: peer_ = make_peer(); break;
      case Step::talk:
        for (const auto id : peer_->open) (void)peer_->sessions.send(now_, id, Channel::control, Bytes(in.u8()));
        break;
      case Step::count: break;
    }
    we_.drain(now_);
    peer_->drain(now_);
    // Nobody makes us send more than he sent.
    if (strangers_only_) fuzz::require(we_.said <= heard_);
    return in.ok();
  }

  void finish() {
    while (!we_.open.empty()) {
      we_.sessions.close(now_, we_.open.back());
      we_.open.pop_back();
    }
    now_ += std::chrono::minutes(30);
    we_.sessions.handle_timeout(now_);
    we_.drain(now_);
    fuzz::require(we_.sessions.size() == 0 && we_.open.empty());
  }

 private:
  static Path path(std::uint8_t host) {
    Path out;
    out.endpoint = {IpAddress::v4(192, 0, 2, host), 1, Transport::udp};
    return out;
  }
  std::unique_ptr<Side> make_peer() const {
    return std::make_unique<Side>(config(flags_ & kPeerPsk, flags_ & kPeerLoaded), 1, 3);
  }
  static std::optional<Bytes> take(Side& from) {
    if (from.packets.empty()) return std::nullopt;
    auto out = std::move(from.packets.front());
    from.packets.pop_front();
    return out;
  }
  void receive(Bytes& packet) {
    heard_ += packet.size();
    we_.sessions.handle_packet(now_, path(1), packet);
  }
  // Bit 0: the key is known; bit 1: by TCP as well; bit 2: to itself.
  void connect(Side& from, std::size_t whom, Path way, std::uint8_t how) {
    strangers_only_ = false;
    ConnectTo to{std::nullopt, {way}, Bytes(how), std::chrono::seconds(10)};
    if ((how & 4) != 0) whom = 1 - whom;
    if ((how & 1) != 0) to.remote = identity(whom).session_key();
    if ((how & 2) != 0) {
      way.endpoint.transport = Transport::tcp;
      to.paths.push_back(way);
    }
    (void)from.sessions.connect(now_, std::move(to));
  }
  void right_mac1(Bytes& packet) const {
    if (packet.size() < kMacsBytes + 2 || packet[0] < kMessage1 || packet[0] > kMessage3) return;
    // Message 2 is keyed as its message 1 was: by the responder.
    const auto& responder = identity(packet[0] == kMessage2 ? 1 : 0).session_key();
    const bool known = packet[1] % 2 == 0;
    const crypto::Mac1 mac1(fuzz::open_suite(), known ? ByteView(responder) : ByteView(kNetwork));
    const auto covered = packet.size() - kMacsBytes;
    const auto mac = mac1.compute(ByteView(packet).first(covered));
    std::copy(mac.begin(), mac.end(), packet.begin() + static_cast<std::ptrdiff_t>(covered));
  }

  std::uint8_t flags_;
  Time now_{std::chrono::hours(1)};
  bool strangers_only_ = true;
  std::uint64_t heard_ = 0;
  Side we_;
  std::unique_ptr<Side> peer_;
};

}  // namespace

// The input: an octet of flags, then steps, each an octet and what it asks for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader in(ByteView(data, size));
  Play play(in.u8());
  for (int i = 0; i < 64 && in.remaining() > 0 && play.step(in); ++i) {
  }
  play.finish();
  return 0;
}
