#include "sip/dialog.h"

#include <algorithm>

#include "sip/chars.h"

namespace linnet::sip {
namespace {

// The value of From or To with its tag cut away: display name and URI as they came.
std::string without_tag(const MessageView& m, HeaderId id) {
  const auto& parsed = id == HeaderId::from ? m.from : m.to;
  return name_addr(unquoted(parsed.display), parsed.uri_text);
}

std::vector<std::string> record_routes(const MessageView& m) {
  std::vector<std::string> out;
  for (const auto& f : m.fields)
    if (f.id == HeaderId::record_route && out.size() < kMaxRoutes) out.push_back(unfolded(f.value));
  return out;
}

}  // namespace

Dialog Dialog::as_answerer(const MessageView& request, std::string tag) {
  Dialog out;
  out.call_id = request.call_id;
  out.local_tag = std::move(tag);
  out.remote_tag = request.from.tag;
  out.local = without_tag(request, HeaderId::to);
  out.remote = without_tag(request, HeaderId::from);
  out.remote_target = request.from.uri_text;  // RFC 2543 peers send no Contact
  out.refresh_target(request);
  out.routes = record_routes(request);
  out.remote_seq = request.cseq.number;
  return out;
}

Dialog Dialog::as_caller(const Message& invite, const MessageView& response) {
  Dialog out;
  out.call_id = response.call_id;
  out.local_tag = response.from.tag;
  out.local = without_tag(response, HeaderId::from);
  out.remote = without_tag(response, HeaderId::to);
  out.remote_target = invite.uri;
  out.local_seq = response.cseq.number;
  out.learn(response);
  return out;
}

void Dialog::learn(const MessageView& response) {
  remote_tag = response.to.tag;
  refresh_target(response);
  routes = record_routes(response);
  std::reverse(routes.begin(), routes.end());
}

void Dialog::learn_notifier(const MessageView& notify) {
  remote_tag = notify.from.tag;
  remote_target = notify.from.uri_text;
  refresh_target(notify);
  routes = record_routes(notify);
}

void Dialog::refresh_target(const MessageView& message) {
  if (message.contact.uri.is_sip()) remote_target = message.contact.uri_text;
}

Message Dialog::request(Method method) { return frame(to_string(method), ++local_seq); }

Message Dialog::ack(std::uint32_t invite_seq) const { return frame("ACK", invite_seq); }

Message Dialog::frame(std::string_view method, std::uint32_t seq) const {
  const auto tagged = [](std::string value, const std::string& tag) {
    if (!tag.empty()) value.append(";tag=").append(tag);
    return value;
  };
  Message out;
  out.method = method;
  out.uri = remote_target;
  out.add(HeaderId::max_forwards, "70");
  for (const auto& r : routes) out.add(HeaderId::route, r);
  out.add(HeaderId::from, tagged(local, local_tag));
  out.add(HeaderId::to, tagged(remote, remote_tag));
  out.add(HeaderId::call_id, call_id);
  out.add(HeaderId::cseq, std::to_string(seq).append(" ").append(method));
  return out;
}

bool Dialog::in_order(const MessageView& request) {
  if (remote_seq && request.cseq.number <= *remote_seq) return false;
  remote_seq = request.cseq.number;
  return true;
}

}  // namespace linnet::sip
