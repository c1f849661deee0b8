// What the documents of a conference (RFC 4575 section 4) do to the state that a subscriber holds, and what a notifier
// sends so that one state becomes the next.
#pragma once

#include <optional>
#include <vector>

#include "sip/conference_info.h"

namespace linnet::sip {

// Bytes of what is held, elements counted with 64 each.
inline constexpr std::size_t kMaxConferenceHeld = 1024 * 1024;

class ConferenceView {
 public:
  enum class Applied : std::uint8_t {
    taken,
    ignored,  // not newer than what is held, or of another conference
    gap,      // a document is missing, or all before it: ask for the full state (Core::refresh_subscription)
    gone,     // the conference is no more; nothing is held
    too_big   // over kMaxConferenceUsers or kMaxConferenceHeld; nothing is held
  };
  // Sections 4.4 to 4.6. A change to a user or endpoint that is not known makes it.
  Applied apply(const ConferenceInfo& document);

  // Every element full, each user, endpoint and medium once, in the order they came; nothing before the first full
  // document.
  const std::optional<ConferenceInfo>& held() const { return held_; }

 private:
  std::optional<ConferenceInfo> held_;
};

// The document that makes `before` into `after`, with the version of `after`: partial, or full where a part of the
// conference's own description is no more. Both must be full states as ConferenceView holds them.
ConferenceInfo conference_changes(const ConferenceInfo& before, const ConferenceInfo& after);

// A full state as documents of at most `most` bytes each, a user that is larger alone: a full one of the version of
// `full`, and the further users as partial ones of the versions that follow.
std::vector<ConferenceInfo> conference_parts(const ConferenceInfo& full, std::size_t most);

}  // namespace linnet::sip
