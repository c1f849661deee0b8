#include "media/rate_control.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace linnet::media {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kBaseWindow = seconds(20);
constexpr double kQueue = 120;          // ms of queue that are congestion
constexpr double kQueueWithLoss = 60;   // ... when packets are lost as well
constexpr double kReportOctets = 100;   // on the wire, about
constexpr double kHidden = 300;         // ms that the round trip tells of and reports alone do not
constexpr auto kMayHide = seconds(12);  // from the first packet on
constexpr double kStanding = 40;        // a queue of this much keeps the link busy: the rate is the link's
constexpr double kDrainAgain = 300;     // ms that are left of a queue after a drain: it was not enough
constexpr double kDrainFrom = 150;      // ms of queue that stop the voice until it is gone
constexpr auto kMaxDrain = milliseconds(900);
constexpr auto kDrainBlindAgain = seconds(1);  // after a drain that no measure called for
constexpr double kShare = 0.93;                // of what came through
constexpr int kFloor = 9600;                   // bit/s on the wire: the least plan there is
constexpr int kMaxWire = 100'000;              // bit/s on the wire with all copies
constexpr double kGrowth = 1.06;
constexpr auto kGrowthStep = seconds(2);
constexpr auto kBlindStep = seconds(1);
constexpr auto kFirstPatience = seconds(2);  // the first estimate is of a moment
constexpr double kOutage = 100;              // ms missing between two reports
constexpr double kMixed = 0.12;              // loss at which that is no wonder
constexpr auto kOutageMemory = seconds(30);
constexpr double kLookedAt = 0.25;  // s of measure that make an estimate
constexpr auto kPatience = seconds(30);
constexpr auto kMaxPatience = seconds(120);
constexpr auto kSilence = seconds(8);  // without a report where reports are due
constexpr double kBelieved = 0.2;      // of the other direction's loss
constexpr auto kFirstSilence = milliseconds(1200);
constexpr auto kLossySilence = milliseconds(3000);  // ... where the path loses packets, and reports with them
constexpr double kCrowded = 250;                    // ms that the peer's packets wait
constexpr auto kCrowdedFor = milliseconds(200);
constexpr auto kCrowdedSilence = milliseconds(300);  // ... where they do
constexpr auto kCrowdedLater = milliseconds(1500);   // ... after a report: the next may wait a second
constexpr double kLossy = 0.05;
constexpr double kChance = 0.001;       // of as many losses in a row as are not counted as a queue
constexpr double kMaxUnheard = 240;     // ms
constexpr auto kSettling = seconds(6);  // of a beginning that was too full
constexpr double kUnsureGrowth = 1.08;
constexpr auto kUnsureStep = seconds(1);  // the peer tells at once when its packets pile up
constexpr int kEnoughGrowths = 2;
constexpr double kBlindLoss = 0.4;
constexpr double kBlindPackets = 8;
constexpr double kBlindGrowth = 1.5;                             // each second, of a limit that was never measured
constexpr std::array<double, 3> kCopiesFrom{0.015, 0.18, 0.45};  // loss
constexpr std::array<double, 3> kCopiesTo{0.006, 0.09, 0.25};
constexpr Duration kFewerAfter = seconds(8);
constexpr double kFirstLook = 60;      // packets: until then nothing is known of the path, and each frame goes twice
constexpr double kWorse = 0.12;        // loss that came with the copies
constexpr double kSurely = 2.5;        // standard deviations
constexpr double kLossMemory = 150;    // packets
constexpr double kRecoverFrom = 0.08;  // loss
constexpr double kRecoverTo = 0.03;
constexpr double kCountMemory = 300;  // packets
constexpr auto kNoCopies = seconds(20);
constexpr double kOvercome = 1.15;  // growth past this much of the ceiling forgets it

}  // namespace

RateControl::RateControl(const RateSettings& settings) : settings_(settings) {
  input_.bitrate = settings.bitrate;
  input_.frame_ms = settings.frame_ms;
  input_.overhead = settings.overhead;
  patience_ = kFirstPatience;
  replan();
}

void RateControl::on_sent(Time now, std::uint16_t sequence, std::size_t octets) {
  constexpr std::size_t kIpUdp = 28;
  if (log_.empty()) heard_at_ = now;
  log_.add(now, sequence, octets + kIpUdp);
}

