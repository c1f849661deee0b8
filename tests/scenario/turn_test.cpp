// TURN through a real daemon, with the clients of others: coturn's turnutils (Debian package coturn).
#include <sys/socket.h>

#include <array>
#include <thread>

#include "nat/turn_pair.h"
#include "node/io/net/address.h"
#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

// A peer that sends back what it gets, on a port of the system's choice.
class Echo {
 public:
  Echo() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const auto at = io::to_socket_address(Endpoint{IpAddress::v4(127, 0, 0, 1), 0});
    EXPECT_EQ(::bind(fd_.get(), at.get(), at.size), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    at_ = io::to_endpoint(bound);
    thread_ = std::thread([this] { run(); });
  }
  ~Echo() {
    stopping_ = true;
    ::shutdown(fd_.get(), SHUT_RDWR);  // wakes the reader
    const auto to = io::to_socket_address(at_);
    const io::Fd last(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    (void)::sendto(last.get(), "", 0, 0, to.get(), to.size);
    thread_.join();
  }
  std::string port() const { return std::to_string(at_.port); }

 private:
  void run() {
    std::array<char, 2048> buffer;
    while (!stopping_) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const auto n = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n > 0)
        (void)::sendto(fd_.get(), buffer.data(), static_cast<std::size_t>(n), 0, reinterpret_cast<sockaddr*>(&from),
                       size);
    }
  }

  io::Fd fd_;
  Endpoint at_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class Turn : public testing::Test {
 protected:
  static constexpr const char* kClient = "/usr/bin/turnutils_uclient";
  static constexpr const char* kSecret = "what the office knows";

  void SetUp() override {
    if (!std::filesystem::exists(kClient))
      GTEST_SKIP() << "turnutils_uclient is not here (scripts/deps --install test)";
    ASSERT_TRUE(relay_.up(
        {"--relay", "on", "--turn-user", "phone:long and secret", "--turn-secret", kSecret, "--relay-allow-loopback"}));
    const auto at = relay_.endpoint();
    port_ = at.substr(at.rfind(':') + 1);
  }
  // What the client reports of its packets. It speaks to the echo, without RTCP.
  std::string talk(std::vector<std::string> flags, const std::string& password = "long and secret") {
    flags.insert(flags.end(), {"-u", "phone", "-w", password});
    return talk_as(std::move(flags));
  }
  std::string talk_as(const std::vector<std::string>& flags) {
    std::vector<std::string> all = {"-c", "-p", port_, "-e", "127.0.0.1", "-r", echo_.port(), "-n", "20", "-z", "5"};
    all.insert(all.end(), flags.begin(), flags.end());
    all.push_back("127.0.0.1");
    Process client(kClient, all, {});
    const auto ran = client.wait();
    return ran.out + ran.err;
  }

  Daemon relay_{"relay@turn.example"};
  Echo echo_;
  std::string port_;
};

constexpr auto kNothingLost = "Total lost packets 0 (0.000000%)";

TEST_F(Turn, CarriesChannelDataOfAForeignClient) {
  const auto said = talk({});
  EXPECT_NE(said.find(kNothingLost), std::string::npos) << said;
  const auto turn = relay_.status()["turn"];
  EXPECT_GE(turn["to_peers"].get<int>(), 20) << turn;
  EXPECT_GE(turn["to_clients"].get<int>(), 20) << turn;
}

TEST_F(Turn, CarriesSendAndDataIndications) {
  const auto said = talk({"-s"});
  EXPECT_NE(said.find(kNothingLost), std::string::npos) << said;
}

TEST_F(Turn, CarriesSeveralClientsAtOnce) {
  const auto said = talk({"-m", "8"});
  EXPECT_NE(said.find(kNothingLost), std::string::npos) << said;
}

TEST_F(Turn, ServesClientsOfTcp) {
  const auto said = talk({"-t"});
  EXPECT_NE(said.find(kNothingLost), std::string::npos) << said;
}

