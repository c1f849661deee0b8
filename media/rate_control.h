// How much a path carries, from the peer's RTCP reports (RFC 3550 section 6.4): receivers say how far they have heard
// and what was missing; we know when we sent that and how many octets it was.
//
//   delay   a report of a sender tells when it was made on the peer's clock. Less the time the last packet it speaks of
//           was sent, that is our way to the peer, but for a constant; what it has grown over its least is the queue.
//   rate    octets that arrived between two reports, by the time between them: of a full queue, what the path carries.
//   loss    with a queue it is congestion; without one it is the path's nature, and calls for redundancy.
//
// A queue cuts the rate to what came through and stops the voice for as long as the queue needs to drain: on a slow
// link the choice is between a short silence and a second of delay for the rest of the call. Afterwards the rate grows
// again, carefully where the path's limit is known.
#pragma once

#include <deque>
#include <optional>

#include "base/time.h"
#include "media/send_log.h"
#include "media/send_plan.h"

namespace linnet::media {

// What one report says of our stream.
struct PathReport {
  std::uint32_t highest = 0;           // extended sequence number
  std::int32_t lost = 0;               // cumulative
  std::optional<Duration> made;        // on the peer's clock; absent in a receiver report
  std::optional<Duration> round_trip;  // by LSR and DLSR
};

// What is seen of the peer's own stream. Both ways often share a narrow line.
struct Incoming {
  double loss = 0;         // 0..1, without a queue
  double lateness_ms = 0;  // of the last packet, over the quickest ones
};

struct RateSettings {
  int bitrate = 24000;
  int frame_ms = 20;
  int overhead = 56;             // octets of a packet beside the codec's
  bool adapt = true;             // off: the configured rate whatever comes
  bool expects_reports = false;  // the peer said that it reports often: silence is a sign
};

class RateControl {
 public:
  explicit RateControl(const RateSettings& settings);

  // An RTP packet left with this many octets of UDP payload.
  void on_sent(Time now, std::uint16_t sequence, std::size_t octets);
  void on_report(Time now, const PathReport& report);
  // From the peer's VoIP metrics: the runs of loss are this long.
  void set_outage(int ms);
  void set_redundancy(bool possible);
  void set_frame(int ms);
  void set_overhead(int octets);
  // Once a frame: no report for long is a report too, the sooner the longer the peer's packets wait on their way: what
  // waits there may be its reports, and the line that is full may be the same. Until there are reports, what we miss of
  // the peer's stream without a queue stands for what it misses of ours.
  void on_frame(Time now, const Incoming& incoming);
  // The round trip when nothing waits, as known from elsewhere: a queue that stood from the first report on shows by
  // it.
  void set_least_round_trip(Duration least) { least_round_trip_ = least; }

  const SendPlan& plan() const { return plan_; }
  bool draining(Time now) const { return now < drain_until_; }

  double loss() const { return loss_; }  // smoothed, 0..1
  std::optional<double> queue_ms() const { return queue_ms_; }
  std::optional<int> ceiling() const { return ceiling_; }  // bit/s on the wire; absent: none was met

 private:
  struct Mark {  // the state at a report
    SentPacket packet;
    std::int32_t lost = 0;
    std::optional<Duration> made;
    Time at{};
    bool queued = false;
  };
  struct Passed {  // what went through between two reports
    double loss = 0;
    double packets = 0;
    double seconds = 0;
    double rate = 0;  // bit/s
  };

  struct Look {  // what one report shows
    Mark from, mark;
    Passed passed;               // in between
    std::optional<Passed> full;  // since the queue stands
    double queue = 0;            // ms
    bool first = false;
    bool mixed = false;  // part of the packets is from before the last change: neither loss nor rate is of one plan
  };

  std::optional<Look> look(Time now, const PathReport& report);
  static bool jammed(const Look& seen);
  void on_old_jam(Time now, const Look& seen);
  void on_jam(Time now, const Look& seen);
  void on_clear(Time now, const Look& seen);
  Passed passed(const Mark& from, const Mark& to) const;
  double measure_queue(Time now, const Mark& mark);
  double correct_base(Time now, const PathReport& report, double queue);
  Duration patience(Time now, const Incoming& incoming);
  double unheard_ms() const;
  std::optional<Passed> measure_full_link(const Mark& mark, bool mixed);
  void note_loss(const Passed& p);
  void note_outage(Time now, const Passed& p);
  void congested(Time now, const Mark& mark, const Passed& p, double queue_ms);
  void drain(Time now, double ms);
  Time grows_at() const;
  double growth() const;
  void clear_path(Time now);
  void grow_unsure(Time now, const Incoming& incoming);
  void probe_verdict(Time now, const Passed& p);
  void cut(Time now, double rate);
  void settle(Time now, double rate);
  void measured(Time now);
  void choose_copies(Time now);
  void replan();

  RateSettings settings_;
  PlanInput input_;
  SendPlan plan_;
  SendLog log_;
  std::optional<Mark> last_;
  std::optional<Mark> busy_;  // the first of those since which the queue stands

  // The least way to the peer in the last two windows, us.
  std::optional<std::int64_t> base_, next_base_;
  bool base_corrected_ = false;
  bool hidden_before_ = false;  // the last report told of a queue that the base hides
  Time crowded_since_ = kNever;
  std::optional<Duration> least_round_trip_;
  double incoming_late_ms_ = 0;
  Time base_since_{};
  bool base_by_peer_ = false;

  std::optional<int> ceiling_;
  std::optional<double> queue_ms_;
  bool met_queue_ = false;  // the rate was cut for one
  double loss_ = 0;
  bool recover_ = false;
  double seen_packets_ = 0;
  int outage_ms_ = 0;
  std::deque<Time> outages_;  // when reports told of one, at most 4
  Time drain_until_{};
  Time changed_at_{};    // packets sent before it say nothing of the plan
  Time cut_at_{};        // last cut
  Time grown_at_{};      // last growth
  Time heard_at_{};      // last report
  Duration patience_{};  // after a cut, before growth
  int growths_ = 0;      // since the last cut
  // What the ceiling rests on: a measure; one of a beginning that was so full that it began with a blind cut; no
  // report at all.
  enum class Sure : std::uint8_t { measured, unsure, blind };
  Sure sure_ = Sure::measured;
  int good_ceiling_ = 0;      // before the first of them
  Time less_since_ = kNever;  // fewer copies would do
  // Copies cost rate: if loss rises with them it was congestion. Packets and losses without and with them.
  struct Count {
    double packets = 0, lost = 0;
  };
  Count plain_, copied_;
  Time no_copies_until_{};
};

}  // namespace linnet::media
