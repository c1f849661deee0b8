// What scripts and people get from every command: JSON with its schema, exit codes, a first word soon.
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <sstream>

#include "checkout.h"
#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

using Line = std::vector<std::string>;

TEST(Json, IsEveryLineOfEveryCommandWithItsSchema) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  ASSERT_TRUE(alice.until([](const Json& s) { return s["state"] == "alone"; }));
  const struct {
    Line line;
    Line keys;
  } commands[] = {
      {{"status"},
       {"schema",
        "pid",
        "state",
        "role",
        "uri",
        "key_name",
        "listen",
        "supernodes",
        "supernodes_tcp",
        "udp_probes",
        "udp_answers",
        "clock_ahead_s",
        "clock_supernodes",
        "relay",
        "calls",
        "nat",
        "nat_v4",
        "nat_v6",
        "mapped",
        "relays",
        "joined_ms",
        "binding",
        "keepalive_s",
        "why",
        "place",
        "place_why",
        "sound",
        "turn",
        "turn_client"}},
      {{"id", "show"}, {"schema", "uri", "key_name", "fingerprint"}},
      {{"config", "check"}, {"schema", "ok"}},
      {{"completion", "bash"}, {"schema", "shell", "script"}},
      {{"completion", "names"}, {"schema", "names"}},
      {{"version"}, {"schema", "version"}},
      {{"--version"}, {"schema", "version"}},
      {{"call", "--help"}, {"schema", "help"}},
      {{"call", "nobody@demo.example"},
       {"schema",      "peer",      "result",     "ring_ms",       "setup_ms",         "first_voice_ms", "path",
        "via",         "codec",     "seconds",    "packets_sent",  "packets_received", "loss_pct",       "jitter_ms",
        "rtt_ms",      "mos",       "max_gap_ms", "play_start_us", "record_start_us",  "path_changes",   "protected",
        "lookup_hops", "conference"}},
      {{"conf", "ls"},
       {"schema", "id", "name", "address", "room", "duty", "term", "locked", "muted", "mixer", "deputy",
        "deputy_streams", "mixers", "deadline", "heard_at_once", "members", "invited", "conferences", "rooms"}},
      {{"down"}, {"schema", "ok"}},
  };
  for (const auto& command : commands) {
    Line line = command.line;
    line.push_back("--json");
    const auto ran = alice.run(line);
    const auto last = ran.last_line();
    ASSERT_FALSE(ran.lines().empty()) << command.line[0] << ": " << ran.err;
    for (const auto& text : ran.lines()) {
      const auto json = Json::parse(text, nullptr, false);
      ASSERT_TRUE(json.is_object()) << command.line[0] << " said " << text;
      EXPECT_EQ(json.value("schema", 0), 1) << text;
    }
    EXPECT_EQ(keys_of(last), command.keys) << command.line[0];
  }
  Daemon bob("bob@demo.example");
  const auto made = bob.run({"id", "new", "bob@demo.example", "--json"});
  EXPECT_EQ(keys_of(made.last_line()), (Line{"schema", "uri", "key_name", "fingerprint"}));
  const auto up = bob.run({"up", "--json", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(keys_of(up.last_line()), (Line{"schema", "pid", "uri", "key_name", "listen", "new_identity"}));
  EXPECT_EQ(up.last_line()["schema"], 1);
  bob.run({"down"});
  bob.home().write("config.toml", "lam = 1\n");
  const auto check = bob.run({"config", "check", "--json"});
  EXPECT_EQ(check.exit, 1);
  EXPECT_EQ(check.last_line()["ok"], false);
}

// A script reads what went wrong where it reads everything else, and one line says it.
TEST(Json, SaysWhatWentWrongAlsoWhereThereIsNoDaemon) {
  const io::HomeFolder empty;
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  const struct {
    int exit;
    Line line;
    std::string error;  // begins with
  } table[] = {
      {2, {"cal"}, "Unknown command \"cal\". Did you mean \"call\"?"},
      {2, {"call"}, ""},
      {4, {"hangup"}, "There is no call."},
      {4, {"hold"}, "There is no call."},
      {4, {"mute"}, "There is no call."},
      {4, {"dtmf", "12#"}, "There is no call."},
      {4, {"answer"}, "No call is ringing."},
      {4, {"conf", "leave"}, "There is no conference."},
      {4, {"conf", "mute"}, "There is no conference."},
      {4, {"conf", "kick", "bob"}, "There is no conference."},
      {4, {"conf", "lock", "--conf", "office"}, "There is no conference."},
      {4, {"conf", "invite", "bob@demo.example"}, "There is no conference."},
      {2, {"conf", "new"}, "WHO is required."},
      {4, {"conf", "forget", "room@office"}, "No room room@office is kept here."},
      {4, {"conf", "keepers", "room@office"}, "No room room@office is kept here."},
      {4, {"conf", "dismiss", "room@office", "bob"}, "No room room@office is kept here."},
      {2, {"conf", "dismiss", "room@office"}, "WHO is required"},
      {4, {"conf", "invite", "bob"}, "No contact \"bob\"."},
      {4, {"contact", "verify", "bob"}, ""},
      {4, {"contact", "forget", "bob"}, ""},
      {4, {"contact", "block", "bob"}, ""},
      {2, {"contact", "add", "not an address"}, ""},
      {2, {"accept", "no-code"}, ""},
      {4, {"who", "bob"}, "No contact \"bob\"."},
      {4, {"ping", "bob"}, "No contact \"bob\"."},
      {5, {"ping", "bob@demo.example"}, "You are alone"},
      {5, {"who", "bob@demo.example"}, "You are alone"},
      {5, {"contact", "add", "bob@demo.example"}, ""},
      {4, {"invite", "--cancel", "abcd"}, ""},
      {1, {"id", "new", "alice@demo.example"}, "There is an identity already"},
      {1, {"id", "restore", "/nonexistent"}, "There is an identity already"},
      {1, {"config", "check", "/nonexistent.toml"}, "There is no file"},
      {1, {"up", "--listen", "127.0.0.1:0"}, "A daemon runs on"},
  };
  const auto judge = [](const Ran& ran, const Line& line, int exit, const std::string& error) {
    const auto name = line.front() + (line.size() > 1 ? " " + line[1] : "");
    EXPECT_EQ(ran.exit, exit) << name << ": " << ran.err;
    ASSERT_EQ(ran.lines().size(), 1u) << name << ": " << ran.err << ran.out;
    const auto said = ran.last_line();
    ASSERT_EQ(keys_of(said), (Line{"schema", "ok", "error", "exit"})) << name << ": " << ran.out;
    EXPECT_EQ(said.value("schema", 0), 1) << name << ": " << ran.out;
    EXPECT_EQ(said.value("ok", true), false) << name << ": " << ran.out;
    EXPECT_EQ(said.value("exit", -1), exit) << name << ": " << ran.out;
    const auto text = said.value("error", std::string());
    EXPECT_EQ(text.rfind(error, 0), 0u) << name << ": " << text;
    EXPECT_EQ(text + "\n", ran.err) << name;
  };
  for (const auto& row : table) {
    auto line = row.line;
    line.push_back("--json");
    judge(alice.run(line), row.line, row.exit, row.error);
  }
  for (const Line& row : std::vector<Line>{{"down"},
                                           {"status"},
                                           {"status", "--watch"},
                                           {"hangup"},
                                           {"answer"},
                                           {"who", "bob"},
                                           {"log"},
                                           {"invite"},
                                           {"contact", "ls"},
                                           {"contact", "add", "bob@demo.example"},
                                           {"audio", "status"}}) {
    Line line{"--home", empty.path().string()};
    line.insert(line.end(), row.begin(), row.end());
    line.push_back("--json");
    judge(linnet(line), row, 3, "The daemon is not running. Start it: linnet up");
  }
}

// What the manual lists, in its order: "id new", "contact ls", ...
std::vector<std::string> commands_of_the_manual() {
  std::vector<std::string> out;
  const auto page = io::read_file(LINNET_SOURCE_DIR "/docs/man/linnet.1", 1 << 20);
  if (!page || !*page) return out;
  std::istringstream lines(std::string((**page).begin(), (**page).end()));
  const std::string head = ".SS linnet ";
  const auto is_name = [](const std::string& word) {
    return std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(head, 0) != 0) continue;
    std::istringstream words(line.substr(head.size()));
    std::string name;
    for (std::string word; words >> word && is_name(word);) name += (name.empty() ? "" : " ") + word;
    out.push_back(name);
  }
  return out;
}

