#include "sip/parser.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "sip/core.h"

namespace linnet::sip {
namespace {

const std::string kInvite =
    "INVITE sip:bob@biloxi.example SIP/2.0\r\n"
    "Via: SIP/2.0/LINNET pc33.atlanta.example;branch=z9hG4bK776asdhds\r\n"
    "Max-Forwards: 70\r\n"
    "To: Bob <sip:bob@biloxi.example>\r\n"
    "From: \"Alice \\\"A\\\"\" <sip:alice@atlanta.example>;tag=1928301774\r\n"
    "Call-ID: a84b4c76e66710@pc33.atlanta.example\r\n"
    "CSeq: 314159 INVITE\r\n"
    "Contact: <sip:alice@pc33.atlanta.example>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 25\r\n\r\nv=0\no=- 1 1 IN IP4 h\ns=-\n";

// Parses `text`; gives 0 or the status that refuses it.
int status_of(const std::string& text) {
  MessageView m;
  const auto ok = parse(view(text), m);
  return ok ? 0 : ok.error().status;
}

std::string with(std::string_view header_line) {
  auto out = kInvite;
  return out.insert(out.find("Max-Forwards"), std::string(header_line) + "\r\n");
}

std::string replaced(std::string_view what, std::string_view by) {
  auto out = kInvite;
  return out.replace(out.find(what), what.size(), by);
}

TEST(SipParser, ReadsAnInvite) {
  MessageView m;
  ASSERT_TRUE(parse(view(kInvite), m));
  EXPECT_TRUE(m.is_request);
  EXPECT_EQ(m.method, Method::invite);
  EXPECT_EQ(m.uri.host, "biloxi.example");
  EXPECT_EQ(m.via.branch, "z9hG4bK776asdhds");
  EXPECT_EQ(m.via.transport, "LINNET");
  EXPECT_EQ(m.from.tag, "1928301774");
  EXPECT_EQ(unquoted(m.from.display), "Alice \"A\"");
  EXPECT_EQ(m.to.display, "Bob");
  EXPECT_TRUE(m.to.tag.empty());
  EXPECT_EQ(m.call_id, "a84b4c76e66710@pc33.atlanta.example");
  EXPECT_EQ(m.cseq.number, 314159u);
  EXPECT_EQ(m.contact.uri_text, "sip:alice@pc33.atlanta.example");
  EXPECT_EQ(m.content_type, "application/sdp");
  EXPECT_EQ(m.body, "v=0\no=- 1 1 IN IP4 h\ns=-\n");
}

TEST(SipParser, ReadsAResponse) {
  MessageView m;
  ASSERT_TRUE(parse(
      view("SIP/2.0 180 Es klingelt\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx\r\nf: <sip:a@h>;tag=1\r\nt: sip:b@h;tag=2\r\n"
           "i: x\r\nCSeq: 1 INVITE\r\n\r\n"),
      m));
  EXPECT_FALSE(m.is_request);
  EXPECT_EQ(m.status, 180);
  EXPECT_EQ(m.reason, "Es klingelt");
  EXPECT_EQ(m.to.tag, "2");
}

TEST(SipParser, ReadsCompactFormsFoldingAndSpaceBeforeTheColon) {
  MessageView m;
  ASSERT_TRUE(parse(view("OPTIONS sip:b@h SIP/2.0\r\nV  :\r\n SIP / 2.0\r\n\t/ UDP h : 5070 ;\r\n branch = z9hG4bKx , "
                         "SIP/2.0/TCP g\r\n"
                         "f: <sip:a@h> ; tag = 1\r\nt:\r\n sip:b@h\r\ni: x\r\ncseq: 0007\r\n OPTIONS\r\nl:0\r\n\r\n"),
                    m));
  EXPECT_EQ(m.via.port, 5070);
  EXPECT_EQ(m.via.branch, "z9hG4bKx");
  EXPECT_EQ(m.from.tag, "1");
  EXPECT_EQ(m.cseq.number, 7u);
}

TEST(SipParser, RefusesTwoContentLengthsAlsoWhenTheyAgree) {
  EXPECT_EQ(status_of(with("Content-Length: 5")), 400);
  EXPECT_EQ(status_of(with("l : 25")), 400);
}

TEST(SipParser, RefusesControlCharactersInTheHeader) {
  EXPECT_EQ(status_of(with(std::string("Subject: a\0b", 12))), 400);
  EXPECT_EQ(status_of(with("Subject: a\rb")), 400);
  EXPECT_EQ(status_of(with("Subject: a\nb")), 400);
  EXPECT_EQ(status_of(with(std::string("Subject: \\\0", 11))), 400) << "no quoted string, no quoted-pair";
  EXPECT_EQ(status_of(replaced("Bob <", std::string("\"\\\\\0\" <", 7))), 400) << "the backslash itself is escaped";
  EXPECT_EQ(status_of(replaced("Bob <", std::string("\"\\\0\" <", 6))), 0)
      << "a quoted-pair may hold any control character";
}

TEST(SipParser, AnswersAQuotedControlCharacterAsItCame) {
  SeededRng rng(1);
  Config config;
  config.local_uri = *Uri::parse("bob@biloxi.example");
  Core core(config, rng);
  const auto text_in = replaced("Bob <", std::string("\"\\\0\" <", 6));
  core.handle_message(Time{}, PeerId{}, view(text_in));
  ASSERT_TRUE(core.reject(Time{}, CallId{1}, 486));
  const auto out = core.poll_message();
  MessageView m;
  ASSERT_TRUE(out && parse(out->bytes, m));
  EXPECT_EQ(m.to.display, std::string_view("\\\0", 2));
}

TEST(SipParser, RefusesBrokenFields) {
  EXPECT_EQ(status_of(with("NoColon")), 400);
  EXPECT_EQ(status_of(with(": empty name")), 400);
  EXPECT_EQ(status_of(with("Contact: <sip:a@b>;;")), 400);
  EXPECT_EQ(status_of(with("Expires: 99999999999")), 400);
  EXPECT_EQ(status_of(with("From: <sip:a@b>;tag=2")), 400) << "twice";
  EXPECT_EQ(status_of(replaced("314159 INVITE", "314159 BYE")), 400);
  EXPECT_EQ(status_of(replaced("314159", "2147483648")), 400);
  EXPECT_EQ(status_of(replaced("Max-Forwards: 70", "Max-Forwards: 256")), 400);
  EXPECT_EQ(status_of(replaced("Content-Length: 25", "Content-Length: 26")), 400);
  EXPECT_EQ(status_of(replaced("Call-ID: ", "X: ")), 400);
  EXPECT_EQ(status_of(replaced("SIP/2.0\r", "SIP/3.0\r")), 505);
  EXPECT_EQ(status_of(replaced("SIP/2.0\r", "HTTP/1.1\r")), 400);
}

TEST(SipParser, RefusesTheHundredAndTwentyNinthField) {
  std::string many;
  for (int i = 0; i < 119; ++i) many += (i == 0 ? "X: 1" : "\r\nX: 1");
  EXPECT_EQ(status_of(with(many)), 0) << "nine and 119 are 128";
  EXPECT_EQ(status_of(with(many + "\r\nX: 1")), 400);
}

TEST(SipParser, TakesWhatFollowsContentLengthAsNoise) {
  MessageView m;
  const auto noisy = kInvite + "INVITE noise";
  ASSERT_TRUE(parse(view(noisy), m));
  EXPECT_EQ(m.body, "v=0\no=- 1 1 IN IP4 h\ns=-\n");
}

TEST(SipParser, KeepsFieldsOfARefusedMessageForTheAnswer) {
  MessageView m;
  const auto bad = replaced("Via: SIP/2.0/LINNET", "Via: broken");
  ASSERT_FALSE(parse(view(bad), m));
  EXPECT_TRUE(m.is_request);
  EXPECT_EQ(m.fields.size(), 9u);
}

// A random message that is in the form to_message() gives.
Message random_message(Rng& rng) {
  const auto word = [&] {
    std::string out;
    for (auto n = 1 + rng.below(12); n > 0; --n) out.push_back(static_cast<char>('a' + rng.below(26)));
    return out;
  };
  const auto uri = [&] {
    return "sip:" + word() + "@" + word() + ".example" + (rng.below(2) != 0 ? ";" + word() + "=" + word() : "");
  };
  Message m;
  const std::string method = std::array{"INVITE", "BYE", "OPTIONS", "MESSAGE"}[rng.below(4)];
  if (rng.below(2) != 0) {
    m.method = method;
    m.uri = uri();
  } else {
    m.status = static_cast<int>(100 + rng.below(600));
    m.reason = word();
  }
  for (auto n = 1 + rng.below(3); n > 0; --n)
    m.add(HeaderId::via, "SIP/2.0/LINNET " + word() + ";branch=z9hG4bK" + word());
  m.add(HeaderId::from, name_addr(word() + "\" \\" + word(), uri(), word()));
  m.add(HeaderId::to, name_addr({}, uri(), rng.below(2) != 0 ? word() : ""));
  m.add(HeaderId::call_id, word());
  m.add(HeaderId::cseq, std::to_string(rng.below(1u << 31)) + " " + method);
  if (rng.below(2) != 0) m.add(HeaderId::contact, name_addr(word(), uri()));
  if (rng.below(2) != 0) m.add("X-" + word(), word() + "  " + word());
  for (auto n = rng.below(200); n > 0; --n) m.body.push_back(static_cast<char>(rng.below(256)));
  return m;
}

TEST(SipParser, ReadsBackWhatWasWritten) {
  SeededRng rng(7);
  MessageView parsed;
  for (int i = 0; i < 2000; ++i) {
    const auto m = random_message(rng);
    const auto bytes = serialise(m);
    ASSERT_TRUE(parse(bytes, parsed)) << text(bytes);
    ASSERT_EQ(to_message(parsed), m) << text(bytes);
  }
}

TEST(SipParser, RefusesEveryTruncation) {
  for (std::size_t n = 0; n < kInvite.size(); ++n) EXPECT_NE(status_of(kInvite.substr(0, n)), 0) << n;
}

TEST(SipParser, SurvivesEverySingleBitFlip) {
  SeededRng rng(1);
  Config config;
  config.local_uri = *Uri::parse("bob@biloxi.example");
  Core core(config, rng);
  int answered = 0;
  int calls = 0;
  for (std::size_t bit = 0; bit < kInvite.size() * 8; ++bit) {
    auto bytes = copy(view(kInvite));
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    core.handle_message(Time{}, PeerId{}, bytes);
    while (auto event = core.poll_event())
      if (const auto* call = std::get_if<IncomingCall>(&*event)) {
        ++calls;
        ASSERT_TRUE(core.reject(Time{}, call->call, 486));
      }
    while (auto out = core.poll_message()) {
      MessageView m;
      ++answered;
      ASSERT_TRUE(parse(out->bytes, m) || m.status >= 400) << text(out->bytes);
    }
    core.peer_lost(Time{}, PeerId{});  // a fresh peer for the next
    ASSERT_EQ(core.calls() + core.transactions(), 0u);
  }
  EXPECT_GT(calls, 1000) << "most flips change a name or a tag";
  EXPECT_GT(answered, 3000);
}

}  // namespace
}  // namespace linnet::sip
