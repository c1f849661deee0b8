// The other end of a user agent, played by hand: messages go in as text, and what comes out is read.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sip/parser.h"
#include "tests/sip/pair.h"

namespace linnet::sip {

struct Request {
  std::string method = "INVITE";
  std::string uri = "sip:bob@home.example";
  std::string branch = "z9hG4bKone";
  std::string from = "<sip:alice@home.example>;tag=a1";
  std::string to = "<sip:bob@home.example>";
  std::string call_id = "call-1";
  std::string cseq = "1";
  std::string extra = "Contact: <sip:alice@home.example>\r\n";
  std::string type = "application/sdp";
  std::string body = kOffer;

  std::string str() const {
    return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/LINNET h;branch=" + branch +
           "\r\nMax-Forwards: 70\r\nFrom: " + from + "\r\nTo: " + to + "\r\nCall-ID: " + call_id + "\r\nCSeq: " + cseq +
           " " + method + "\r\n" + extra + (body.empty() ? "" : "Content-Type: " + type + "\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};

// A message that came out, owned.
struct Sent {
  std::string text;
  MessageView m;

  explicit Sent(std::string bytes) : text(std::move(bytes)) {
    const bool ok = parse(view(text), m).has_value();
    EXPECT_TRUE(ok || m.status >= 400) << text;  // a refusal repeats the fields it refuses
  }
  Sent(const Sent& other) : Sent(other.text) {}
  std::string header(HeaderId id) const { return std::string(m.value(id)); }
  std::string to_tag() const { return std::string(m.to.tag); }
  // "INVITE" or "200 INVITE"
  std::string what() const {
    const std::string method(m.is_request ? m.method_text : m.cseq.method_text);
    return m.is_request ? method : std::to_string(m.status) + " " + method;
  }
};

class FarEnd : public testing::Test {
 protected:
  FarEnd() : bob("bob@home.example", true, 1, peer_id(2)) {}

  // All that comes out at once for `text`, and what was there before.
  std::vector<Sent> exchange(const std::string& text, PeerId from = peer_id(1)) {
    bob.core.handle_message(now, from, view(text));
    return drain();
  }
  std::vector<Sent> drain() {
    std::vector<Sent> out;
    while (auto message = bob.core.poll_message()) out.emplace_back(std::string(linnet::text(message->bytes)));
    while (auto event = bob.core.poll_event()) bob.events.push_back(std::move(*event));
    return out;
  }
  // Fires every timer until then.
  std::vector<Sent> wait(Duration d) {
    const auto until = now + d;
    while (bob.core.next_timeout() <= until) {
      now = std::max(now, bob.core.next_timeout());
      bob.core.handle_timeout(now);
    }
    now = until;
    return drain();
  }
  // The last response to `text`, as text; empty when there is none.
  std::string send(const std::string& text, PeerId from = peer_id(1)) {
    const auto out = exchange(text, from);
    return out.empty() ? std::string{} : out.back().text;
  }
  int status(const std::string& text, PeerId from = peer_id(1)) {
    const auto response = send(text, from);
    return response.empty() ? 0 : std::stoi(response.substr(8, 3));
  }
  // A call that talks; gives the tag bob put on it.
  std::string talk(Request r = {}) {
    send(r.str());
    call = bob.take<IncomingCall>().call;
    EXPECT_TRUE(bob.core.accept(now, call, kAnswer));
    const auto tag = drain().at(0).to_tag();
    r.method = "ACK";
    r.branch = "z9hG4bKack";
    r.to += ";tag=" + tag;
    r.body.clear();
    EXPECT_EQ(status(r.str()), 0);
    EXPECT_EQ(bob.take<Established>().call, call);
    return tag;
  }
  // A request inside the dialog that bob's `tag` names.
  static Request inside(const std::string& method, const std::string& tag, int cseq) {
    Request r;
    r.method = method;
    r.branch = "z9hG4bK" + method + std::to_string(cseq);
    r.to += ";tag=" + tag;
    r.cseq = std::to_string(cseq);
    r.body.clear();
    return r;
  }

  // Bob calls: gives his INVITE.
  Sent invite(std::string offer = kOffer) {
    InviteParams params;
    params.to = peer_id(1);
    params.target = *Uri::parse("alice@home.example");
    params.from = *Uri::parse("bob@home.example");
    params.sdp_offer = std::move(offer);
    const auto made = bob.core.invite(now, std::move(params));
    EXPECT_TRUE(made.has_value());
    call = made.value_or(kNoCall);
    return drain().at(0);
  }
  // A response to a request of bob's; empty `body` sends none.
  static std::string response_to(const Sent& request, int status, const std::string& tag, const std::string& extra = {},
                                 const std::string& body = {}) {
    return "SIP/2.0 " + std::to_string(status) + " x\r\nVia: " + request.header(HeaderId::via) +
           "\r\nFrom: " + request.header(HeaderId::from) + "\r\nTo: " + request.header(HeaderId::to) +
           (request.to_tag().empty() && !tag.empty() ? ";tag=" + tag : "") +
           "\r\nCall-ID: " + request.header(HeaderId::call_id) + "\r\nCSeq: " + request.header(HeaderId::cseq) +
           "\r\nContact: <sip:" + (tag.empty() ? "x" : tag) + "@h>\r\n" + extra +
           (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  Time now{};
  Side bob;
  CallId call = kNoCall;
};

inline std::vector<std::string> what(const std::vector<Sent>& sent) {
  std::vector<std::string> out;
  for (const auto& s : sent) out.push_back(s.what());
  return out;
}

}  // namespace linnet::sip