Line words_of(const std::string& command) {
  Line out;
  std::istringstream words(command);
  for (std::string word; words >> word;) out.push_back(word);
  return out;
}

// Every command of the manual, once with an option that there is none, once with what is good to read and cannot be
// done: one object says so. A call, and so a conference, has its summary besides, ping and doctor what they found.
TEST(Json, OfACommandThatFailsIsOneObject) {
  const io::HomeFolder empty;
  const std::string nowhere = (empty / "nowhere").string();
  const auto commands = commands_of_the_manual();
  ASSERT_GT(commands.size(), 30u);
  struct Bad {
    int exit;
    Line more;
  };
  const std::map<std::string, Bad> bad{
      {"up", {1, {"--play", nowhere}}},
      {"down", {3, {}}},
      {"status", {3, {"--watch"}}},
      {"id show", {4, {}}},
      {"id new", {2, {"no address"}}},
      {"id backup", {4, {nowhere}}},
      {"id restore", {4, {nowhere, "--passphrase-file", nowhere}}},
      {"id revoke", {4, {}}},
      {"invite", {3, {}}},
      {"accept", {3, {"no-code"}}},
      {"contact add", {3, {"no address"}}},
      {"contact ls", {3, {}}},
      {"contact verify", {3, {"nobody"}}},
      {"contact block", {3, {"nobody"}}},
      {"contact forget", {3, {"nobody"}}},
      {"contact accept", {3, {"nobody"}}},
      {"contact decline", {3, {"nobody"}}},
      {"call", {3, {"nobody"}}},
      {"answer", {3, {"--call", "7"}}},
      {"conf new", {3, {"office", "nobody"}}},
      {"conf join", {3, {"nobody"}}},
      {"conf invite", {3, {"nobody"}}},
      {"conf ls", {3, {}}},
      {"conf leave", {3, {}}},
      {"conf mute", {3, {}}},
      {"conf kick", {3, {"nobody"}}},
      {"conf forget", {3, {"room@office"}}},
      {"conf keepers", {3, {"room@office"}}},
      {"conf dismiss", {3, {"room@office", "bob"}}},
      {"conf lock", {3, {}}},
      {"hangup", {3, {}}},
      {"hold", {3, {}}},
      {"mute", {3, {}}},
      {"dtmf", {3, {"12#"}}},
      {"who", {3, {"nobody"}}},
      {"ping", {3, {"nobody"}}},
      {"netcheck", {3, {}}},
      {"doctor", {3, {}}},
      {"log", {3, {}}},
      {"demo", {1, {"--keep", empty.path().string()}}},
      {"relay credentials", {3, {}}},
      {"relay status", {3, {}}},
      {"relay on", {3, {}}},
      {"relay off", {3, {}}},
      {"relay auto", {3, {}}},
      {"audio ls", {2, {"more"}}},
      {"audio set", {2, {}}},
      {"audio test", {2, {"more"}}},
      {"audio status", {3, {}}},
      {"config check", {1, {nowhere}}},
      {"completion", {2, {"csh"}}},
      {"version", {2, {"more"}}},
  };
  const auto run = [&](const std::string& command, const Line& more) {
    Line line{"--home", empty.path().string()};
    for (const auto& words : {words_of(command), more, Line{"--json"}})
      line.insert(line.end(), words.begin(), words.end());
    return linnet(line);
  };
  const auto judge = [](const std::string& command, const Ran& ran, int exit, std::size_t lines) {
    EXPECT_EQ(ran.exit, exit) << command << ": " << ran.err;
    ASSERT_EQ(ran.lines().size(), lines) << command << ": " << ran.out << ran.err;
    const auto said = Json::parse(ran.lines().front(), nullptr, false);
    ASSERT_EQ(keys_of(said), (Line{"schema", "ok", "error", "exit"})) << command << ": " << ran.out;
    EXPECT_EQ(said["schema"], 1) << command;
    EXPECT_EQ(said["ok"], false) << command;
    EXPECT_EQ(said["exit"], exit) << command;
    EXPECT_EQ(said["error"].get<std::string>() + "\n", ran.err) << command;
  };
  for (const auto& command : commands) {
    judge(command, run(command, {"--no-such-option"}), 2, 1);
    const auto row = bad.find(command);
    ASSERT_NE(row, bad.end()) << command << " is new: how does it fail?";
    const bool has_summary = command == "call" || command == "conf new" || command == "conf join";
    judge(command, run(command, row->second.more), row->second.exit, has_summary ? 2 : 1);
  }
  EXPECT_EQ(commands.size(), bad.size());
}