// That client overlooks a message that comes together with another: of many it is we who count, of one for each it is
// the client.
TEST_F(Turn, ServesClientsOfTls) {
  const auto said = talk({"-t", "-S"});
  EXPECT_EQ(said.find("Total lost packets 20"), std::string::npos) << said;
  const auto turn = relay_.status()["turn"];
  EXPECT_EQ(turn["to_peers"], 20) << turn;
  EXPECT_EQ(turn["to_clients"], 20) << turn;
  const auto once = talk({"-t", "-S", "-m", "4", "-n", "1"});
  EXPECT_NE(once.find(kNothingLost), std::string::npos) << once;
}

TEST_F(Turn, SendsAwayWhoHasTheWrongPassword) {
  const auto said = talk({}, "a guess");
  EXPECT_EQ(said.find(kNothingLost), std::string::npos) << said;
  const auto turn = relay_.status()["turn"];
  EXPECT_EQ(turn["allocations"], 0) << turn;
  EXPECT_GT(turn["unauthenticated"], 0) << turn;
}

TEST_F(Turn, ServesWhoHasAPairThatAnotherProgramMadeWithTheSecret) {
  const auto said = talk_as({"-u", "alice", "-W", kSecret});
  EXPECT_NE(said.find(kNothingLost), std::string::npos) << said;
  const auto turn = relay_.status()["turn"];
  EXPECT_TRUE(turn["short_lived"]) << turn;
  EXPECT_GE(turn["to_peers"].get<int>(), 20) << turn;
}

TEST_F(Turn, ServesWhoHasThePairThatACommandMade) {
  const auto made = relay_.run({"relay", "credentials", "alice", "--for", "10m", "--json"});
  ASSERT_EQ(made.exit, 0) << made.err;
  const auto pair = Json::parse(made.out);
  EXPECT_EQ(pair["ttl"], 600);
  const auto uri = "turn:" + relay_.endpoint();
  for (const auto& way : {"?transport=udp", "?transport=tcp"})
    EXPECT_NE(std::find(pair["uris"].begin(), pair["uris"].end(), uri + way), pair["uris"].end()) << pair;
  const auto said = talk_as({"-t", "-u", pair["username"], "-w", pair["password"]});
  EXPECT_NE(said.find(kNothingLost), std::string::npos) << said;
}

TEST_F(Turn, SendsAwayWhosePairHasExpiredOrIsOfAnotherSecret) {
  const std::string expired = "1700000000:alice";
  for (const auto& flags : {std::vector<std::string>{"-u", expired, "-w", nat::turn::pair_password(kSecret, expired)},
                            std::vector<std::string>{"-u", "alice", "-W", "what others guess"}}) {
    const auto said = talk_as(flags);
    EXPECT_EQ(said.find(kNothingLost), std::string::npos) << said;
  }
  const auto turn = relay_.status()["turn"];
  EXPECT_EQ(turn["allocations"], 0) << turn;
  EXPECT_EQ(turn["to_peers"], 0) << turn;
  EXPECT_GT(turn["unauthenticated"], 0) << turn;
}

TEST_F(Turn, CountsIntoTheMonthOverRestarts) {
  ASSERT_NE(talk({}).find(kNothingLost), std::string::npos);
  const auto counted = [](const Json& s) { return s["relay"]["month_bytes"].get<std::uint64_t>(); };
  const auto turn = relay_.status()["turn"]["bytes"].get<std::uint64_t>();
  ASSERT_GT(turn, 0U);
  ASSERT_TRUE(relay_.until([&](const Json& s) { return counted(s) >= turn; }));
  ASSERT_EQ(relay_.run({"down"}).exit, 0);
  ASSERT_TRUE(relay_.up({"--relay", "on", "--turn-user", "phone:long and secret", "--relay-allow-loopback"}));
  EXPECT_GE(counted(relay_.status()), turn);
}

