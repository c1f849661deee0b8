#include "base/result.h"

namespace linnet {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::truncated: return "truncated";
    case Fault::malformed: return "malformed";
    case Fault::too_big: return "too big";
    case Fault::unsupported: return "unsupported";
    case Fault::bad_signature: return "bad signature";
    case Fault::bad_mac: return "bad mac";
    case Fault::bad_key: return "bad key";
    case Fault::expired: return "expired";
    case Fault::replayed: return "replayed";
    case Fault::mismatch: return "mismatch";
    case Fault::refused: return "refused";
    case Fault::full: return "full";
    case Fault::not_found: return "not found";
    case Fault::timed_out: return "timed out";
    case Fault::io: return "i/o error";
  }
  return "unknown";
}

}  // namespace linnet
