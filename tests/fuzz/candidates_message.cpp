// What the other end of a link says of where it is, its candidates and its streams: what is read can be written, and
// reads the same again.
#include <cstdlib>

#include "node/candidates_message.h"
#include "node/streams.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet::node;
  if (const auto streams = read_streams({data, size})) {
    const auto again = read_streams(write_streams(*streams));
    if (!again || *again != *streams) std::abort();
  }
  const auto message = read_candidates({data, size});
  if (!message) return 0;
  const auto wire = write(*message);
  const auto again = read_candidates(wire);
  if (!again || again->candidates.size() != message->candidates.size() || write(*again) != wire) std::abort();
  return 0;
}
