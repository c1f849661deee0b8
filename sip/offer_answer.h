// Offer and answer for one encrypted audio stream (RFC 3264, keys by RFC 4568). The profile is RTP/SAVP or the call
// fails: nothing here ever agrees to send in the clear.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::sip {

enum class Direction : std::uint8_t {
  inactive = 0,
  sendonly = 1,
  recvonly = 2,
  sendrecv = 3
};  // bit 0 send, 1 receive

inline bool sends(Direction d) { return (static_cast<int>(d) & 1) != 0; }
inline bool receives(Direction d) { return (static_cast<int>(d) & 2) != 0; }
Direction reversed(Direction d);                  // the same stream seen from the other end
Direction common(Direction a, Direction b);       // what both allow
std::string_view to_string(Direction direction);  // "sendrecv"

struct AudioCodec {
  std::uint8_t payload_type = 0;  // 0-127
  std::string name;               // "opus"; compared without case
  std::uint32_t clock_rate = 0;
  std::uint8_t channels = 1;
  std::string fmtp;  // parameters of a=fmtp, empty when none
  bool operator==(const AudioCodec&) const = default;
};

struct CryptoKey {  // a=crypto:TAG SUITE inline:KEY[|lifetime][|MKI:length]
  std::uint32_t tag = 1;
  std::string suite;  // "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
  Bytes key_and_salt;
  bool operator==(const CryptoKey&) const = default;
};

// Length of key and salt of a suite in bytes (RFC 4568 section 6.2, RFC 7714 section 12); 0 when not known.
std::size_t crypto_key_length(std::string_view suite);

// a=extmap:ID[/DIRECTION] URI [ATTRIBUTES]: what RTP header extension elements of that identifier mean (RFC 8285).
struct HeaderExtension {
  std::uint8_t id = 0;  // 1..14 or 16..255; 0 in what this node is capable of: answered when offered, not offered
  std::string uri;      // "urn:ietf:params:rtp-hdrext:..."
  Direction direction = Direction::sendrecv;
  std::string attributes;  // empty when none
  bool operator==(const HeaderExtension&) const = default;
};

// A media line that is not our audio stream: answered with port 0, kept so that an answer has as many lines as its
// offer.
struct OtherMedia {
  std::string media;
  std::string protocol;
  std::string format;
  bool operator==(const OtherMedia&) const = default;
};

// One end's description of the stream: what an offer says, what an answer says, or what this node is capable of.
struct AudioOffer {
  std::uint64_t session_id = 0;  // RFC 8866 section 5.2: unique; below 2^62 for picky readers
  std::uint64_t version = 0;     // one more in each new description of a session
  std::string address = "0.0.0.0";
  std::uint16_t port = 9;          // 9: candidates only (RFC 8839 section 4.4.2); 0 would refuse the stream
  std::vector<AudioCodec> codecs;  // most wanted first
  std::vector<CryptoKey> crypto;   // most wanted first; the keys this end encrypts with
  Direction direction = Direction::sendrecv;
  std::optional<std::uint32_t> ssrc;
  std::string cname;  // with ssrc
  bool rtcp_mux = true;
  bool rtcp_rsize = false;                  // takes reduced-size RTCP (RFC 5506)
  bool rtcp_metrics = false;                // wants VoIP metrics (a=rtcp-xr:voip-metrics, RFC 3611 section 5)
  std::vector<HeaderExtension> extensions;  // at most 16 are read; no identifier twice
  std::optional<std::uint32_t> ptime_ms;
  std::string ice_ufrag;
  std::string ice_pwd;
  std::vector<std::string> candidates;  // values of a=candidate, not looked into
  std::vector<OtherMedia> others;       // further media lines ...
  std::size_t position = 0;             // ... and where among them the audio line stands
  bool operator==(const AudioOffer&) const = default;
};

std::string to_sdp(const AudioOffer& audio);

// The first audio line over RTP/SAVP that is not refused (port 0). Fault::refused when there is audio, but not over
// RTP/SAVP or without a usable key: reject with 488. Fault::not_found: no audio at all. Else as parse_sdp().
Result<AudioOffer> read_audio(std::string_view sdp);

// The answer: codecs both have in the offerer's order and with its payload types, the offerer's first key suite that we
// have too (same tag, our key), direction as far as both allow, rtcp-mux only if offered, header extensions both know
// with the offerer's identifiers. `ours` is what this node is capable of, with one key per suite. telephone-event alone
// is no voice. Fault::refused when nothing is left: 488.
Result<AudioOffer> make_answer(const AudioOffer& offer, const AudioOffer& ours);

// What the two ends have agreed on, seen from one of them.
struct AudioAgreement {
  std::vector<AudioCodec> codecs;             // in the answer's order, with the payload types to send with
  CryptoKey local;                            // we encrypt with
  CryptoKey remote;                           // they encrypt with
  Direction direction = Direction::sendrecv;  // ours: send when sends(), play when receives()
  bool rtcp_mux = false;
  bool rtcp_rsize = false;    // both take it
  bool rtcp_metrics = false;  // they want them
  std::optional<std::uint32_t> remote_ssrc;
  std::optional<std::uint32_t> ptime_ms;    // what they would like to receive
  std::vector<HeaderExtension> extensions;  // both know, directions ours
};

// The offerer's check of an answer; Fault::mismatch if it picks what was not offered, Fault::refused if it downgrades.
Result<AudioAgreement> agreed_by_offerer(const AudioOffer& offer, const AudioOffer& answer);
Result<AudioAgreement> agreed_by_answerer(const AudioOffer& offer, const AudioOffer& answer);

// The next description of our end for hold (RFC 3264 section 8.4; inactive if the peer holds too) and for resume.
AudioOffer hold(AudioOffer current);
AudioOffer resume(AudioOffer current);

}  // namespace linnet::sip
