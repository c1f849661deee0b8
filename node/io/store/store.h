// store.db: what must outlive the daemon. SQLite in WAL mode with full sync: what was acknowledged survives kill -9 and
// power loss. A damaged store is refused and left as it is.
#pragma once

#include <filesystem>
#include <memory>

#include "dht/floors.h"
#include "node/call_view.h"
#include "node/config.h"
#include "node/io/trouble.h"

struct sqlite3;

namespace linnet::io {

class Statement;

struct HistoryRow {
  Wall started{};
  node::Direction direction{};
  std::string peer;
  std::string result;  // as in call --json
  std::string text;    // why, for a person; may be empty
  std::string json;    // the summary line (view_json.h)
};

class Store {
 public:
  static constexpr std::size_t kMaxHistory = 10'000;  // rows; the oldest go
  static constexpr std::size_t kMaxFloors = 100'000;  // as many as a supernode has records
  static constexpr std::int64_t kFloorsEndedAtOnce = 100;

  static Outcome<Store> open(const std::filesystem::path& path);

  Outcome<node::Memory> memory();
  // Every record sequence below this may have been used; 1 in a new store.
  Outcome<std::uint64_t> sequence();
  Outcome<std::vector<HistoryRow>> history(std::size_t newest);  // oldest first

  // Of a supernode: the newest records it kept, those that still matter.
  // Oldest first. On disk there are at most `most`; what is too much goes of the writer prefixes that have most, their
  // youngest.
  Outcome<std::vector<dht::Floor>> floors(Wall now, std::size_t most = kMaxFloors);

  // All of it or nothing. A pin that stands is never replaced here: it has to be taken away first.
  Done save_people(const std::vector<node::Change>& changes);
  Done save_sequence(std::uint64_t below);  // never goes back
  // What a supernode's circuits carried in the month that was counted last.
  Outcome<overlay::RelayedMonth> relayed();
  Done save_relayed(const overlay::RelayedMonth& month);
  // After floors(). Survives the process, not always the power: it is written with every record that is kept.
  Done save_floors(const std::vector<dht::Floor>& floors);
  // Those that have ended, kFloorsEndedAtOnce at a time.
  Done purge_floors(Wall now);
  // What the last of these three did to cut the table, insertions not counted.
  struct FloorsWork {
    std::int64_t steps = 0;    // of SQLite's machine
    std::int64_t scanned = 0;  // rows read for want of an index
    void add(const Statement& statement);
  };
  const FloorsWork& floors_work() const { return floors_work_; }
  Done add_history(const HistoryRow& row);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Store(std::unique_ptr<sqlite3, Close> db, std::string name) : db_(std::move(db)), name_(std::move(name)) {}
  tl::unexpected<Trouble> failed(const char* what) const;
  void count_floors();
  bool end_floors(Wall now, std::int64_t most);
  bool cut_floors();

  std::unique_ptr<sqlite3, Close> db_;
  std::string name_;
  std::int64_t most_floors_ = kMaxFloors;
  std::int64_t floors_ = 0;  // on disk
  FloorsWork floors_work_;
};

// For store*.cpp.
tl::unexpected<Trouble> damaged_store(const std::filesystem::path& path, const std::string& why);

}  // namespace linnet::io
