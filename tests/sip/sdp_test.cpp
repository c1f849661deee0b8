#include "sip/sdp.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::sip {
namespace {

const std::string kExample =
    "v=0\r\no=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SDP Seminar\r\ni=A "
    "Seminar\r\nu=http://example.com/sdp.ps\r\n"
    "c=IN IP4 224.2.17.12/127\r\nb=AS:64\r\nt=2873397496 2873404696\r\na=recvonly\r\nm=audio 49170/2 RTP/AVP 0 8\r\n"
    "m=video 51372 RTP/AVP 99\r\nc=IN IP6 ::1\r\na=rtpmap:99 h263-1998/90000\r\n";

TEST(Sdp, ReadsTheExampleOfTheRfc) {
  const auto sdp = parse_sdp(kExample);
  ASSERT_TRUE(sdp);
  EXPECT_EQ(sdp->origin.session_id, 2890844526u);
  EXPECT_EQ(sdp->name, "SDP Seminar");
  EXPECT_EQ(sdp->connection->address, "224.2.17.12/127");
  EXPECT_NE(sdp->attribute("recvonly"), nullptr);
  ASSERT_EQ(sdp->media.size(), 2u);
  EXPECT_EQ(sdp->media[0].port_count, 2);
  EXPECT_EQ(sdp->media[0].formats, (std::vector<std::string>{"0", "8"}));
  EXPECT_EQ(sdp->media[1].connection->address_type, "IP6");
  EXPECT_EQ(*sdp->media[1].attribute("rtpmap"), "99 h263-1998/90000");
}

TEST(Sdp, TakesLinesThatEndInLfAlone) {
  auto text = kExample;
  std::erase(text, '\r');
  EXPECT_EQ(*parse_sdp(text), *parse_sdp(kExample));
}

TEST(Sdp, RefusesWhatIsNone) {
  for (auto bad :
       {"", "v=0\r\n", "v=0\r\no=- 1 1 IN IP4 h\r\n", "o=- 1 1 IN IP4 h\r\nv=0\r\ns=-\r\n",
        "v=0\r\no=- x 1 IN IP4 h\r\ns=-\r\n", "v=0\r\no=- 1 1 IN IP4\r\ns=-\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nm=audio 70000 RTP/SAVP 0\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nm=audio 1 RTP/SAVP\r\n", "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nx\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\ns=-\r\n", "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nm =audio 1 RTP/SAVP 0\r\n"})
    EXPECT_EQ(parse_sdp(bad).error(), Fault::malformed) << bad;
  EXPECT_EQ(parse_sdp("v=1\r\n").error(), Fault::unsupported);
}

TEST(Sdp, IsBounded) {
  const std::string head = "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\n";
  auto many = head;
  for (int i = 0; i < 16; ++i) many += "m=audio 1 RTP/SAVP 0\r\n";
  EXPECT_TRUE(parse_sdp(many));
  EXPECT_EQ(parse_sdp(many + "m=audio 1 RTP/SAVP 0\r\n").error(), Fault::too_big);
  EXPECT_TRUE(parse_sdp(head + "a=" + std::string(kMaxSdp - head.size() - 4, 'x') + "\r\n"));
  EXPECT_EQ(parse_sdp(head + "a=" + std::string(kMaxSdp - head.size() - 3, 'x') + "\r\n").error(), Fault::too_big);
}

TEST(Sdp, ReadsBackWhatWasWritten) {
  SeededRng rng(3);
  const auto word = [&] {
    std::string out;
    for (auto n = 1 + rng.below(9); n > 0; --n) out.push_back(static_cast<char>('a' + rng.below(26)));
    return out;
  };
  const auto attributes = [&] {
    std::vector<SdpAttribute> out;
    for (auto n = rng.below(5); n > 0; --n) out.push_back({word(), rng.below(2) != 0 ? word() + ":" + word() : ""});
    return out;
  };
  for (int i = 0; i < 1000; ++i) {
    Sdp sdp;
    sdp.origin = {word(), rng.u64(), rng.u64(), "IP6", word()};
    sdp.name = word() + " " + word();
    if (rng.below(2) != 0) sdp.connection = SdpConnection{"IP4", word()};
    sdp.attributes = attributes();
    for (auto n = rng.below(5); n > 0; --n) {
      SdpMedia m;
      m.media = word();
      m.port = static_cast<std::uint16_t>(rng.below(65536));
      m.port_count = static_cast<std::uint16_t>(1 + rng.below(4));
      m.protocol = "RTP/SAVP";
      m.formats = {word(), word()};
      if (rng.below(2) != 0) m.connection = SdpConnection{"IP6", word()};
      m.attributes = attributes();
      sdp.media.push_back(std::move(m));
    }
    const auto text = serialise(sdp);
    const auto back = parse_sdp(text);
    ASSERT_TRUE(back) << text;
    ASSERT_EQ(*back, sdp) << text;
  }
}

}  // namespace
}  // namespace linnet::sip
