#include "sip/message.h"

#include "sip/chars.h"

namespace linnet::sip {

std::string_view MessageView::value(HeaderId id) const {
  if (has(id))
    for (const auto& f : fields)
      if (f.id == id) return f.value;
  return {};
}

std::string_view MessageView::value(std::string_view name) const {
  for (const auto& f : fields)
    if (chars::iequal(f.name, name)) return f.value;
  return {};
}

void MessageView::clear() {
  auto keep = std::move(fields);
  keep.clear();
  *this = MessageView{};
  fields = std::move(keep);
}

Message& Message::add(HeaderId id, std::string value) { return add(std::string(header_name(id)), std::move(value)); }

Message& Message::add(std::string name, std::string value) {
  headers.push_back({std::move(name), std::move(value)});
  return *this;
}

std::string unfolded(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size();) {
    std::size_t end = i;
    bool broken = false;
    while (end < value.size() && chars::is(value[end], chars::kLws)) {
      broken = broken || value[end] == '\r' || value[end] == '\n';
      ++end;
    }
    if (broken) {
      out.push_back(' ');
      i = end;
    } else {
      end = end == i ? i + 1 : end;
      out.append(value.substr(i, end - i));
      i = end;
    }
  }
  return out;
}

Message to_message(const MessageView& view) {
  Message out;
  if (view.is_request) {
    out.method = view.method_text;
    out.uri = view.uri_text;
  } else {
    out.status = view.status;
    out.reason = view.reason;
  }
  for (const auto& f : view.fields) {
    if (f.id == HeaderId::content_length) continue;
    out.add(std::string(f.id == HeaderId::other ? f.name : header_name(f.id)), unfolded(f.value));
  }
  out.body = view.body;
  return out;
}

Bytes serialise(const Message& message) {
  std::string head;
  head.reserve(512 + message.body.size());
  if (message.method.empty())
    head.append("SIP/2.0 ").append(std::to_string(message.status)).append(" ").append(message.reason);
  else
    head.append(message.method).append(" ").append(message.uri).append(" SIP/2.0");
  head.append("\r\n");
  for (const auto& h : message.headers) head.append(h.name).append(": ").append(h.value).append("\r\n");
  head.append("Content-Length: ").append(std::to_string(message.body.size())).append("\r\n\r\n").append(message.body);
  return copy(view(head));
}

bool is_clean_value(std::string_view value) {
  for (char c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  return true;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Trying";
    case 180: return "Ringing";
    case 183: return "Session Progress";
    case 200: return "OK";
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 413: return "Request Entity Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Unsupported URI Scheme";
    case 420: return "Bad Extension";
    case 423: return "Interval Too Brief";
    case 469: return "Bad Info Package";
    case 470: return "Consent Needed";  // RFC 5360
    case 480: return "Temporarily Unavailable";
    case 481: return "Call/Transaction Does Not Exist";
    case 482: return "Loop Detected";
    case 486: return "Busy Here";
    case 487: return "Request Terminated";
    case 488: return "Not Acceptable Here";
    case 489: return "Bad Event";
    case 491: return "Request Pending";
    case 500: return "Server Internal Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Server Time-out";
    case 505: return "Version Not Supported";
    case 513: return "Message Too Large";
    case 600: return "Busy Everywhere";
    case 603: return "Decline";
    default: break;
  }
  switch (status / 100) {
    case 1: return "Session Progress";
    case 2: return "OK";
    case 3: return "Multiple Choices";
    case 4: return "Request Failure";
    case 5: return "Server Failure";
    default: return "Global Failure";
  }
}

}  // namespace linnet::sip
