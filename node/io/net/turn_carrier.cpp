#include "node/io/net/turn_carrier.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "node/io/clock.h"
#include "node/io/log.h"
#include "node/io/net/address.h"
#include "overlay/path.h"

namespace linnet::io {
namespace {

constexpr std::size_t kLargest = 4096;  // of a datagram; what the node takes is smaller
constexpr std::size_t kReadAtOnce = 16 * 1024;
constexpr int kDatagramsAtOnce = 64;
constexpr int kStreamReadsAtOnce = 4;  // then others get their turn

Fd connected(const Endpoint& to) {
  Fd fd(::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto address = to_socket_address(to);
  if (fd && ::connect(fd.get(), address.get(), address.size) != 0) fd.reset();
  return fd;
}

// Where packets to there leave from.
std::optional<IpAddress> source_to(const Fd& fd) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  if (!fd || ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local), &size) != 0) return std::nullopt;
  return to_endpoint(local).ip;
}

}  // namespace

TurnCarrier::TurnCarrier(Loop& loop, Rng& rng, TurnLogin login, Ears ears)
    : loop_(loop), login_(std::move(login)), ears_(std::move(ears)), client_(login_.user, rng) {
  alarm_ = loop_.alarm([this] { tick(); });
  on_ = loop_.alarm([this] {
    if (stream_) read_stream();
  });
}

TurnCarrier::~TurnCarrier() {
  ears_ = {};
  stop();
}

void TurnCarrier::start() {
  wanted_ = true;
  if (const auto numeric = Endpoint::parse(login_.server.place())) return found({*numeric});
  name_ = std::make_unique<NameWatch>(loop_, std::vector<std::string>{},
                                      [this](std::vector<Endpoint> at) { found(std::move(at)); });
  name_->rename({login_.server.place()});
  if (!proxy()) return;
  client_.start(now());  // the proxy knows the name, whether we do or not
  pump();
}

std::optional<ByteStream::Through> TurnCarrier::proxy() const {
  if (!login_.by_proxy || login_.server.transport == Transport::udp) return std::nullopt;
  const auto numeric = Endpoint::parse(login_.server.place());
  overlay::ProxyTarget target;
  if (!numeric) target.name = login_.server.host;
  target.endpoint = numeric.value_or(overlay::placeholder(0xffff, login_.server.port));
  return login_.by_proxy(target);
}

void TurnCarrier::found(std::vector<Endpoint> at) {
  if (at.empty()) return;
  for (auto& one : at) one.transport = login_.server.transport;
  at_ = std::move(at);
  if (!wanted_ || by_proxy_) return;
  which_ = 0;
  client_.start(now());
  pump();
}

void TurnCarrier::stop() {
  wanted_ = false;
  client_.stop();
  pump();
}

void TurnCarrier::send(const Transmit& transmit) {
  auto peer = transmit.to;
  peer.socket = 0;
  client_.send(now(), peer, transmit.bytes);
}

void TurnCarrier::flush() { pump(); }

// A name without an address is asked for again; so is one whose addresses do not answer.
void TurnCarrier::every_second() {
  if (name_) name_->every_second(at_.empty() || client_.status().state == nat::turn::ClientState::waiting);
}

void TurnCarrier::addresses_changed() {
  if (!wanted_ || at_.empty()) return;
  auto as_datagrams = server_;
  as_datagrams.transport = Transport::udp;
  const auto before = socket_ ? source_to(socket_) : stream_ ? stream_->local() : std::nullopt;
  const auto after = source_to(connected(as_datagrams));
  if (!after || before == after) return;
  client_.stop();
  client_.start(now());
  pump();
}

TurnCarrierStatus TurnCarrier::status() const {
  TurnCarrierStatus out{login_.server.place(), login_.server.transport, by_proxy_, client_.status()};
  if (wanted_ && at_.empty() && !by_proxy_) out.client.trouble = "the name of the TURN server has no address";
  return out;
}

void TurnCarrier::tick() {
  if (give_up_ <= now()) return fail("the TURN server does not answer");
  client_.handle_timeout(now());
  pump();
}

