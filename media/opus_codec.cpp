#include "media/opus_codec.h"

#include <opus/opus.h>

#include <algorithm>
#include <new>

namespace linnet::media {
namespace {

int length(ByteView bytes) { return static_cast<int>(bytes.size()); }

// Below this bitrate everything goes into the band that carries speech: at 24 kbit/s and complexity 5 wideband measures
// STOI .993, fullband .985 (docs/protocol/media.md).
constexpr int kWidebandBelow = 32000;
// The encoder's own choice falls into this range and goes to and fro in it, once a second or two.
constexpr int kNarrowBelow = 12000, kWideFrom = 14000;

int maximum_bandwidth(int bitrate, bool wide) {
  if (!wide) return OPUS_BANDWIDTH_NARROWBAND;
  return bitrate < kWidebandBelow ? OPUS_BANDWIDTH_WIDEBAND : OPUS_BANDWIDTH_FULLBAND;
}

// Of a frame that is encoded in parts; 0: it is not. Measured STOI of recorded speech in packets of 60 ms at 14.3
// kbit/s .948 in one piece, .973 in three; in packets of 120 ms at 6.3 kbit/s .893 in two pieces, .912 in three.
std::size_t part_of(std::size_t frame) {
  constexpr std::size_t kMs = kSamplesPerMs;
  return frame == 60 * kMs ? 20 * kMs : frame == 120 * kMs ? 40 * kMs : 0;
}

std::size_t octets_of(std::size_t samples, int bitrate) {
  return samples * static_cast<std::size_t>(bitrate) / 8 / static_cast<std::size_t>(kRate);
}

// The hint makes the encoder lean less on what may have been lost (from 1), and from 6 on carry a copy of each voiced
// frame in the next (LBRR). Measured STOI at 24 kbit/s, complexity 5, for 0 / 5 / 10 / 20 % loss:
//   hint 1: .992 .963 .932 .859      hint 3: .991 .966 .939 .873
//   hint 6: .964 .960 .953 .926      hint 10: .957 .954 .949 .922
constexpr int kRecoveryHint = 6;

int loss_hint(int percent) {
  if (percent < 1) return 1;
  return percent < 7 ? 3 : kRecoveryHint;
}

}  // namespace

void OpusCodec::FreeEncoder::operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
void OpusCodec::FreeDecoder::operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
void OpusCodec::FreeRepacketizer::operator()(OpusRepacketizer* r) const { opus_repacketizer_destroy(r); }

OpusCodec::OpusCodec(const CodecSettings& settings) {
  int error = OPUS_OK;
  encoder_.reset(opus_encoder_create(kRate, 1, OPUS_APPLICATION_VOIP, &error));
  decoder_.reset(opus_decoder_create(kRate, 1, &error));
  repacketizer_.reset(opus_repacketizer_create());
  if (!encoder_ || !decoder_ || !repacketizer_) throw std::bad_alloc();
  auto* const e = encoder_.get();
  fec_ = settings.fec;
  set_bitrate(settings.bitrate);
  set_expected_loss(0);
  // Packet lengths of a variable bitrate tell what is said, sealed or not (security.md).
  opus_encoder_ctl(e, OPUS_SET_VBR(0));
  set_complexity(settings.complexity);
  opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(e, OPUS_SET_DTX(0));
  opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(settings.fec ? 1 : 0));
  opus_int32 lookahead = 0;
  opus_encoder_ctl(e, OPUS_GET_LOOKAHEAD(&lookahead));
  lookahead_ = lookahead;  // the decoder adds none
}

bool OpusCodec::encode(std::span<const std::int16_t> frame, Bytes& out) {
  // Copies are of the last frame of the packet before: with them one long frame is copied whole.
  const std::size_t part = recovery_ ? 0 : part_of(frame.size());
  return (part != 0 && encode_parts(frame, part, out)) || encode_whole(frame, out);
}

bool OpusCodec::encode_whole(std::span<const std::int16_t> frame, Bytes& out) {
  apply_bitrate(bitrate_);
  const std::size_t at = out.size(), length = std::min(octets_of(frame.size(), bitrate_), kMaxPayload);
  out.resize(at + length);
  const auto made = opus_encode(encoder_.get(), frame.data(), static_cast<int>(frame.size()), out.data() + at,
                                static_cast<opus_int32>(length));
  out.resize(at + static_cast<std::size_t>(std::max(made, 0)));
  return made > 0;
}

