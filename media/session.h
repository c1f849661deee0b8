// One call's audio stream: microphone samples in, protected RTP out; protected RTP in, loudspeaker samples out.
// Sans-IO: time is handed in, packets are polled, the device pulls. All samples are 48 kHz, mono, 16-bit.
//
//   mic -> capture() -> encoder -> RTP -> SRTP -> poll_packet() -> (node chooses the path)
//   handle_packet() -> SRTP -> RTP -> jitter buffer -> decoder, FEC, concealment -> play() -> loudspeaker
//
// RTP and RTCP share the path (rtcp-mux, RFC 5761). Profile RTP/SAVP (RFC 3711) keyed from SDES.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/time.h"
#include "media/codec_kind.h"
#include "media/rtcp_xr.h"
#include "media/sdes.h"

namespace linnet::media {

struct PayloadType {
  std::uint8_t number = 111;  // as in the SDP, 0..127
  CodecKind codec = CodecKind::opus;
  bool operator==(const PayloadType&) const = default;
};

struct EventType {  // telephone-event (RFC 4733)
  std::uint8_t number = 101;
  int clock = 48000;  // one of the voice codecs'
  bool operator==(const EventType&) const = default;
};

// What the two ends agreed on beside the codecs; the same numbers both ways.
struct Auxiliary {
  std::optional<std::uint8_t> red;  // RFC 2198 over Opus
  std::vector<EventType> events;    // at most 4
  bool operator==(const Auxiliary&) const = default;
};

// Says in so many words that a stream goes in the clear (a phone on loopback or an allowed subnet).
struct PlainRtp {};

struct SessionConfig {
  std::uint32_t ssrc = 0;                    // ours; 0 lets the session draw one
  std::optional<std::uint32_t> remote_ssrc;  // a=ssrc of the peer; unset: the first authenticated source is taken
  PayloadType send;                          // what we encode to (a payload type of the peer's SDP)
  std::vector<PayloadType> receive{PayloadType{}};  // what we said we can decode, at most 8; other numbers are dropped
  Auxiliary auxiliary;
  std::variant<SrtpKeys, PlainRtp> security;
  std::chrono::milliseconds ptime{20};       // 10, 20, 40, 60 or 120; others become 20
  std::string cname = "linnet";              // RTCP SDES CNAME: random per call, never a name or an address (RFC 7022)
  int bitrate = 24000;                       // Opus, bit/s: what is sent where nothing is in the way
  bool adapt = true;                         // bitrate and frame length follow loss and delay
  bool low_delay = false;                    // a smaller margin in the jitter buffer
  int complexity = 5;                        // Opus, 0..10, where it begins (media/complexity.h)
  bool fec = true;                           // Opus in-band FEC
  std::chrono::milliseconds max_delay{500};  // bound of the playout delay
  Duration rtcp_interval = std::chrono::seconds(1);  // least mean; randomised as RFC 3550 section 6.3 asks
  bool reduced_size = false;  // RTCP without CNAME in most packets (RFC 5506): the peer said it takes that
  bool metrics = false;       // RTCP XR VoIP metrics (RFC 3611): the peer asked for them
};

// Everything is measured. What is not known is absent, never a default.
struct Stats {
  std::uint64_t packets_sent = 0;          // RTP only
  std::uint64_t bytes_sent = 0;            // RTP payload octets (RFC 3550 sender's octet count)
  std::uint64_t packets_received = 0;      // RTP, authenticated, duplicates not counted
  std::uint64_t packets_lost = 0;          // expected minus received
  std::uint64_t packets_late = 0;          // arrived after their playout time: dropped
  std::uint64_t packets_duplicate = 0;     // came before: by another way, or replayed
  std::uint64_t packets_refused = 0;       // failed authentication, wrong SSRC, malformed, unknown payload type
  std::uint64_t packets_dropped = 0;       // ours, because nobody polled them
  std::optional<double> loss_pct;          // of what the peer sent to us; absent until a packet came
  std::optional<double> jitter_ms;         // RFC 3550 interarrival jitter; absent until two packets came
  std::optional<double> rtt_ms;            // from RTCP LSR/DLSR
  std::optional<double> mos;               // E-model, ITU-T G.107; absent until loss and round trip are known
  std::optional<double> remote_loss_pct;   // of what we send, as the peer last reported
  std::optional<double> max_gap_ms;        // longest run with neither decoded nor FEC audio while the peer was sending
  std::optional<double> playout_delay_ms;  // mean time a packet waits from arrival to loudspeaker
  std::string codec;                       // what we send: "opus", "PCMU", "PCMA", "L16"
  int bitrate = 0;                         // of the codec at present, bit/s
  int frame_ms = 0;                        // at present
  int heard_frame_ms = 0;                  // of what comes; 0 before a packet did
  std::optional<int> complexity;           // of the encoder at present; absent: it has none, or nothing was encoded
  int copies = 0;                          // of each frame that are sent beside it (RFC 2198)
  std::optional<int> ceiling;              // bit/s on the wire that the path was found to carry; absent: no limit met
  std::optional<double> queue_ms;          // that our packets waited for on the way, as of the last report
  std::uint64_t rtcp_sent = 0;             // packets
  std::uint64_t rtcp_octets_sent = 0;      // with SRTP, IP and UDP
  std::optional<VoipMetrics> remote_metrics;   // what the peer hears of us (RFC 3611)
  std::string broken;                          // why sending was stopped (RFC 8083); empty: it was not
  std::optional<double> mic_dbfs, heard_dbfs;  // of the last tenths of a second (media/level.h); muted is silence
  std::uint64_t frames_decoded = 0;
  std::uint64_t frames_fec = 0;        // recovered from a later packet
  std::uint64_t frames_concealed = 0;  // frames nothing arrived for in time
  double concealed_ms = 0;
  double accelerated_ms = 0;           // playout time taken out by time-stretch
  double expanded_ms = 0;              // put in
  std::optional<Time> first_sent;      // first RTP packet handed to poll_packet's queue
  std::optional<Time> first_received;  // first authenticated RTP packet
  std::optional<Time> first_voice;     // playout time of the first decoded frame; equals play_start
  std::optional<Time> play_start;      // the first decoded sample is played at this time
  std::optional<Time> record_start;    // the first sample was captured at this time
};

enum class PacketKind : std::uint8_t { rtp, rtcp };

class Session {
 public:
  // `rng` must outlive the session.
  Session(SessionConfig config, Rng& rng);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  std::uint32_t ssrc() const;

