#include "node/call_incoming.h"

#include <utility>

#include "node/call.h"
#include "node/sdp_glue.h"

namespace linnet::node {

Next Incoming::on(Rooms& rooms, Time now, Facts& facts, input::Answer how) {
  facts.by_person = facts.by_person || how.by_person;
  if (ours) return {};
  if (!offer) {
    ours = describe(rooms.config, rooms.rng);
    if (rooms.sip.accept(now, line.call, sip::to_sdp(*ours))) return {};
    return {Ended{CallResult::failed, "The call of " + facts.peer.text() + " was gone already."}};
  }
  std::string answer;
  const auto source = facts.conference && !facts.conference->ours ? facts.conference->source : std::nullopt;
  auto voice = Voice::from_offer(rooms.config, rooms.rng, *offer, answer, source);
  if (!voice) {
    (void)rooms.sip.reject(now, line.call, 488);
    return {Ended{CallResult::failed, "No codec or key suite in common with " + facts.peer.text() + "."}};
  }
  if (facts.conference && facts.conference->ours) (void)rooms.sip.set_focus(line.call, true);
  if (!rooms.sip.accept(now, line.call, std::move(answer)))
    return {Ended{CallResult::failed, "The call of " + facts.peer.text() + " was gone already."}};
  return Talking::begin(rooms, now, facts, std::move(line), std::move(*voice));
}

Next Incoming::on(Rooms& rooms, Time now, Facts& facts, const sip::Established& established) {
  if (established.call != line.call || !ours) return {};
  auto voice = Voice::from_answer(rooms.config, rooms.rng, *ours, established.sdp);
  if (voice) return Talking::begin(rooms, now, facts, std::move(line), std::move(*voice));
  (void)rooms.sip.bye(now, line.call, "Not acceptable");
  return {Ended{CallResult::failed, "No codec or key suite in common with " + facts.peer.text() + "."}};
}

Next Incoming::on(Rooms& rooms, Time now, Facts&, input::Hangup) {
  if (ours) {
    (void)rooms.sip.bye(now, line.call);
    return {Ended{CallResult::cancelled, {}}};
  }
  (void)rooms.sip.reject(now, line.call, 603);
  return {Ended{CallResult::declined, {}}};
}

// The caller gives up first; this is for one that cannot say so any more.
Next Incoming::on(Rooms& rooms, Time now, Facts& facts, input::Tick) {
  if (now < until || ours) return {};  // SIP gives up on the ACK by itself
  (void)rooms.sip.reject(now, line.call, 480);
  return {Ended{CallResult::no_answer, "Missed: " + facts.peer.text() + " called."}};
}

Next Incoming::on(Rooms&, Time, Facts& facts, const input::NameChecked& checked) {
  apply(facts, line.account, checked);
  return {};
}

Next Incoming::on(Rooms&, Time, Facts& facts, const sip::Cancelled& cancelled) {
  if (cancelled.call != line.call) return {};
  if (cancelled.elsewhere) return {Ended{CallResult::cancelled, "Answered elsewhere."}};
  if (cancelled.reason == kDeclined) return {Ended{CallResult::declined, "Declined at another device."}};
  if (cancelled.reason == kNoAnswer) return {Ended{CallResult::no_answer, "Missed: " + facts.peer.text() + " called."}};
  return {Ended{CallResult::cancelled, facts.peer.text() + " hung up before it was answered."}};
}

Next Incoming::on(Rooms&, Time, Facts& facts, const sip::Failed& failed) {
  if (failed.call != line.call) return {};
  return {Ended{CallResult::failed, "The call of " + facts.peer.text() + " failed: " + failed.why + "."}};
}

Next Incoming::on(Rooms&, Time, Facts& facts, const sip::Ended& ended) {
  if (ended.call != line.call) return {};
  return {Ended{CallResult::cancelled, facts.peer.text() + " hung up before it was answered."}};
}

Next Incoming::on(Rooms& rooms, Time now, Facts& facts, const overlay::LinkDown& down) {
  if (down.link != line.link) return {};
  if (const auto* other = rooms.links.to(line.peer)) {
    line.link = other->id;
    return {};
  }
  (void)rooms.sip.reject(now, line.call, 480);
  return {Ended{CallResult::failed, "The link to " + facts.peer.text() + " was lost while it rang."}};
}

}  // namespace linnet::node