// What is to be sent first: it belongs to the socket that an event may close.
void TurnCarrier::pump() {
  for (;;) {
    while (auto bytes = client_.poll_transmit()) {
      if (socket_) {
        (void)::send(socket_.get(), bytes->data(), bytes->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      } else if (stream_ && stream_ready_ && stream_->unsent() < kMostUnsent) {
        stream_->write(*bytes);
      }
    }
    const auto event = client_.poll_event();
    if (!event) break;
    on(*event);
  }
  if (stream_ && !stream_->waits()) flush_stream();
  rearm();
}

// Each once, until it works again.
void TurnCarrier::tell_trouble() {
  const auto status = client_.status();
  if (status.state == nat::turn::ClientState::ready) told_.clear();
  if (status.state != nat::turn::ClientState::waiting || status.trouble == told_) return;
  told_ = status.trouble;
  log_warn("No help by the TURN server of the settings: " + told_ + ".");
}

void TurnCarrier::rearm() { alarm_->set(std::min(client_.next_timeout(), give_up_)); }

void TurnCarrier::on(const nat::turn::ClientEvent& event) {
  tell_trouble();
  if (std::holds_alternative<nat::turn::client_event::Open>(event)) {
    open();
  } else if (std::holds_alternative<nat::turn::client_event::Close>(event)) {
    if (stream_ && stream_ready_) (void)stream_->flush();
    close();
  } else if (const auto* ready = std::get_if<nat::turn::client_event::Ready>(&event)) {
    node::TurnPlace place{{}, server_};
    if (ready->given.v4) place.relayed.push_back(*ready->given.v4);
    if (ready->given.v6) place.relayed.push_back(*ready->given.v6);
    if (ears_.changed) ears_.changed(std::move(place));
  } else if (ears_.changed) {
    ears_.changed(std::nullopt);
  }
}

// Of several ways the next one each time.
void TurnCarrier::open() {
  close();
  auto through = proxy();
  const std::size_t ways = at_.size() + (through ? 1 : 0);
  if (ways == 0) return client_.closed(now(), "the name of the TURN server has no address");
  const auto way = which_++ % ways;
  by_proxy_ = through && way == 0;
  if (by_proxy_) {
    // Where it is in truth the proxy knows.
    server_ = at_.empty() ? through->target.endpoint : at_.front();
    server_.transport = login_.server.transport;
  } else {
    server_ = at_[way - (through ? 1 : 0)];
    through.reset();
  }
  if (server_.transport == Transport::udp) {
    open_datagrams();
  } else {
    open_stream(std::move(through));
  }
}

void TurnCarrier::open_datagrams() {
  socket_ = connected(server_);
  if (!socket_) return client_.closed(now(), "the TURN server cannot be reached: " + os_error());
  watch_ = loop_.watch(socket_.get(), [this] { read_datagrams(); });
  client_.opened(now(), server_);
}

void TurnCarrier::open_stream(std::optional<ByteStream::Through> through) {
  const bool named = !Endpoint::parse(login_.server.place());
  stream_ = ByteStream::dial({server_, std::move(through), named ? login_.server.host : "", login_.trust});
  if (stream_ && !stream_->why().empty()) return client_.closed(now(), stream_->why());
  if (!stream_) return client_.closed(now(), "the TURN server cannot be reached: " + os_error());
  give_up_ = now() + kConnect;
  stream_->start(
      loop_, [this] { read_stream(); },
      [this] {
        stream_->on_writable();
        flush_stream();
        pump();
      });
}

void TurnCarrier::close() {
  watch_.reset();
  socket_.reset();
  stream_.reset();
  stream_ready_ = false;
  give_up_ = kNever;
  on_->set(kNever);
  came_.clear();
}

// Closed whatever the client makes of it: a stream that is over stays readable for ever.
void TurnCarrier::fail(std::string why) {
  close();
  client_.closed(now(), std::move(why));
  pump();
}

void TurnCarrier::take(MutableBytes packet) {
  auto heard = client_.handle(now(), packet);
  if (!heard) return;
  heard->peer.socket = overlay::kByTurn;
  if (ears_.receive) ears_.receive(Datagram{heard->peer, heard->data});
}

void TurnCarrier::read_datagrams() {
  std::array<std::uint8_t, kLargest> bytes;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const auto n = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == ECONNREFUSED) return fail("the TURN server is not there");
    if (n < 0) break;
    if (static_cast<std::size_t>(n) <= bytes.size()) take(MutableBytes(bytes.data(), static_cast<std::size_t>(n)));
  }
  pump();
  if (ears_.drained) ears_.drained();
}

void TurnCarrier::read_stream() {
  static thread_local std::array<std::uint8_t, kReadAtOnce> bytes;
  auto* const reads = stream_.get();  // what is heard may close it
  bool more = true;
  for (int round = 0; more && round < kStreamReadsAtOnce; ++round) {
    const auto n = stream_->read(bytes);
    if (!n) return fail(stream_ready_ ? "the TURN server closed the connection" : stream_->why());
    append(came_, ByteView(bytes).first(*n));
    const bool spoken = take_frames();
    if (stream_.get() != reads) break;
    if (!spoken) return fail("what answers is no TURN server");
    more = *n == bytes.size();
  }
  // What TLS has decrypted already wakes nobody.
  if (more && stream_.get() == reads) on_->set(now());
  if (stream_ && !stream_->waits()) flush_stream();  // of a handshake
  pump();
  if (ears_.drained) ears_.drained();
}

// False: it is no TURN. A packet may make the owner say something, and a stream that cannot take it is closed.
bool TurnCarrier::take_frames() {
  const auto* const reads = stream_.get();
  std::size_t taken = 0;
  for (;;) {
    const auto size = nat::turn::stream_frame(ByteView(came_).subspan(taken));
    if (!size) return false;
    if (*size == 0 || *size > came_.size() - taken) break;
    take(MutableBytes(came_).subspan(taken, *size));
    if (stream_.get() != reads) return true;
    taken += *size;
  }
  came_.erase(came_.begin(), came_.begin() + static_cast<std::ptrdiff_t>(taken));
  return true;
}

void TurnCarrier::flush_stream() {
  if (!stream_->flush()) return fail(stream_->why());
  if (stream_ready_ || !stream_->ready()) return;
  stream_ready_ = true;
  give_up_ = kNever;
  client_.opened(now(), server_);
  pump();
}

}  // namespace linnet::io
