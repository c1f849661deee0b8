#include "node/sdp_glue.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace linnet::node {
namespace {

constexpr std::string_view kRed = "red", kEvent = "telephone-event";
constexpr std::uint8_t kRedType = 63, kWideEventType = 101, kNarrowEventType = 102;

constexpr std::string_view kClientLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";  // RFC 6464
constexpr std::string_view kMixerLevel = "urn:ietf:params:rtp-hdrext:csrc-audio-level";   // RFC 6465
constexpr std::uint8_t kClientLevelId = 1, kMixerLevelId = 2;

media::CodecKind kind_of(CodecChoice choice) {
  switch (choice) {
    case CodecChoice::opus: return media::CodecKind::opus;
    case CodecChoice::pcmu: return media::CodecKind::pcmu;
    case CodecChoice::pcma: return media::CodecKind::pcma;
    case CodecChoice::l16: return media::CodecKind::l16;
  }
  return media::CodecKind::opus;
}

sip::AudioCodec described(media::CodecKind kind) {
  sip::AudioCodec out;
  out.payload_type = media::usual_payload_type(kind);
  out.name = media::encoding_name(kind);
  out.clock_rate = static_cast<std::uint32_t>(media::rtp_clock(kind));
  if (kind == media::CodecKind::opus) {
    out.channels = 2;  // RFC 7587 section 7: always 2 in SDP, whatever is sent
    out.fmtp = "useinbandfec=1;cbr=1;stereo=0";
  }
  return out;
}

std::vector<sip::AudioCodec> codecs(CodecChoice first) {
  std::vector<media::CodecKind> order{media::CodecKind::opus, media::CodecKind::pcmu, media::CodecKind::pcma};
  // Linear samples are offered only where they were asked for: they cost thirty times what Opus does.
  if (first == CodecChoice::l16) order.push_back(media::CodecKind::l16);
  std::stable_partition(order.begin(), order.end(), [&](auto kind) { return kind == kind_of(first); });
  std::vector<sip::AudioCodec> out;
  for (const auto kind : order) out.push_back(described(kind));
  const auto opus = std::to_string(media::usual_payload_type(media::CodecKind::opus));
  out.push_back({kRedType, std::string(kRed), 48000, 2, opus + "/" + opus});
  out.push_back({kWideEventType, std::string(kEvent), 48000, 1, "0-15"});
  out.push_back({kNarrowEventType, std::string(kEvent), 8000, 1, "0-15"});
  return out;
}

std::vector<sip::CryptoKey> fresh_keys(Rng& rng) {
  std::vector<sip::CryptoKey> out;
  std::uint32_t tag = 1;
  for (const auto suite : media::kSrtpSuites) {
    const auto key = media::SrtpKey::random(suite, rng);
    out.push_back({tag++, std::string(media::suite_name(suite)), copy(key.inline_key())});
  }
  return out;
}

std::optional<media::SrtpKey> srtp_key(const sip::CryptoKey& key) {
  const auto suite = media::suite_from_name(key.suite);
  return suite ? media::SrtpKey::from_inline(*suite, key.key_and_salt) : std::nullopt;
}

}  // namespace

sip::AudioOffer describe(const NodeConfig& config, Rng& rng, Levels levels) {
  sip::AudioOffer out;
  out.session_id = rng.below(std::uint64_t{1} << 62);
  out.version = 1;
  out.codecs = codecs(config.codec);
  out.crypto = fresh_keys(rng);
  out.ssrc = static_cast<std::uint32_t>(1 + rng.below(0xffff'ffff));
  out.cname = to_base32(rng.array<12>());
  out.ptime_ms =
      config.low_delay
          ? 10
          : static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(config.frame).count());
  out.rtcp_rsize = out.rtcp_metrics = true;
  const bool offered = levels == Levels::wanted;
  for (const auto& [uri, id, attributes] :
       {std::tuple{kClientLevel, kClientLevelId, "vad=on"}, std::tuple{kMixerLevel, kMixerLevelId, ""}}) {
    const auto used = static_cast<std::uint8_t>(offered ? id : 0);
    out.extensions.push_back({used, std::string(uri), sip::Direction::sendrecv, attributes});
  }
  return out;
}

Result<media::SrtpKeys> srtp_keys(const sip::AudioAgreement& agreement) {
  const auto local = srtp_key(agreement.local);
  const auto remote = srtp_key(agreement.remote);
  if (!local || !remote) return fail(Fault::bad_key);
  return media::SrtpKeys{*local, *remote};
}

Result<std::vector<media::PayloadType>> payload_types(const sip::AudioAgreement& agreement) {
  std::vector<media::PayloadType> out;
  for (const auto& codec : agreement.codecs) {
    const auto kind = media::codec_from_name(codec.name);
    const bool fits = kind && codec.clock_rate == static_cast<std::uint32_t>(media::rtp_clock(*kind));
    if (fits && out.size() < 8) out.push_back({codec.payload_type, *kind});
  }
  if (out.empty()) return fail(Fault::unsupported);
  return out;
}

media::Auxiliary auxiliary_types(const sip::AudioAgreement& agreement) {
  media::Auxiliary out;
  for (const auto& codec : agreement.codecs) {
    if (codec.name == kRed && codec.clock_rate == 48000) out.red = codec.payload_type;
    if (codec.name == kEvent) out.events.push_back({codec.payload_type, static_cast<int>(codec.clock_rate)});
  }
  return out;
}

AgreedLevels agreed_levels(const sip::AudioAgreement& agreement) {
  AgreedLevels out;
  for (const auto& e : agreement.extensions) {
    if (e.direction == sip::Direction::inactive) continue;
    if (e.uri == kClientLevel) {
      out.client = e.id;
      out.use.send_client = sip::sends(e.direction);
      out.use.vad = e.attributes != "vad=off";  // on unless said otherwise (RFC 6464 section 4)
    } else if (e.uri == kMixerLevel) {
      out.mixer = e.id;
      out.use.send_mixer = sip::sends(e.direction);
    }
  }
  return out;
}

media::PayloadType choose_type(const std::vector<media::PayloadType>& types, bool direct) {
  for (const auto& type : types) {
    if (direct || type.codec != media::CodecKind::l16) return type;
  }
  return types.front();
}

Result<media::SessionConfig> session_config(const NodeConfig& config, const sip::AudioAgreement& agreement,
                                            const sip::AudioOffer& ours) {
  auto types = payload_types(agreement);
  if (!types) return fail(types.error());
  media::SessionConfig out;
  out.receive = std::move(*types);
  out.send = choose_type(out.receive, false);
  out.auxiliary = auxiliary_types(agreement);
  out.reduced_size = agreement.rtcp_rsize;
  out.metrics = agreement.rtcp_metrics;
  out.low_delay = config.low_delay;
  const auto levels = agreed_levels(agreement);
  out.client_level = levels.client;
  out.mixer_level = levels.mixer;
  out.level_use = levels.use;
  auto keys = srtp_keys(agreement);
  if (!keys) return fail(keys.error());
  out.security = *keys;
  out.ssrc = ours.ssrc.value_or(0);
  out.remote_ssrc = agreement.remote_ssrc;
  out.cname = ours.cname;
  out.ptime = std::chrono::milliseconds(agreement.ptime_ms.value_or(ours.ptime_ms.value_or(20)));
  if (config.low_delay) out.ptime = std::chrono::milliseconds(10);
  out.bitrate = static_cast<int>(config.bitrate);
  return out;
}

}  // namespace linnet::node
