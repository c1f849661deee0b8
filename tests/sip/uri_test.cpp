#include "sip/uri.h"

#include <gtest/gtest.h>

namespace linnet::sip {
namespace {

TEST(SipUri, IsTakenApart) {
  const auto uri = parse_uri("sip:alice:secret@atlanta.example:5070;transport=tcp;lr?subject=hi");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->user(), "alice");
  EXPECT_EQ(uri->host, "atlanta.example");
  EXPECT_EQ(uri->port, 5070);
  EXPECT_EQ(uri->params, "transport=tcp;lr");
  EXPECT_EQ(uri->headers, "subject=hi");
}

TEST(SipUri, KeepsSemicolonsOfTheUserPartThere) {
  const auto uri = parse_uri("sip:user;par=u%40example.net@example.com");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->userinfo, "user;par=u%40example.net");
  EXPECT_EQ(canonical_address(*uri), "user;par=u@example.net@example.com");
}

TEST(SipUri, RefusesWhatTheGrammarDoesNotHave) {
  for (auto bad : {"", "sip:", "alice", "sip:@host", "sip:a@", "sip:a b@host", "sip:a@host:", "sip:a@host:70000",
                   "sip:a@host:0", "sip:2001:db8::10", "sip:a@[2001:db8::1", "sip:a%4@host", "sip:a@host;",
                   "sip:a@host?", "sip:a@host lr", "sip:a@ho%73t", "<sip:a@host>", "sip:a@host\r\nVia: x"})
    EXPECT_FALSE(parse_uri(bad)) << bad;
}

TEST(SipUri, KnowsOtherSchemesWithoutLookingInside) {
  const auto uri = parse_uri("soap.beep://192.0.2.103:3002");
  ASSERT_TRUE(uri);
  EXPECT_FALSE(uri->is_sip());
  EXPECT_EQ(uri->opaque, "//192.0.2.103:3002");
}

TEST(SipUri, HasOneCanonicalAddress) {
  for (auto same : {"sip:Alice@Home.Example", "sips:%61lice@home.example:5061", "sip:alice:pw@home.example;user=phone"})
    EXPECT_EQ(canonical_address(*parse_uri(same)), "alice@home.example") << same;
  EXPECT_EQ(canonical_address(*parse_uri("sip:a%00b@h")), "a%00b@h") << "a NUL must not end a name";
}

TEST(SipUri, IsWrittenAsItWasRead) {
  for (auto text : {"sip:alice@home.example", "sips:a%20b@h:99;x=y", "sip:[2001:db8::1]:5060", "sip:host"})
    EXPECT_EQ(Uri::parse(text)->to_string(), text);
  EXPECT_EQ(Uri::parse("alice@home.example")->to_string(), "sip:alice@home.example");
  EXPECT_FALSE(Uri::parse("mailto:alice@home.example"));
}

TEST(SipUri, EscapesAUserPartSoThatItComesBack) {
  Uri uri;
  uri.user = escape_user("a b@c%d");
  uri.host = "h";
  EXPECT_EQ(uri.to_string(), "sip:a%20b%40c%25d@h");
  EXPECT_EQ(uri.address(), "a b@c%d@h");
}

}  // namespace
}  // namespace linnet::sip
