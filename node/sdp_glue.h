// Between the session description of SIP and the media session: neither room knows the other.
#pragma once

#include "base/rng.h"
#include "media/session.h"
#include "node/config.h"
#include "sip/offer_answer.h"

namespace linnet::node {

// Audio levels in RTP headers (RFC 6464, RFC 6465) cost 8 octets of each packet: a conference wants them, a call of two
// does not offer them. Who is offered them takes them in either case.
enum class Levels : std::uint8_t { answered, wanted };

// What this node can do, with fresh SDES keys, SSRC and CNAME: an offer, or what an answer is made from.
sip::AudioOffer describe(const NodeConfig& config, Rng& rng, Levels levels = Levels::answered);

// Fault::unsupported when no agreed codec is ours, Fault::bad_key when a key does not fit its suite.
Result<media::SessionConfig> session_config(const NodeConfig& config, const sip::AudioAgreement& agreement,
                                            const sip::AudioOffer& ours);
// In the order of preference.
Result<std::vector<media::PayloadType>> payload_types(const sip::AudioAgreement& agreement);
media::Auxiliary auxiliary_types(const sip::AudioAgreement& agreement);
// The header extensions for audio levels, as far as they were agreed on.
struct AgreedLevels {
  std::optional<std::uint8_t> client, mixer;  // identifiers
  media::LevelUse use;
};
AgreedLevels agreed_levels(const sip::AudioAgreement& agreement);
// What to send: the first; linear samples only where the path is direct.
media::PayloadType choose_type(const std::vector<media::PayloadType>& types, bool direct);
Result<media::SrtpKeys> srtp_keys(const sip::AudioAgreement& agreement);

}  // namespace linnet::node
