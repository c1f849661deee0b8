// The four transactions of RFC 3261 section 17, with the Accepted states of RFC 6026. Each is a state machine of timers
// alone: it holds no message and sends nothing; it says what its owner must do now.
//
// `reliable` sets timers A, E and G off and D, I, J, K to zero as section 17 says. L and M (RFC 6026) run on every
// transport: they absorb copies of an INVITE and wait for further 2xx from a fork.
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

// What the four have in common.
template <class StateType, class TimerType>
class TransactionMachine {
 public:
  using State = StateType;

  Time next() const { return timers_.next(); }
  State state() const { return state_; }
  bool terminated() const { return state_ == State::terminated; }

 protected:
  using Timer = TimerType;

  TransactionMachine(const TimerValues& values, bool reliable, State first)
      : values_(values), reliable_(reliable), interval_(values.t1), state_(first) {}

  TimerValues values_;
  bool reliable_;
  Duration interval_;
  State state_;
  Timers<Timer> timers_;
};

enum class InviteClientState : std::uint8_t { calling, proceeding, accepted, completed, terminated };
enum class InviteClientTimer : std::uint8_t { a, b, d, m, count_ };

class InviteClient : public TransactionMachine<InviteClientState, InviteClientTimer> {  // section 17.1.1
 public:
  InviteClient(const TimerValues& values, bool reliable, Time now);
  Step on_response(Time now, int status);
  Step on_timeout(Time now);

 private:
  void stop_calling(State state);
};

enum class NonInviteClientState : std::uint8_t { trying, proceeding, completed, terminated };
enum class NonInviteClientTimer : std::uint8_t { e, f, k, count_ };

class NonInviteClient : public TransactionMachine<NonInviteClientState, NonInviteClientTimer> {  // section 17.1.2
 public:
  NonInviteClient(const TimerValues& values, bool reliable, Time now);
  Step on_response(Time now, int status);
  Step on_timeout(Time now);
};

enum class InviteServerState : std::uint8_t { proceeding, accepted, completed, confirmed, terminated };
enum class InviteServerTimer : std::uint8_t { trying, g, h, i, l, count_ };

class InviteServer : public TransactionMachine<InviteServerState, InviteServerTimer> {  // section 17.2.1
 public:
  InviteServer(const TimerValues& values, bool reliable, Time now);
  Step on_request(Time now);           // the same INVITE once more
  void on_send(Time now, int status);  // the transaction user answers
  Step on_ack(Time now);               // deliver: it belongs to a 2xx
  Step on_timeout(Time now);

 private:
  bool answered_ = false;
};

enum class NonInviteServerState : std::uint8_t { trying, proceeding, completed, terminated };
enum class NonInviteServerTimer : std::uint8_t { j, count_ };

class NonInviteServer : public TransactionMachine<NonInviteServerState, NonInviteServerTimer> {  // section 17.2.2
 public:
  NonInviteServer(const TimerValues& values, bool reliable)
      : TransactionMachine(values, reliable, NonInviteServerState::trying) {}
  Step on_request(Time now);
  void on_send(Time now, int status);
  Step on_timeout(Time now);
};

}  // namespace linnet::sip
