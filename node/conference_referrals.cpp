#include "node/conference_referrals.h"

#include <algorithm>

namespace linnet::node {
namespace {

// Of a REFER that is no member's, or is not his to ask; 0: it may be.
int refusal(const sip::ReferReceived& asked, const conference::Room* room) {
  const crypto::DeviceKey from{asked.peer.bytes};
  if (room == nullptr || !room->roster().has(from)) return 403;
  if (asked.method == "BYE") {
    if (room->duty() != conference::Duty::mixer) return 480;
    return room->roster().head.founder == from ? 0 : 403;
  }
  // To move a call that stands elsewhere into the conference is not ours to try.
  if (asked.method != "INVITE" || asked.replaces) return 603;
  return room->roster().head.locked ? 403 : 0;
}

}  // namespace

int status_of(CallResult result) {
  switch (result) {
    case CallResult::ended: return 200;
    case CallResult::declined: return 603;
    case CallResult::busy: return 486;
    case CallResult::no_answer: return 408;
    case CallResult::unreachable: return 480;
    case CallResult::not_found: return 404;
    case CallResult::cancelled: return 487;
    case CallResult::identity: return 403;
    case CallResult::failed: return 500;
  }
  return 500;
}

std::vector<crypto::DeviceKey> members_at(const conference::Roster& roster, const crypto::Address& who) {
  std::vector<crypto::DeviceKey> out;
  for (const auto& [device, member] : roster.members) {
    const auto& claim = member.claim.claim;
    const auto key = crypto::Address::key_name(claim.address.user(), crypto::key_hash(claim.certificate.account));
    if (claim.address == who || key == who) out.push_back(device);
  }
  return out;
}

std::optional<ConferenceReferrals::Wish> ConferenceReferrals::read(sip::Core& sip, Time now,
                                                                   const sip::ReferReceived& asked,
                                                                   const conference::Room* room) const {
  const auto refuse = [&](int code) {
    (void)sip.reject_subscription(now, asked.subscription, code);
    return std::nullopt;
  };
  if (const int code = refusal(asked, room); code != 0) return refuse(code);
  const auto who = crypto::Address::parse(asked.refer_to.address());
  if (!who) return refuse(404);
  const bool here = !members_at(room->roster(), *who).empty();
  const bool takes_out = asked.method == "BYE";
  if (takes_out && !here) return refuse(404);
  if (!takes_out && (here || asked_.size() >= kAtOnce)) return refuse(486);
  return Wish{takes_out, *who};
}

void ConferenceReferrals::follow(sip::Core& sip, Time now, const sip::ReferReceived& asked, CallId call) {
  const bool accepted = sip.accept_subscription(now, asked.subscription).has_value();
  asked_.emplace(call, accepted && asked.progress ? std::optional(asked.subscription) : std::nullopt);
}

void ConferenceReferrals::done(sip::Core& sip, Time now, const sip::ReferReceived& asked) {
  if (sip.accept_subscription(now, asked.subscription) && asked.progress)
    (void)sip.report_refer(now, asked.subscription, 200);
}

void ConferenceReferrals::over(sip::Core& sip, Time now, CallId call, int code) {
  const auto found = asked_.find(call);
  if (found == asked_.end()) return;
  if (found->second) (void)sip.report_refer(now, *found->second, code);
  asked_.erase(found);
}

// The call goes on, and counts.
void ConferenceReferrals::on(const sip::SubscriptionEnded& ended) {
  for (auto& entry : asked_)
    if (entry.second == ended.subscription) entry.second.reset();
}

}  // namespace linnet::node
