// The four transactions of RFC 3261 section 17, with the Accepted states of RFC 6026. Each is a state machine of timers
// alone: it holds no message and sends nothing; it says what its owner must do now.
//
// `reliable` sets timers A, E and G off and D, I, J, K to zero as section 17 says. L and M (RFC 6026) become zero too:
// with one hop and no retransmission there is nothing left to absorb.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "base/timers.h"

namespace linnet::sip {

// RFC 3261 table 4.
struct TimerValues {
  Duration t1 = std::chrono::milliseconds(500);
  Duration t2 = std::chrono::seconds(4);
  Duration t4 = std::chrono::seconds(5);
};

// What the owner of a transaction does next.
struct Step {
  bool resend = false;     // the request, or the last response, goes out again
  bool deliver = false;    // the message is news to the transaction user
  bool ack = false;        // answer with an ACK inside this transaction
  bool trying = false;     // send 100
  bool timed_out = false;  // tell the transaction user: no answer (B, F), no ACK (H)
};

class InviteClient {  // section 17.1.1
 public:
  enum class State : std::uint8_t { calling, proceeding, accepted, completed, terminated };

  InviteClient(const TimerValues& values, bool reliable, Time now);
  Step on_response(Time now, int status);
  Step on_timeout(Time now);
  Time next() const { return timers_.next(); }
  State state() const { return state_; }
  bool terminated() const { return state_ == State::terminated; }

 private:
  enum class Timer : std::uint8_t { a, b, d, m, count_ };
  void finish(State state, Timer timer, Time now, Duration linger);

  TimerValues values_;
  bool reliable_;
  Duration interval_;
  State state_ = State::calling;
  Timers<Timer> timers_;
};

class NonInviteClient {  // section 17.1.2
 public:
  enum class State : std::uint8_t { trying, proceeding, completed, terminated };

  NonInviteClient(const TimerValues& values, bool reliable, Time now);
  Step on_response(Time now, int status);
  Step on_timeout(Time now);
  Time next() const { return timers_.next(); }
  State state() const { return state_; }
  bool terminated() const { return state_ == State::terminated; }

 private:
  enum class Timer : std::uint8_t { e, f, k, count_ };

  TimerValues values_;
  bool reliable_;
  Duration interval_;
  State state_ = State::trying;
  Timers<Timer> timers_;
};

class InviteServer {  // section 17.2.1
 public:
  enum class State : std::uint8_t { proceeding, accepted, completed, confirmed, terminated };

  InviteServer(const TimerValues& values, bool reliable, Time now);
  Step on_request(Time now);           // the same INVITE once more
  void on_send(Time now, int status);  // the transaction user answers
  Step on_ack(Time now);               // deliver: it belongs to a 2xx
  Step on_timeout(Time now);
  Time next() const { return timers_.next(); }
  State state() const { return state_; }
  bool terminated() const { return state_ == State::terminated; }

 private:
  enum class Timer : std::uint8_t { trying, g, h, i, l, count_ };

  TimerValues values_;
  bool reliable_;
  bool answered_ = false;
  Duration interval_;
  State state_ = State::proceeding;
  Timers<Timer> timers_;
};

class NonInviteServer {  // section 17.2.2
 public:
  enum class State : std::uint8_t { trying, proceeding, completed, terminated };

  NonInviteServer(const TimerValues& values, bool reliable) : values_(values), reliable_(reliable) {}
  Step on_request(Time now);
  void on_send(Time now, int status);
  Step on_timeout(Time now);
  Time next() const { return timers_.next(); }
  State state() const { return state_; }
  bool terminated() const { return state_ == State::terminated; }

 private:
  enum class Timer : std::uint8_t { j, count_ };

  TimerValues values_;
  bool reliable_;
  State state_ = State::trying;
  Timers<Timer> timers_;
};

}  // namespace linnet::sip
