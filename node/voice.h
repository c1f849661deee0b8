// The sound of one call: its media session, the two descriptions that were agreed on, hold and mute.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "node/sdp_glue.h"

namespace linnet::node {

class Voice {
 public:
  // Our offer met their answer.
  static Result<Voice> from_answer(const NodeConfig& config, Rng& rng, const sip::AudioOffer& offer,
                                   std::string_view answer);
  // Their offer met our answer, which goes into the 200. `source`: our SSRC, where it is not drawn.
  static Result<Voice> from_offer(const NodeConfig& config, Rng& rng, const sip::AudioOffer& offer, std::string& answer,
                                  std::optional<std::uint32_t> source = {});

  void capture(Time now, std::span<const std::int16_t> samples);
  void capture_took(Duration cost, std::size_t samples) { session_.capture_took(cost, samples); }
  std::size_t play(Time now, std::span<std::int16_t> out) { return session_.play(now, out); }
  // Whether the packet was the peer's: authenticated; `again` is one that came before.
  enum class Heard : std::uint8_t { foreign, again, report, voice };
  Heard receive(Time now, MutableBytes packet);
  // Voice should come now: nobody holds.
  bool expects() const { return session_.receiving() && !on_hold_ && !held_by_peer_; }
  // Whether this packet may be of this call: its SSRC is the peer's, or the peer named none.
  bool claims(ByteView packet) const;
  std::optional<Bytes> poll_packet() { return session_.poll_packet(); }
  bool poll_packet(Bytes& into) { return session_.poll_packet(into); }
  void handle_timeout(Time now) { session_.handle_timeout(now); }
  Time next_timeout() const { return session_.next_timeout(); }
  void close(Time now) { session_.close(now); }

  // Hold and resume are offers (RFC 3264 section 8.4): agreed when the answer came, forgotten when it was a refusal.
  std::string offer_hold(bool on);
  Status on_answer(std::string_view sdp);
  void on_refusal();
  // Our side as it stands, for a peer that asks for an offer (a re-INVITE without one); on_answer() takes the answer.
  std::string restate();
  bool offering() const { return pending_.has_value(); }
  // The peer's new offer; returns our answer.
  Result<std::string> on_offer(const NodeConfig& config, Rng& rng, std::string_view sdp);

  // False when one is no digit or the peer takes none; nothing more is sent then.
  bool send_digits(std::string_view digits);
  // The digits that came, the last ones of many.
  const std::string& digits() const { return digits_; }
  std::uint64_t digits_heard() const { return digits_heard_; }  // ever
  // Whether the path is one of the two machines' own: linear samples go only there.
  void set_direct(bool direct);

  // For conferences (node/conference_sound.h).
  std::optional<media::HeardLevel> heard_level() const { return session_.heard_level(); }
  std::span<const media::Contributor> contributors() const { return session_.contributors(); }
  void set_contributors(std::span<const media::Contributor> of) { session_.set_contributors(of); }
  void skim(Time now, std::size_t samples) { session_.skim(now, samples); }
  bool send_encoded(Time now, const media::EncodedFrame& frame) { return session_.send_encoded(now, frame); }
  media::SendWish wish() const { return session_.wish(); }
  bool sends_opus() const;
  double made_up_ms(Time now) const { return session_.stats(now).concealed_ms; }
  // Nothing is sent for now, without a word to the peer about it; the clock goes on.
  void set_quiet(bool quiet);

  void set_least_round_trip(Duration least) { session_.set_least_round_trip(least); }
  void set_muted(bool on) { session_.set_muted(on); }
  bool muted() const { return session_.muted(); }
  bool on_hold() const { return on_hold_; }
  bool held_by_peer() const { return held_by_peer_; }
  std::optional<Time> last_packet() const { return last_packet_; }
  media::Stats stats(Time now) const { return session_.stats(now); }
  media::Session::Coming coming() const { return session_.coming(); }

 private:
  Voice(media::Session session, sip::AudioOffer local, const sip::AudioAgreement& agreement);
  void agree(const sip::AudioAgreement& agreement);
  void set_types(std::vector<media::PayloadType> types, const sip::AudioAgreement& agreement);
  // Hold as it is agreed on: an offer of ours that waits, or backs off from one of theirs, does not count yet.
  bool holds() const { return on_hold_ != pending_.has_value(); }

  media::Session session_;
  sip::AudioOffer local_;  // our description as it stands, with the one key that is in use
  std::vector<media::PayloadType> types_;
  media::Auxiliary auxiliary_;
  bool direct_ = false;
  bool quiet_ = false;
  std::string digits_;
  std::uint64_t digits_heard_ = 0;
  sip::CryptoKey remote_key_;
  std::optional<std::uint32_t> remote_ssrc_;
  std::optional<sip::AudioOffer> pending_;   // our re-offer without an answer yet
  std::optional<sip::AudioOffer> restated_;  // the same for restate()
  bool on_hold_ = false;
  bool held_by_peer_ = false;
  std::optional<Time> last_packet_;
};

}  // namespace linnet::node
