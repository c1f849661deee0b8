// The codecs of one call, made at first use. Encoder and decoder of a kind share one object.
#pragma once

#include <array>

#include "media/codec.h"

namespace linnet::media {

class CodecBank {
 public:
  explicit CodecBank(const CodecSettings& settings) : settings_(settings) {}

  Codec& get(CodecKind kind) {
    auto& codec = codecs_[static_cast<std::size_t>(kind)];
    if (!codec) codec = make_codec(kind, settings_);
    return *codec;
  }
  // The one in use, if it was made.
  const Codec* find(CodecKind kind) const { return codecs_[static_cast<std::size_t>(kind)].get(); }

  void set_complexity(int complexity) {
    settings_.complexity = complexity;
    for (const auto& codec : codecs_)
      if (codec) codec->set_complexity(complexity);
  }

 private:
  CodecSettings settings_;
  std::array<std::unique_ptr<Codec>, kCodecKinds> codecs_;
};

}  // namespace linnet::media
