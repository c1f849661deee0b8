// A SIP message twice: as a view of the bytes it was parsed from, and as a value that can be written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sip/header.h"
#include "sip/name_addr.h"
#include "sip/via.h"

namespace linnet::sip {

struct Field {
  HeaderId id = HeaderId::other;
  std::string_view name;
  std::string_view value;  // without white space around it; folding is still inside
};

// What parse() finds. All views point into the bytes given to it. Reuse one object: its table then allocates nothing.
struct MessageView {
  bool is_request = false;
  Method method = Method::unknown;  // of a request
  std::string_view method_text;
  std::string_view uri_text;
  UriView uri;
  int status = 0;  // of a response, 100-699
  std::string_view reason;

  std::vector<Field> fields;  // in order

  // Header fields that parse() has checked; has(id) says whether an optional one was there.
  ViaView via;  // the topmost
  NameAddrView from;
  NameAddrView to;
  std::string_view call_id;
  CSeq cseq;
  NameAddrView contact;  // the first; contact.uri_text is empty when absent or "*"
  std::uint8_t max_forwards = 70;
  std::string_view content_type;  // "application/sdp", parameters cut off
  std::string_view body;

  bool has(HeaderId id) const { return (seen >> static_cast<unsigned>(id) & 1) != 0; }
  // The value of the first field of that name; empty when absent.
  std::string_view value(HeaderId id) const;
  std::string_view value(std::string_view name) const;

  std::uint64_t seen = 0;  // bit set of HeaderId
  void clear();
};
static_assert(static_cast<unsigned>(HeaderId::count_) <= 64);

// A message as a value. Content-Length is not among `headers`: serialise() writes it.
struct Message {
  // A request if `method` is not empty.
  std::string method;
  std::string uri;
  int status = 0;
  std::string reason;
  std::vector<HeaderLine> headers;
  std::string body;
  bool operator==(const Message&) const = default;

  Message& add(HeaderId id, std::string value);
  Message& add(std::string name, std::string value);
};

// Known names in full, folding undone.
Message to_message(const MessageView& view);
Bytes serialise(const Message& message);

// A header value on one line: every run of white space with a line break in it becomes one space.
std::string unfolded(std::string_view value);

// True if `value` may stand in a header field: no control character but HTAB.
bool is_clean_value(std::string_view value);

// The reason phrase of RFC 3261 section 21 for a status; its class's for others.
std::string_view reason_phrase(int status);

}  // namespace linnet::sip
