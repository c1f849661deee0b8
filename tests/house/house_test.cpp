// The tree holds the rules of ARCHITECTURE.md, and each rule is shown to fire.
#include <gmock/gmock.h>

#include <filesystem>

#include "checkout.h"
#include "rules.h"

namespace linnet::house {
namespace {

using testing::IsEmpty;
using testing::Not;

Source planted(const std::string& path, const std::string& text) { return {path, folder_of(path), text}; }

template <class Rule>
Findings over_the_tree(Rule rule, bool with_tests = false) {
  Findings out;
  const auto all = sources(with_tests);
  EXPECT_GT(all.size(), 20U) << "the tree was not found";
  for (const auto& source : all) {
    for (auto& finding : rule(source)) out.push_back(std::move(finding));
  }
  return out;
}

TEST(House, IncludesFollowTheGraph) { EXPECT_THAT(over_the_tree(include_graph), IsEmpty()); }

TEST(House, IncludeRuleFires) {
  const auto breaks = [](const std::string& path, const std::string& header) {
    return !include_graph(planted(path, "#pragma once\n  # include \"" + header + "\"\n")).empty();
  };
  EXPECT_TRUE(breaks("base/x.h", "crypto/keys.h"));
  EXPECT_TRUE(breaks("crypto/x.h", "dht/id.h"));
  EXPECT_TRUE(breaks("dht/x.h", "sip/uri.h"));
  EXPECT_TRUE(breaks("sip/x.cpp", "media/rtp.h"));
  EXPECT_TRUE(breaks("media/x.cpp", "nat/ice.h"));
  EXPECT_TRUE(breaks("nat/x.cpp", "overlay/peer.h"));
  EXPECT_TRUE(breaks("dht/x.cpp", "overlay/peer.h"));
  EXPECT_TRUE(breaks("overlay/x.cpp", "nat/ice.h"));
  EXPECT_TRUE(breaks("overlay/x.cpp", "sip/core.h"));
  EXPECT_TRUE(breaks("node/x.cpp", "node/io/udp.h"));
  EXPECT_TRUE(breaks("node/io/x.cpp", "cli/print.h"));
  EXPECT_TRUE(breaks("node/io/x.cpp", "sim/world.h"));
  EXPECT_TRUE(breaks("sim/x.cpp", "node/io/udp.h"));
  EXPECT_TRUE(breaks("sim/x.cpp", "cli/print.h"));
  EXPECT_TRUE(breaks("cli/x.cpp", "sim/world.h"));
  EXPECT_TRUE(breaks("sip/x.cpp", "uri.h")) << "includes are from the root";
  EXPECT_TRUE(breaks("sip/x.cpp", "../media/rtp.h"));
  EXPECT_TRUE(breaks("utils/x.cpp", "base/time.h"));
  EXPECT_TRUE(breaks("node/x.cpp", "node/io/net/udp.h"));
  EXPECT_TRUE(breaks("node/io/net/x.cpp", "node/io/sound/card.h"));
  EXPECT_TRUE(breaks("node/io/sound/x.cpp", "node/io/control/socket.h"));
  EXPECT_TRUE(breaks("node/io/settings/x.cpp", "node/io/store/store.h"));
  EXPECT_TRUE(breaks("node/io/utils/x.cpp", "node/io/net/udp.h")) << "a folder without a rule";
  EXPECT_TRUE(breaks("sim/x.cpp", "node/io/net/udp.h"));
  EXPECT_TRUE(breaks("overlay/x.cpp", "nat/probe.h"));
  EXPECT_FALSE(breaks("node/x.cpp", "sip/core.h"));
  EXPECT_FALSE(breaks("sim/x.cpp", "node/node.h"));
  EXPECT_FALSE(breaks("cli/x.cpp", "node/io/udp.h"));
  EXPECT_FALSE(breaks("cli/x.cpp", "node/io/control/socket.h"));
  EXPECT_FALSE(breaks("node/io/x.cpp", "node/io/control/socket.h"));
  EXPECT_FALSE(breaks("node/io/net/x.cpp", "node/io/loop.h"));
  EXPECT_THAT(include_graph(planted("dht/x.cpp", "#include <sip/uri.h>\n")), Not(IsEmpty())) << "brackets hide nothing";
  EXPECT_THAT(include_graph(planted("dht/x.cpp", "#include <vector>\n")), IsEmpty());
}

TEST(House, SystemCallsStandInNodeIo) { EXPECT_THAT(over_the_tree(system_headers), IsEmpty()); }

TEST(House, SystemHeaderRuleFires) {
  const auto breaks = [](const std::string& path, const std::string& header) {
    return !system_headers(planted(path, "#include <" + header + ">\n")).empty();
  };
  for (const auto* header : {"sys/socket.h", "netinet/in.h", "arpa/inet.h", "unistd.h", "fstream", "boost/asio.hpp",
                             "boost/asio/ip/udp.hpp", "portaudio.h", "sqlite3.h", "thread", "spdlog/spdlog.h"}) {
    for (const auto* path : {"base/x.h", "overlay/x.cpp", "node/x.cpp"})
      EXPECT_TRUE(breaks(path, header)) << path << header;
    EXPECT_FALSE(breaks("node/io/x.cpp", header));
    EXPECT_FALSE(breaks("node/io/net/x.cpp", header));
  }
  EXPECT_FALSE(breaks("crypto/x.cpp", "openssl/evp.h"));
  EXPECT_TRUE(breaks("crypto/x.cpp", "openssl/ssl.h"));
  EXPECT_TRUE(breaks("nat/x.cpp", "openssl/evp.h"));
  EXPECT_TRUE(breaks("cli/x.cpp", "sys/socket.h"));
  EXPECT_FALSE(breaks("cli/x.cpp", "unistd.h"));
  EXPECT_TRUE(breaks("sim/x.cpp", "unistd.h"));
  EXPECT_TRUE(breaks("sim/world.cpp", "sys/resource.h"));
  EXPECT_FALSE(breaks("sim/report.cpp", "sys/resource.h"));
  EXPECT_FALSE(breaks("sip/x.cpp", "string"));
}

TEST(House, ClocksAndRandomDevicesAreReadInNodeIo) { EXPECT_THAT(over_the_tree(clocks_and_chance), IsEmpty()); }

TEST(House, ClockRuleFires) {
  const auto breaks = [](const std::string& path, const std::string& code) {
    return !clocks_and_chance(planted(path, "void f() {\n  " + code + ";\n}\n")).empty();
  };
  for (const auto* code :
       {"auto t = std::chrono::steady_clock::now()", "std::chrono::system_clock::now()", "clock_gettime(0, &t)",
        "auto t = std::time(nullptr)", "auto t = time(0)", "getrusage(RUSAGE_SELF, &u)"}) {
    EXPECT_TRUE(breaks("dht/x.cpp", code)) << code;
    EXPECT_TRUE(breaks("sim/world.cpp", code)) << code;
    EXPECT_FALSE(breaks("node/io/x.cpp", code)) << code;
    EXPECT_FALSE(breaks("node/io/sound/x.cpp", code)) << code;
    EXPECT_FALSE(breaks("cli/live.cpp", code)) << code;
  }
  EXPECT_FALSE(breaks("sim/report.cpp", "getrusage(RUSAGE_SELF, &u)"));
  for (const auto* code : {"std::random_device device", "randombytes_buf(p, n)", "int n = rand()", "rand ( )",
                           "crypto_sign_keypair(a, b)"}) {
    EXPECT_TRUE(breaks("crypto/x.cpp", code)) << code;
    EXPECT_TRUE(breaks("cli/x.cpp", code)) << code;
    EXPECT_TRUE(breaks("sim/report.cpp", code)) << code;
  }
  for (const auto* code : {"// steady_clock::now()", "log(\"rand()\")", "timers.clock(3)", "operand(3)",
                           "auto t = playout_time(0)", "rtp.time(0)", "Time time(int)",
                           "crypto_sign_seed_keypair(a, b, c)", "int n = 1'000'000; f('\"'); g()", "/* rand() */"}) {
    EXPECT_FALSE(breaks("crypto/x.cpp", code)) << code;
  }
  EXPECT_TRUE(breaks("crypto/x.cpp", "int n = 1'000; rand()")) << "a digit separator opens no literal";
  EXPECT_TRUE(breaks("crypto/x.cpp", "f(\"\\\"\"); rand()")) << "nor does an escaped quote";
}

TEST(House, CoresShareNoOwnership) { EXPECT_THAT(over_the_tree(shared_ownership), IsEmpty()); }

TEST(House, OwnershipRuleFires) {
  const std::string code = "std::shared_ptr<int> p;\n";
  for (const auto* path :
       {"base/x.h", "crypto/x.h", "dht/x.h", "overlay/x.h", "nat/x.h", "sip/x.h", "media/x.h", "node/x.h"}) {
    EXPECT_THAT(shared_ownership(planted(path, code)), Not(IsEmpty())) << path;
  }
  EXPECT_THAT(shared_ownership(planted("node/io/x.h", code)), IsEmpty());
  EXPECT_THAT(shared_ownership(planted("sip/x.h", "// no shared_ptr\n")), IsEmpty());
}

TEST(House, CoresDoNotThrow) { EXPECT_THAT(over_the_tree(exceptions), IsEmpty()); }

TEST(House, ExceptionRuleFires) {
  EXPECT_THAT(exceptions(planted("sip/x.cpp", "throw 1;\n")), Not(IsEmpty()));
  EXPECT_THAT(exceptions(planted("media/x.cpp", "throw std::bad_alloc();\n")), IsEmpty());
  EXPECT_THAT(exceptions(planted("cli/x.cpp", "throw 1;\n")), IsEmpty());
  EXPECT_THAT(exceptions(planted("sip/x.cpp", "// never throw\nint throwaway;\n")), IsEmpty());
}

TEST(House, FilesAreShort) { EXPECT_THAT(over_the_tree(length, true), IsEmpty()); }

TEST(House, LengthRuleFires) {
  std::string text;
  for (std::size_t i = 0; i < kMaxLines; ++i) text += "\n";
  EXPECT_THAT(length(planted("sip/x.cpp", text)), IsEmpty());
  EXPECT_THAT(length(planted("sip/x.cpp", text + "int x;")), Not(IsEmpty()));
}

TEST(House, HeadersAreGuarded) { EXPECT_THAT(over_the_tree(include_guard, true), IsEmpty()); }

TEST(House, GuardRuleFires) {
  EXPECT_THAT(include_guard(planted("sip/x.h", "int x;\n")), Not(IsEmpty()));
  EXPECT_THAT(include_guard(planted("sip/x.h", "#pragma once\nint x;\n")), IsEmpty());
}

TEST(House, NoFileNamesAPathOfOneMachine) {
  Findings out;
  const auto files = tracked_files();
  EXPECT_GT(files.size(), 20U);
  for (const auto& path : files) {
    for (auto& finding : machine_paths(path, read_file(path))) out.push_back(std::move(finding));
  }
  EXPECT_THAT(out, IsEmpty());
}

TEST(House, MachinePathRuleFires) {
  const std::string place = std::string("/ro") + "ot/";
  EXPECT_THAT(machine_paths("x.md", "see " + place + "notes"), Not(IsEmpty()));
  EXPECT_THAT(machine_paths("x.md", place + "notes"), Not(IsEmpty()));
  EXPECT_THAT(machine_paths("x.sh", "cd \"" + std::string("/wo") + "rk/main\""), Not(IsEmpty()));
  EXPECT_THAT(machine_paths("x.md", "net" + std::string("work/") + "driver and build" + place), IsEmpty());
}

TEST(House, TestsMirrorTheFolders) {
  std::vector<std::string> folders;
  for (const auto& source : sources()) folders.push_back(source.folder);
  Findings out;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(LINNET_SOURCE_DIR) / "tests")) {
    if (!entry.is_directory() || std::filesystem::is_empty(entry.path())) continue;
    for (auto& finding : mirror(entry.path().filename().string(), folders)) out.push_back(std::move(finding));
  }
  EXPECT_THAT(out, IsEmpty());
}

TEST(House, MirrorRuleFires) {
  const std::vector<std::string> folders = {"base", "sip", "node/io"};
  EXPECT_THAT(mirror("helpers", folders), Not(IsEmpty()));
  EXPECT_THAT(mirror("media", folders), Not(IsEmpty()));
  EXPECT_THAT(mirror("sip", folders), IsEmpty());
  EXPECT_THAT(mirror("io", folders), IsEmpty());
  EXPECT_THAT(mirror("house", folders), IsEmpty());
}

}  // namespace
}  // namespace linnet::house