TEST_F(Turn, CarriesNothingWhenTheMonthIsUsedUp) {
  ASSERT_EQ(relay_.run({"down"}).exit, 0);
  relay_.home().write("config.toml", "[relay]\nmonth = 0\n");
  ASSERT_TRUE(relay_.up({"--relay", "on", "--turn-user", "phone:long and secret", "--relay-allow-loopback"}));
  const auto at = relay_.endpoint();
  port_ = at.substr(at.rfind(':') + 1);
  const auto said = talk({});
  EXPECT_EQ(said.find(kNothingLost), std::string::npos) << said;
  const auto turn = relay_.status()["turn"];
  EXPECT_GT(turn["refused_allocations"], 0) << turn;
  EXPECT_EQ(turn["bytes"], 0) << turn;
}

TEST(TurnServer, IsNoneWithoutUsers) {
  Daemon relay("relay@turn.example");
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  EXPECT_TRUE(relay.status()["turn"].is_null());
}

TEST(TurnServer, MakesNoPairsWithoutASecret) {
  Daemon relay("relay@turn.example");
  ASSERT_TRUE(relay.up({"--relay", "on", "--turn-user", "u:p"}));
  const auto made = relay.run({"relay", "credentials"});
  EXPECT_EQ(made.exit, 1);
  EXPECT_NE(made.err.find("turn.secret"), std::string::npos) << made.err;
  EXPECT_EQ(made.out, "");
}

TEST(TurnServer, NeedsNoUsersWhereThereIsASecret) {
  Daemon relay("relay@turn.example");
  relay.home().write("config.toml", "[turn]\nsecret = \"what the office knows\"\n");
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  EXPECT_EQ(relay.status()["turn"]["users"], 0);
  const auto made = relay.run({"relay", "credentials"});
  EXPECT_EQ(made.exit, 0) << made.err;
  EXPECT_NE(made.out.find("password  "), std::string::npos) << made.out;
  EXPECT_EQ(relay.home().read("linnet.log").find("what the office"), std::string::npos) << "a secret in the log";
}

TEST(TurnServer, KnowsThatItsRelayedPortsAreReachedOnceASupernodeCameIn) {
  Daemon other("other@turn.example"), relay("relay@turn.example");
  ASSERT_TRUE(other.up({"--relay", "on"}));
  ASSERT_TRUE(relay.up({"--relay", "on", "--turn-user", "u:p", "--bootstrap", other.endpoint()}));
  const auto reached = [](const Json& s) {
    const auto& at = s["turn"]["relayed"];
    return at.size() == 1 && at[0]["outside"] == "127.0.0.1" && at[0]["why"].is_null();
  };
  EXPECT_TRUE(relay.until(reached)) << relay.status()["turn"];
}

TEST(TurnServer, KnowsOfNobodyWhoCouldComeInWhereItIsAlone) {
  Daemon relay("relay@turn.example");
  ASSERT_TRUE(relay.up({"--relay", "on", "--turn-user", "u:p"}));
  const auto nobody = [](const Json& s) {
    const auto& at = s["turn"]["relayed"];
    return at.size() == 1 && at[0]["outside"].is_null() && at[0]["why"] == "no supernode is known that could come in";
  };
  EXPECT_TRUE(relay.until(nobody)) << relay.status()["turn"];
}

TEST(TurnServer, SaysSoWhenItReachesLoopback) {
  Daemon relay("relay@turn.example");
  ASSERT_TRUE(relay.up({"--relay", "on", "--turn-user", "u:p", "--relay-allow-loopback"}));
  (void)relay.status();  // answered once the start is over, and said
  const auto said = relay.home().read("linnet.log");
  EXPECT_NE(said.find("--relay-allow-loopback"), std::string::npos) << said;
  EXPECT_EQ(said.find("u:p"), std::string::npos) << "a password in the log";
}

}  // namespace
}  // namespace linnet::scenario