// The last line of a call is its summary, whatever happened; the error stands before it.
TEST(Json, OfACallThatFailedEndsWithItsSummary) {
  const io::HomeFolder empty;
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  ASSERT_TRUE(alice.until([](const Json& s) { return s["state"] == "alone"; }));
  const auto judge = [](const Ran& ran, int exit, const std::string& result, const std::string& error) {
    EXPECT_EQ(ran.exit, exit) << ran.err;
    ASSERT_GE(ran.lines().size(), 2u) << ran.out;
    EXPECT_EQ(ran.last_line()["result"], result);
    const auto before = Json::parse(ran.lines()[ran.lines().size() - 2], nullptr, false);
    EXPECT_EQ(keys_of(before), (Line{"schema", "ok", "error", "exit"})) << ran.out;
    EXPECT_EQ(before["exit"], exit);
    EXPECT_EQ(before["error"].get<std::string>().rfind(error, 0), 0u) << ran.out;
  };
  judge(alice.run({"call", "nobody@demo.example", "--json"}), 5, "unreachable", "You are alone: no other node on this");
  judge(alice.run({"call", "nobody", "--json"}), 4, "not-found", "No contact \"nobody\".");
  judge(alice.run({"conf", "new", "office", "nobody", "--json"}), 4, "not-found", "No contact \"nobody\".");
  judge(alice.run({"conf", "new", "nobody", "--json"}), 4, "not-found", "No contact \"nobody\".");
  const std::string bob = "bob@demo.example";
  judge(alice.run({"conf", "new", "office", "alice@demo.example", "--json"}), 1, "failed",
        "alice@demo.example is your own");
  judge(alice.run({"conf", "new", "office", bob, bob, "--json"}), 1, "failed", bob + " is named twice.");
  judge(alice.run({"conf", "new", bob, "--name", "a\tb", "--json"}), 1, "failed", "A conference's name is made of");
  judge(alice.run({"conf", "new", bob, "--name", std::string(65, 'x'), "--json"}), 1, "failed", "A conference's name");
  judge(alice.run({"conf", "join", "nobody", "--json"}), 4, "not-found", "No contact \"nobody\".");
  judge(alice.run({"conf", "join", "nobody@demo.example", "--json"}), 5, "unreachable", "You are alone: no other");
  judge(linnet({"--home", empty.path().string(), "call", "nobody", "--json"}), 3, "failed", "The daemon is not runn");
}

