// The conference document (RFC 4575) from and to XML.
#include "sip/conference_info.h"

#include <gtest/gtest.h>

namespace linnet::sip {
namespace {

const std::string kHead =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:room@office.example\" "
    "version=\"7\"";

std::string document(const std::string& inside, const std::string& state = "") {
  return kHead + state + ">\n" + inside + "\n</conference-info>\n";
}

Fault fault_of(const std::string& xml) {
  const auto parsed = parse_conference_info(xml);
  EXPECT_FALSE(parsed) << xml.substr(0, 400);
  return parsed ? Fault::io : parsed.error();
}

TEST(ConferenceInfo, IsReadWithAllThatAConferenceOfVoicesUses) {
  const auto info = parse_conference_info(document(R"(
    <conference-description>
      <subject>Agenda &amp; <![CDATA[<minutes>]]></subject>
      <maximum-user-count> 400 </maximum-user-count>
    </conference-description>
    <conference-state><user-count>2</user-count><active>true</active><locked>0</locked></conference-state>
    <users>
      <user entity="sip:bob@home.example" state="full">
        <display-text>Bob H&#246;ren</display-text>
        <roles><entry>participant</entry><entry>deputy</entry></roles>
        <endpoint entity="sip:bob@pc33.example">
          <display-text>Bob's laptop</display-text>
          <status>muted-via-focus</status>
          <joining-method>dialed-in</joining-method>
          <media id="1"><type>audio</type><label>34567</label><src-id>432424</src-id><status>sendrecv</status></media>
        </endpoint>
      </user>
      <user entity="sip:alice@home.example" state="deleted"/>
    </users>)"));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->entity, "sip:room@office.example");
  EXPECT_EQ(info->version, 7u);
  EXPECT_EQ(info->state, InfoState::full) << "where nothing is said";
  ASSERT_TRUE(info->description);
  EXPECT_EQ(info->description->subject, "Agenda & <minutes>");
  EXPECT_EQ(info->description->maximum_user_count, 400u);
  EXPECT_EQ(info->description->display_text, std::nullopt);
  ASSERT_TRUE(info->conference_state);
  EXPECT_EQ(info->conference_state->user_count, 2u);
  EXPECT_EQ(info->conference_state->active, true);
  EXPECT_EQ(info->conference_state->locked, false);
  EXPECT_EQ(info->users_state, InfoState::full);
  ASSERT_EQ(info->users.size(), 2u);
  const auto& bob = info->users[0];
  EXPECT_EQ(bob.display_text, "Bob H\xc3\xb6ren");
  EXPECT_EQ(bob.roles, (std::vector<std::string>{"participant", "deputy"}));
  ASSERT_EQ(bob.endpoints.size(), 1u);
  EXPECT_EQ(bob.endpoints[0].status, EndpointStatus::muted_via_focus);
  EXPECT_EQ(bob.endpoints[0].joining_method, JoiningMethod::dialed_in);
  ASSERT_EQ(bob.endpoints[0].media.size(), 1u);
  EXPECT_EQ(bob.endpoints[0].media[0],
            (ConferenceMedia{"1", std::nullopt, "audio", "34567", "432424", MediaStatus::sendrecv}));
  EXPECT_EQ(info->users[1].state, InfoState::deleted);
}

TEST(ConferenceInfo, IsReadUnderAPrefixAndWithWhatOthersAddToIt) {
  const auto info = parse_conference_info(
      "<c:conference-info xmlns:c=\"urn:ietf:params:xml:ns:conference-info\" xmlns:x=\"urn:other\" entity=\"sip:r@h\" "
      "state=\"partial\" version=\"0\"><x:users><x:user/></x:users><c:users state=\"partial\">"
      "<c:user entity=\"sip:a@h\"><x:display-text>no</x:display-text><c:display-text>yes</c:display-text>"
      "<c:languages>en</c:languages><c:endpoint entity=\"e\"><c:status>levitating</c:status></c:endpoint></c:user>"
      "<user xmlns=\"urn:other\"/></c:users></c:conference-info>");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->state, InfoState::partial);
  EXPECT_EQ(info->users_state, InfoState::partial);
  ASSERT_EQ(info->users.size(), 1u);
  EXPECT_EQ(info->users[0].display_text, "yes");
  EXPECT_EQ(info->users[0].endpoints.at(0).status, std::nullopt) << "a word that is not known says nothing";
}

TEST(ConferenceInfo, WrittenIsReadBackTheSame) {
  ConferenceInfo info;
  info.entity = "sip:room@office.example";
  info.version = 4294967295u;
  info.state = InfoState::partial;
  info.description = {InfoState::partial, "Room", "<&>\"'", "line one\nline two\n", 16};
  info.conference_state = {3, true, std::nullopt};
  info.users_state = InfoState::partial;
  ConferenceUser user;
  user.entity = "sip:a%22b@h;x=1?y=<2>&z='3'";
  user.display_text = " ";
  user.roles = std::vector<std::string>{};
  user.cascaded_focus = "sip:other@office.example";
  ConferenceEndpoint endpoint;
  endpoint.entity = "sip:a@laptop";
  endpoint.state = InfoState::partial;
  endpoint.display_text = "";
  endpoint.status = EndpointStatus::disconnected;
  endpoint.joining_method = JoiningMethod::focus_owner;
  endpoint.disconnection_method = DisconnectionMethod::booted;
  endpoint.media = {{"1", "voice", "audio", "l", "1234", MediaStatus::inactive}, {"2", {}, {}, {}, {}, {}}};
  user.endpoints = {endpoint};
  info.users = {user, {"sip:gone@h", InfoState::deleted, {}, {}, {}, {}}};
  const auto back = parse_conference_info(to_xml(info));
  ASSERT_TRUE(back) << to_xml(info);
  EXPECT_EQ(*back, info) << to_xml(info);
}

TEST(ConferenceInfo, WritesNothingThatNoXmlHolds) {
  ConferenceInfo info;
  info.entity = "sip:r@h";
  info.description = ConferenceDescription{};
  info.description->subject = std::string("a\0b\x01\x1b[31mc\xff", 11);
  info.description->display_text = std::string(kMaxConferenceText - 1, 'x') + "\xc3\xb6";
  const auto back = parse_conference_info(to_xml(info));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->description->subject, "ab[31mc");
  EXPECT_EQ(back->description->display_text, std::string(kMaxConferenceText - 1, 'x')) << "no half of a character";
}

TEST(ConferenceInfo, WithADocumentTypeOrEntitiesIsRefused) {
  const std::string bomb = "<!DOCTYPE b [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n";
  EXPECT_EQ(fault_of(bomb + document("")), Fault::unsupported);
  EXPECT_EQ(fault_of("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" + document("")), Fault::unsupported);
  EXPECT_EQ(fault_of(document("<!ELEMENT x>")), Fault::unsupported);
  const auto plain =
      parse_conference_info(document("<conference-description><subject>&b;&amp;</subject></conference-description>"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->description->subject, "&b;&") << "an entity that is not XML's own stays as it stands";
}

TEST(ConferenceInfo, ThatIsNoneIsRefused) {
  EXPECT_EQ(fault_of(""), Fault::malformed);
  EXPECT_EQ(fault_of("hello"), Fault::malformed);
  EXPECT_EQ(fault_of("<conference-info entity=\"sip:r@h\" version=\"1\"/>"), Fault::malformed) << "no namespace";
  EXPECT_EQ(fault_of("<dialog-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"a\" version=\"1\"/>"),
            Fault::malformed);
  EXPECT_EQ(fault_of("<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" version=\"1\"/>"),
            Fault::malformed)
      << "no entity";
  EXPECT_EQ(fault_of("<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"a\"/>"),
            Fault::malformed)
      << "no version";
  EXPECT_EQ(fault_of(document("", " state=\"half\"")), Fault::malformed);
  EXPECT_EQ(fault_of(document("<users><user/></users>")), Fault::malformed) << "a user without an entity";
  EXPECT_EQ(fault_of(document("<users><user entity=\"a b\"/></users>")), Fault::malformed);
  EXPECT_EQ(fault_of(document("<users>")), Fault::malformed);
  EXPECT_EQ(fault_of(document("<!-- no end")), Fault::malformed);
  EXPECT_EQ(fault_of(document("<conference-state><user-count>-1</user-count></conference-state>")), Fault::malformed);
  EXPECT_EQ(fault_of(document("<conference-state><active>maybe</active></conference-state>")), Fault::malformed);
  EXPECT_EQ(fault_of(document("<conference-description><subject>\xff</subject></conference-description>")),
            Fault::malformed);
  EXPECT_EQ(fault_of(document("<conference-description><subject>&#27;[2J</subject></conference-description>")),
            Fault::malformed);
}

std::string repeated(const std::string& what, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += what;
  return out;
}

TEST(ConferenceInfo, OverABoundIsRefused) {
  const std::string user = "<user entity=\"sip:a@h\"/>";
  EXPECT_TRUE(parse_conference_info(document("<users>" + repeated(user, kMaxConferenceUsers) + "</users>")));
  EXPECT_EQ(fault_of(document("<users>" + repeated(user, kMaxConferenceUsers + 1) + "</users>")), Fault::too_big);
  const std::string end = "<endpoint entity=\"a\"/>";
  const auto with = [&](std::size_t n) {
    return document("<users><user entity=\"a\">" + repeated(end, n) + "</user></users>");
  };
  EXPECT_TRUE(parse_conference_info(with(kMaxConferenceParts)));
  EXPECT_EQ(fault_of(with(kMaxConferenceParts + 1)), Fault::too_big);
  const auto said = [&](std::size_t n) {
    return document("<conference-description><subject>" + std::string(n, 'x') + "</subject></conference-description>");
  };
  EXPECT_TRUE(parse_conference_info(said(kMaxConferenceText)));
  EXPECT_EQ(fault_of(said(kMaxConferenceText + 1)), Fault::too_big);
  EXPECT_EQ(fault_of(document(repeated("<a>", 16) + repeated("</a>", 16))), Fault::too_big) << "deep";
  EXPECT_TRUE(parse_conference_info(document(repeated("<a>", 15) + repeated("</a>", 15))));
  EXPECT_EQ(fault_of(document(repeated("<a/>", 16 * 1024))), Fault::too_big) << "also over 64 KiB";
  EXPECT_EQ(fault_of(document(repeated(" ", kMaxConferenceInfo))), Fault::too_big);
}

}  // namespace
}  // namespace linnet::sip
