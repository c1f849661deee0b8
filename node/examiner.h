// Looks somebody up, makes a link to each device and asks its paths, as a call would, but rings nobody. A stranger
// learns no address by it: endpoints are exchanged with contacts alone, as on every link (reception).
#pragma once

#include <map>

#include "node/directory.h"
#include "node/rooms.h"

namespace linnet::node {

class Examiner {
 public:
  static constexpr std::size_t kMax = 8;  // at once
  static constexpr unsigned kMaxRounds = 86'400;
  static constexpr Duration kEvery = std::chrono::seconds(1);   // rounds
  static constexpr Duration kAnswer = std::chrono::seconds(2);  // a round is waited for so long
  static constexpr Duration kDirect = std::chrono::seconds(4);  // a direct path of a contact has its chance

  void begin(Rooms& rooms, Time now, CommandId id, const command::Examine& what);
  void stop(CommandId id) { running_.erase(id); }
  void on_found(Rooms& rooms, Time now, const asker::Examination& asked, const overlay::Found& found);
  void on(Rooms& rooms, Time now, const overlay::LinkUp& up);
  void on(Rooms& rooms, const overlay::LinkDown& down);
  void on(Time now, const overlay::LinkPath& moved);
  void on(Rooms& rooms, Time now, const overlay::LinkAnswered& answered);
  void network_heard(Rooms& rooms, overlay::SessionId link);
  void handle_timeout(Rooms& rooms, Time now);
  Time next_timeout() const;

 private:
  struct Reaching {  // one device, beside Examination::Device
    std::optional<overlay::SessionId> link;
    bool up = false;
    bool over = false;
    bool heard = false;  // an answer in this round
    bool asked_them = false;
    Time round_at = kNever;  // the next one
    Time give_up = kNever;   // of the connect, then of the last round
  };
  struct Run {
    command::Examine what;
    Time began{};
    bool cold = false;
    Time lookup_until = kNever;
    Examination found;
    std::vector<Reaching> devices;
  };
  using Runs = std::map<CommandId, Run>;

  void refuse(Rooms& rooms, CommandId id, Outcome outcome, std::string text);
  void connect(Rooms& rooms, Time now, Run& run, const overlay::FoundDevice& device);
  void next_round(Rooms& rooms, Time now, CommandId id, Run& run, std::size_t device);
  void look(Rooms& rooms, Run& run, std::size_t device) const;
  void tell(Rooms& rooms, CommandId id, const Run& run, std::optional<Answer> answer = std::nullopt) const;
  void step(Rooms& rooms, Time now, CommandId id, Run& run);
  bool finish_if_over(Rooms& rooms, CommandId id, Run& run);

  Runs running_;
};

}  // namespace linnet::node
