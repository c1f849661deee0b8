// What devices in one conference tell each other: what is read can be written, and reads the same again; news on a
// roster either give one whose hash is as they say, or nothing.
#include <cstdlib>

#include "node/conference_leg.h"
#include "node/conference_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet;
  using namespace linnet::node::conference;
  if (const auto leg = node::conference_leg(text({data, size}))) {
    const auto again = node::conference_leg(node::to_token(*leg));
    if (!again || again->room != leg->room || again->kind != leg->kind) std::abort();
  }
  const auto message = read({data, size});
  if (!message) return 0;
  const auto wire = write(*message);
  const auto again = read(wire);
  if (!again || write(*again) != wire) std::abort();
  if (const auto* news = std::get_if<RosterNews>(&*message)) {
    const auto made = apply(Roster{}, *news);
    if (made && made->hash() != news->members_hash) std::abort();
    if (made && made->members.size() > 1) (void)elect(*made);
  }
  return 0;
}
