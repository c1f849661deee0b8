#include "media/codec.h"

#include "media/g711.h"
#include "media/l16.h"
#include "media/opus_codec.h"

namespace linnet::media {

std::unique_ptr<Codec> make_codec(CodecKind kind, const CodecSettings& settings) {
  if (kind == CodecKind::opus) return std::make_unique<OpusCodec>(settings);
  if (kind == CodecKind::l16) return std::make_unique<L16Codec>();
  return std::make_unique<G711Codec>(kind);
}

}  // namespace linnet::media
