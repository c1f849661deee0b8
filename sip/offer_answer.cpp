#include "sip/offer_answer.h"

#include <algorithm>

#include "sip/chars.h"

namespace linnet::sip {
namespace {

using chars::iequal;

bool same_format(const AudioCodec& a, const AudioCodec& b) {
  return iequal(a.name, b.name) && a.clock_rate == b.clock_rate && a.channels == b.channels;
}

bool is_voice(const AudioCodec& c) {
  return !iequal(c.name, "telephone-event") && !iequal(c.name, "CN") && !iequal(c.name, "red");
}

const CryptoKey* key_of_suite(const std::vector<CryptoKey>& keys, std::string_view suite) {
  const auto it = std::find_if(keys.begin(), keys.end(), [&](const CryptoKey& k) { return k.suite == suite; });
  return it == keys.end() ? nullptr : &*it;
}

const CryptoKey* key_of_tag(const std::vector<CryptoKey>& keys, std::uint32_t tag) {
  const auto it = std::find_if(keys.begin(), keys.end(), [&](const CryptoKey& k) { return k.tag == tag; });
  return it == keys.end() ? nullptr : &*it;
}

// Checks an answer against its offer and gives the offer's key of the tag the answer chose.
Result<const CryptoKey*> check_answer(const AudioOffer& offer, const AudioOffer& answer) {
  if (answer.crypto.size() != 1 || answer.port == 0) return fail(Fault::refused);
  const auto* key = key_of_tag(offer.crypto, answer.crypto.front().tag);
  if (key == nullptr || key->suite != answer.crypto.front().suite) return fail(Fault::mismatch);
  // A key of ours sent back would make both directions one stream of keys (RFC 4568 section 6.1).
  if (key->key_and_salt == answer.crypto.front().key_and_salt) return fail(Fault::mismatch);
  if (answer.rtcp_mux && !offer.rtcp_mux) return fail(Fault::mismatch);
  if (sends(answer.direction) && !receives(offer.direction)) return fail(Fault::mismatch);
  if (receives(answer.direction) && !sends(offer.direction)) return fail(Fault::mismatch);
  bool voice = false;
  for (const auto& codec : answer.codecs) {
    const bool offered = std::any_of(offer.codecs.begin(), offer.codecs.end(),
                                     [&](const AudioCodec& c) { return same_format(c, codec); });
    if (!offered) return fail(Fault::mismatch);
    voice = voice || is_voice(codec);
  }
  if (!voice) return fail(Fault::refused);
  return key;
}

// Of the same URI several are possible: the first stands for all.
const HeaderExtension* extension_of(const std::vector<HeaderExtension>& list, std::string_view uri) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const HeaderExtension& e) { return e.uri == uri; });
  return it == list.end() ? nullptr : &*it;
}

std::vector<HeaderExtension> answer_extensions(const AudioOffer& offer, const AudioOffer& ours) {
  std::vector<HeaderExtension> out;
  for (const auto& offered : offer.extensions) {
    const auto* mine = extension_of(ours.extensions, offered.uri);
    if (mine == nullptr || extension_of(out, offered.uri) != nullptr) continue;
    auto chosen = *mine;
    chosen.id = offered.id;
    chosen.direction = common(reversed(offered.direction), mine->direction);
    if (offered.attributes == "vad=off") chosen.attributes = offered.attributes;  // stays off (RFC 6464 section 4)
    out.push_back(std::move(chosen));
  }
  return out;
}

// What an answer names and the offer had so; the rest of it is left.
std::vector<HeaderExtension> agreed_extensions(const AudioOffer& offer, const AudioOffer& answer) {
  std::vector<HeaderExtension> out;
  for (const auto& answered : answer.extensions) {
    const auto offered = std::find_if(offer.extensions.begin(), offer.extensions.end(), [&](const HeaderExtension& e) {
      return e.id == answered.id && e.uri == answered.uri;
    });
    if (offered == offer.extensions.end() || answered.id == 0) continue;
    out.push_back(answered);
    out.back().direction = common(reversed(offered->direction), answered.direction);  // the answerer's
  }
  return out;
}

