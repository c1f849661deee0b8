#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "node/io/control/control_request.h"
#include "node/io/control/control_socket.h"
#include "node/io/control/lines.h"
#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

template <class T>
T as(std::string_view line) {
  const auto request = parse_request(line);
  if (!request || !std::holds_alternative<T>(*request)) {
    ADD_FAILURE() << line;
    return {};
  }
  return std::get<T>(*request);
}

TEST(ControlRequest, ReadsACallWithEverythingItMayCarry) {
  const auto call = as<request::Call>(
      R"({"cmd":"call","who":"bob@demo.example","cold":true,"explain":true,"duration":1.5,"play":"/a.wav","record":"/b.wav","silent":true})");
  EXPECT_EQ(call.who, "bob@demo.example");
  EXPECT_TRUE(call.cold);
  EXPECT_TRUE(call.explain);
  EXPECT_EQ(call.duration, std::chrono::milliseconds(1500));
  EXPECT_EQ(call.files.play, "/a.wav");
  EXPECT_EQ(call.files.record, "/b.wav");
  EXPECT_TRUE(call.files.silent);
}

TEST(ControlRequest, TakesTheUsualForWhatIsLeftOut) {
  EXPECT_FALSE(as<request::Status>(R"({"cmd":"status"})").watch);
  EXPECT_FALSE(as<request::Hangup>(R"({"cmd":"hangup"})").call);
  EXPECT_EQ(as<request::Hold>(R"({"cmd":"hold","call":7,"on":false})").call, node::CallId{7});
  EXPECT_EQ(as<request::Log>(R"({"cmd":"log","rows":3})").rows, 3u);
}

TEST(ControlRequest, ReadsForWhomAndHowLongCredentialsAreToBeGood) {
  const auto asked = as<request::Credentials>(R"({"cmd":"credentials","name":"alice","seconds":600})");
  EXPECT_EQ(asked.name, "alice");
  EXPECT_EQ(asked.life, std::chrono::seconds(600));
  EXPECT_EQ(as<request::Credentials>(R"({"cmd":"credentials"})").name, "");
}

TEST(ControlRequest, ReadsWhatIsAskedOfConferences) {
  using Rule = node::command::ConferenceRule;
  const auto confer = as<request::Confer>(
      R"({"cmd":"confer","words":["office","bob@demo.example"],"duration":1.5,"record":"/b.wav","silent":true})");
  EXPECT_EQ(confer.words, (std::vector<std::string>{"office", "bob@demo.example"}));
  EXPECT_EQ(confer.duration, std::chrono::milliseconds(1500));
  EXPECT_EQ(confer.files.record, "/b.wav");
  EXPECT_EQ(as<request::Confer>(R"({"cmd":"confer","words":["bob"],"name":"office"})").name, "office");
  EXPECT_EQ(as<request::Join>(R"({"cmd":"join","who":"bob"})").who, "bob");
  as<request::Conferences>(R"({"cmd":"conferences"})");
  const auto mute = as<request::Conference>(R"({"cmd":"conference","rule":"unmute","which":"office","who":"bob"})");
  EXPECT_EQ(mute.rule, Rule::unmute);
  EXPECT_EQ(mute.which, "office");
  EXPECT_EQ(mute.who, "bob");
  EXPECT_EQ(as<request::Conference>(R"({"cmd":"conference","rule":"leave"})").rule, Rule::leave);
  EXPECT_FALSE(as<request::Conference>(R"({"cmd":"conference","rule":"invite","who":"bob"})").rule);
}

TEST(ControlRequest, TakesTheFirstOfSeveralWordsForAConferencesNameUnlessItIsSomebody) {
  const auto is_known = [](const std::string& word) { return word == "bob"; };
  using Words = std::vector<std::string>;
  const struct {
    Words words;
    std::string name;
    Words who;
  } table[] = {
      {{"office", "bob"}, "office", {"bob"}},
      {{"bob", "carol@demo.example"}, "", {"bob", "carol@demo.example"}},
      {{"carol@demo.example", "bob"}, "", {"carol@demo.example", "bob"}},
      {{"office"}, "", {"office"}},
      {{"bob"}, "", {"bob"}},
      {{}, "", {}},
  };
  for (const auto& row : table) {
    const auto found = name_first(row.words, is_known);
    EXPECT_EQ(found.name, row.name);
    EXPECT_EQ(found.who, row.who);
  }
}

