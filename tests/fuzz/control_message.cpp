// Control messages: what is read can be written, and reads the same again.
#include <cstdlib>

#include "overlay/control_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet::overlay;
  const auto message = control::read({data, size});
  if (!message) return 0;
  const auto wire = control::write(*message);
  const auto again = control::read(wire);
  if (!again || again->index() != message->index() || control::write(*again) != wire) std::abort();
  return 0;
}
