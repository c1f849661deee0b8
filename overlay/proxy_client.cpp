// What is said to a proxy, and how its answer is read.
#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "overlay/proxy.h"

namespace linnet::overlay {
namespace {

constexpr std::uint8_t kSocks = 5, kNoMethod = 0xff, kNone = 0, kPassword = 2, kPasswordVersion = 1;
constexpr std::uint8_t kIpv4 = 1, kName = 3, kIpv6 = 4;

std::string authority(const ProxyTarget& target) {
  return target.name.empty() ? target.endpoint.to_string() : target.name + ":" + std::to_string(target.endpoint.port);
}

std::string why_status(int status) {
  const auto code = " (" + std::to_string(status) + ")";
  if (status == 407) return "the proxy wants a user and a password" + code;
  if (status == 403 || status == 405) return "the proxy does not allow it" + code;
  return "the proxy refuses" + code;
}

std::string why_reply(std::uint8_t reply) {
  constexpr std::string_view kWhy[] = {"",
                                       "the proxy failed",
                                       "the proxy does not allow it",
                                       "the proxy finds no way to that network",
                                       "the proxy finds no way to that address",
                                       "nobody listens there",
                                       "no answer from there",
                                       "the proxy cannot connect to others",
                                       "the proxy does not know that kind of address"};
  return std::string(reply < std::size(kWhy) ? kWhy[reply] : kWhy[1]) + " (" + std::to_string(reply) + ")";
}

Bytes http_request(const Proxy& proxy, const ProxyTarget& target) {
  const auto to = authority(target);
  std::string out = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n";
  if (!proxy.user.empty())
    out += "Proxy-Authorization: Basic " + to_base64(view(proxy.user + ":" + proxy.password)) + "\r\n";
  return copy(view(out + "\r\n"));
}

}  // namespace

ProxyClient::ProxyClient(const Proxy& proxy, const ProxyTarget& target)
    : stage_(proxy.kind == ProxyKind::http ? Stage::http : Stage::method), proxy_(proxy), target_(target) {
  if (stage_ == Stage::http) {
    out_ = http_request(proxy, target);
  } else if (proxy.user.empty()) {
    out_ = {kSocks, 1, kNone};
  } else {
    out_ = {kSocks, 2, kNone, kPassword};
  }
}

Status ProxyClient::refuse(std::string why) {
  stage_ = Stage::failed;
  why_ = std::move(why);
  return fail(Fault::refused);
}

Status ProxyClient::malformed() {
  stage_ = Stage::failed;
  why_ = "the proxy speaks something else";
  return fail(Fault::malformed);
}

Status ProxyClient::push(ByteView bytes) {
  if (stage_ == Stage::failed) return fail(Fault::refused);
  if (stage_ == Stage::open) {
    append(in_, bytes);
    return {};
  }
  append(in_, bytes);
  Status out;
  while (step(out)) {
  }
  if (out && stage_ != Stage::open && in_.size() > kMostAnswer) {
    stage_ = Stage::failed;
    why_ = "the proxy's answer has no end";
    return fail(Fault::too_big);
  }
  return out;
}

// True when it went on and may go on again.
bool ProxyClient::step(Status& out) {
  switch (stage_) {
    case Stage::http: return on_http(out);
    case Stage::method: return on_method(out);
    case Stage::password: return on_password(out);
    case Stage::connect: return on_connect(out);
    case Stage::open:
    case Stage::failed: break;
  }
  return false;
}

// "HTTP/1.1 200 Connection established", headers, an empty line; a 2xx answer to CONNECT has no body. Answers of 1xx
// come before the real one.
bool ProxyClient::on_http(Status& out) {
  constexpr std::string_view kVersion = "HTTP/1.";
  const auto seen = text(in_);
  if (seen.substr(0, kVersion.size()) != kVersion.substr(0, seen.size())) {
    out = malformed();
    return false;
  }
  const auto end = seen.find("\r\n\r\n");
  if (end == std::string_view::npos || end > kMostAnswer) return false;
  constexpr std::size_t kCodeAt = 9;
  int status = 0;
  const auto code = seen.substr(std::min(kCodeAt, seen.size()), 3);
  const auto [stop, failed] = std::from_chars(code.data(), code.data() + code.size(), status);
  const bool digits = failed == std::errc() && stop == code.data() + 3 && status >= 100;
  if (!digits || seen[kCodeAt - 1] != ' ') {
    out = malformed();
    return false;
  }
  if (status >= 200 && status < 300) {
    stage_ = Stage::open;
  } else if (status >= 200) {
    out = refuse(why_status(status));
    return false;
  }
  drop(end + 4);
  return stage_ == Stage::http && !in_.empty();
}

bool ProxyClient::on_method(Status& out) {
  if (!in_.empty() && in_[0] != kSocks) {
    out = malformed();
    return false;
  }
  if (in_.size() < 2) return false;
  const auto method = in_[1];
  drop(2);
  if (method == kNone) {
    say_connect();
    return true;
  }
  if (method == kNoMethod && proxy_.user.empty()) {
    out = refuse("the proxy wants a user and a password");
  } else if (method == kNoMethod) {
    out = refuse("the proxy takes no password");
  } else if (method != kPassword || proxy_.user.empty()) {
    out = malformed();  // none that we offered
  }
  if (!out) return false;
  Writer words(3 + proxy_.user.size() + proxy_.password.size());
  words.u8(kPasswordVersion).u8(static_cast<std::uint8_t>(proxy_.user.size())).bytes(view(proxy_.user));
  words.u8(static_cast<std::uint8_t>(proxy_.password.size())).bytes(view(proxy_.password));
  append(out_, words.written());
  stage_ = Stage::password;
  return true;
}

bool ProxyClient::on_password(Status& out) {
  if (in_.size() < 2) return false;
  if (in_[0] != kPasswordVersion) {
    out = malformed();
    return false;
  }
  const auto answer = in_[1];
  drop(2);
  if (answer != 0) {
    out = refuse("the proxy does not know this user and password");
    return false;
  }
  say_connect();
  return true;
}

void ProxyClient::say_connect() {
  constexpr std::uint8_t kConnect = 1;
  Writer words(32);
  words.u8(kSocks).u8(kConnect).u8(0);
  const auto& ip = target_.endpoint.ip;
  if (!target_.name.empty()) {
    const auto name = std::string_view(target_.name).substr(0, 255);
    words.u8(kName).u8(static_cast<std::uint8_t>(name.size())).bytes(view(name));
  } else if (ip.is_v4()) {
    words.u8(kIpv4).bytes(ByteView(ip.bytes).last(4));
  } else {
    words.u8(kIpv6).bytes(ip.bytes);
  }
  words.u16(target_.endpoint.port);
  append(out_, words.written());
  stage_ = Stage::connect;
}

bool ProxyClient::on_connect(Status& out) {
  if (!in_.empty() && in_[0] != kSocks) {
    out = malformed();
    return false;
  }
  if (in_.size() < 5) return false;
  const auto reply = in_[1];
  if (reply != 0) {
    out = refuse(why_reply(reply));
    return false;
  }
  std::size_t address = 0;
  switch (in_[3]) {
    case kIpv4: address = 4; break;
    case kIpv6: address = 16; break;
    case kName: address = 1U + in_[4]; break;
    default: out = malformed(); return false;
  }
  const auto size = 4 + address + 2;
  if (in_.size() < size) return false;
  drop(size);
  stage_ = Stage::open;
  return false;
}

}  // namespace linnet::overlay
