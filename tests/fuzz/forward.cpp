// FORWARD and circuit packets: whatever is read stays inside the packet and names an inner packet of the session layer
// or voice. The same octets, six at a time, are what sources send through a supernode and what the leaf answers.
#include <cstdlib>
#include <map>

#include "base/rng.h"
#include "overlay/forward.h"
#include "require.h"

namespace {

using namespace linnet;
using namespace linnet::overlay;

// A leaf answers nobody with more than he sent, or three times as much when his address is proven.
void sources(ByteView bytes) {
  struct Flow {
    std::uint64_t heard = 0, answered = 0;
    bool proven = false;
  };
  SeededRng rng(1);
  SourceTable table;
  std::map<std::uint64_t, Flow> flows;
  Time now{};
  Reader in(bytes);
  for (int i = 0; i < 256 && in.remaining() >= 6; ++i) {
    const auto what = in.u8();
    const Endpoint source{IpAddress::v4(192, 0, in.u8(), 1), static_cast<std::uint16_t>(1 + in.u8()), Transport::udp};
    const std::size_t size = in.u16() % 2000;
    const std::uint64_t token = in.u8() % 2;
    now += std::chrono::milliseconds((what & 0x0f) * 500);
    if ((what & 0x10) == 0) {
      const bool known = table.knows(source, token);
      const bool proven = (what & 0x20) != 0;
      if (!known && !proven && !table.stranger(now)) continue;
      const auto tag = table.tag_for(now, rng, source, token, size, what >> 6 == 3 ? 8 : 4, proven);
      if (tag == 0) continue;
      flows[tag].heard += size;
      flows[tag].proven = flows[tag].proven || proven;
    } else if (!flows.empty()) {
      auto at = flows.upper_bound(std::uint64_t{token << 63} + size);
      if (at == flows.end()) at = flows.begin();
      if (!table.answer(now, at->first, size)) continue;
      at->second.answered += size;
      fuzz::require(at->second.answered <= (at->second.proven ? 3 : 1) * at->second.heard);
    }
    fuzz::require(table.size() <= SourceTable::kCapacity);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sources({data, size});
  linnet::Bytes packet(data, data + size);
  const auto read = linnet::overlay::read_forward(packet);
  if (!read) return 0;
  const auto inner = std::visit([](const auto& p) { return p.inner; }, *read);
  if (inner.empty() || inner.data() + inner.size() != packet.data() + packet.size()) std::abort();
  if (inner[0] == linnet::overlay::kForwardType) std::abort();
  if (const auto* tagged = std::get_if<linnet::overlay::Tagged>(&*read)) {
    if (linnet::overlay::write_tagged(tagged->kind, tagged->id, inner) != packet) std::abort();
  }
  if (const auto* to = std::get_if<ToLeaf>(&*read)) {
    const crypto::Mac1 mac1(crypto::typed_suite(), Bytes(32));
    auto again = write_to_leaf(mac1, to->tag, to->token, inner);
    const auto back = read_forward(again);
    fuzz::require(back.has_value() && equal(ByteView(again).subspan(18), ByteView(packet).subspan(18)));
    fuzz::require(mac1.check(std::get<ToLeaf>(*back).covered, std::get<ToLeaf>(*back).mac1));
  }
  return 0;
}
