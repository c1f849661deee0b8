// Each rule for a header value of RFC 3261 section 25.1 and of its extensions, with values it has and values it has
// not.
#include "sip/grammar.h"

#include <gtest/gtest.h>

#include <set>

#include "sip/parser.h"

namespace linnet::sip {
namespace {

using Values = std::vector<std::string>;

struct Rule {
  HeaderId id;
  Values good;
  Values bad;
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = {
      {HeaderId::accept,
       {"", "application/sdp", "*/*", "text/*;q=0.5",
        "application/sdp;level=1, application/x-private, text/html;q=1.000"},
       {"application", "/sdp", "application/", "text/html;q=2", "text/html;q=0.5555", "text/html,", ",text/html"}},
      {HeaderId::accept_encoding, {"", "gzip", "*", "gzip;q=1.0, identity; q=0"}, {"gzip;q=x", "gzip identity", "g(z"}},
      {HeaderId::accept_language,
       {"", "da, en-gb;q=0.8, en;q=0.7", "*", "i-navajo", "de-CH-1996"},
       {"en-", "-en", "verylonglanguage", "en_gb", "en;q=1.5"}},
      {HeaderId::alert_info,
       {"<http://www.example.com/sounds/moo.wav>", "<http://a.example/b>;x=y, <cid:1@h>"},
       {"http://www.example.com/", "<>", "<http://a b>", "<no-scheme>", "", "<http://a.example"}},
      {HeaderId::allow, {"", "INVITE", "INVITE, ACK,OPTIONS ,\r\n NEW-ONE"}, {"INVITE ACK", "INVITE,", "(INVITE)"}},
      {HeaderId::allow_events, {"presence", "presence, conference.winfo"}, {"", "a b"}},
      {HeaderId::authentication_info,
       {"nextnonce=\"47364c23432d2e131a5fb210812c\"", "qop=auth, nc=00000001"},
       {"", "nextnonce", "=x", "qop=\"auth"}},
      {HeaderId::authorization,
       {"Digest username=\"Alice\", realm=\"atlanta.example\",\r\n nonce=\"84a4cc6f\", response=\"7587245234b3434c\"",
        "NoOneKnowsThisScheme opaque-data=here"},
       {"", "Digest", "Digest username", "Digest username=\"Alice", "username=\"Alice\""}},
      {HeaderId::call_id,
       {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.example", "x", "<>()[]{}?/\\\":@%!*_+`'~"},
       {"", "a b", "@h", "a@", "a@b@c", "a;b", "a,b"}},
      {HeaderId::call_info,
       {"<http://wwww.example.com/alice/photo.jpg> ;purpose=icon, <http://www.example.com/alice/> ;purpose=info"},
       {"", "photo.jpg", "<http://a.example>;;"}},
      {HeaderId::contact,
       {"*", "sip:caller@u1.example.com",
        "\"Mr. Watson\" <sip:watson@worcester.example>;q=0.7; expires=3600,\r\n\t\"Mr. "
        "Watson\" <mailto:watson@example.com> ;q=0.1",
        "Watson W <sip:w@h;lr?a=b>;expires=0", "<tel:+1-201-555-0123>"},
       {"", "*, <sip:a@h>", "<sip:a@h", "sip:a@h>", "Wa[t]son <sip:w@h>", "\"Watson <sip:w@h>", "<sip:a@h>;q=2",
        "<sip:a@h>;expires=x", "<sip:a@h>;q=1.1", "<sip:a@h> <sip:b@h>", "sip:a@h?x=y"}},
      {HeaderId::content_disposition, {"session", "render;handling=optional"}, {"", ";handling=required", "a b"}},
      {HeaderId::content_encoding, {"gzip", "gzip, tar"}, {"", "gzip;q=1"}},
      {HeaderId::content_language, {"fr", "fr, de-ch"}, {"", "fr-", "*"}},
      {HeaderId::content_length,
       {"0", "349", "0000000000000000000000023"},
       {"", "-1", "+1", "1 2", "0x1", "4294967296"}},
      {HeaderId::content_type,
       {"application/sdp", "text/html; charset=ISO-8859-4", "multipart / mixed;boundary=\"a ; b\""},
       {"application", "application/sdp;", "application/sdp, text/html", "a b/c", "/sdp"}},
      {HeaderId::cseq,
       {"4711 INVITE", "0 X", "2147483647\r\n NEW.METHOD"},
       {"", "4711", "INVITE", "4711INVITE", "2147483648 INVITE", "-1 INVITE", "1 INV ITE", "1 (INVITE)"}},
      {HeaderId::date,
       {"Sat, 13 Nov 2010 23:29:00 GMT", "Mon, 01 Jan 2029 00:00:00 GMT"},
       {"", "Fri, 01 Jan 2010 16:00:00 EST", "Sat, 13 Nov 2010 23:29:00 GMT ", "Xxx, 13 Nov 2010 23:29:00 GMT",
        "Sat, 13 Smb 2010 23:29:00 GMT", "Sat, 3 Nov 2010 23:29:00 GMT", "atS, 13 Nov 2010 23:29:00 GMT"}},
      {HeaderId::error_info, {"<sip:not-in-service-recording@atlanta.example>"}, {"", "sip:a@h", "<sip:a@h>;;"}},
      {HeaderId::event, {"presence", "refer;id=93809824", "conference.winfo"}, {"", "a b", ";id=1"}},
      {HeaderId::expires, {"0", "5", "4294967295"}, {"", "4294967296", "5s", "-5", "1.5"}},
      {HeaderId::from,
       {"\"A. G. Bell\" <sip:agb@bell-telephone.example> ;tag=a48s",
        "sip:+12125551212@server.phone2net.example;tag=887s", "Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8",
        "<sip:a@[2001:db8::1]:5070;transport=tcp>", "\"\\\"\\\\\" <sip:a@h>", "Alice<sip:a@h>",
        "<sip:a%20b:pw@h>;a=\"b;c\";d=[::1]"},
       {"", "<sip:a@h>;tag", "<sip:a@h>;tag=", "<sip:a@h>;tag=1;tag=2", "<sip:a@h>, <sip:b@h>", "Bell, A <sip:a@h>",
        "sip:a b@h", "<sip:a@>", "<sip:@h>", "alice", "<sip:a@h>;=x", "<sip:a%zz@h>", "\"A\"x <sip:a@h>"}},
      {HeaderId::in_reply_to, {"70710@saturn.bell-tel.example, 17320@saturn.bell-tel.example"}, {"", "a b", "a,"}},
      {HeaderId::info_package, {"dtmf", "foo;bar=1"}, {"", "a, b", "a b"}},
      {HeaderId::join,
       {"12345600@atlanta.example;from-tag=1234567;to-tag=23431"},
       {"", "12345600@atlanta.example;to-tag=1", "a;from-tag=1;to-tag=2, b;from-tag=1;to-tag=2"}},
      {HeaderId::linnet_call_group, {"9f86d081884c7d65"}, {"", "a b", "a@b"}},
      {HeaderId::linnet_conference, {"mix-9f86d081884c7d65"}, {"", "a b", "a@b"}},
      {HeaderId::max_forwards, {"0", "70", "255", "007"}, {"", "256", "-1", "7 0", "x"}},
      {HeaderId::mime_version, {"1.0", "12.34"}, {"", "1", ".0", "1.", "1.0.0", "a.b"}},
      {HeaderId::min_expires, {"60"}, {"", "x", "4294967296"}},
      {HeaderId::organization, {"", "Boxes by Bob", "\xc3\x9c & Co."}, {}},
      {HeaderId::priority, {"emergency", "non-urgent", "other-one"}, {"", "very urgent"}},
      {HeaderId::proxy_authenticate,
       {"Digest realm=\"atlanta.example\",\r\n domain=\"sip:ss1.carrier.example\", qop=\"auth\", stale=FALSE, "
        "algorithm=MD5"},
       {"", "Digest", "Digest realm"}},
      {HeaderId::proxy_authorization,
       {"Digest username=\"Alice\", realm=\"atlanta.example\", nc=00000001, qop=auth"},
       {"", "Digest", "Digest ,"}},
      {HeaderId::proxy_require, {"foo", "foo, bar"}, {"", "foo bar", "foo;x"}},
      {HeaderId::rack,
       {"776656 1 INVITE", "1\r\n 2  UPDATE"},
       {"", "1 INVITE", "776656 1", "4294967296 1 INVITE", "1 2147483648 INVITE", "-1 1 INVITE", "1 1INVITE"}},
      {HeaderId::reason,
       {"SIP ;cause=200 ;text=\"Call completed elsewhere\"", "Q.850;cause=16, SIP;cause=600"},
       {"", ";cause=1", "SIP;cause=\"1", "SIP cause"}},
      {HeaderId::record_route,
       {"<sip:server10.biloxi.example;lr>, <sip:bigbox3.site3.atlanta.example;lr>;x=y", "Proxy <sips:h>"},
       {"", "sip:server10.biloxi.example;lr", "<sip:h>,", "<sip:h"}},
      {HeaderId::recv_info, {"", "dtmf", "foo, bar;x=y"}, {"a b", ",a"}},
      {HeaderId::refer_sub, {"false", "TRUE;x=1"}, {"", "no", "true, false"}},
      {HeaderId::refer_to,
       {"<sip:dave@denver.example?Replaces=12345%40h>", "sip:a@h"},
       {"", "<sip:a@h>, <sip:b@h>", "a"}},
      {HeaderId::referred_by,
       {"<sip:r@ref.example>;cid=\"2UWQFN309shb3@ref.example\""},
       {"", "r@ref.example", "<sip:r@h"}},
      {HeaderId::replaces,
       {"425928@bobster.example;to-tag=7743;from-tag=6472", "a;from-tag=0;to-tag=0;early-only",
        "a;to-tag=1;x=y;from-tag=2"},
       {"", "425928@bobster.example", "a;to-tag=1", "a;to-tag=1;from-tag=2;to-tag=3", "a;to-tag=\"1\";from-tag=2",
        ";to-tag=1;from-tag=2", "a b;to-tag=1;from-tag=2", "a;to-tag;from-tag=2"}},
      {HeaderId::reply_to, {"Bob <sip:bob@biloxi.example>"}, {"", "Bob", "Bob <sip:bob@biloxi.example>, x"}},
      {HeaderId::require, {"100rel", "100rel, foo"}, {"", "100rel;x", "100rel foo"}},
      {HeaderId::retry_after,
       {"18000;duration=3600", "120 (I'm in a (long) meeting)", "0"},
       {"", "soon", "120 (open", "120;duration=x", "-1"}},
      {HeaderId::route,
       {"<sip:bigbox3.site3.atlanta.example;lr>,\r\n <sip:server10.biloxi.example;lr>"},
       {"", "sip:h;lr", "<sip:h;lr>;;"}},
      {HeaderId::rseq, {"1", "988789", "4294967295"}, {"", "0", "4294967296", "1 2", "-1"}},
      {HeaderId::server, {"HomeServer v2", "Linnet/0.1", "A/1 (b (c)) D"}, {"", "/1", "A/", "A (open", "A@B"}},
      {HeaderId::subject, {"", "Need more boxes", "a, b; c=\"d"}, {}},
      {HeaderId::subscription_state, {"active;expires=60", "terminated;reason=noresource"}, {"", "active, pending"}},
      {HeaderId::supported, {"", "100rel, timer"}, {"100rel timer", ",", "a;b"}},
      {HeaderId::timestamp, {"54", "54.21", "54. 0.1", "54.21 3"}, {"", ".5", "54 x", "54 1 2", "x"}},
      {HeaderId::to,
       {"The Operator <sip:operator@cs.columbia.example>;tag=287447", "sip:+12125551212@server.phone2net.example",
        "<sips:h>", "<urn:service:sos>"},
       {"", "The \"Operator\" <sip:o@h>", "<<sip:o@h>>", "<sip:o@h>;tag=\"x\"", "<sip:o@ho st>"}},
      {HeaderId::unsupported, {"foo", "foo, bar"}, {"", "foo bar"}},
      {HeaderId::user_agent, {"Softphone Beta1.5", "A/1.0 B/2.0 (C)"}, {"", "A/", "(", "A;B"}},
      {HeaderId::via,
       {"SIP/2.0/UDP erlang.bell-telephone.example:5060;branch=z9hG4bK87asdks7",
        "SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1",
        "SIP/2.0/LINNET [2001:db8::1];received=2001:db8::2;x, SIP/2.0/TLS-SCTP 192.0.2.1", "sip/2.0/tcp h"},
       {"", "SIP/2.0/UDP", "SIP/2.0 h", "SIP/2.0/UDP ;branch=x", "SIP/2.0/UDPh", "SIP/3.0/UDP h", "HTTP/2.0/UDP h",
        "SIP/2.0/UDP h:", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP h;;", "SIP/2.0/UDP h;branch=", "SIP/2.0/UDP h,",
        "SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/UDP [::1;x"}},
      {HeaderId::warning,
       {"307 isi.edu \"Session parameter 'foo' not understood\"", "301 [::1]:5060 \"x\", 399 h \"y \\\" z\""},
       {"", "37 h \"x\"", "307 h", "307 h x", "307 \"x\"", "307 h \"x"}},
      {HeaderId::www_authenticate,
       {"Digest realm=\"biloxi.example\", opaque=\"\", stale=TRUE"},
       {"", "Digest", "Basic x"}},
  };
  return kRules;
}

TEST(Grammar, HasARuleForEveryHeaderWithValuesItTakesAndValuesItDoesNot) {
  std::set<HeaderId> covered;
  for (const auto& rule : rules()) {
    covered.insert(rule.id);
    for (const auto& value : rule.good)
      EXPECT_TRUE(follows_grammar(rule.id, value)) << header_name(rule.id) << ": " << value;
    for (const auto& value : rule.bad)
      EXPECT_FALSE(follows_grammar(rule.id, value)) << header_name(rule.id) << ": " << value;
    const bool is_text = rule.id == HeaderId::subject || rule.id == HeaderId::organization;
    EXPECT_EQ(rule.bad.empty(), is_text) << header_name(rule.id) << ": only free text has no wrong value";
  }
  for (int i = 1; i < static_cast<int>(HeaderId::count_); ++i)
    EXPECT_TRUE(covered.contains(static_cast<HeaderId>(i))) << header_name(static_cast<HeaderId>(i));
}

std::string message_with(HeaderId id, const std::string& value, const std::string& method = "OPTIONS") {
  std::string out = method + " sip:bob@biloxi.example SIP/2.0\r\n";
  const auto put = [&](HeaderId which, const std::string& text) {
    out += std::string(header_name(which)) + ": " + (which == id ? value : text) + "\r\n";
  };
  put(HeaderId::via, "SIP/2.0/LINNET h;branch=z9hG4bKx");
  put(HeaderId::from, "<sip:alice@atlanta.example>;tag=1");
  put(HeaderId::to, "<sip:bob@biloxi.example>");
  put(HeaderId::call_id, "x@h");
  put(HeaderId::cseq, "1 " + method);
  put(HeaderId::max_forwards, "70");
  put(HeaderId::content_length, "0");
  switch (id) {
    case HeaderId::other:
    case HeaderId::via:
    case HeaderId::from:
    case HeaderId::to:
    case HeaderId::call_id:
    case HeaderId::cseq:
    case HeaderId::max_forwards:
    case HeaderId::content_length: break;
    default: put(id, {}); break;
  }
  return out + "\r\n";
}

bool is_read(const std::string& message) {
  MessageView m;
  return parse(view(message), m).has_value();
}

// What a transaction or a dialog uses is judged at the door; what they do not use may be wrong (section 8.2).
bool judged_at_the_door(HeaderId id) {
  switch (id) {
    case HeaderId::allow:
    case HeaderId::call_id:
    case HeaderId::contact:
    case HeaderId::content_disposition:
    case HeaderId::content_encoding:
    case HeaderId::content_length:
    case HeaderId::content_type:
    case HeaderId::cseq:
    case HeaderId::expires:
    case HeaderId::from:
    case HeaderId::info_package:
    case HeaderId::linnet_call_group:
    case HeaderId::linnet_conference:
    case HeaderId::max_forwards:
    case HeaderId::proxy_require:
    case HeaderId::rack:
    case HeaderId::record_route:
    case HeaderId::recv_info:
    case HeaderId::refer_to:
    case HeaderId::referred_by:
    case HeaderId::require:
    case HeaderId::route:
    case HeaderId::rseq:
    case HeaderId::supported:
    case HeaderId::to:
    case HeaderId::unsupported:
    case HeaderId::via: return true;
    default: return false;
  }
}

TEST(Grammar, IsHeldAtTheDoorForWhatATransactionUsesAndNotForTheRest) {
  for (const auto& rule : rules()) {
    for (const auto& value : rule.good) {
      if (rule.id == HeaderId::content_length || rule.id == HeaderId::cseq || value == "*") continue;
      EXPECT_TRUE(is_read(message_with(rule.id, value))) << header_name(rule.id) << ": " << value;
    }
    for (const auto& value : rule.bad) {
      const bool is_param = rule.id == HeaderId::contact && value.starts_with("<sip:a@h>;");
      if (is_param) continue;  // q and expires matter to a registrar alone
      EXPECT_NE(is_read(message_with(rule.id, value)), judged_at_the_door(rule.id))
          << header_name(rule.id) << ": " << value;
    }
  }
}

TEST(Grammar, TakesAnyTokenAsAMethodAndNothingElse) {
  for (const std::string method : {"INVITE", "invite", "!interesting-Method0123456789_*+`.%indeed'~"})
    EXPECT_TRUE(is_read(message_with(HeaderId::other, {}, method))) << method;
  for (const std::string method : {"", "IN VITE", "INVITE,", "IN(VITE)", "\xc3\x9c"})
    EXPECT_FALSE(is_read(message_with(HeaderId::other, {}, method))) << method;
}

TEST(Grammar, HasOneSpaceBetweenThePartsOfAStartLine) {
  const auto request = [](const std::string& start) {
    auto out = message_with(HeaderId::other, {});
    return start + out.substr(out.find("\r\n"));
  };
  for (const auto& good : {"OPTIONS sip:h SIP/2.0", "OPTIONS sips:a@h;lr sip/2.0", "OPTIONS sip:a;b?c@h SIP/2.0"})
    EXPECT_TRUE(is_read(request(good))) << good;
  for (const auto& bad :
       {"OPTIONS  sip:h SIP/2.0", "OPTIONS sip:h  SIP/2.0", " OPTIONS sip:h SIP/2.0", "OPTIONS sip:h SIP/2.0 ",
        "OPTIONS\tsip:h SIP/2.0", "OPTIONS sip:h", "OPTIONS SIP/2.0", "OPTIONS <sip:h> SIP/2.0",
        "OPTIONS sip:h?a=b SIP/2.0", "OPTIONS h SIP/2.0", "OPTIONS sip:h SIP/2", "OPTIONS sip:h SIP/2.00",
        "OPTIONS sip:h SIP/02.0", "OPTIONS sip:h HTTP/1.1", "OPTIONS sip:h\r\n SIP/2.0"})
    EXPECT_FALSE(is_read(request(bad))) << bad;
}

TEST(Grammar, HasThreeDigitsOfStatusAndAnyReason) {
  const auto response = [](const std::string& start) {
    auto out = message_with(HeaderId::other, {});
    return start + out.substr(out.find("\r\n"));
  };
  for (const auto& good :
       {"SIP/2.0 200 OK", "SIP/2.0 200 ", "sip/2.0 699 \xd0\xb0 = \"(", "SIP/2.0 100 Trying a\tb", "SIP/2.0 180"})
    EXPECT_TRUE(is_read(response(good))) << good;
  for (const auto& bad : {"SIP/2.0 20 OK", "SIP/2.0 099 x", "SIP/2.0 700 x", "SIP/2.0 2000 x", "SIP/2.0 20x x",
                          "SIP/2.0 200OK", "SIP/2.0  200 OK", "SIP/2.0", "SIP/2.1 200 OK", "SIP/2.0 200 \x01"})
    EXPECT_FALSE(is_read(response(bad))) << bad;
}

TEST(Grammar, KnowsEveryCompactFormAndEveryNameInAnyCase) {
  const std::pair<char, HeaderId> forms[] = {
      {'b', HeaderId::referred_by},    {'c', HeaderId::content_type}, {'e', HeaderId::content_encoding},
      {'f', HeaderId::from},           {'i', HeaderId::call_id},      {'k', HeaderId::supported},
      {'l', HeaderId::content_length}, {'m', HeaderId::contact},      {'o', HeaderId::event},
      {'r', HeaderId::refer_to},       {'s', HeaderId::subject},      {'t', HeaderId::to},
      {'u', HeaderId::allow_events},   {'v', HeaderId::via}};
  for (const auto& [letter, id] : forms) {
    EXPECT_EQ(header_id(std::string(1, letter)), id) << letter;
    EXPECT_EQ(header_id(std::string(1, static_cast<char>(letter - 32))), id) << letter;
  }
  for (int i = 1; i < static_cast<int>(HeaderId::count_); ++i) {
    const auto id = static_cast<HeaderId>(i);
    std::string name(header_name(id));
    EXPECT_EQ(header_id(name), id);
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c >= 'A' && c <= 'Z' ? c + 32 : c);
    EXPECT_EQ(header_id(name), id) << name;
    EXPECT_EQ(header_id(name + "x"), HeaderId::other);
    for (std::size_t at = 0; at < name.size(); ++at) {
      auto other = name;
      other[at] = other[at] == '-' ? '_' : '-';
      EXPECT_EQ(header_id(other), HeaderId::other) << other;
    }
  }
}

}  // namespace
}  // namespace linnet::sip
