// What a scraper is answered.
#include <gtest/gtest.h>

#include "node/io/clock.h"
#include "node/io/net/metrics_port.h"

namespace linnet::io {
namespace {

using namespace std::chrono_literals;

std::string figures() { return "linnet_calls 0\n"; }

std::string answered(std::string_view request) { return answer_http(request, figures).value_or(""); }
std::string status_of(std::string_view request) {
  const auto line = answered(request);
  return line.substr(0, line.find('\r'));
}

TEST(Metrics, AreTextThatPrometheusReads) {
  const auto answer = answered("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(answer.substr(0, answer.find('\r')), "HTTP/1.1 200 OK");
  EXPECT_NE(answer.find("text/plain; version=0.0.4"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), figures());
}

TEST(Metrics, ARequestInPiecesIsWaitedFor) {
  EXPECT_EQ(answer_http("GET /metr", figures), std::nullopt);
  EXPECT_EQ(answer_http("GET /metrics HTTP/1.1\r\nHost: localhost\r\n", figures), std::nullopt);
}

TEST(Metrics, AnythingElseIsRefused) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(status_of("DELETE /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(status_of("\x16\x03\x01 hello\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  const std::string endless(MetricsPort::kLongestRequest + 1, 'a');
  EXPECT_EQ(status_of("GET /" + endless), "HTTP/1.1 400 Bad Request");
}

// The loop turns until `ready`, or for some seconds.
void run(Loop& loop, const std::function<bool()>& ready) {
  auto over = loop.alarm([&] { loop.stop(); });
  over->set(now() + 10s);
  std::function<void()> look;
  std::unique_ptr<Loop::Alarm> again = loop.alarm([&] { look(); });
  look = [&] { ready() ? loop.stop() : again->set(now() + 5ms); };
  look();
  loop.run();
}

struct Client {
  Client(Loop& loop, const Endpoint& to)
      : stream(ByteStream::dial({{to.ip, to.port, Transport::tcp}, std::nullopt, ""})) {
    stream->start(
        loop, [this] { read(); },
        [this] {
          stream->on_writable();
          stream->flush();
        });
  }
  void read() {
    std::array<std::uint8_t, 4096> room;
    while (true) {
      const auto got = stream->read(room);
      if (!got) over = true;
      if (!got || *got == 0) return;
      heard.append(reinterpret_cast<const char*>(room.data()), *got);
    }
  }
  void say(std::string_view text) {
    stream->write(view(text));
    stream->flush();
  }
  std::unique_ptr<ByteStream> stream;
  std::string heard;
  bool over = false;
};

TEST(Metrics, AScraperIsAnsweredOnItsConnectionAndShownOut) {
  Loop loop;
  auto port = MetricsPort::open(loop, {IpAddress::v4(127, 0, 0, 1), 0}, figures);
  ASSERT_TRUE(port) << port.error().text;
  Client client(loop, (*port)->bound());
  run(loop, [&] { return client.stream->ready(); });
  client.say("GET /metrics HTTP/1.0\r\n\r\n");
  run(loop, [&] { return client.over; });
  EXPECT_TRUE(client.over);
  EXPECT_NE(client.heard.find(figures()), std::string::npos) << client.heard;
}

TEST(Metrics, ThoseWhoSayNothingKeepNobodyOut) {
  Loop loop;
  auto port = MetricsPort::open(loop, {IpAddress::v4(127, 0, 0, 1), 0}, figures);
  ASSERT_TRUE(port) << port.error().text;
  std::vector<std::unique_ptr<Client>> silent;
  for (std::size_t i = 0; i < 2 * MetricsPort::kGuests; ++i) {
    silent.push_back(std::make_unique<Client>(loop, (*port)->bound()));
    run(loop, [&] { return silent.back()->stream->ready(); });
  }
  EXPECT_EQ((*port)->guests(), MetricsPort::kGuests) << "the oldest go";
  Client client(loop, (*port)->bound());
  run(loop, [&] { return client.stream->ready(); });
  client.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  run(loop, [&] { return client.over; });
  EXPECT_NE(client.heard.find(figures()), std::string::npos) << client.heard;
}

}  // namespace
}  // namespace linnet::io