AudioAgreement agreement(const AudioOffer& offer, const AudioOffer& answer, const AudioOffer& remote) {
  AudioAgreement out;
  for (const auto& codec : answer.codecs) {
    const auto theirs = std::find_if(remote.codecs.begin(), remote.codecs.end(),
                                     [&](const AudioCodec& c) { return same_format(c, codec); });
    if (theirs != remote.codecs.end()) out.codecs.push_back(*theirs);  // sent with the receiver's payload type
  }
  out.rtcp_mux = offer.rtcp_mux && answer.rtcp_mux;
  out.rtcp_rsize = offer.rtcp_rsize && answer.rtcp_rsize;
  out.rtcp_metrics = remote.rtcp_metrics;
  out.extensions = agreed_extensions(offer, answer);
  out.remote_ssrc = remote.ssrc;
  out.ptime_ms = remote.ptime_ms;
  return out;
}

// The parameters of "red" are payload types, and those are the offer's now (RFC 2198 section 5).
void name_redundant(std::vector<AudioCodec>& codecs) {
  const auto opus =
      std::find_if(codecs.begin(), codecs.end(), [](const AudioCodec& c) { return iequal(c.name, "opus"); });
  if (opus == codecs.end()) {
    std::erase_if(codecs, [](const AudioCodec& c) { return iequal(c.name, "red"); });
    return;
  }
  const auto type = std::to_string(opus->payload_type);
  for (auto& codec : codecs) {
    if (iequal(codec.name, "red")) codec.fmtp = type + "/" + type;
  }
}

}  // namespace

Direction reversed(Direction d) { return static_cast<Direction>((receives(d) ? 1 : 0) | (sends(d) ? 2 : 0)); }

Direction common(Direction a, Direction b) { return static_cast<Direction>(static_cast<int>(a) & static_cast<int>(b)); }

std::string_view to_string(Direction direction) {
  switch (direction) {
    case Direction::sendrecv: return "sendrecv";
    case Direction::sendonly: return "sendonly";
    case Direction::recvonly: return "recvonly";
    case Direction::inactive: break;
  }
  return "inactive";
}

std::size_t crypto_key_length(std::string_view suite) {
  if (suite == "AEAD_AES_256_GCM") return 44;
  if (suite == "AEAD_AES_128_GCM") return 28;
  if (suite == "AES_CM_128_HMAC_SHA1_80") return 30;
  return 0;
}

Result<AudioOffer> make_answer(const AudioOffer& offer, const AudioOffer& ours) {
  AudioOffer out = ours;
  out.codecs.clear();
  bool voice = false;
  for (const auto& codec : offer.codecs) {
    const auto mine = std::find_if(ours.codecs.begin(), ours.codecs.end(),
                                   [&](const AudioCodec& c) { return same_format(c, codec); });
    if (mine == ours.codecs.end()) continue;
    auto chosen = *mine;
    chosen.payload_type = codec.payload_type;
    voice = voice || is_voice(chosen);
    out.codecs.push_back(std::move(chosen));
  }
  if (!voice) return fail(Fault::refused);
  out.crypto.clear();
  for (const auto& key : offer.crypto) {
    const auto* mine = key_of_suite(ours.crypto, key.suite);
    if (mine == nullptr) continue;
    out.crypto.push_back({key.tag, key.suite, mine->key_and_salt});
    break;
  }
  if (out.crypto.empty()) return fail(Fault::refused);
  out.direction = common(reversed(offer.direction), ours.direction);
  out.rtcp_mux = offer.rtcp_mux && ours.rtcp_mux;
  out.rtcp_rsize = offer.rtcp_rsize && ours.rtcp_rsize;
  out.extensions = answer_extensions(offer, ours);
  name_redundant(out.codecs);
  out.others = offer.others;
  out.position = offer.position;
  return out;
}

Result<AudioAgreement> agreed_by_offerer(const AudioOffer& offer, const AudioOffer& answer) {
  const auto key = check_answer(offer, answer);
  if (!key) return fail(key.error());
  auto out = agreement(offer, answer, answer);
  out.local = **key;
  out.remote = answer.crypto.front();
  out.direction = common(offer.direction, reversed(answer.direction));
  for (auto& extension : out.extensions) extension.direction = reversed(extension.direction);
  return out;
}

Result<AudioAgreement> agreed_by_answerer(const AudioOffer& offer, const AudioOffer& answer) {
  const auto key = check_answer(offer, answer);
  if (!key) return fail(key.error());
  auto out = agreement(offer, answer, offer);
  out.local = answer.crypto.front();
  out.remote = **key;
  out.direction = answer.direction;
  return out;
}

AudioOffer hold(AudioOffer current) {
  current.direction = common(current.direction, Direction::sendonly);
  ++current.version;
  return current;
}

AudioOffer resume(AudioOffer current) {
  current.direction = Direction::sendrecv;
  ++current.version;
  return current;
}

}  // namespace linnet::sip
