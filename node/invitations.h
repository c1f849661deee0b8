// Invitations: those we gave out, each good for one person once, and those we accepted, until the inviter knows. The
// token alone makes the inviter our contact; the one-time secret, told inside a session, makes us theirs.
#pragma once

#include <map>
#include <vector>

#include "node/people_message.h"
#include "node/rooms.h"

namespace linnet::node {

class Invitations {
 public:
  static constexpr std::size_t kMaxOpen = 32;  // outstanding, of ours
  static constexpr std::size_t kMaxKept = 96;  // with those that were used and those that are over
  static constexpr std::size_t kMaxAccepted = 32;
  static constexpr Duration kAnswerLimit = std::chrono::seconds(8);  // then the person is told to go on without
  static constexpr Duration kFirstAgain = std::chrono::seconds(5);
  static constexpr Duration kLastAgain = std::chrono::seconds(600);

  // Nothing when the answer comes later, as event PeopleDone.
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Invite& invite);
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::CancelInvitation& cancel);
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Accept& accept);

  // After a start: what was accepted and not said yet is said.
  void start(Rooms& rooms, Time now);
  void online(Rooms& rooms, Time now);
  void on_found(Rooms& rooms, Time now, const asker::Delivery& asked, const overlay::Found& found);
  void on(Rooms& rooms, Time now, const overlay::LinkUp& up);
  void on(Rooms& rooms, Time now, const overlay::LinkDown& down);
  void on_message(Rooms& rooms, Time now, const overlay::LinkMessage& message);
  void handle_timeout(Rooms& rooms, Time now);
  Time next_timeout() const;

 private:
  // The way of one acceptance to its inviter.
  struct Delivery {
    enum class Step : std::uint8_t { waiting, finding, connecting, said };
    Acceptance what;
    Step step = Step::waiting;
    Time at{};  // waiting: of the next try; else when this one has failed
    Duration again = kFirstAgain;
    overlay::FindId find{};  // the newest one counts
    std::vector<overlay::SessionId> links;
    std::optional<CommandId> command;  // whose person waits
    Time patience = kNever;
  };

  void deliver(Rooms& rooms, Time now, Delivery& delivery);
  void postpone(Time now, Delivery& delivery);
  void tell(Rooms& rooms, Delivery& delivery, Reply reply);
  void tell_waiting(Rooms& rooms, Delivery& delivery);
  void answered(Rooms& rooms, const Link& link, const people_message::Answer& answer);
  people_message::Verdict use(Rooms& rooms, Time now, const Link& link, const crypto::InvitationSecret& secret);
  void tidy(Rooms& rooms);

  std::map<PersonKey, Delivery> deliveries_;
};

}  // namespace linnet::node