TEST(ControlRequest, RefusesWhatIsNotAsItShouldBe) {
  const std::string deep = "{\"cmd\":" + std::string(100, '[') + std::string(100, ']') + "}";
  const std::string bomb(kMaxControlLine, '[');
  std::string many = R"({"cmd":"confer","words":["a")";
  for (int i = 0; i < 150; ++i) many += R"(,"a")";
  many += "]}";
  for (const std::string& line : {std::string(),
                                  std::string("null"),
                                  std::string("[]"),
                                  std::string("{"),
                                  std::string("{}"),
                                  std::string(R"({"cmd":"reboot"})"),
                                  std::string(R"({"cmd":1})"),
                                  std::string(R"({"cmd":"call"})"),
                                  std::string(R"({"cmd":"call","who":3})"),
                                  std::string(R"({"cmd":"call","who":"b@c","duration":-1})"),
                                  std::string(R"({"cmd":"call","who":"b@c","duration":1e99})"),
                                  std::string(R"({"cmd":"call","who":"b@c","play":"relative.wav"})"),
                                  std::string("{\"cmd\":\"call\",\"who\":\"b@c\",\"play\":\"/a\\u0000b\"}"),
                                  std::string(R"({"cmd":"hangup","call":-1})"),
                                  std::string(R"({"cmd":"credentials","seconds":0})"),
                                  std::string(R"({"cmd":"credentials","seconds":7776001})"),
                                  std::string(R"({"cmd":"credentials","name":"a b","seconds":60})"),
                                  "{\"cmd\":\"credentials\",\"name\":\"" + std::string(129, 'a') + "\"}",
                                  std::string(R"({"cmd":"confer"})"),
                                  std::string(R"({"cmd":"confer","words":[]})"),
                                  std::string(R"({"cmd":"confer","words":["a",""]})"),
                                  std::string(R"({"cmd":"confer","words":["a",7]})"),
                                  std::string(R"({"cmd":"confer","words":"bob"})"),
                                  std::string(R"({"cmd":"join"})"),
                                  std::string(R"({"cmd":"conference","rule":"sing"})"),
                                  std::string(R"({"cmd":"conference","rule":"remove"})"),
                                  std::string(R"({"cmd":"conference","rule":"invite"})"),
                                  many,
                                  deep,
                                  bomb}) {
    const auto request = parse_request(line);
    ASSERT_FALSE(request) << line.substr(0, 80);
    EXPECT_EQ(request.error().exit, Exit::usage);
  }
}

// security.md, check 3.
TEST(ControlRequest, NoTruncationIsTakenForTheWholeAndNoFlippedBitIsACrash) {
  const std::string lines[] = {
      R"({"cmd":"call","who":"bob@demo.example","cold":true,"duration":1.5,"play":"/a.wav","silent":true})",
      R"({"cmd":"hold","call":7,"on":false})", R"({"cmd":"log","rows":3})", R"({"cmd":"status","watch":true})"};
  for (const auto& line : lines) {
    ASSERT_TRUE(parse_request(line)) << line;
    for (std::size_t n = 0; n < line.size(); ++n) EXPECT_FALSE(parse_request(line.substr(0, n))) << line << n;
    for (std::size_t bit = 0; bit < line.size() * 8; ++bit) {
      auto bad = line;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
      const auto request = parse_request(bad);
      if (!request) {
        EXPECT_EQ(request.error().exit, Exit::usage) << bad;
      }
    }
  }
}

TEST(ControlRequest, WritesAnErrorThatCanBeReadBack) {
  const auto json = nlohmann::json::parse(lines::error({"No \"such\"\nthing \xff.", Exit::not_found}), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["exit"], 4);
}

