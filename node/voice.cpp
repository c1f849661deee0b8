#include "node/voice.h"

#include <utility>

#include "media/rtp.h"

namespace linnet::node {

Voice::Voice(media::Session session, sip::AudioOffer local, const sip::AudioAgreement& agreement)
    : session_(std::move(session)), local_(std::move(local)), auxiliary_(auxiliary_types(agreement)) {
  if (auto types = payload_types(agreement)) types_ = std::move(*types);
  agree(agreement);
}

void Voice::set_types(std::vector<media::PayloadType> types, const sip::AudioAgreement& agreement) {
  types_ = std::move(types);
  auxiliary_ = auxiliary_types(agreement);
  session_.set_codecs(choose_type(types_, direct_), types_, auxiliary_);
  const auto levels = agreed_levels(agreement);
  session_.set_levels(levels.client, levels.mixer, levels.use);
}

void Voice::set_direct(bool direct) {
  if (direct == direct_) return;
  direct_ = direct;
  session_.set_codecs(choose_type(types_, direct_), types_, auxiliary_);
}

bool Voice::sends_opus() const {
  return !types_.empty() && choose_type(types_, direct_).codec == media::CodecKind::opus;
}

void Voice::set_quiet(bool quiet) {
  if (std::exchange(quiet_, quiet) == quiet) return;
  session_.set_sending(sip::sends(local_.direction) && !held_by_peer_ && !holds() && !quiet_);
}

bool Voice::send_digits(std::string_view digits) {
  return std::all_of(digits.begin(), digits.end(), [this](char digit) { return session_.send_digit(digit); });
}

void Voice::agree(const sip::AudioAgreement& agreement) {
  local_.crypto = {agreement.local};
  remote_key_ = agreement.remote;
  remote_ssrc_ = agreement.remote_ssrc;
  session_.set_remote_ssrc(remote_ssrc_);
  // Who holds is not heard, though hold is said as "sendonly": that leaves room for music.
  session_.set_sending(sip::sends(agreement.direction) && !holds() && !quiet_);
  session_.set_receiving(sip::receives(agreement.direction));
}

Result<Voice> Voice::from_answer(const NodeConfig& config, Rng& rng, const sip::AudioOffer& offer,
                                 std::string_view answer) {
  const auto theirs = sip::read_audio(answer);
  if (!theirs) return fail(theirs.error());
  const auto agreement = sip::agreed_by_offerer(offer, *theirs);
  if (!agreement) return fail(agreement.error());
  auto settings = session_config(config, *agreement, offer);
  if (!settings) return fail(settings.error());
  Voice out(media::Session(std::move(*settings), rng), offer, *agreement);
  out.held_by_peer_ = !sip::receives(theirs->direction);
  return out;
}

Result<Voice> Voice::from_offer(const NodeConfig& config, Rng& rng, const sip::AudioOffer& offer, std::string& answer,
                                std::optional<std::uint32_t> source) {
  auto own = describe(config, rng);
  if (source) own.ssrc = source;
  const auto ours = sip::make_answer(offer, own);
  if (!ours) return fail(ours.error());
  const auto agreement = sip::agreed_by_answerer(offer, *ours);
  if (!agreement) return fail(agreement.error());
  auto settings = session_config(config, *agreement, *ours);
  if (!settings) return fail(settings.error());
  answer = sip::to_sdp(*ours);
  Voice out(media::Session(std::move(*settings), rng), *ours, *agreement);
  out.held_by_peer_ = !sip::receives(offer.direction);
  return out;
}

void Voice::capture(Time now, std::span<const std::int16_t> samples) {
  if (samples.empty()) return;
  session_.capture(now, samples);
}

bool Voice::claims(ByteView packet) const {
  const auto ssrc = media::sender_ssrc(packet);
  return ssrc && (!remote_ssrc_ || *remote_ssrc_ == *ssrc);
}

Voice::Heard Voice::receive(Time now, MutableBytes packet) {
  const auto kind = session_.handle_packet(now, packet);
  if (!kind) return kind.error() == Fault::replayed ? Heard::again : Heard::foreign;
  last_packet_ = now;
  constexpr std::size_t kKept = 64;  // of the digits that came; older ones go
  for (; const auto digit = session_.poll_digit(); ++digits_heard_) digits_ += *digit;
  if (digits_.size() > kKept) digits_.erase(0, digits_.size() - kKept);
  return *kind == media::PacketKind::rtp ? Heard::voice : Heard::report;
}

std::string Voice::offer_hold(bool on) {
  pending_ = on ? sip::hold(local_) : sip::resume(local_);
  on_hold_ = on;
  return sip::to_sdp(*pending_);
}

void Voice::on_refusal() {
  if (!pending_) return;
  pending_.reset();
  on_hold_ = !on_hold_;
}

std::string Voice::restate() {
  restated_ = local_;
  restated_->direction = holds() ? sip::Direction::sendonly : sip::Direction::sendrecv;
  ++restated_->version;
  return sip::to_sdp(*restated_);
}

Status Voice::on_answer(std::string_view sdp) {
  auto& waiting = restated_ ? restated_ : pending_;
  if (!waiting) return fail(Fault::refused);
  const auto offer = *std::exchange(waiting, std::nullopt);
  const auto theirs = sip::read_audio(sdp);
  if (!theirs) return fail(theirs.error());
  const auto agreement = sip::agreed_by_offerer(offer, *theirs);
  if (!agreement) return fail(agreement.error());
  const auto types = payload_types(*agreement);
  if (!types) return fail(types.error());
  if (!(agreement->remote == remote_key_)) {
    const auto keys = srtp_keys(*agreement);
    if (!keys) return fail(keys.error());
    session_.rekey(*keys);
  }
  set_types(*types, *agreement);
  local_ = offer;
  agree(*agreement);
  held_by_peer_ = !sip::receives(theirs->direction);
  return {};
}

Result<std::string> Voice::on_offer(const NodeConfig& config, Rng& rng, std::string_view sdp) {
  const auto theirs = sip::read_audio(sdp);
  if (!theirs) return fail(theirs.error());
  // Our side stays as it is, keys and SSRC included, as long as the peer still wants that suite; else a fresh key of
  // another one stands behind ours.
  auto ours = local_;
  for (auto& key : describe(config, rng).crypto) {
    if (key.suite != local_.crypto.front().suite) ours.crypto.push_back(std::move(key));
  }
  ours.version = local_.version + 1;
  const auto able = describe(config, rng);
  ours.codecs = able.codecs;
  ours.extensions = able.extensions;
  ours.direction = holds() ? sip::Direction::sendonly : sip::Direction::sendrecv;
  const auto answer = sip::make_answer(*theirs, ours);
  if (!answer) return fail(answer.error());
  const auto agreement = sip::agreed_by_answerer(*theirs, *answer);
  if (!agreement) return fail(agreement.error());
  const auto types = payload_types(*agreement);
  if (!types) return fail(types.error());
  if (!(agreement->remote == remote_key_) || !(agreement->local.key_and_salt == local_.crypto.front().key_and_salt)) {
    const auto keys = srtp_keys(*agreement);
    if (!keys) return fail(keys.error());
    session_.rekey(*keys);
  }
  set_types(*types, *agreement);
  local_ = *answer;
  agree(*agreement);
  held_by_peer_ = !sip::receives(theirs->direction);
  return sip::to_sdp(local_);
}

}  // namespace linnet::node