// Frames of one packet share their configuration (RFC 6716 section 3.2.5). False when the encoder changed it among
// them, which it does seldom. The padding that made each of one length is lost on the way and given back to the whole.
bool OpusCodec::encode_parts(std::span<const std::int16_t> frame, std::size_t part, Bytes& out) {
  constexpr std::size_t kToc = 1;           // of each frame as made
  constexpr std::size_t kPacketHeader = 3;  // of all together: two octets, and room for lengths should one be shorter
  const std::size_t count = frame.size() / part, length = std::min(octets_of(frame.size(), bitrate_), kMaxPayload);
  const std::size_t each = kToc + (length - kPacketHeader) / count;
  apply_bitrate(static_cast<int>(each * 8 * static_cast<std::size_t>(kRate) / part));
  parts_.resize(count * each);
  opus_repacketizer_init(repacketizer_.get());
  for (std::size_t i = 0; i < count; ++i) {
    auto* const place = parts_.data() + i * each;
    const int made = opus_encode(encoder_.get(), frame.data() + i * part, static_cast<int>(part), place,
                                 static_cast<opus_int32>(each));
    if (made < 1 || opus_repacketizer_cat(repacketizer_.get(), place, made) != OPUS_OK) return false;
  }
  const std::size_t at = out.size();
  const auto room = static_cast<opus_int32>(length);
  out.resize(at + length);
  const auto made = opus_repacketizer_out(repacketizer_.get(), out.data() + at, room);
  if (made > 0 && opus_packet_pad(out.data() + at, made, room) == OPUS_OK) return true;
  out.resize(at);
  return false;
}

std::size_t OpusCodec::duration(ByteView payload) const {
  if (payload.empty() || payload.size() > 65535) return 0;
  const int samples = opus_packet_get_nb_samples(payload.data(), length(payload), kRate);
  return samples > 0 && static_cast<std::size_t>(samples) <= kMaxFrame ? static_cast<std::size_t>(samples) : 0;
}

std::size_t OpusCodec::decode(ByteView payload, std::span<std::int16_t> out) {
  if (payload.empty()) return 0;
  const int made =
      opus_decode(decoder_.get(), payload.data(), length(payload), out.data(), static_cast<int>(out.size()), 0);
  return static_cast<std::size_t>(std::max(made, 0));
}

void OpusCodec::reset_decoder() { opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE); }

void OpusCodec::conceal(std::span<std::int16_t> out) {
  const int made = opus_decode(decoder_.get(), nullptr, 0, out.data(), static_cast<int>(out.size()), 0);
  const auto filled = static_cast<std::size_t>(std::max(made, 0));
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(std::min(filled, out.size())), out.end(), std::int16_t{0});
}

bool OpusCodec::has_recovery(ByteView next) const {
  // Configurations 16..31 of the TOC octet are CELT only, which has no LBRR (RFC 6716 section 3.1).
  if (next.size() < 2 || (next[0] & 0x80U) != 0) return false;
  const int frame = opus_packet_get_samples_per_frame(next.data(), kRate);
  const int silk_frames = std::max(1, frame / (20 * kSamplesPerMs));
  const unsigned char* frames[48];
  opus_int16 sizes[48];
  const int count = opus_packet_parse(next.data(), length(next), nullptr, frames, sizes, nullptr);
  if (count < 1 || sizes[0] < 1) return false;
  // A SILK frame starts with one VAD flag for each 20 ms, then the LBRR flag (section 4.2.3); both are coded with even
  // odds and so stand as plain bits.
  return ((frames[0][0] >> (7 - silk_frames)) & 1U) != 0;
}

bool OpusCodec::recover(ByteView next, std::span<std::int16_t> out) {
  if (!has_recovery(next)) return false;
  const int made = opus_decode(decoder_.get(), next.data(), length(next), out.data(), static_cast<int>(out.size()), 1);
  return made == static_cast<int>(out.size());
}

void OpusCodec::set_expected_loss(int percent) {
  const int hint = loss_hint(percent);
  recovery_ = fec_ && hint >= kRecoveryHint;
  opus_encoder_ctl(encoder_.get(), OPUS_SET_PACKET_LOSS_PERC(hint));
}

void OpusCodec::set_bitrate(int bits_per_second) {
  bitrate_ = std::clamp(bits_per_second, 6000, 128000);
  wide_ = bitrate_ >= (wide_ ? kNarrowBelow : kWideFrom);
  opus_encoder_ctl(encoder_.get(), OPUS_SET_MAX_BANDWIDTH(maximum_bandwidth(bitrate_, wide_)));
}

void OpusCodec::apply_bitrate(int bits_per_second) {
  if (bits_per_second == applied_) return;
  applied_ = bits_per_second;
  opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(applied_));
}

void OpusCodec::set_complexity(int complexity) {
  opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(std::clamp(complexity, 0, 10)));
}

std::optional<int> OpusCodec::complexity() const {
  opus_int32 out = 0;
  if (opus_encoder_ctl(encoder_.get(), OPUS_GET_COMPLEXITY(&out)) != OPUS_OK) return std::nullopt;
  return out;
}

}  // namespace linnet::media