TEST(ExitCodes, AreThoseOfTheManual) {
  const io::HomeFolder empty;
  Daemon relay("relay@demo.example"), alice("alice@demo.example"), bob("bob@demo.example");
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  ASSERT_TRUE(alice.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(bob.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(alice.online());
  ASSERT_TRUE(bob.online());
  const struct {
    int exit;
    Line line;
    std::string says;  // part of what goes to stderr
  } table[] = {
      {0, {"status"}, ""},
      {0, {"who", "bob@demo.example"}, ""},
      {1, {"up", "--listen", "127.0.0.1:0"}, "A daemon runs on"},
      {1, {"config", "check", "/nonexistent.toml"}, "There is no file"},
      {2, {"cal"}, "Did you mean \"call\"?"},
      {2, {"call"}, "linnet call --help"},
      {2, {"up", "--relay", "perhaps"}, "is not on, off or auto"},
      {2, {"call", "bob@demo.example", "--duration", "-1"}, "--duration"},
      {3, {"--home", empty.path().string(), "status"}, "The daemon is not running. Start it: linnet up"},
      {3, {"--home", empty.path().string(), "call", "bob@demo.example"}, "Start it: linnet up"},
      {4, {"call", "nobody@demo.example"}, "nobody@demo.example"},
      {4, {"who", "nobody@demo.example"}, "nobody@demo.example"},
      {4, {"hangup", "--call", "99"}, "There is no call"},
      {4, {"answer"}, "No call is ringing"},
  };
  for (const auto& row : table) {
    const auto ran = row.line[0] == "--home" ? linnet(row.line) : alice.run(row.line);
    EXPECT_EQ(ran.exit, row.exit) << row.line[0] << ": " << ran.err;
    EXPECT_NE(ran.err.find(row.says), std::string::npos) << row.line[0] << ": " << ran.err;
  }
  {
    Process call(alice.line({"call", "bob@demo.example"}));
    ASSERT_TRUE(bob.until([](const Json& s) { return !s["calls"].empty(); }));
    ASSERT_EQ(bob.run({"hangup"}).exit, 0);
    EXPECT_EQ(call.wait().exit, 6) << "declined";
  }
  {
    Process call(alice.line({"call", "bob@demo.example"}));
    ASSERT_TRUE(bob.until([](const Json& s) { return !s["calls"].empty(); }));
    call.signal(SIGINT);
    EXPECT_EQ(call.wait().exit, 130) << "interrupted";
    ASSERT_TRUE(bob.until([](const Json& s) { return s["calls"].empty(); }));
  }
  // Bob is known and gone without a word: his record stands, he does not answer.
  bob.kill_nine();
  const auto gone = alice.run({"call", "bob@demo.example"});
  EXPECT_TRUE(gone.exit == 5 || gone.exit == 4) << gone.exit << gone.err;
}

// The control socket of a daemon that a test plays; closed when it could not be made.
io::Fd control_socket_of(const io::HomeFolder& home) {
  io::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  (home / "control.sock").string().copy(at.sun_path, sizeof at.sun_path - 1);
  const bool stands =
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(fd.get(), 8) == 0;
  return stands ? std::move(fd) : io::Fd();
}

// A daemon that takes a program's line and never answers.
TEST(Waiting, IsSaidBeforeThereIsAnAnswer) {
  const io::HomeFolder home;
  const auto fd = control_socket_of(home);
  ASSERT_TRUE(fd);
  const auto said = [&](const Line& command) {
    Line line{"--home", home.path().string()};
    line.insert(line.end(), command.begin(), command.end());
    Process program(line);
    return program.talk(10'000);
  };
  EXPECT_EQ(said({"who", "bob@demo.example"}), "Looking for bob@demo.example ...");
  EXPECT_EQ(said({"call", "bob@demo.example"}), "Calling bob@demo.example ...");
  EXPECT_EQ(said({"down"}), "Calls end and the node says good-bye ...");
}

// A daemon whose call never leaves the relay: what it is sent, it takes; what it says is written down here.
TEST(ExitCodes, SayThatThereWasOnlyARelay) {
  const io::HomeFolder home;
  const auto fd = control_socket_of(home);
  ASSERT_TRUE(fd);
  const auto take = [](int from) {
    std::string line;
    for (char c; ::recv(from, &c, 1, 0) == 1 && c != '\n';) line.push_back(c);
    return line;
  };
  const auto say = [](int to, const std::string& line) { ::send(to, line.data(), line.size(), MSG_NOSIGNAL); };
  Process call({"--home", home.path().string(), "call", "bob@demo.example", "--require-direct"});
  const io::Fd first(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_NE(take(first.get()).find("\"call\""), std::string::npos);
  const std::string relayed = R"({"event":"call","call":{"id":1,"peer":"bob@demo.example","state":"talking",)"
                              R"("path":"relayed","via":"192.0.2.1:4400","reason":"","seconds":)";
  say(first.get(), "{\"event\":\"started\",\"call\":1}\n" + relayed + "1.0}}\n" + relayed + "5.5}}\n");
  const io::Fd second(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_NE(take(second.get()).find("\"hangup\""), std::string::npos);
  say(second.get(), "{\"ok\":true}\n");
  say(first.get(), R"({"event":"ended","exit":0,"summary":{"peer":"bob@demo.example","result":"ended"}})"
                   "\n");
  const auto ran = call.wait();
  EXPECT_EQ(ran.exit, 8);
  EXPECT_NE(ran.err.find("only a path over a relay"), std::string::npos) << ran.err;
}

TEST(Output, HoldsNoColourAndMovesNothingOffATerminal) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  Process watch(alice.line({"status", "--watch"}));
  const auto first = watch.line(10'000);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->rfind("alice@demo.example  ", 0), 0u) << *first;
  EXPECT_EQ(alice.run({"call", "nobody@demo.example"}).out.find('\x1b'), std::string::npos);
  EXPECT_EQ(alice.run({"down"}).exit, 0);
  const auto ran = watch.wait();
  EXPECT_EQ((ran.out + ran.err).find('\x1b'), std::string::npos);
  EXPECT_EQ((ran.out + ran.err).find('\r'), std::string::npos);
  const auto lines = ran.lines();
  EXPECT_EQ(std::adjacent_find(lines.begin(), lines.end()), lines.end()) << "one line twice: " << ran.out;
}

}  // namespace
}  // namespace linnet::scenario