RateControl::Passed RateControl::passed(const Mark& from, const Mark& to) const {
  Passed out;
  out.packets = static_cast<double>(to.packet.sequence - from.packet.sequence);
  const double missing = std::clamp(static_cast<double>(to.lost - from.lost), 0.0, out.packets);
  out.loss = out.packets > 0 ? missing / out.packets : 0;
  const bool by_peer = to.made && from.made && *to.made > *from.made;
  out.seconds = millis(by_peer ? *to.made - *from.made : to.at - from.at) / 1000;
  const auto octets = static_cast<double>(to.packet.octets - from.packet.octets);
  if (out.seconds > 0) out.rate = octets * 8 * (1 - out.loss) / out.seconds;
  return out;
}

// What the way has grown over its least, in ms. A report may be made at any time before the next packet comes: that
// much is not counted, be it a frame or a pause of ours.
double RateControl::measure_queue(Time now, const Mark& mark) {
  const bool by_peer = mark.made.has_value();
  const std::int64_t sent = micros(mark.packet.at.time_since_epoch());
  const std::int64_t way = (by_peer ? micros(*mark.made) : micros(now.time_since_epoch())) - sent;
  if (!base_ || by_peer != base_by_peer_ || way < *base_ - 60'000'000) {
    base_ = way;
    next_base_.reset();
    base_since_ = now;
    base_by_peer_ = by_peer;
  }
  base_ = std::min(*base_, way);
  next_base_ = std::min(next_base_.value_or(way), way);
  if (now - base_since_ > kBaseWindow) {
    base_ = *next_base_;
    next_base_.reset();
    base_since_ = now;
  }
  const auto next = log_.next_at(mark.packet.sequence);
  if (!next) return 0;  // all has arrived
  return std::max(0.0, static_cast<double>(way - *base_) / 1000 - millis(*next - mark.packet.at) - unheard_ms());
}

// What waited on the way out from the first report on is in the base. The round trip has it still, less the least one
// and what waited on the way back; a report may have been late by itself, so the next one has to tell of it too. Later
// in a call the base is of an idle path, and a round trip that grew is of a longer one. Once corrected, the base may be
// too low: then a round trip is short.
double RateControl::correct_base(Time now, const PathReport& report, double queue) {
  if (!report.round_trip || !least_round_trip_) return 0;
  // On a slow line a packet of ours and the report take their time also where nothing waits.
  const double on_wire = plan_.frame_ms + kReportOctets * 8e3 / ceiling_.value_or(kMaxWire);
  const double waited = millis(*report.round_trip - *least_round_trip_) - (ceiling_ ? on_wire : 0);
  const double hidden = waited - incoming_late_ms_ - queue;
  const bool may_hide = hidden > kHidden && now - log_.first().at < kMayHide;
  const bool believed = std::exchange(hidden_before_, may_hide) && may_hide;
  const double by = believed ? hidden : base_corrected_ ? std::min(0.0, waited - queue) : 0;
  if (by == 0) return 0;
  base_corrected_ = true;
  *base_ -= static_cast<std::int64_t>(by * 1000);
  next_base_ = base_;
  return std::max(by, -queue);
}

// Packets lost after the last one the peer heard make its report look late by as many frames.
double RateControl::unheard_ms() const {
  if (loss_ < kLossy) return 0;
  const double frames = std::floor(std::log(kChance) / std::log(std::min(loss_, 0.5)));
  return std::min(frames * plan_.frame_ms, kMaxUnheard);
}

// What came through since the queue stands: the longer it does, the less a packet more or less counts. Both ends fall
// between packets: half of one too many is believed less than half of one too few.
std::optional<RateControl::Passed> RateControl::measure_full_link(const Mark& mark, bool mixed) {
  if (!mark.queued || mixed) busy_.reset();
  if (!mark.queued) return std::nullopt;
  if (!busy_) {
    busy_ = mark;
    return std::nullopt;
  }
  auto out = passed(*busy_, mark);
  if (out.packets < 1) return std::nullopt;
  const double came = out.packets * (1 - out.loss);
  out.rate *= std::max(0.0, came - 0.5) / std::max(came, 1.0);
  return out;
}

