#include "node/io/net/metrics_port.h"

#include <sys/socket.h>

#include <array>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <sstream>

#include "node/io/clock.h"
#include "node/io/net/address.h"

namespace linnet::io {
namespace {

namespace http = boost::beast::http;

constexpr int kBacklog = 16;

std::string written(http::status status, std::string body, const char* type) {
  http::response<http::string_body> answer(status, 11);
  answer.set(http::field::content_type, type);
  answer.set(http::field::cache_control, "no-store");
  answer.keep_alive(false);
  answer.body() = std::move(body);
  answer.prepare_payload();
  std::ostringstream out;
  out << answer;
  return out.str();
}

std::string refused(http::status status, const char* why) {
  return written(status, std::string(why) + "\n", "text/plain");
}

}  // namespace

std::optional<std::string> answer_http(std::string_view request, const std::function<std::string()>& metrics) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(MetricsPort::kLongestRequest);
  parser.body_limit(0);
  boost::beast::error_code failed;
  parser.put(boost::asio::const_buffer(request.data(), request.size()), failed);
  if (failed == http::error::need_more) return std::nullopt;
  if (failed) return refused(http::status::bad_request, "This is no request that is understood here.");
  if (!parser.is_header_done()) return std::nullopt;
  const auto& asked = parser.get();
  if (asked.method() != http::verb::get) return refused(http::status::method_not_allowed, "Only GET.");
  if (asked.target() != "/metrics") return refused(http::status::not_found, "Only /metrics.");
  return written(http::status::ok, metrics(), "text/plain; version=0.0.4; charset=utf-8");
}

Outcome<std::unique_ptr<MetricsPort>> MetricsPort::open(Loop& loop, const Endpoint& at,
                                                        std::function<std::string()> text) {
  const auto address = to_socket_address(at);
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!fd || ::bind(fd.get(), address.get(), address.size) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    const bool taken = errno == EADDRINUSE;
    return trouble("Port " + std::to_string(at.port) + " for metrics " +
                   (taken ? "is used by another program." : "cannot be opened.") +
                   "\n  Choose another one: metrics in config.toml.");
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  return std::unique_ptr<MetricsPort>(new MetricsPort(loop, std::move(fd), to_endpoint(bound), std::move(text)));
}

MetricsPort::MetricsPort(Loop& loop, Fd fd, const Endpoint& bound, std::function<std::string()> text)
    : loop_(loop),
      fd_(std::move(fd)),
      bound_(bound),
      text_(std::move(text)),
      alarm_(loop.alarm([this] { sweep(); })),
      watch_(loop.watch(fd_.get(), [this] { accept(); })) {}

void MetricsPort::accept() {
  Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) {
    // Who waits keeps the listener readable: without a descriptor for him it rests.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      watch_.reset();
      alarm_->set(now() + kPatience);
    }
    return;
  }
  if (guests_.size() == kGuests) guests_.pop_front();
  guests_.push_back({ByteStream::accepted(std::move(fd)), {}, now() + kPatience});
  const auto guest = std::prev(guests_.end());
  guest->stream->start(
      loop_, [this, guest] { read(guest); },
      [this, guest] {
        guest->stream->on_writable();
        move_on(guest);
      });
  alarm_->set(guests_.front().until);
}

// An answer may come late; what is asked after the first request is not heard.
void MetricsPort::read(Guests::iterator guest) {
  std::array<std::uint8_t, 2048> room;
  while (true) {
    const auto got = guest->stream->read(room);
    if (!got) return leave(guest);
    if (*got == 0) break;
    if (guest->answered) continue;
    guest->asked.append(reinterpret_cast<const char*>(room.data()), *got);
    if (guest->asked.size() > kLongestRequest) return leave(guest);
  }
  if (guest->answered) return;
  const auto answer = answer_http(guest->asked, text_);
  if (!answer) return;
  guest->answered = true;
  guest->stream->write(view(*answer));
  move_on(guest);
}

void MetricsPort::move_on(Guests::iterator guest) {
  const bool stands = guest->stream->flush();
  if (!stands || (guest->answered && guest->stream->unsent() == 0)) leave(guest);
}

void MetricsPort::sweep() {
  if (!watch_) watch_ = loop_.watch(fd_.get(), [this] { accept(); });
  while (!guests_.empty() && guests_.front().until <= now()) guests_.pop_front();
  alarm_->set(guests_.empty() ? kNever : guests_.front().until);
}

void MetricsPort::leave(Guests::iterator guest) {
  guests_.erase(guest);
  if (watch_) alarm_->set(guests_.empty() ? kNever : guests_.front().until);
}

}  // namespace linnet::io
