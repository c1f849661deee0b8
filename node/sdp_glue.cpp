#include "node/sdp_glue.h"

#include <algorithm>
#include <array>

namespace linnet::node {
namespace {

media::CodecKind kind_of(CodecChoice choice) {
  switch (choice) {
    case CodecChoice::opus: return media::CodecKind::opus;
    case CodecChoice::pcmu: return media::CodecKind::pcmu;
    case CodecChoice::pcma: return media::CodecKind::pcma;
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
  std::array<media::CodecKind, 3> order{media::CodecKind::opus, media::CodecKind::pcmu, media::CodecKind::pcma};
  std::stable_partition(order.begin(), order.end(), [&](auto kind) { return kind == kind_of(first); });
  std::vector<sip::AudioCodec> out;
  for (const auto kind : order) out.push_back(described(kind));
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

sip::AudioOffer describe(const NodeConfig& config, Rng& rng) {
  sip::AudioOffer out;
  out.session_id = rng.below(std::uint64_t{1} << 62);
  out.version = 1;
  out.codecs = codecs(config.codec);
  out.crypto = fresh_keys(rng);
  out.ssrc = static_cast<std::uint32_t>(1 + rng.below(0xffff'ffff));
  out.cname = to_base32(rng.array<12>());
  out.ptime_ms =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(config.frame).count());
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
    if (kind && out.size() < 8) out.push_back({codec.payload_type, *kind});
  }
  if (out.empty()) return fail(Fault::unsupported);
  return out;
}

Result<media::SessionConfig> session_config(const NodeConfig& config, const sip::AudioAgreement& agreement,
                                            const sip::AudioOffer& ours) {
  auto types = payload_types(agreement);
  if (!types) return fail(types.error());
  media::SessionConfig out;
  out.receive = std::move(*types);
  out.send = out.receive.front();
  auto keys = srtp_keys(agreement);
  if (!keys) return fail(keys.error());
  out.security = *keys;
  out.ssrc = ours.ssrc.value_or(0);
  out.remote_ssrc = agreement.remote_ssrc;
  out.cname = ours.cname;
  out.ptime = std::chrono::milliseconds(agreement.ptime_ms.value_or(ours.ptime_ms.value_or(20)));
  out.bitrate = static_cast<int>(config.bitrate);
  return out;
}

}  // namespace linnet::node
