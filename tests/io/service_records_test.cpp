// DNS SRV: the order of RFC 2782, a name server of this machine's, and what a domain in `bootstrap` comes to.
#include "node/io/net/service_records.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "base/bytes.h"
#include "node/io/net/resolver.h"

namespace linnet::io {
namespace {

using std::chrono::seconds;

void write_name(Bytes& out, const std::string& name) {
  for (std::size_t at = 0; at < name.size();) {
    const auto end = std::min(name.find('.', at), name.size());
    out.push_back(static_cast<std::uint8_t>(end - at));
    out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
               name.begin() + static_cast<std::ptrdiff_t>(end));
    at = end + 1;
  }
  out.push_back(0);
}
void write_u16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

// A name server that knows a few records, on a port of its own; it keeps what was asked.
class NameServer {
 public:
  explicit NameServer(std::vector<ServiceRecord> records) : records_(std::move(records)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) std::abort();
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  std::string at() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    std::uint8_t bytes[512];
    sockaddr_in from{};
    while (true) {
      socklen_t size = sizeof from;
      const auto n = ::recvfrom(fd_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 12) return;  // shut down
      const auto answer = answer_to(ByteView(bytes, static_cast<std::size_t>(n)));
      ::sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
    }
  }
  Bytes answer_to(ByteView question) const {
    std::size_t end = 12;
    while (end < question.size() && question[end] != 0) end += question[end] + 1u;
    end += 5;  // the root's label, type and class
    Bytes out(question.begin(), question.begin() + 2);
    write_u16(out, records_.empty() ? 0x8183 : 0x8180);  // no such name, or no error
    for (const std::size_t count : {std::size_t{1}, records_.size(), std::size_t{0}, std::size_t{0}})
      write_u16(out, count);
    out.insert(out.end(), question.begin() + 12, question.begin() + static_cast<std::ptrdiff_t>(end));
    for (const auto& r : records_) {
      Bytes data;
      write_u16(data, r.priority);
      write_u16(data, r.weight);
      write_u16(data, r.port);
      write_name(data, r.target);
      write_u16(out, 0xC00C);  // the name of the question
      write_u16(out, 33);
      write_u16(out, 1);
      write_u16(out, 0);
      write_u16(out, 60);
      write_u16(out, data.size());
      out.insert(out.end(), data.begin(), data.end());
    }
    return out;
  }

  std::vector<ServiceRecord> records_;
  int fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::vector<std::string> targets(const std::vector<ServiceRecord>& records) {
  std::vector<std::string> out;
  for (const auto& r : records) out.push_back(r.target);
  return out;
}

TEST(ServiceRecords, AreTriedByPriorityAndByChanceWithinOne) {
  const std::vector<ServiceRecord> records{
      {20, 0, 1, "last"}, {10, 30, 1, "often"}, {10, 10, 1, "seldom"}, {10, 0, 1, "hardly"}};
  SeededRng rng(7);
  std::map<std::string, int> first;
  for (int i = 0; i < 4000; ++i) {
    const auto order = targets(in_order(records, rng));
    ASSERT_EQ(order.size(), 4u);
    EXPECT_EQ(order.back(), "last");
    ++first[order.front()];
  }
  // 41 faces: one for "hardly", 30 for "often", 10 for "seldom"; three standard deviations.
  EXPECT_NEAR(first["often"], 4000 * 30 / 41, 85);
  EXPECT_NEAR(first["seldom"], 4000 * 10 / 41, 82);
  EXPECT_NEAR(first["hardly"], 4000 * 1 / 41, 30);
}

TEST(ServiceRecords, OfADomainWithoutTheServiceAreNone) {
  SeededRng rng(1);
  EXPECT_TRUE(in_order({{0, 0, 0, "."}}, rng).empty());
  EXPECT_TRUE(in_order({{0, 0, 4400, ""}}, rng).empty());
  EXPECT_TRUE(in_order({{0, 0, 0, "a.example"}}, rng).empty()) << "port 0 is none";
}

TEST(ServiceRecords, ThatAreManyAreTheFirstEight) {
  SeededRng rng(1);
  std::vector<ServiceRecord> many;
  for (std::uint16_t i = 0; i < 1000; ++i) many.push_back({i, 65535, 4400, std::to_string(i)});
  EXPECT_EQ(targets(in_order(many, rng)), (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"}));
}

TEST(ServiceRecords, AreAskedOfANameServer) {
  const NameServer server({{20, 1, 4402, "b.home.example"}, {10, 1, 4401, "a.home.example"}});
  const auto found = find_services("home.example", seconds(10), server.at());
  ASSERT_EQ(targets(found), (std::vector<std::string>{"a.home.example", "b.home.example"}));
  EXPECT_EQ(found[0].port, 4401);
  EXPECT_EQ(found[1].priority, 20);
}

TEST(ServiceRecords, AreNoneWhereTheServerKnowsNoneOrNobodyAnswers) {
  const NameServer server({});
  EXPECT_TRUE(find_services("home.example", seconds(10), server.at()).empty());
  const int silent = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(silent, reinterpret_cast<const sockaddr*>(&at), size), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const auto port = std::to_string(ntohs(at.sin_port));
  EXPECT_TRUE(find_services("home.example", std::chrono::milliseconds(50), "127.0.0.1:" + port).empty());
  ::close(silent);
}

TEST(Resolver, AsksADomainForItsSupernodes) {
  std::string asked;
  const auto some = [&](const std::string& domain, Duration) -> std::vector<ServiceRecord> {
    asked = domain;
    return {{1, 1, 4401, "127.0.0.1"}, {2, 1, 4402, "127.0.0.2"}};
  };
  const auto found = resolve({"home.example"}, seconds(10), some);
  EXPECT_EQ(asked, "home.example");
  EXPECT_EQ(found.endpoints,
            (std::vector<Endpoint>{*Endpoint::parse("127.0.0.1:4401"), *Endpoint::parse("127.0.0.2:4402")}));
  EXPECT_TRUE(found.failed.empty());
}

TEST(Resolver, TakesADomainWithoutRecordsForAHost) {
  const auto none = [](const std::string&, Duration) { return std::vector<ServiceRecord>{}; };
  const auto found = resolve({"localhost"}, seconds(10), none);
  ASSERT_FALSE(found.endpoints.empty());
  EXPECT_TRUE(found.endpoints[0].ip.is_loopback());
  EXPECT_EQ(found.endpoints[0].port, 4400);
}

TEST(Resolver, KnowsADomain) {
  EXPECT_TRUE(is_domain("home.example"));
  for (const char* text : {"10.0.0.1", "home.example:4400", "", "no de", "[::1]", "@"})
    EXPECT_FALSE(is_domain(text)) << text;
}

}  // namespace
}  // namespace linnet::io
