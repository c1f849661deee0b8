// What a session is made of: the way out (session_send.cpp), the way in (session_receive.cpp).
#pragma once

#include <array>
#include <deque>

#include "base/timers.h"
#include "media/circuit_breaker.h"
#include "media/complexity.h"
#include "media/level.h"
#include "media/packet_ring.h"
#include "media/playout.h"
#include "media/rate_control.h"
#include "media/reception.h"
#include "media/report_timing.h"
#include "media/sender.h"
#include "media/session.h"
#include "media/srtp.h"

namespace linnet::media {

struct Session::Impl {
  Impl(SessionConfig c, Rng& r);

  bool plain() const { return std::holds_alternative<PlainRtp>(config.security); }
  void set_keys(const SrtpKeys& keys);
  void set_outbound(const SrtpKey& key);
  void set_inbound(const SrtpKey& key);
  void rekey(const SrtpKeys& keys);
  void begin(Time now);
  int overhead() const;

  // session_send.cpp
  void send_frame(Time now);
  bool send_encoded(Time now, const EncodedFrame& frame);
  bool stopped() const { return !sending || closed || breaker.broken(); }
  bool ready_to_send(Time now);
  void send(Time now, std::span<Bytes> packets);
  void send_report(Time now, bool bye);
  bool protect(Bytes& packet, bool rtcp);
  void enqueue(Bytes& packet);
  void plan_next_report(Time now);
  VoipMetrics metrics(Time now) const;
  double incoming_loss() const;

  // session_receive.cpp
  Result<PacketKind> receive(Time now, MutableBytes packet);
  Result<MutableBytes> open(MutableBytes packet, bool rtcp);
  Status receive_rtp(Time now, ByteView plain);
  Status receive_voice(Time now, const RtpPacket& packet, const PayloadType& type);
  Status receive_red(Time now, const RtpPacket& packet);
  Status receive_event(Time now, const RtpPacket& packet, const EventType& type);
  bool count(Time now, const RtpPacket& packet, int clock, bool timed);
  void insert(Time now, const RtpHeader& header, std::int64_t sequence, ByteView payload, Codec& codec);
  Status receive_rtcp(Time now, ByteView plain);
  void new_source(std::uint32_t source);
  void note_levels(Time now, const RtpPacket& packet);
  void on_report(Time now, const Report& report, const ReportBlock& block);
  const PayloadType* find_type(std::uint8_t number) const;
  std::optional<double> rate_quality(const PlayoutStats& played) const;

  static constexpr std::size_t kMaxReceiveTypes = 8;
  static constexpr std::size_t kMaxEventTypes = 4;
  static constexpr std::size_t kMaxDigits = 64;
  static constexpr int kMaxSources = 16;  // changes of the peer's SSRC in one call

  enum class Deadline : std::uint8_t { report, count_ };

  SessionConfig config;
  Rng& rng;
  std::uint32_t ssrc;
  std::optional<std::uint32_t> remote_ssrc;  // as signalled
  std::optional<std::uint32_t> source;       // as heard
  int sources = 0;
  std::optional<Srtp> out_srtp, in_srtp;
  CodecBank codecs;
  Complexity complexity;
  Sender sender;
  LevelMeter mic_level, heard_level;
  RateControl rate;
  CircuitBreaker breaker;
  Playout playout;
  Reception reception;
  ReportTiming timing;
  DigitReceiver events;
  std::deque<char> digits;
  Timers<Deadline> timers;
  PacketRing queue;
  std::optional<HeardLevel> client_level;
  std::array<Contributor, kMaxCsrc> contributors{};
  std::size_t contributor_count = 0;
  bool muted = false, sending = true, receiving = true, closed = false;
  Time last_sent{};
  std::optional<Duration> rtt;
  std::optional<ReportBlock> last_block;  // the peer's last word of our stream
  std::uint64_t reports = 0;              // sent
  double report_octets = 120;             // of the last one, on the wire
  Time metrics_at{};                      // the last VoIP metrics went
  Stats counted;                          // the fields that are counted here
};

}  // namespace linnet::media
