// Invitations, contacts, locked keys, backups and logs, as a person and a script meet them.
#include <sys/stat.h>

#include "crypto/identity.h"
#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

const std::vector<std::string> kReplyKeys{"schema",  "text",          "contact",  "code",        "id",
                                          "expires", "safety_number", "key_name", "fingerprint", "waiting"};
const std::vector<std::string> kContactKeys{"schema", "name",  "address",  "key_name", "fingerprint",
                                            "source", "since", "verified", "blocked",  "last_seen"};

struct Town : testing::Test {
  Daemon super{"super@demo.example"};
  Daemon alice{"alice@demo.example"};
  Daemon bob{"bob@demo.example"};

  void SetUp() override {
    ASSERT_TRUE(super.up({"--relay", "on"}));
    ASSERT_TRUE(alice.up({"--bootstrap", super.endpoint()}));
    ASSERT_TRUE(alice.online());
  }
  std::string invite() {
    const auto ran = alice.run({"invite", "--json"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(keys_of(ran.last_line()), kReplyKeys);
    return ran.last_line()["code"].get<std::string>();
  }
};

TEST_F(Town, IsJoinedByAnInvitationAlone) {
  ASSERT_TRUE(bob.up());
  const auto code = invite();
  const auto accepted = bob.run({"accept", code, "--json"});
  ASSERT_EQ(accepted.exit, 0) << accepted.err;
  EXPECT_EQ(accepted.last_line()["waiting"], false) << accepted.out;
  EXPECT_EQ(keys_of(accepted.last_line()["contact"]), kContactKeys);
  EXPECT_TRUE(bob.online());
  const auto list = alice.run({"contact", "ls", "--json"});
  EXPECT_EQ(keys_of(list.last_line()), kContactKeys);
  EXPECT_EQ(list.last_line()["name"], "bob");
  EXPECT_EQ(list.last_line()["source"], "invitation");
  EXPECT_EQ(alice.run({"contact", "ls", "--invitations", "--json"}).last_line()["state"], "used");

  const auto own = alice.run({"accept", code});
  EXPECT_EQ(own.exit, 1);
  EXPECT_NE(own.err.find("your own invitation"), std::string::npos);
  auto forged = code;
  forged[50] = forged[50] == 'A' ? 'B' : 'A';
  EXPECT_EQ(bob.run({"accept", forged}).exit, 7);
  EXPECT_EQ(bob.run({"accept", "hello"}).exit, 2);

  const auto wrong = bob.run({"call", "alcie", "--json"});
  EXPECT_EQ(wrong.exit, 4);
  EXPECT_NE(wrong.err.find("No contact \"alcie\". Closest: alice. Or give name@domain."), std::string::npos)
      << wrong.err;

  const auto number = [](const Daemon& of, const char* with) {
    return of.run({"contact", "verify", with, "--json"}).last_line()["safety_number"].get<std::string>();
  };
  const auto same = number(alice, "bob");
  EXPECT_EQ(same, number(bob, "alice"));
  auto other = same;
  other[0] = other[0] == '1' ? '2' : '1';
  EXPECT_EQ(bob.run({"contact", "verify", "alice", "--number", other}).exit, 7);
  EXPECT_TRUE(bob.run({"contact", "ls", "--json"}).last_line()["verified"].is_null());
  EXPECT_EQ(bob.run({"contact", "verify", "alice", "--number", same}).exit, 0);
  EXPECT_TRUE(bob.run({"contact", "ls", "--json"}).last_line()["verified"].is_number());

  // All of it outlives a daemon that is killed.
  bob.kill_nine();
  ASSERT_TRUE(bob.up());
  EXPECT_TRUE(bob.run({"contact", "ls", "--json"}).last_line()["verified"].is_number());
  EXPECT_EQ(bob.run({"contact", "forget", "alice"}).exit, 0);
  EXPECT_EQ(bob.run({"contact", "forget", "alice"}).exit, 4);
  EXPECT_EQ(bob.run({"contact", "ls", "--json"}).out, "");
}

TEST_F(Town, TellsWhenAContactWhoIsGoneWasLastSeen) {
  ASSERT_TRUE(bob.up());
  ASSERT_EQ(bob.run({"accept", invite(), "--json"}).exit, 0);
  const auto seen = alice.run({"contact", "ls", "--json"}).last_line()["last_seen"];
  ASSERT_TRUE(seen.is_number());
  EXPECT_NE(alice.run({"contact", "ls"}).out.find("  seen less than a minute ago"), std::string::npos);
  bob.kill_nine();
  const auto gone = alice.run({"call", "bob"});
  EXPECT_EQ(gone.exit, 5);
  EXPECT_EQ(gone.err, "Calling bob ...\nbob is known but not answering: no answer through " + super.endpoint() +
                          ".\n  Last seen less than a minute ago.\n");
  alice.kill_nine();
  ASSERT_TRUE(alice.up());
  EXPECT_TRUE(alice.run({"contact", "ls", "--json"}).last_line()["last_seen"].is_number()) << "it was kept";
}

TEST_F(Town, GivesAnInvitationAsAQrCode) {
  const auto ran = alice.run({"invite", "--qr"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const auto lines = ran.lines();
  ASSERT_GT(lines.size(), 20u);
  EXPECT_EQ(lines[0].rfind("LINNET-", 0), 0u);
  EXPECT_NE(ran.err.find("They type: linnet accept CODE"), std::string::npos);
}

TEST_F(Town, KeepsBlockedPeopleSilent) {
  ASSERT_TRUE(bob.up({"--bootstrap", super.endpoint(), "--auto-answer"}));
  ASSERT_TRUE(bob.online());
  EXPECT_EQ(bob.run({"contact", "block", "alice@demo.example"}).exit, 0);
  const auto call = alice.run({"call", "bob@demo.example", "--json", "--duration", "1"});
  EXPECT_EQ(call.exit, 6) << call.err;
  EXPECT_EQ(call.last_line()["result"], "declined");
  EXPECT_TRUE(call.last_line()["ring_ms"].is_null());
  EXPECT_EQ(bob.run({"log", "--json"}).out, "");
  EXPECT_EQ(bob.run({"contact", "ls", "--blocked", "--json"}).last_line()["blocked"], true);
}

TEST_F(Town, AsksFirstWhenThePersonWantsItSo) {
  bob.home().write("config.toml", "[call]\nstrangers = \"request\"\n");
  ASSERT_TRUE(bob.up({"--bootstrap", super.endpoint()}));
  ASSERT_TRUE(bob.online());
  const auto call = alice.run({"call", "bob@demo.example", "--json"});
  EXPECT_EQ(call.exit, 6) << call.err;
  const auto asked = bob.run({"contact", "ls", "--requests", "--json"}).last_line();
  EXPECT_EQ(keys_of(asked),
            (std::vector<std::string>{"schema", "address", "key_name", "fingerprint", "first", "last", "times"}));
  EXPECT_EQ(asked["address"], "alice@demo.example");
  EXPECT_EQ(bob.run({"contact", "accept", "alice@demo.example"}).exit, 0);
  EXPECT_EQ(bob.run({"contact", "ls", "--requests", "--json"}).out, "");
  EXPECT_EQ(bob.run({"contact", "decline", "alice"}).exit, 4);
}

// The seeds in a key file that is not locked.
std::vector<Bytes> secrets_of(const Daemon& daemon) {
  const auto file = daemon.home().read("identity.key");
  const auto identity = crypto::load_identity(crypto::shipped_suite(), view(file));
  if (!identity) return {};
  return {copy(identity->account.seed.bytes()), copy(identity->device.seed.bytes()),
          copy(identity->session.secret.bytes())};
}

// Every spelling in which somebody might have logged 32 bytes, or their first half.
std::vector<std::string> spellings(const Bytes& secret) {
  const ByteView half(secret.data(), 16);
  return {std::string(text(half)), to_hex(half), to_base32(half).substr(0, 25)};
}

TEST_F(Town, WritesNoKeyIntoALogAndNoNameAboveDebug) {
  for (const auto* level : {"info", "debug"}) {
    const std::string name = std::string("carol-") + level;
    Daemon carol(name + "@demo.example");
    carol.home().write("config.toml", std::string("log = \"") + level + "\"\n");
    ASSERT_TRUE(carol.up({"--bootstrap", super.endpoint(), "--auto-answer"}));
    ASSERT_TRUE(carol.online());
    const auto code = invite();
    EXPECT_EQ(carol.run({"accept", code}).exit, 0);
    const auto call = alice.run({"call", name, "--json", "--duration", "1"});
    EXPECT_EQ(call.exit, 0) << level << call.out << call.err;
    EXPECT_EQ(carol.run({"call", "nobody@demo.example", "--json"}).exit, 4);
    EXPECT_EQ(carol.run({"down"}).exit, 0);
    const auto log = carol.home().read("linnet.log");
    ASSERT_NE(log, "");
    const auto secrets = secrets_of(carol);
    ASSERT_EQ(secrets.size(), 3u);
    for (const auto& secret : secrets)
      for (const auto& spelling : spellings(secret)) EXPECT_EQ(log.find(spelling), std::string::npos) << level;
    for (const auto* key : {"inline:", "LINNET-"}) EXPECT_EQ(log.find(key), std::string::npos) << level << " " << key;
    if (std::string(level) == "debug") continue;
    for (const auto* word : {"alice", "carol", "nobody", "@demo", "127.0.0.1", "linnet.alt", "v=0", "m=audio"})
      EXPECT_EQ(log.find(word), std::string::npos) << word << " in\n" << log;
  }
}

TEST(LockedKey, IsAskedForAndOpensTheNode) {
  Daemon alice("alice@demo.example");
  alice.home().write("pw", "correct horse\n");
  alice.home().write("wrong", "wrong\n");
  for (const auto* file : {"pw", "wrong"}) ::chmod((alice.home() / file).c_str(), 0600);
  const auto pw = (alice.home() / "pw").string();
  ASSERT_EQ(alice.run({"id", "new", "alice@demo.example", "--passphrase-file", pw}).exit, 0);
  EXPECT_EQ(alice.home().read("identity.key").find("alice"), std::string::npos);
  const auto wrong =
      alice.run({"up", "--listen", "127.0.0.1:0", "--passphrase-file", (alice.home() / "wrong").string()});
  EXPECT_EQ(wrong.exit, 7);
  EXPECT_NE(wrong.err.find("The passphrase does not open"), std::string::npos) << wrong.err;
  ASSERT_TRUE(alice.up({"--passphrase-file", pw}));
  EXPECT_EQ(alice.status()["uri"], "alice@demo.example");
  EXPECT_EQ(alice.run({"id", "show", "--json", "--passphrase-file", pw}).last_line()["uri"], "alice@demo.example");
  ::chmod((alice.home() / "pw").c_str(), 0644);
  EXPECT_NE(alice.run({"id", "show", "--passphrase-file", pw}).err.find("is open to other users"), std::string::npos);
}

TEST(Backup, MakesTheSamePersonOnANewDevice) {
  Daemon old("alice@demo.example");
  Daemon fresh("");
  ASSERT_TRUE(old.up());
  old.home().write("pw", "correct horse\n");
  ::chmod((old.home() / "pw").c_str(), 0600);
  const auto pw = (old.home() / "pw").string();
  const auto file = (old.home() / "backup").string();
  const auto key_name = old.status()["key_name"].get<std::string>();
  const auto bob = "bob@" + std::string(52, 'a') + ".linnet.alt";
  ASSERT_EQ(old.run({"contact", "add", bob}).exit, 0);
  ASSERT_EQ(old.run({"id", "backup", file, "--passphrase-file", pw}).exit, 0);
  EXPECT_EQ(old.run({"id", "backup", file, "--passphrase-file", pw}).exit, 1) << "never written over";

  const auto restored = fresh.run({"id", "restore", file, "--revoke", "--json", "--passphrase-file", pw});
  ASSERT_EQ(restored.exit, 0) << restored.err;
  EXPECT_EQ(restored.last_line()["key_name"], key_name);
  EXPECT_EQ(fresh.run({"id", "restore", file, "--passphrase-file", pw}).exit, 1) << "an identity is never replaced";
  const auto read = [](const Daemon& of) {
    const auto bytes = of.home().read("identity.key");
    return crypto::load_identity(crypto::shipped_suite(), view(bytes)).value();
  };
  const auto before = read(old), after = read(fresh);
  EXPECT_EQ(after.account_key(), before.account_key());
  EXPECT_NE(after.device_key(), before.device_key());
  EXPECT_NE(after.session_key(), before.session_key());
  EXPECT_EQ(after.certificate.epoch, before.certificate.epoch + 1);
  ASSERT_TRUE(fresh.up());
  EXPECT_EQ(fresh.run({"contact", "ls", "--json"}).last_line()["key_name"], bob);
  EXPECT_EQ(fresh.run({"id", "revoke"}).exit, 0);
  EXPECT_EQ(read(fresh).certificate.epoch, before.certificate.epoch + 2);
}

}  // namespace
}  // namespace linnet::scenario
