// Two people talk. Held is a flag of it. The signalling line may be lost and found again; the voice goes on while any
// path carries it.
#pragma once

#include "node/call_facts.h"
#include "node/path_watch.h"
#include "node/voice.h"
#include "node/voice_guard.h"

namespace linnet::node {

struct Talking {
  static constexpr Duration kWithoutLink = std::chrono::seconds(10);   // then the call has failed
  static constexpr Duration kWithoutVoice = std::chrono::seconds(20);  // likewise; RTCP goes on through a hold
  // Of a call that is to be explained, how often the other end is asked what its checks came to: soon after the answer
  // and after each change of the path, then less often. It answers once a second at the most.
  static constexpr Duration kAskSoon = std::chrono::milliseconds(300);
  static constexpr Duration kAskAgain = std::chrono::milliseconds(1500);
  static constexpr Duration kAskLater = std::chrono::seconds(10);
  static constexpr unsigned kAsksSoon = 8;

  Line line;
  Voice voice;
  PathWatch path;
  VoiceGuard guard;
  Time heard{};              // the last packet of the peer, voice or RTCP
  Time until = kNever;       // the length that was asked for
  std::optional<Time> lost;  // since when there is no link
  Time ask_at = kNever;      // when the other end is asked next
  unsigned asks = 0;
  std::optional<overlay::Path> round_trip_of;
  Duration least_round_trip{};
  Bytes leaving;  // the packet that is sent

  static Next begin(Rooms& rooms, Time now, Facts& facts, Line line, Voice voice);

  Next on(Rooms& rooms, Time now, Facts& facts, input::Hangup);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Hold hold);
  Next on(Rooms& rooms, Time now, Facts& facts, input::Tick);
  Next on(Rooms& rooms, Time now, Facts& facts, const input::NameChecked& checked);
  Next on(Rooms& rooms, Time now, Facts& facts, const overlay::LinkUp& up);
  Next on(Rooms& rooms, Time now, Facts& facts, const overlay::LinkDown& down);
  Next on(Rooms& rooms, Time now, Facts& facts, const overlay::LinkPath& moved);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Ended& ended);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::Failed& failed);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::ReinviteOffer& offer);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::ReinviteAnswered& answered);
  Next on(Rooms& rooms, Time now, Facts& facts, const sip::ReinviteRejected& rejected);
  Time next_timeout() const;

  // Whether the voice was this call's.
  bool hear(Rooms& rooms, Time now, const overlay::Path& by, MutableBytes packet);
  // The peer's endpoint, or that of who passes the voice on.
  std::string via(const Rooms& rooms) const;
  // Why it is by that way; empty: there is nothing to say.
  std::string reason(const Rooms& rooms) const;
  // Voice that waits goes out.
  void send(Rooms& rooms, Time now);

 private:
  Next end(Rooms& rooms, Time now, Facts& facts, CallResult result, std::string text);
  void note_path(Rooms& rooms);
  void note_round_trip(Rooms& rooms);
  void ask_theirs(Rooms& rooms, Time now);
  void watch_voice(Rooms& rooms, Time now);
  CallExplain explain(const Rooms& rooms, const Facts& facts) const;
  void take_link(Rooms& rooms, Time now, overlay::SessionId link);
};

}  // namespace linnet::node
