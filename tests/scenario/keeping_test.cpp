// What was said to be kept is kept: the process killed, the disk full or broken, at every single step.
#include <sqlite3.h>

#include <cerrno>

#include "node/io/settings/home.h"
#include "node/io/store/hosts_file.h"
#include "node/io/store/key_file.h"
#include "node/io/store/store.h"
#include "tests/scenario/fault_page.h"

namespace linnet::scenario {
namespace {

Ran keep(const io::HomeFolder& home, const FaultPage& page) {
  return Process(LINNET_BINARY_DIR "/tests/linnet_keeper", {home.path().string()}, page.environment()).wait();
}

// "kept pin 2" and the like, counted by kind.
int kept(const Ran& ran, const std::string& kind) {
  int n = 0;
  for (const auto& line : ran.lines()) n += line.rfind("kept " + kind, 0) == 0 ? 1 : 0;
  return n;
}

std::string integrity(const std::filesystem::path& store) {
  sqlite3* db = nullptr;
  std::string verdict = "unreadable";
  if (sqlite3_open(store.c_str(), &db) == SQLITE_OK)
    sqlite3_exec(
        db, "PRAGMA integrity_check",
        [](void* out, int, char** text, char**) {
          *static_cast<std::string*>(out) = text[0];
          return 0;
        },
        &verdict, nullptr);
  sqlite3_close(db);
  return verdict;
}

// A new start finds everything that was said, and nothing is damaged.
void expect_kept(const io::HomeFolder& home, const Ran& ran, const std::string& when) {
  SCOPED_TRACE(when);
  const auto h = *io::find_home(home.path().string());
  const auto identity = io::load_identity_file(h.identity());
  ASSERT_TRUE(identity) << identity.error().text;
  if (kept(ran, "identity") + kept(ran, "renewal") > 0) {
    EXPECT_TRUE(*identity);
  }
  const bool any = kept(ran, "pin") + kept(ran, "sequence") + kept(ran, "history") > 0;
  if (!any && !io::file_exists(h.store())) return;
  auto store = io::Store::open(h.store());
  ASSERT_TRUE(store) << store.error().text;
  const auto memory = store->memory();
  ASSERT_TRUE(memory) << memory.error().text;
  for (const auto& line : ran.lines()) {
    if (line.rfind("kept pin ", 0) == 0) {
      EXPECT_EQ(memory->pins.count(*crypto::Address::parse("p" + line.substr(9) + "@home.example")), 1u) << line;
    }
    if (line.rfind("kept sequence ", 0) == 0) {
      EXPECT_GE(*store->sequence(), 100u * (static_cast<unsigned>(std::stoi(line.substr(14))) + 1)) << line;
    }
  }
  EXPECT_GE(static_cast<int>(memory->contacts.size()), kept(ran, "contact"));
  EXPECT_GE(static_cast<int>(store->history(100)->size()), kept(ran, "history"));
  EXPECT_EQ(integrity(h.store()), "ok");
}

// LINNET_EVERY_STEP=1 for all of them; a sample otherwise.
std::int64_t stride() { return std::getenv("LINNET_EVERY_STEP") != nullptr ? 1 : 4; }

std::int64_t steps_of_a_whole_run() {
  const io::HomeFolder home;
  FaultPage page;
  const auto ran = keep(home, page);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.lines().size(), 19u);
  EXPECT_EQ(kept(ran, ""), 19);
  return page->steps;
}

TEST(Keeping, LosesNothingWhenKilledAtAnyStep) {
  const auto steps = steps_of_a_whole_run();
  ASSERT_GT(steps, 40);
  for (const bool torn : {false, true})
    for (std::int64_t step = torn ? 2 : 1; step <= steps; step += stride()) {
      const io::HomeFolder home;
      FaultPage page;
      page->kill_at = step;
      page->torn = torn ? 1 : 0;
      const auto ran = keep(home, page);
      ASSERT_EQ(ran.exit, 128 + SIGKILL) << "step " << step;
      expect_kept(home, ran, "step " + std::to_string(step) + (torn ? ", torn" : ""));
      // And it comes up again, with nobody's help.
      page.heal();
      const auto again = keep(home, page);
      ASSERT_EQ(again.exit, 0) << "step " << step << ": " << again.err;
      expect_kept(home, again, "again after step " + std::to_string(step));
    }
}

TEST(Keeping, DamagesNothingWhenTheDiskIsFullOrBroken) {
  const auto steps = steps_of_a_whole_run();
  for (const int error : {ENOSPC, EIO})
    for (const bool for_good : {false, true})
      for (std::int64_t step = for_good ? 1 : 3; step <= steps; step += stride()) {
        const io::HomeFolder home;
        FaultPage page;
        page->error = error;
        page->fail_from = step;
        page->fail_to = for_good ? 1'000'000 : step;
        const auto ran = keep(home, page);
        EXPECT_LT(ran.exit, 64) << "step " << step << ": " << ran.err;
        page.heal();
        expect_kept(home, ran, "step " + std::to_string(step) + " failed with " + std::to_string(error));
        const auto again = keep(home, page);
        ASSERT_EQ(again.exit, 0) << "step " << step;
        EXPECT_EQ(kept(again, "pin"), 4);
      }
}

}  // namespace
}  // namespace linnet::scenario