void RateControl::note_loss(const Passed& p) {
  seen_packets_ += p.packets;
  // The mean of the first packets, then of about the last ones: short reports are mostly chance.
  loss_ += (p.loss - loss_) * std::min(1.0, p.packets / std::min(seen_packets_, kLossMemory));
  // The codec's own recovery moves the peer's delay by a frame as it comes and goes: it stays for a while.
  if (loss_ > kRecoverFrom) recover_ = true;
  if (loss_ < kRecoverTo) recover_ = false;
}

// One outage may be the last: only where they come again is it worth a third of a second of delay to bridge them.
void RateControl::note_outage(Time now, const Passed& p) {
  while (!outages_.empty() && now - outages_.front() > kOutageMemory) outages_.pop_front();
  const double missing_ms = p.loss * p.packets * plan_.frame_ms;
  if (missing_ms < kOutage || loss_ > kMixed) return;
  outages_.push_back(now);
  if (outages_.size() > 4) outages_.pop_front();
}

void RateControl::on_report(Time now, const PathReport& report) {
  const auto seen = look(now, report);
  if (!seen) return;
  if (!settings_.adapt) return note_loss(seen->passed);
  note_outage(now, seen->passed);
  if (!jammed(*seen)) return on_clear(now, *seen);
  // A queue grows from report to report. One that is there all at once may as well be an outage in which the report was
  // made: the next one tells.
  if (!seen->from.queued && seen_packets_ >= kFirstLook) return;
  // Packets from before the last change are the old plan's: of use only for the measure of a full queue.
  if (seen->mark.packet.at < changed_at_) return on_old_jam(now, *seen);
  on_jam(now, *seen);
}

// Nothing: the report is not of our packets, or tells nothing new.
std::optional<RateControl::Look> RateControl::look(Time now, const PathReport& report) {
  const auto packet = log_.find(report.highest);
  if (!packet) return std::nullopt;
  heard_at_ = now;
  Look out;
  out.first = !last_;
  out.mark = {*packet, report.lost, report.made, now, false};
  out.from = last_.value_or(Mark{{log_.first().sequence - 1, log_.first().at, 0}, 0, {}, log_.first().at, false});
  if (out.mark.packet.sequence <= out.from.packet.sequence) return std::nullopt;
  out.passed = passed(out.from, out.mark);
  out.queue = measure_queue(now, out.mark);
  out.queue += correct_base(now, report, out.queue);
  queue_ms_ = out.queue;
  out.mark.queued = out.queue > kStanding;
  out.mixed = out.from.packet.at < changed_at_ && out.mark.packet.at >= changed_at_;
  out.full = measure_full_link(out.mark, out.mixed);
  last_ = out.mark;
  return out;
}

bool RateControl::jammed(const Look& seen) {
  return seen.queue > kQueue || (seen.passed.loss > 0.04 && seen.queue > kQueueWithLoss && !seen.mixed);
}

void RateControl::on_old_jam(Time now, const Look& seen) {
  // The cut left it standing.
  if (sure_ == Sure::blind && now >= drain_until_ + kDrainBlindAgain) drain(now, seen.queue);
  if (seen.full && seen.full->seconds >= kLookedAt && ceiling_) settle(now, seen.full->rate * kShare);
}

void RateControl::on_jam(Time now, const Look& seen) {
  if (seen.mixed && seen.queue < kDrainAgain) return;  // what was left of the old queue
  if (seen.full && seen.full->seconds > 0.6) patience_ = std::max<Duration>(patience_, kPatience);
  auto measured = seen.full.value_or(seen.passed);
  if (!seen.full && measured.packets >= 1)
    measured.rate *= (measured.packets - 1) / measured.packets;  // one may be chance
  if (seen.first || seen.mixed) measured.packets = 0;
  congested(now, seen.mark, measured, seen.queue);
}

void RateControl::on_clear(Time now, const Look& seen) {
  const auto& p = seen.passed;
  // A queue that is not seen: what grew without a measure must not grow into it.
  if (sure_ == Sure::blind && p.loss > kBlindLoss && p.packets >= kBlindPackets) return cut(now, p.rate * kShare);
  if (seen.from.packet.at >= changed_at_) note_loss(p);
  probe_verdict(now, p);
  if (now >= no_copies_until_) choose_copies(now);
  clear_path(now);
  replan();
}

