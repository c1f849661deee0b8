// Dialogs (RFC 3261 section 12).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sip/message.h"

namespace linnet::sip {

struct Dialog {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;  // empty until the peer has answered, and for ever with an RFC 2543 peer
  std::string local;       // value of From in our requests, without the tag
  std::string remote;      // value of To in our requests, without the tag
  std::string remote_target;
  std::vector<std::string> routes;
  std::uint32_t local_seq = 0;
  std::optional<std::uint32_t> remote_seq;

  // Section 12.1.1: the answerer's side, made by its request.
  static Dialog as_answerer(const MessageView& request, std::string local_tag);
  // Section 12.1.2: the caller's side from an INVITE of ours and a response to it, when nothing else is left.
  static Dialog as_caller(const Message& invite, const MessageView& response);

  // Section 12.1.2, 12.2.1.2: what a response to our INVITE says of the peer.
  void learn(const MessageView& response);
  // RFC 6665 section 4.4.1: what the first NOTIFY, a request, says to the subscriber whose dialog it makes.
  void learn_notifier(const MessageView& notify);
  // Section 12.2.2: contact of a re-INVITE or an UPDATE, or of its 2xx.
  void refresh_target(const MessageView& message);

  // A request inside the dialog with all it must have but Via; takes the next number. An ACK gives its INVITE's
  // instead.
  Message request(Method method);
  Message ack(std::uint32_t invite_seq) const;

  // Section 12.2.2: false means 500. Remembers the number.
  bool in_order(const MessageView& request);

 private:
  Message frame(std::string_view method, std::uint32_t seq) const;
};

inline constexpr std::size_t kMaxRoutes = 16;

}  // namespace linnet::sip
