// sip: any text as a conference document (RFC 4575). What is accepted is written and read back the same; taken as one
// document after another, split at "%%", the state that is held stays in its bounds, and its changes lead from each to
// the next.
#include "sip/conference_info.h"

#include "base/bytes.h"
#include "require.h"
#include "sip/conference_view.h"

namespace {

using namespace linnet;
using namespace linnet::sip;
using linnet::fuzz::require;

void round_trip(const ConferenceInfo& info) {
  const auto written = to_xml(info);
  if (written.size() > kMaxConferenceInfo) return;
  const auto back = parse_conference_info(written);
  require(back.has_value() && *back == info);
}

// Both as they are held: what changes say of the one makes the other.
void lead(const ConferenceInfo& before, ConferenceInfo after) {
  after.version = before.version + 1;
  if (after.version == 0) return;
  ConferenceView view;
  require(view.apply(before) == ConferenceView::Applied::taken);
  require(view.apply(conference_changes(before, after)) != ConferenceView::Applied::gap);
  if (!view.held()) return;  // both together were too much
  auto& held = view.held();
  require(held->users.size() == after.users.size() && held->description == after.description);
  require(held->conference_state == after.conference_state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = linnet::text(ByteView(data, size));
  ConferenceView view;
  for (int n = 0; n < 8 && !rest.empty(); ++n) {
    const auto end = rest.find("%%");
    const auto parsed = parse_conference_info(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    if (!parsed) continue;
    round_trip(*parsed);
    const auto before = view.held();
    if (view.apply(*parsed) != ConferenceView::Applied::taken) continue;
    require(view.held()->users.size() <= kMaxConferenceUsers);
    if (before && before->entity == view.held()->entity) lead(*before, *view.held());
    for (const auto& part : conference_parts(*view.held(), 4096)) require(part.entity == view.held()->entity);
  }
  return 0;
}