void RateControl::congested(Time now, const Mark& mark, const Passed& p, double queue_ms) {
  met_queue_ = true;
  if (growths_ > 0 && sure_ == Sure::measured)
    patience_ = std::min<Duration>(std::max<Duration>(patience_ * 2, kPatience), kMaxPatience);
  const int current = std::min(ceiling_.value_or(kMaxWire), wire_rate(plan_, settings_.overhead));
  // Too short a measure says only that it is less.
  const bool measured = p.packets >= 3 && p.seconds >= 0.1;
  const double share = p.seconds >= kLookedAt ? kShare : kShare * kShare;  // of a short look it is as likely too much
  if (measured && p.seconds >= kLookedAt) patience_ = std::max<Duration>(patience_, kPatience);
  const double came = measured ? std::min<double>(p.rate, current) : current * 0.7;
  // What went well before the last steps up will do so again.
  cut(now, std::max(came * share, growths_ > 0 ? good_ceiling_ * kShare : 0.0));
  // What was sent after that packet joined the queue, less what has left it since.
  const double since_ms = static_cast<double>(log_.last().octets - mark.packet.octets) * 8 * 1000 / std::max(came, 1.0);
  const double waiting = queue_ms + since_ms - millis(now - mark.packet.at);
  // Only a rate far over the path's fills a queue as fast as that; else it is about what was measured.
  const double bound = current > 2 * came ? millis(kMaxDrain) : queue_ms * 1.3;
  drain(now, std::min(std::max(waiting, queue_ms), bound));
}

// No voice until the queue is gone, or most of it.
void RateControl::drain(Time now, double ms) {
  const double bounded = std::min(ms, millis(kMaxDrain));
  if (bounded > kDrainFrom) drain_until_ = now + Duration{static_cast<std::int64_t>(bounded * 1000)};
  changed_at_ = std::max(now, drain_until_);
}

// What a full queue let through is what the path carries.
void RateControl::settle(Time now, double rate) {
  ceiling_ = std::max(kFloor, static_cast<int>(rate));
  patience_ = std::max<Duration>(patience_, kPatience);
  measured(now);
  replan();
}

// Other traffic of a call's first seconds, and what was lost in them, make a measure too small.
void RateControl::measured(Time now) {
  const bool early = now - log_.first().at < kSettling && (sure_ != Sure::unsure || growths_ < kEnoughGrowths);
  sure_ = early && sure_ != Sure::measured ? Sure::unsure : Sure::measured;
}

void RateControl::cut(Time now, double rate) {
  ceiling_ = std::max(kFloor, static_cast<int>(rate));
  cut_at_ = changed_at_ = now;
  measured(now);
  growths_ = 0;
  loss_ = 0;  // it was the queue's
  plain_ = copied_ = {};
  replan();
}

Time RateControl::grows_at() const {
  if (sure_ == Sure::blind) return std::max(cut_at_, grown_at_) + kBlindStep;
  if (sure_ == Sure::unsure) return std::max(changed_at_, grown_at_) + kUnsureStep;
  return growths_ == 0 ? cut_at_ + patience_ : grown_at_ + kGrowthStep;
}

double RateControl::growth() const {
  if (sure_ == Sure::blind) return kBlindGrowth;
  if (sure_ == Sure::unsure) return kUnsureGrowth;
  return growths_ > 6 ? kGrowth * kGrowth : kGrowth;  // the longer it goes well the bolder
}

void RateControl::clear_path(Time now) {
  if (!ceiling_) return;
  if (now < grows_at() || draining(now)) return;
  grown_at_ = now;
  if (++growths_ == 1) good_ceiling_ = *ceiling_;
  ceiling_ = static_cast<int>(*ceiling_ * growth());
  auto free = input_;
  free.ceiling = kMaxWire;
  if (*ceiling_ > wire_rate(make_plan(free), settings_.overhead) * kOvercome) {
    ceiling_.reset();
    sure_ = Sure::measured;
    patience_ = kFirstPatience;
  }
}

// Copies come with the first report that calls for them and go when they have not been needed for some time.
void RateControl::choose_copies(Time now) {
  auto& level = input_.copies;
  const int before = level;
  while (level < static_cast<int>(kCopiesFrom.size()) && loss_ >= kCopiesFrom[static_cast<std::size_t>(level)]) ++level;
  const bool fewer = level > 0 && loss_ < kCopiesTo[static_cast<std::size_t>(level - 1)];
  if (!fewer || level != before) less_since_ = kNever;
  if (fewer && less_since_ == kNever) less_since_ = now;
  // The copies a call begins with go as soon as they are seen to be of no use.
  const auto after = loss_ == 0 && seen_packets_ >= kFirstLook ? Duration{0} : kFewerAfter;
  if (fewer && now >= less_since_ + after) {
    --level;
    less_since_ = kNever;
  }
}

