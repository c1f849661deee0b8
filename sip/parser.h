// Bytes to MessageView, once, at the door. Strict about what a message means, tolerant where RFC 4475 asks for it.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "sip/message.h"

namespace linnet::sip {

inline constexpr std::size_t kMaxHeaderFields = 128;

// Why a message is no good: the status a request gets, and what to say. A response is dropped without a word.
struct Refusal {
  int status = 400;
  std::string_view reason;  // a literal
};

// Fills `out` as far as the bytes allow also on a refusal, so that the refusal can be answered: `fields` then holds
// every field line that could be cut out, unchecked. Bytes behind Content-Length are noise (RFC 3261 section 18.3).
//
// White space before the colon of a header name is legal (HCOLON); a control character is legal only as the second half
// of a quoted-pair; Content-Length twice, a lone CR or LF, or a header block without its empty line is a 400.
tl::expected<void, Refusal> parse(ByteView bytes, MessageView& out);

}  // namespace linnet::sip
