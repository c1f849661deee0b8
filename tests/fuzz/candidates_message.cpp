// Candidates of the other end of a link: what is read can be written, and reads the same again.
#include <cstdlib>

#include "node/candidates_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet::node;
  const auto message = read_candidates({data, size});
  if (!message) return 0;
  const auto wire = write(*message);
  const auto again = read_candidates(wire);
  if (!again || again->candidates.size() != message->candidates.size() || write(*again) != wire) std::abort();
  return 0;
}
