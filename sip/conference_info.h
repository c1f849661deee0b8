// The document of the conference event package (RFC 4575), application/conference-info+xml: who is in a conference, and
// how. As a value, from XML and to XML; what it does to the state that is held is conference_view.h.
//
// Of the schema this has what a conference of voices uses. Other elements, and those of other namespaces, are passed
// over. An element that may change alone is optional: absent, it is not in the document (and stays as it was where the
// document is partial).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace linnet::sip {

inline constexpr std::string_view kConferencePackage = "conference";
inline constexpr std::string_view kConferenceInfoType = "application/conference-info+xml";

// What is over one of these is refused with Fault::too_big.
inline constexpr std::size_t kMaxConferenceInfo = 64 * 1024;  // bytes of a document
inline constexpr std::size_t kMaxConferenceUsers = 1024;      // in a document, and held
inline constexpr std::size_t kMaxConferenceParts = 16;        // endpoints and roles of a user, media of an endpoint
inline constexpr std::size_t kMaxConferenceText = 1024;       // bytes of one text

// What an element says of what is held: the whole of it, changes to it, or that it is no more (section 4.4).
enum class InfoState : std::uint8_t { full, partial, deleted };

enum class EndpointStatus : std::uint8_t {  // section 5.7.3
  pending,
  dialing_out,
  dialing_in,
  alerting,
  on_hold,
  connected,
  muted_via_focus,
  disconnecting,
  disconnected
};
enum class JoiningMethod : std::uint8_t { dialed_in, dialed_out, focus_owner };    // section 5.7.4
enum class DisconnectionMethod : std::uint8_t { departed, booted, failed, busy };  // section 5.7.6
enum class MediaStatus : std::uint8_t { recvonly, sendonly, sendrecv, inactive };  // section 5.8.5

struct ConferenceMedia {  // section 5.8; of these a partial document gives the whole
  std::string id;
  std::optional<std::string> display_text;
  std::optional<std::string> type;    // "audio"
  std::optional<std::string> label;   // RFC 4574
  std::optional<std::string> src_id;  // the SSRC
  std::optional<MediaStatus> status;
  bool operator==(const ConferenceMedia&) const = default;
};

struct ConferenceEndpoint {  // section 5.7
  std::string entity;        // a URI
  InfoState state = InfoState::full;
  std::optional<std::string> display_text;
  std::optional<EndpointStatus> status;
  std::optional<JoiningMethod> joining_method;
  std::optional<DisconnectionMethod> disconnection_method;
  std::vector<ConferenceMedia> media;  // by id
  bool operator==(const ConferenceEndpoint&) const = default;
};

struct ConferenceUser {  // section 5.6
  std::string entity;    // a URI
  InfoState state = InfoState::full;
  std::optional<std::string> display_text;
  std::optional<std::vector<std::string>> roles;
  std::optional<std::string> cascaded_focus;  // URI: the user is a conference itself
  std::vector<ConferenceEndpoint> endpoints;  // by entity
  bool operator==(const ConferenceUser&) const = default;
};

struct ConferenceDescription {  // section 5.3
  InfoState state = InfoState::full;
  std::optional<std::string> display_text;
  std::optional<std::string> subject;
  std::optional<std::string> free_text;
  std::optional<std::uint32_t> maximum_user_count;
  bool operator==(const ConferenceDescription&) const = default;
};

struct ConferenceState {  // section 5.5
  std::optional<std::uint32_t> user_count;
  std::optional<bool> active;
  std::optional<bool> locked;
  bool operator==(const ConferenceState&) const = default;
};

struct ConferenceInfo {  // section 5.2
  std::string entity;    // URI of the conference
  InfoState state = InfoState::full;
  std::uint32_t version = 0;  // one more in each document of a subscription
  std::optional<ConferenceDescription> description;
  std::optional<ConferenceState> conference_state;
  std::optional<InfoState> users_state;  // absent: no users element, unless there are users
  std::vector<ConferenceUser> users;     // by entity
  bool operator==(const ConferenceInfo&) const = default;
};

// Fault::malformed: not such a document, or not in UTF-8, or without entity or version. Fault::unsupported: a document
// type or an entity of its own (never looked up). Fault::too_big: above.
Result<ConferenceInfo> parse_conference_info(std::string_view xml);

// In UTF-8, without spaces between elements. Control characters and what is not UTF-8 are left out of texts.
std::string to_xml(const ConferenceInfo& info);

// As they stand in a document.
std::string_view to_string(InfoState state);
std::string_view to_string(EndpointStatus status);
std::string_view to_string(JoiningMethod method);
std::string_view to_string(DisconnectionMethod method);
std::string_view to_string(MediaStatus status);

}  // namespace linnet::sip
