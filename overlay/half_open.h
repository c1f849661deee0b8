// Handshakes others began with us: a bounded table of those that wait for message 3, and what stands before it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "overlay/handshake_packet.h"
#include "overlay/session.h"

namespace linnet::overlay {

struct HalfOpen {
  // Where message 1 came from, and message 2 went to.
  struct Way {
    Path path;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    Time answered_at{};
    int answers = 0;
  };

  std::uint32_t index = 0;
  std::uint32_t remote_index = 0;
  Pattern pattern{};
  crypto::Mac mac1{};                               // of message 1
  std::unique_ptr<crypto::noise::Handshake> noise;  // until message 3
  Bytes message2;
  std::vector<Way> ways;
  std::vector<std::pair<Path, Bytes>> early;  // data packets that overtook message 3
  Time began{};
  Time since{};       // message 1 came last
  bool done = false;  // kept so that a late copy of message 1 starts nothing

  // What the handshake showed of the path that the session starts on.
  void tell(Time now, Session::Start& start) const;
};

class HalfOpenTable {
 public:
  static constexpr Duration kLife = std::chrono::seconds(3);
  static constexpr Duration kLongestLife = std::chrono::seconds(10);
  static constexpr std::size_t kMaxEarly = 2;  // of one handshake

  explicit HalfOpenTable(std::size_t capacity) : capacity_(capacity) {}

  HalfOpen* by_index(std::uint32_t index);
  HalfOpen* by_mac1(const crypto::Mac& mac1);
  // Null when full. The oldest gives way when it had its time.
  HalfOpen* add(Time now, std::uint32_t index, const crypto::Mac& mac1, std::vector<std::uint32_t>& removed);
  // The initiator still asks: message 3 may yet come. `entry` stays valid.
  void refresh(Time now, HalfOpen& entry);
  // Returns the data packets that were held for message 3.
  std::vector<std::pair<Path, Bytes>> complete(HalfOpen& entry);
  // A data packet overtook message 3, or message 3 was lost and comes again: it is waited for longer. Only who got
  // message 2 knows the index.
  void hold(Time now, std::uint32_t index, const Path& path, ByteView packet);
  // Indexes that are free again are appended to `removed`.
  void expire(Time now, std::vector<std::uint32_t>& removed);

  std::size_t waiting() const { return waiting_; }
  // Finished and refused handshakes alone fill half of the table.
  bool crowded() const { return entries_.size() >= 2 * capacity_; }
  Time next_timeout() const { return next_timeout_; }
  std::size_t memory_bytes() const;

 private:
  struct MacHash {
    std::size_t operator()(const crypto::Mac& mac) const noexcept {
      std::size_t out;
      std::memcpy(&out, mac.data(), sizeof out);
      return out;
    }
  };
  using Entries = std::map<std::uint64_t, HalfOpen>;  // by age

  void erase(Entries::iterator at, std::vector<std::uint32_t>& removed);
  void note_timeout() { next_timeout_ = entries_.empty() ? kNever : entries_.begin()->second.since + kLife; }

  std::size_t capacity_;
  std::size_t waiting_ = 0;
  std::uint64_t next_ = 0;
  Time next_timeout_ = kNever;  // of the oldest entry
  Entries entries_;
  std::unordered_map<std::uint32_t, std::uint64_t> by_index_;
  std::unordered_map<crypto::Mac, std::uint64_t, MacHash> by_mac1_;
};

// mac1, cookies and rate limits: what a stranger has to pass before a key is touched.
class Door {
 public:
  Door(const SessionsConfig& config, const crypto::Suite& suite, Rng& rng, const crypto::SessionKey& own);

  bool mac1_good(const HandshakePacket& packet) const;
  enum class Verdict : std::uint8_t { enter, cookie, refuse };
  // `loaded`: so many wait already that everybody proves where he is.
  Verdict ask(Time now, const Path& path, const HandshakePacket& packet, bool loaded);
  Bytes cookie_packet(Time now, const Path& path, const HandshakePacket& packet);
  const crypto::Mac1& mac1(Pattern pattern) const;

 private:
  // The key that mac1 is made from.
  ByteView key(Pattern pattern) const;

  const crypto::Suite* suite_;
  Rng* rng_;
  crypto::SessionKey own_;
  crypto::NetworkId network_;
  crypto::Mac1 own_mac1_;
  crypto::Mac1 network_mac1_;
  crypto::CookieJar jar_;
  crypto::PrefixLimiter unproven_;  // above it a cookie is asked for, so that a forged source cannot use up a prefix
  crypto::PrefixLimiter proven_;    // above it a source that showed its cookie is refused
};

}  // namespace linnet::overlay