// A daemon's end on a loop of its own thread: answers each line with "got " and the line.
class Server {
 public:
  explicit Server(const std::filesystem::path& path) {
    auto opened = ControlSocket::open(loop_, path,
                                      {[this](ClientId c, std::string_view line) {
                                         if (line == "flood") {
                                           while (control_->send(c, std::string(60000, 'x'))) {
                                           }
                                           return;
                                         }
                                         control_->send(c, "got " + std::string(line));
                                         if (line == "bye") control_->finish(c);
                                       },
                                       [this](ClientId) { ++closed; }});
    if (!opened) std::abort();
    control_ = std::move(*opened);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Server() {
    loop_.post([this] { loop_.stop(); });
    thread_.join();
  }

  std::atomic<int> closed{0};

 private:
  Loop loop_;
  std::unique_ptr<ControlSocket> control_;
  std::thread thread_;
};

std::string exchange(int fd, const std::string& text) {
  // Nothing to say is nothing to send: even zero bytes fail once the other end has closed.
  if (!text.empty() && ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) return "";
  std::string out;
  char c;
  while (::recv(fd, &c, 1, 0) == 1) {
    if (c == '\n') return out;
    out.push_back(c);
  }
  return out;
}

TEST(ControlSocket, AnswersLinesAndIsClosedToOthers) {
  const HomeFolder home;
  const Server server(home / "control.sock");
  struct stat s {};
  ASSERT_EQ(::stat((home / "control.sock").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777u, 0600u);
  auto link = connect_control(home / "control.sock");
  ASSERT_TRUE(link && *link);
  EXPECT_EQ((*link)->pid, ::getpid());
  EXPECT_EQ(exchange((*link)->fd.get(), "one\n"), "got one");
  EXPECT_EQ(exchange((*link)->fd.get(), "two\n"), "got two");
  EXPECT_EQ(exchange((*link)->fd.get(), "bye\n"), "got bye");
  char c;
  EXPECT_EQ(::recv((*link)->fd.get(), &c, 1, 0), 0);
}

TEST(ControlSocket, AnswersNoOtherUserEvenWhereTheFilesAreOpen) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const HomeFolder home;
  const auto path = (home / "control.sock").string();
  const Server server(path);
  ::chmod(home.path().c_str(), 0755);
  ::chmod(path.c_str(), 0666);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof name.sun_path);
  std::memcpy(name.sun_path, path.c_str(), path.size());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // 0: refused; 1: answered; 2: the test itself could not be done.
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) ::_exit(2);
    (void)::send(fd, "one\n", 4, MSG_NOSIGNAL);
    char c;
    ::_exit(::recv(fd, &c, 1, 0) > 0 ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ControlSocket, DropsALineThatDoesNotEnd) {
  const HomeFolder home;
  const Server server(home / "control.sock");
  auto link = connect_control(home / "control.sock");
  ASSERT_TRUE(link && *link);
  const std::string endless(2 * kMaxControlLine, 'x');
  std::size_t sent = 0;
  while (sent < endless.size()) {
    const ssize_t n = ::send((*link)->fd.get(), endless.data() + sent, endless.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  char c;
  EXPECT_LE(::recv((*link)->fd.get(), &c, 1, 0), 0);
}

TEST(ControlSocket, DropsAClientThatDoesNotRead) {
  const HomeFolder home;
  Server server(home / "control.sock");
  auto slow = connect_control(home / "control.sock");
  ASSERT_TRUE(slow && *slow);
  ASSERT_EQ(::send((*slow)->fd.get(), "flood\n", 6, MSG_NOSIGNAL), 6);
  auto other = connect_control(home / "control.sock");
  ASSERT_TRUE(other && *other);
  EXPECT_EQ(exchange((*other)->fd.get(), "still here\n"), "got still here");
  EXPECT_EQ(server.closed, 1);
}

TEST(ControlSocket, ServesABoundedNumberOfPrograms) {
  const HomeFolder home;
  const Server server(home / "control.sock");
  std::vector<DaemonLink> links;
  for (std::size_t i = 0; i < ControlSocket::kMaxClients; ++i) {
    auto link = connect_control(home / "control.sock");
    ASSERT_TRUE(link && *link);
    ASSERT_EQ(exchange((*link)->fd.get(), "x\n"), "got x");
    links.push_back(std::move(**link));
  }
  auto one_more = connect_control(home / "control.sock");
  ASSERT_TRUE(one_more && *one_more);
  EXPECT_NE(exchange((*one_more)->fd.get(), "").find("already"), std::string::npos);
}

TEST(ControlSocket, WorksAtAPathLongerThanASocketNameMayBe) {
  const HomeFolder home;
  const auto folder = home.path() / std::string(100, 'd') / std::string(100, 'e');
  std::filesystem::create_directories(folder);
  const Server server(folder / "control.sock");
  auto link = connect_control(folder / "control.sock");
  ASSERT_TRUE(link && *link);
  EXPECT_EQ(exchange((*link)->fd.get(), "far\n"), "got far");
}

TEST(ControlSocket, IsNothingWhereNobodyListens) {
  const HomeFolder home;
  const auto link = connect_control(home / "control.sock");
  ASSERT_TRUE(link);
  EXPECT_FALSE(*link);
}

}  // namespace
}  // namespace linnet::io