  // Microphone. `now` is the time at which the last sample was taken. A frame leaves with the sample that completes it.
  // Samples given while not sending keep the RTP clock going.
  void capture(Time now, std::span<const std::int16_t> samples);

  // What the last capture(), of so many samples, cost on the driver's clock. Encoding follows it (media/complexity.h);
  // where it is never told, complexity stays as configured.
  void capture_took(Duration cost, std::size_t samples);

  // Loudspeaker. Fills all of `out`, whose first sample is heard at `now`: voice, concealment or silence; never waits.
  // Returns the index of the first sample at or after play_start: 0 in a running call, out.size() while nothing has
  // been played yet. A recorder starts there.
  std::size_t play(Time now, std::span<std::int16_t> out);

  // A packet of this call's media path, SRTP or SRTCP; opened in place.
  // Faults: bad_mac, replayed, mismatch (SSRC), malformed, truncated, unsupported (payload type), refused.
  // Only a packet that returned a kind proves that the peer sent it.
  Result<PacketKind> handle_packet(Time now, MutableBytes packet);

  // The next RTP or RTCP packet to send, protected: one UDP payload. At most 64 wait; older ones are dropped and
  // counted.
  std::optional<Bytes> poll_packet();

  void handle_timeout(Time now);  // RTCP reports
  Time next_timeout() const;      // kNever before the first capture, play or packet

  void set_muted(bool muted);          // sends silence at the same bitrate
  void set_sending(bool sending);      // SDP direction; off: no RTP leaves, RTCP goes on
  void set_receiving(bool receiving);  // off: RTP is authenticated and counted, not played
  bool muted() const;
  bool sending() const;
  bool receiving() const;

  // The path's round trip when nothing waits on it, as its owner measured it; for the rate alone.
  void set_least_round_trip(Duration least);

  // After a re-INVITE with new keys, or once the answer has named the peer's SSRC.
  void rekey(const SrtpKeys& keys);
  void set_remote_ssrc(std::optional<std::uint32_t> ssrc);
  // A re-INVITE agreed on other codecs or other numbers for them; `receive` as in SessionConfig.
  void set_codecs(const PayloadType& send, std::vector<PayloadType> receive, const Auxiliary& auxiliary = {});

  // '0'..'9', '*', '#', 'A'..'D'; false when it is no digit, the peer takes no events or too many wait. Each takes the
  // place of 100 ms of voice.
  bool send_digit(char digit);
  // The next digit that came; at most 64 wait.
  std::optional<char> poll_digit();

  // The call is over: one RTCP BYE goes out, then nothing more.
  void close(Time now);

  Stats stats(Time now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::media
