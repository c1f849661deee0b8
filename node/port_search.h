// Guessing the port of a symmetric NAT (nat/birthday.h), for one link, while its voice goes by a circuit. Who is behind
// that NAT asks for it inside the link's session; each end sends only to where a supernode of one of their circuits
// sees the other, who let it say so. A search is bounded in packets, sockets and time, and a node has one at a time.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "nat/birthday.h"
#include "node/candidates_message.h"

namespace linnet::node {

// Of a node: one search at a time, a few at once, then one in half a minute.
class SearchBudget {
 public:
  static constexpr double kAtOnce = 4;
  static constexpr Duration kEvery = std::chrono::seconds(30);

  bool take(Time now);
  void release() { busy_ = false; }

 private:
  bool busy_ = false;
  double left_ = kAtOnce;
  Time filled_ = Time::min();
};

// The link as it is now.
struct SearchFacts {
  bool shown = false;    // each end lets the other learn its endpoints
  bool talking = false;  // a call has voice on it
  bool relayed = false;  // which goes by a circuit
  NatKind mine = NatKind::unknown;
  NatKind theirs = NatKind::unknown;
};

class PortSearch {
 public:
  static constexpr Duration kPatience = std::chrono::milliseconds(600);  // for a plain punch, before the first search
  static constexpr Duration kAgain = std::chrono::seconds(25);           // from one search to the next
  static constexpr Duration kAgainAsked = std::chrono::seconds(15);      // by the other end: its clock began earlier
  static constexpr std::uint32_t kMaxRounds = 3;                         // of one link
  static constexpr Duration kLongest = std::chrono::seconds(9);
  static constexpr Duration kAttestedFor = std::chrono::seconds(30);

  enum class Part : std::uint8_t {
    none,
    opens,   // ours is the symmetric NAT
    probes,  // theirs is
  };

  // Looks whether a search should begin, or is over; before anything else of a turn.
  void look(Time now, const SearchFacts& facts, SearchBudget& budget);
  // The other end, inside the session, says that it opens sockets. Nothing comes of what nobody here would want.
  void on_asked(Time now, const SearchAsk& ask, SearchBudget& budget);
  // A supernode of a circuit of this link sees the other end there.
  void on_attested(Time now, const Endpoint& at);
  // The driver has opened so many sockets, which may be none. `server`: a STUN server for measuring.
  void on_opened(Time now, Rng& rng, std::size_t sockets, const std::optional<Endpoint>& server);
  void on_measuring(Time now, std::size_t socket, const nat::stun::Message& answer);
  // The link is gone, or begins anew.
  void stop(SearchBudget& budget);

  void handle_timeout(Time now, Rng& rng);
  Time next_timeout() const;

  Part part() const { return part_; }
  bool opens() const { return part_ == Part::opens; }
  // True once: a supernode shall tell the other end where it sees us.
  bool take_show() { return std::exchange(show_, false); }
  bool asks() const { return ask_.has_value(); }
  std::optional<SearchAsk> take_ask() { return std::exchange(ask_, std::nullopt); }
  // True once: the driver shall open nat::birthday::kSockets sockets; they are closed when the search ends.
  bool take_open() { return std::exchange(open_, false); }
  std::optional<nat::birthday::Shot> poll_shot();

 private:
  static bool wanted(const SearchFacts& facts, NatKind symmetric, NatKind other);
  void begin(Time now, Part part);
  void settle(Time now);
  std::optional<Endpoint> attested(Time now) const;

  Part part_ = Part::none;
  SearchFacts facts_;
  std::uint32_t rounds_ = 0;
  Time not_before_ = kNever;
  Time ends_ = kNever;
  std::optional<Endpoint> attested_;
  Time attested_at_{};
  std::optional<nat::birthday::Opener> opener_;
  std::optional<nat::birthday::Prober> prober_;
  std::optional<nat::PortGuess> guess_;  // of the other end
  bool told_ = false;
  bool show_ = false;
  bool open_ = false;
  std::optional<SearchAsk> ask_;
  std::vector<nat::birthday::Shot> shots_;
  std::size_t shot_ = 0;  // next of them
};

}  // namespace linnet::node
