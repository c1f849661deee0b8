// A home may say that it stored our record and have thrown it away: then nobody finds us, and we do not know. So some
// seconds after one was stored another home is asked for it, and where that does not show it, it is stored through
// that home and asked of the next.
#pragma once

#include <optional>
#include <vector>

#include "base/fifo.h"
#include "overlay/context.h"

namespace linnet::overlay {

class ReadBack {
 public:
  static constexpr Duration kAfter = std::chrono::seconds(4);  // until copies stand where they are looked for
  static constexpr Duration kAnswer = std::chrono::seconds(3);
  static constexpr unsigned kMostQuestions = 4;  // about one record, whatever is answered
  static constexpr std::uint64_t kFirstRequest = std::uint64_t{1} << 61;

  // Homes are counted as Publisher::Order counts them: `home` modulo how many there are.
  struct Question {
    std::uint64_t request = 0;
    crypto::UserKey user;
    unsigned home = 0;
  };
  struct Missing {
    crypto::UserKey user;
    unsigned home = 0;
  };

  void stored(const Context& c, const crypto::UserKey& user, unsigned home);
  bool owns(std::uint64_t request) const;
  std::optional<crypto::UserKey> about(std::uint64_t request) const;
  // Nothing: that home did not look.
  void on_answer(const Context& c, std::uint64_t request, std::optional<bool> shown);
  void handle_timeout(const Context& c);
  Time next_timeout() const;
  std::optional<Question> poll_question();
  std::optional<Missing> poll_missing();

 private:
  struct Name {  // as many as we have
    crypto::UserKey user;
    unsigned home = 0;   // that stored it
    unsigned asked = 0;  // the latest
    unsigned questions = 0;
    std::uint64_t request = 0;
    bool mending = false;
    Time at = kNever;  // of the next question, or of the end of waiting
  };

  Name* with(std::uint64_t request);
  void ask_later(const Context& c, Name& name, Duration after);

  std::vector<Name> names_;
  std::uint64_t requests_ = kFirstRequest;
  Fifo<Question> questions_;
  Fifo<Missing> missing_;
};

}  // namespace linnet::overlay
