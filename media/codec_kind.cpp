#include "media/codec_kind.h"

#include <algorithm>

namespace linnet::media {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view encoding_name(CodecKind kind) {
  switch (kind) {
    case CodecKind::opus: return "opus";
    case CodecKind::pcmu: return "PCMU";
    case CodecKind::pcma: return "PCMA";
    case CodecKind::l16: return "L16";
  }
  return "";
}

std::optional<CodecKind> codec_from_name(std::string_view name) {
  for (const auto kind : {CodecKind::opus, CodecKind::pcmu, CodecKind::pcma, CodecKind::l16}) {
    if (same_name(name, encoding_name(kind))) return kind;
  }
  return std::nullopt;
}

int rtp_clock(CodecKind kind) { return kind == CodecKind::opus || kind == CodecKind::l16 ? 48000 : 8000; }

std::uint8_t usual_payload_type(CodecKind kind) {
  switch (kind) {
    case CodecKind::opus: return 111;
    case CodecKind::pcmu: return 0;
    case CodecKind::pcma: return 8;
    case CodecKind::l16: return 96;
  }
  return 0;
}

}  // namespace linnet::media
