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
#include "media/audio_level.h"
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

// How the header extensions for audio levels are used, beside their identifiers.
struct LevelUse {
  bool send_client = true, send_mixer = true;  // false: read only (the direction of the a=extmap)
  bool vad = true;                             // the voice flag of RFC 6464 has a meaning
  bool operator==(const LevelUse&) const = default;
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
  // Identifiers of the header extensions of RFC 6464 and RFC 6465 that both ends agreed on (a=extmap, RFC 8285):
  // 1..14 or 16..255. Absent: not sent, and not looked for in what comes.
  std::optional<std::uint8_t> client_level, mixer_level;
  LevelUse level_use;
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
  std::uint64_t frames_skimmed = 0;    // dropped at their time, undecoded: nobody listened (skim)
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

struct HeardLevel {
  AudioLevel level;
  Time at{};  // when the packet came
};

// A source whose sound is in what a mixer sends.
struct Contributor {
  std::uint32_t ssrc = 0;
  AudioLevel level;  // without the voice flag, which RFC 6465 has no room for
  bool operator==(const Contributor&) const = default;
};

// A frame that was encoded elsewhere, for many listeners at once.
struct EncodedFrame {
  CodecKind codec = CodecKind::opus;
  ByteView payload;         // at most kMaxPayload octets
  std::size_t samples = 0;  // at 48 kHz: 10, 20, 40, 60 or 120 ms
  AudioLevel level;         // for RFC 6464
};

// What the path to the peer wants to be sent.
struct SendWish {
  int bitrate = 0;   // of the codec, bit/s
  int frame_ms = 0;  // as the codec in use takes it
  int copies = 0;    // of each frame (RFC 2198), which the session makes
  bool operator==(const SendWish&) const = default;
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

  // A frame in the place of as much sound for capture(): clock, sequence numbers, copies and counts go on as with
  // frames of our own, whichever way the last one came. What capture() has of a frame that is not complete is left out.
  // False: no packet leaves. Either nothing is sent now (hold, set_sending, close; the clock went on), or the frame
  // does not suit (another codec than the agreed one, an odd length: nothing was taken, capture() may have the sound
  // instead). True also when the rate control holds the frame back for a moment, as it does with capture(). Mute is for
  // capture().
  bool send_encoded(Time now, const EncodedFrame& frame);
  SendWish wish() const;

  // What the last capture(), of so many samples, cost on the driver's clock. Encoding follows it (media/complexity.h);
  // where it is never told, complexity stays as configured.
  void capture_took(Duration cost, std::size_t samples);

  // Loudspeaker. Fills all of `out`, whose first sample is heard at `now`: voice, concealment or silence; never waits.
  // Returns the index of the first sample at or after play_start: 0 in a running call, out.size() while nothing has
  // been played yet. A recorder starts there.
  std::size_t play(Time now, std::span<std::int16_t> out);

  // As play() for so many samples nobody hears: the playout goes on in time, but frames are dropped and counted instead
  // of decoded, and nothing is concealed or stretched. play() may follow at any sample: it decodes the last 80 ms that
  // were dropped to bring the decoder up to date, and goes on in the middle of a frame, so that no word is cut. Neither
  // change is a gap.
  void skim(Time now, std::size_t samples);

  // A packet of this call's media path, SRTP or SRTCP; opened in place.
  // Faults: bad_mac, replayed, mismatch (SSRC), malformed, truncated, unsupported (payload type), refused.
  // Only a packet that returned a kind proves that the peer sent it.
  Result<PacketKind> handle_packet(Time now, MutableBytes packet);

  // The next RTP or RTCP packet to send, protected: one UDP payload. At most 64 wait; older ones are dropped and
  // counted.
  std::optional<Bytes> poll_packet();
  // The same into a buffer of the caller's, exchanged for one that has the packet: one buffer for all calls, and
  // nothing is allocated. False: nothing waits, `into` is as it was.
  bool poll_packet(Bytes& into);

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

  void set_levels(std::optional<std::uint8_t> client, std::optional<std::uint8_t> mixer, const LevelUse& use = {});

  // What the peer said of the sound in its newest packet (RFC 6464): newest by sequence, authenticated, with that
  // element in it. It is the peer's word alone. Absent until one came from the present source.
  std::optional<HeardLevel> heard_level() const;
  // Whose sound is in the newest packet (its CSRC list, at most 15), with levels if it had those of RFC 6465, else as
  // silence. Valid until the next packet.
  std::span<const Contributor> contributors() const;
  // Written into every packet from now on, the first 15 of them; in a packet that is nearly full, as many as fit.
  void set_contributors(std::span<const Contributor> contributors);

  // '0'..'9', '*', '#', 'A'..'D'; false when it is no digit, the peer takes no events or too many wait. Each takes the
  // place of 100 ms of voice.
  bool send_digit(char digit);
  // The next digit that came; at most 64 wait.
  std::optional<char> poll_digit();

  // The call is over: one RTCP BYE goes out, then nothing more.
  void close(Time now);

  Stats stats(Time now) const;
  // Of it what is asked for with each packet that comes, at next to no cost.
  struct Coming {
    int frame_ms = 0;
    std::optional<double> jitter_ms;
    std::optional<int> ceiling;
    double concealed_ms = 0;
    double lateness_ms = 0;  // of the last packet, over the quickest ones
  };
  Coming coming() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::media