// More rate against loss is right only where the loss is not ours.
void RateControl::probe_verdict(Time now, const Passed& p) {
  auto& count = plan_.copies[0] != 0 ? copied_ : plain_;
  const double keep = std::min(1.0, kCountMemory / (count.packets + p.packets));
  count = {(count.packets + p.packets) * keep, (count.lost + p.loss * p.packets) * keep};
  if (plan_.copies[0] == 0 || plain_.packets < 20 || copied_.packets < 50) return;
  const double before = plain_.lost / plain_.packets, with = copied_.lost / copied_.packets;
  const double all = (plain_.lost + copied_.lost) / (plain_.packets + copied_.packets);
  const double deviation = std::sqrt(all * (1 - all) * (1 / plain_.packets + 1 / copied_.packets));
  if (with - before < std::max(kWorse, kSurely * deviation)) return;
  no_copies_until_ = now + kNoCopies;
  input_.copies = 0;
  patience_ = std::max<Duration>(patience_, kPatience);
  cut(now, p.rate * kShare);
}

void RateControl::set_outage(int ms) {
  outage_ms_ = ms;
  replan();
}

void RateControl::set_redundancy(bool possible) {
  input_.red = possible;
  if (log_.empty()) input_.copies = 1;
  replan();
}

void RateControl::set_frame(int ms) {
  input_.frame_ms = settings_.frame_ms = ms;
  replan();
}

void RateControl::set_overhead(int octets) {
  if (octets == settings_.overhead) return;
  settings_.overhead = input_.overhead = octets;
  replan();
}

// The sooner, the more speaks for a queue that reports wait in or were lost from. Again and again only until one tells.
Duration RateControl::patience(Time now, const Incoming& incoming) {
  if (incoming.lateness_ms <= kCrowded)
    crowded_since_ = kNever;
  else
    crowded_since_ = std::min(crowded_since_, now);
  const bool waits = crowded_since_ <= now - kCrowdedFor;  // one packet that is late is no queue
  if (waits && (!last_ || (sure_ == Sure::blind && heard_at_ < cut_at_))) return kCrowdedSilence;
  if (!last_) return incoming.loss > kLossy ? kLossySilence : kFirstSilence;
  return waits && !ceiling_ ? kCrowdedLater : kSilence;
}

// Until the beginning is over; then it is taken for what the path carries.
void RateControl::grow_unsure(Time now, const Incoming& incoming) {
  if (now - log_.first().at >= kSettling) {
    sure_ = Sure::measured;
    if (ceiling_) settle(now, *ceiling_ * kShare);
    cut_at_ = now;
    growths_ = 0;
    return;
  }
  if (incoming.lateness_ms >= kCrowded || queue_ms_.value_or(0) > kStanding) return;
  clear_path(now);
  replan();
}

void RateControl::on_frame(Time now, const Incoming& incoming) {
  incoming_late_ms_ = incoming.lateness_ms;
  // After a queue what the peer's stream lost is as likely its own queue's.
  if (settings_.adapt && !met_queue_ && seen_packets_ < kFirstLook && incoming.loss > loss_ + 0.05) {
    loss_ = std::min(incoming.loss, kBelieved);
    choose_copies(now);
    replan();
  }
  if (!settings_.adapt || !settings_.expects_reports || log_.empty()) return;
  if (sure_ == Sure::unsure) grow_unsure(now, incoming);
  if (now - std::max(heard_at_, cut_at_) < patience(now, incoming) || now - log_.last().at > kSilence) return;
  cut(now, wire_rate(plan_, settings_.overhead) / 2.0);
  sure_ = Sure::blind;
}

void RateControl::replan() {
  input_.ceiling = std::min(ceiling_.value_or(kMaxWire), kMaxWire);
  input_.loss = loss_;
  input_.recover = recover_;
  input_.outage_ms = outages_.size() >= 2 ? outage_ms_ : 0;
  plan_ = make_plan(input_);
  if (!settings_.adapt) plan_.frame_ms = settings_.frame_ms;
}

}  // namespace linnet::media
