// Looks names up: three supernodes are asked at once, each walks one path, and what they bring is verified here again.
// Of whom nothing is heard for longer than a round trip takes, his part is asked of another meanwhile.
#pragma once

#include <optional>
#include <vector>

#include "base/fifo.h"
#include "overlay/context.h"
#include "overlay/control_message.h"

namespace linnet::overlay {

// Records found before. Bounded, the oldest goes first; an entry lives until its first record expires, at most a
// minute.
class RecordCache {
 public:
  static constexpr std::size_t kCapacity = 256;
  static constexpr Duration kLife = std::chrono::seconds(60);

  void put(Time now, const crypto::Address& address, std::vector<FoundDevice> devices);
  const std::vector<FoundDevice>* get(Time now, Wall wall, const crypto::Address& address);
  void forget(const crypto::Address& address);
  void clear() { entries_.clear(); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    crypto::Address address;
    std::vector<FoundDevice> devices;
    Time until;
  };

  std::vector<Entry> entries_;
};

class Finder {
 public:
  static constexpr std::size_t kPaths = 3;
  static constexpr std::size_t kWhom = 2 * kPaths;  // sessions that may be needed
  static constexpr std::size_t kMaxSearches = 64;
  static constexpr std::size_t kMaxDevices = 16;

  // A question to be put: to this session, or to our own DHT when there is none.
  struct Question {
    std::uint64_t request = 0;
    std::optional<SessionId> session;
    crypto::UserKey user;
    std::optional<crypto::AccountKey> pinned;
    dht::Share share = {};  // of the holders
  };

  // `sessions`: whom to ask: the first kPaths, and the others for who does not answer. `own_dht`: this node asks itself
  // instead.
  Result<FindId> find(const Context& c, const crypto::Address& address, std::optional<crypto::AccountKey> pinned,
                      bool cold, const std::vector<SessionId>& sessions, bool own_dht);
  // Searches that had nobody to ask.
  void supernodes_changed(const Context& c, const std::vector<SessionId>& sessions);
  void on_records(const Context& c, std::optional<SessionId> from, const control::Records& answer);
  void on_session_down(const Context& c, SessionId session);
  void handle_timeout(const Context& c);
  Time next_timeout() const;
  std::optional<Question> poll_question();
  std::optional<Found> poll_found();
  RecordCache& cache() { return cache_; }
  std::size_t size() const { return searches_.size(); }

 private:
  struct Asked {
    std::optional<SessionId> session;
    dht::Share share = {};
    bool first = true;  // not in another's place
    bool answered = false;
    bool useful = false;    // it did look
    bool late = false;      // it does not even acknowledge
    std::size_t shown = 0;  // of what was found
    Time at{};
    Time late_at = kNever;
    bool open() const { return !answered && !late; }
  };
  struct Search {
    FindId id{};
    std::uint64_t request = 0;
    crypto::Address address;
    crypto::UserKey user;
    std::optional<crypto::AccountKey> pinned;
    Time started{};
    Time deadline{};
    Time wait_until = kNever;  // for the paths that are still out
    std::vector<Asked> asked;
    std::vector<SessionId> spare;  // were not asked
    std::vector<FoundDevice> devices;
    std::size_t rounds = 0;
    bool whole = false;  // the one that is left was asked for the others' shares too
  };

  void ask(const Context& c, Search& search, const std::vector<SessionId>& sessions);
  void put(const Context& c, Search& search, SessionId session, dht::Share share, bool first);
  void look_for_late(const Context& c, Search& search);
  void hand_on(const Context& c, Search& search, dht::Share share);
  bool ask_whole(const Context& c, Search& search);
  static bool has_pinned(const Search& search);
  static bool enough(const Search& search);
  static bool take(const Context& c, Search& search, ByteView wire);
  static void agree(const Context& c, Search& search);
  static void make_room(Search& search, const dht::SignedRecord& record);
  bool done(const Context& c, Search& search) const;
  void finish(const Context& c, Search& search);
  void settle(const Context& c);

  RecordCache cache_;
  std::vector<Search> searches_;
  Fifo<Question> questions_;
  Fifo<Found> found_;
  std::uint64_t ids_ = 0;
};

}  // namespace linnet::overlay
