// One person, several devices: one INVITE for each, and the first 200 wins (protocol.md section 5).
#pragma once

#include <variant>
#include <vector>

#include "node/call_facts.h"
#include "sip/offer_answer.h"

namespace linnet::node {

struct LegConnecting {
  overlay::SessionId link{};
};
struct LegInvited {
  overlay::SessionId link{};
  sip::CallId call{};
  sip::AudioOffer offer;
  bool rang = false;
};
struct Leg {
  overlay::FoundDevice device;
  bool fresh = false;  // its link was made for this call; an older one may lead to a process that is no more
  std::variant<LegConnecting, LegInvited, Ended> state;
};

// The device that answered.
struct Winner {
  Line line;
  sip::AudioOffer offer;
  std::string answer;
};

class Legs {
 public:
  Legs() = default;
  // Begins a link to each device. `address`: the name they were found under.
  Legs(Rooms& rooms, Time now, const Facts& facts, crypto::Address address, Person person);

  void on(Rooms& rooms, Time now, const Facts& facts, const overlay::LinkUp& up);
  void on(Rooms& rooms, Time now, const overlay::LinkDown& down);
  void on(const sip::Ringing& ringing);
  void on(const Facts& facts, const sip::Rejected& rejected);
  void on(const sip::Failed& failed);
  void on(const sip::Ended& ended);
  void on(const sip::Cancelled& cancelled);
  // The leg is taken out of the rest.
  std::optional<Winner> on(const sip::Answered& answered);

  // Takes back every INVITE that is out; `reason` is sip::Core::kElsewhere when another device has the call.
  void cancel(Rooms& rooms, Time now, std::string_view reason);

  bool owns(sip::CallId call) const;
  bool uses(const sip::PeerId& peer) const;
  bool invited() const;
  bool rang() const;
  // A person who declines at one device declines the call; null while nobody did.
  const Ended* declined() const;
  // What all of it came to; nothing while a leg is still under way.
  std::optional<Ended> verdict(const Rooms& rooms) const;

 private:
  LegInvited* invited(sip::CallId call);
  Leg* leg_of(sip::CallId call);
  void end(sip::CallId call, Ended verdict);
  void try_afresh(Rooms& rooms, Time now, Leg& leg);
  Ended unreachable(std::vector<std::string> tried);
  void invite(Rooms& rooms, Time now, const Facts& facts, Leg& leg, overlay::SessionId link);

  crypto::Address peer_;  // as called; what a person reads
  crypto::Address address_;
  std::string group_;  // Linnet-Call-Group
  std::vector<Leg> legs_;
  std::vector<std::string> tried_;  // ways to devices that did not answer
};

// What a final response of 300-699 means for the caller.
Ended meaning_of(const crypto::Address& peer, int code, const std::string& reason);
std::string_view explain(overlay::DownReason reason);

}  // namespace linnet::node
