// What a parser or a check returns: a value, or the one reason why not.
#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace linnet {

enum class Fault : std::uint8_t {
  truncated,      // ran out of bytes
  malformed,      // bytes that no sender of ours writes
  too_big,        // over a stated limit
  unsupported,    // well formed, but a version or kind we do not speak
  bad_signature,  // a signature or certificate does not verify
  bad_mac,        // authentication tag or mac1 does not verify
  bad_key,        // low-order or otherwise unusable key
  expired,        // outside its validity
  replayed,       // seen before, or a lower sequence
  mismatch,       // two fields that must agree do not
  refused,        // policy says no
  full,           // a bounded table or queue has no room
  not_found,
  timed_out,
  io,             // the operating system refused; only outside cores
};

std::string_view to_string(Fault fault);

template <class T>
using Result = tl::expected<T, Fault>;
using Status = tl::expected<void, Fault>;

inline tl::unexpected<Fault> fail(Fault fault) { return tl::unexpected<Fault>(fault); }

}  // namespace linnet
