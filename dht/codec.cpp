#include "dht/codec.h"

namespace linnet::dht {

Result<Codec::Sealed> NoiseCodec::seal_request(TransactionId id, const Contact& to, const crypto::Secret& ephemeral,
                                               const Request& request, std::size_t padded) {
  auto sealed = sealer_.seal_request(id, to.session, ephemeral, encode(request, padded));
  if (!sealed) return fail(sealed.error());
  return Sealed{std::make_unique<crypto::noise::Handshake>(std::move(sealed->handshake)), std::move(sealed->frame)};
}

Result<Codec::Opened> NoiseCodec::open_request(const RequestView& view, const crypto::DhPair& own,
                                               const crypto::Secret& ephemeral) {
  auto opened = sealer_.open_request(view, own, ephemeral);
  if (!opened) return fail(opened.error());
  auto request = read_request(opened->payload);
  if (!request) return fail(request.error());
  return Opened{std::make_unique<crypto::noise::Handshake>(std::move(opened->handshake)), std::move(*request)};
}

Result<Bytes> NoiseCodec::seal_answer(TransactionId id, const State& state, const Answer& answer, std::size_t room) {
  const auto payload = encode(answer, room);
  if (payload.size() > room) return fail(Fault::too_big);
  return sealer_.seal_answer(id, *state, payload);
}

std::optional<Result<Answer>> NoiseCodec::open_answer(const State& state, ByteView frame) {
  const auto payload = sealer_.open_answer(*state, frame);
  if (!payload) return std::nullopt;
  return read_answer(*payload);
}

}  // namespace linnet::dht
