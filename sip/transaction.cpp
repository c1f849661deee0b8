#include "sip/transaction.h"

namespace linnet::sip {
namespace {

// Section 17.2.1: 100 goes out if the transaction user has said nothing by then.
constexpr Duration kTryingAfter = std::chrono::milliseconds(200);
// Section 17.1.1.2: timer D is at least 32 s, whatever T1 is.
constexpr Duration kTimerD = std::chrono::seconds(32);

}  // namespace

InviteClient::InviteClient(const TimerValues& values, bool reliable, Time now)
    : TransactionMachine(values, reliable, State::calling) {
  if (!reliable_) timers_.set(Timer::a, now + interval_);
  timers_.set(Timer::b, now + 64 * values_.t1);
}

void InviteClient::stop_calling(State state) {
  timers_.stop(Timer::a);
  timers_.stop(Timer::b);
  state_ = state;
}

Step InviteClient::on_response(Time now, int status) {
  Step out;
  switch (state_) {
    case State::calling:
    case State::proceeding:
      out.deliver = true;
      if (status < 200) {
        stop_calling(State::proceeding);
      } else if (status < 300) {
        stop_calling(State::accepted);
        timers_.set(Timer::m, now + 64 * values_.t1);
      } else {
        out.ack = true;
        stop_calling(reliable_ ? State::terminated : State::completed);
        if (!reliable_) timers_.set(Timer::d, now + kTimerD);
      }
      break;
    case State::accepted: out.deliver = status >= 200 && status < 300; break;
    case State::completed: out.ack = status >= 300; break;
    case State::terminated: break;
  }
  return out;
}

Step InviteClient::on_timeout(Time now) {
  Step out;
  if (timers_.expired(Timer::b, now)) {
    timers_.stop(Timer::a);
    state_ = State::terminated;
    out.timed_out = true;
  }
  if (timers_.expired(Timer::a, now)) {
    out.resend = true;
    interval_ *= 2;
    timers_.set(Timer::a, now + interval_);
  }
  if (timers_.expired(Timer::d, now) || timers_.expired(Timer::m, now)) state_ = State::terminated;
  return out;
}

NonInviteClient::NonInviteClient(const TimerValues& values, bool reliable, Time now)
    : TransactionMachine(values, reliable, State::trying) {
  if (!reliable_) timers_.set(Timer::e, now + interval_);
  timers_.set(Timer::f, now + 64 * values_.t1);
}

Step NonInviteClient::on_response(Time now, int status) {
  Step out;
  if (state_ != State::trying && state_ != State::proceeding) return out;
  out.deliver = true;
  if (status < 200) {
    state_ = State::proceeding;
    return out;
  }
  timers_.stop(Timer::e);
  timers_.stop(Timer::f);
  state_ = reliable_ ? State::terminated : State::completed;
  if (!reliable_) timers_.set(Timer::k, now + values_.t4);
  return out;
}

Step NonInviteClient::on_timeout(Time now) {
  Step out;
  if (timers_.expired(Timer::f, now)) {
    timers_.stop(Timer::e);
    state_ = State::terminated;
    out.timed_out = true;
  }
  if (timers_.expired(Timer::e, now)) {
    out.resend = true;
    interval_ = state_ == State::proceeding ? values_.t2 : std::min(2 * interval_, values_.t2);
    timers_.set(Timer::e, now + interval_);
  }
  if (timers_.expired(Timer::k, now)) state_ = State::terminated;
  return out;
}

InviteServer::InviteServer(const TimerValues& values, bool reliable, Time now)
    : TransactionMachine(values, reliable, State::proceeding) {
  timers_.set(Timer::trying, now + kTryingAfter);
}

Step InviteServer::on_request(Time) {
  Step out;
  out.resend = (state_ == State::proceeding && answered_) || state_ == State::completed;
  return out;
}

void InviteServer::on_send(Time now, int status) {
  if (state_ != State::proceeding) return;
  timers_.stop(Timer::trying);
  answered_ = true;
  if (status < 200) return;
  if (status < 300) {
    state_ = State::accepted;
    timers_.set(Timer::l, now + 64 * values_.t1);
    return;
  }
  state_ = State::completed;
  if (!reliable_) timers_.set(Timer::g, now + interval_);
  timers_.set(Timer::h, now + 64 * values_.t1);
}

Step InviteServer::on_ack(Time now) {
  Step out;
  if (state_ == State::accepted) out.deliver = true;
  if (state_ != State::completed) return out;
  timers_.stop(Timer::g);
  timers_.stop(Timer::h);
  state_ = reliable_ ? State::terminated : State::confirmed;
  if (!reliable_) timers_.set(Timer::i, now + values_.t4);
  return out;
}

Step InviteServer::on_timeout(Time now) {
  Step out;
  out.trying = timers_.expired(Timer::trying, now);
  if (timers_.expired(Timer::h, now)) {
    timers_.stop(Timer::g);
    state_ = State::terminated;
    out.timed_out = true;
  }
  if (timers_.expired(Timer::g, now)) {
    out.resend = true;
    interval_ = std::min(2 * interval_, values_.t2);
    timers_.set(Timer::g, now + interval_);
  }
  if (timers_.expired(Timer::i, now) || timers_.expired(Timer::l, now)) state_ = State::terminated;
  return out;
}

Step NonInviteServer::on_request(Time) {
  Step out;
  out.resend = state_ == State::proceeding || state_ == State::completed;
  return out;
}

void NonInviteServer::on_send(Time now, int status) {
  if (state_ != State::trying && state_ != State::proceeding) return;
  if (status < 200) {
    state_ = State::proceeding;
    return;
  }
  state_ = reliable_ ? State::terminated : State::completed;
  if (!reliable_) timers_.set(Timer::j, now + 64 * values_.t1);
}

Step NonInviteServer::on_timeout(Time now) {
  if (timers_.expired(Timer::j, now)) state_ = State::terminated;
  return {};
}

}  // namespace linnet::sip
