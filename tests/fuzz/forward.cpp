// FORWARD and circuit packets: whatever is read stays inside the packet and names an inner packet of the session layer
// or voice.
#include <cstdlib>

#include "overlay/forward.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  linnet::Bytes packet(data, data + size);
  const auto read = linnet::overlay::read_forward(packet);
  if (!read) return 0;
  const auto inner = std::visit([](const auto& p) { return p.inner; }, *read);
  if (inner.empty() || inner.data() + inner.size() != packet.data() + packet.size()) std::abort();
  if (inner[0] == linnet::overlay::kForwardType) std::abort();
  if (const auto* tagged = std::get_if<linnet::overlay::Tagged>(&*read)) {
    if (linnet::overlay::write_tagged(tagged->kind, tagged->id, inner) != packet) std::abort();
  }
  return 0;
}
