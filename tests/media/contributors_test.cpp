// What a mixer needs of a session beside voice: levels and contributors in the header, frames encoded elsewhere.
#include <gtest/gtest.h>

#include "media/codec.h"
#include "media/resampler.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/session.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

const std::vector<std::int16_t> kLoud20(960, 3277);  // -20 dBov
constexpr std::uint8_t kClient = 1, kMixer = 2;

// In the clear, so that a test reads what goes over the wire.
class ContributorsTest : public testing::Test {
 protected:
  ContributorsTest() : rng(1), alice(config(0xa), rng), bob(config(0xb), rng) {}

  static SessionConfig config(std::uint32_t ssrc) {
    SessionConfig c;
    c.security = PlainRtp{};
    c.ssrc = ssrc;
    c.client_level = kClient;
    c.mixer_level = kMixer;
    c.adapt = false;
    return c;
  }
  static Bytes only_packet(Session& from) {
    Bytes out;
    EXPECT_TRUE(from.poll_packet(out));
    EXPECT_FALSE(from.poll_packet());
    return out;
  }
  Bytes captured(Session& from, double ms, std::span<const std::int16_t> samples = kLoud20) {
    from.capture(at_ms(ms), samples);
    return only_packet(from);
  }
  static std::string element(ByteView packet, std::uint8_t id) {
    const auto read = parse_rtp(packet);
    if (!read || !read->extension_profile) return "no extension";
    const auto data = parse_elements(*read->extension_profile, read->extension)->find(id);
    return data ? to_hex(*data) : "none";
  }
  static EncodedFrame frame(ByteView payload, std::size_t samples = 960) {
    return {CodecKind::opus, payload, samples, {33, true}};
  }
  static RtpHeader header(ByteView packet) { return parse_rtp(packet)->header; }

  SeededRng rng;
  Session alice, bob;
  const Bytes payload = Bytes(60, 0x7c);
};

TEST_F(ContributorsTest, AFrameCarriesTheLevelOfWhatWasCapturedForIt) {
  EXPECT_EQ(element(captured(alice, 0), kClient), "94") << "20 dB under full scale, and voice";
  EXPECT_EQ(element(captured(alice, 20, std::vector<std::int16_t>(960)), kClient), "ff") << "silence, held on to";
  EXPECT_EQ(captured(alice, 40).size(), kRtpHeader + 8 + 60);
}

TEST_F(ContributorsTest, WhoIsMutedIsSilent) {
  alice.set_muted(true);
  EXPECT_EQ(element(captured(alice, 0), kClient), "7f");
}

TEST_F(ContributorsTest, NothingIsAddedWhereNothingWasAgreed) {
  auto c = config(0xa);
  c.client_level = c.mixer_level = std::nullopt;
  Session plain(c, rng);
  EXPECT_EQ(captured(plain, 0).size(), kRtpHeader + 60);
  c.ssrc = 0xc;
  Session other(c, rng);
  Bytes packet = captured(alice, 0);
  ASSERT_TRUE(other.handle_packet(at_ms(1), packet)) << "an extension is no reason to refuse";
  EXPECT_FALSE(other.heard_level());
}

TEST_F(ContributorsTest, AnAgreedDirectionIsKept) {
  auto c = config(0xa);
  c.level_use.send_client = false;
  Session quiet(c, rng);
  EXPECT_EQ(captured(quiet, 0).size(), kRtpHeader + 60);
  c.level_use = {true, true, false};
  Session flagless(c, rng);
  EXPECT_EQ(element(captured(flagless, 0), kClient), "14") << "vad=off: no flag";
}

TEST_F(ContributorsTest, IdentifiersOver14TakeTheLargerFormInEveryPacket) {
  alice.set_levels(kClient, 200);
  Bytes packet = captured(alice, 0);
  EXPECT_EQ(parse_rtp(packet)->extension_profile, kTwoOctetProfile) << "also where only the small one is in it";
  EXPECT_EQ(element(packet, kClient), "94");
}

TEST_F(ContributorsTest, TheNewestPacketSaysHowLoudThePeerIs) {
  EXPECT_FALSE(bob.heard_level());
  Bytes first = captured(alice, 0), second = captured(alice, 20, std::vector<std::int16_t>(960, 328)),
        third = captured(alice, 40);
  ASSERT_TRUE(bob.handle_packet(at_ms(50), first));
  EXPECT_EQ(bob.heard_level()->level, (AudioLevel{20, true}));
  EXPECT_EQ(bob.heard_level()->at, at_ms(50));
  ASSERT_TRUE(bob.handle_packet(at_ms(60), third));
  ASSERT_TRUE(bob.handle_packet(at_ms(70), second));
  EXPECT_EQ(bob.heard_level()->at, at_ms(60)) << "what was overtaken is of the past";
}

TEST_F(ContributorsTest, AForgedPacketSaysNothing) {
  const auto keys = key_pair(rng);
  auto a = config(0xa), b = config(0xb);
  a.security = keys.first;
  b.security = keys.second;
  Session from(a, rng), to(b, rng);
  Bytes packet = captured(from, 0);
  Bytes forged = packet;
  forged[kRtpHeader + 5] ^= 1;  // the level itself: it is authenticated though it can be read
  EXPECT_EQ(to.handle_packet(at_ms(1), forged).error(), Fault::bad_mac);
  EXPECT_FALSE(to.heard_level());
  ASSERT_TRUE(to.handle_packet(at_ms(1), packet));
  EXPECT_EQ(to.heard_level()->level.dbov, 20);
}

TEST_F(ContributorsTest, AMalformedExtensionLeavesTheVoice) {
  RtpHeader h;
  h.payload_type = 111;
  h.ssrc = 0xa;
  Bytes packet;
  write_rtp(packet, h, std::array{ExtensionElement{kClient, payload}}, ExtensionForm::two_octets, payload);
  packet[kRtpHeader + 5] = 200;  // longer than the extension
  ASSERT_TRUE(bob.handle_packet(at_ms(0), packet));
  EXPECT_FALSE(bob.heard_level());
  EXPECT_EQ(bob.stats(at_ms(0)).packets_received, 1U);
}

TEST_F(ContributorsTest, AnotherSourceBeginsWithoutALevel) {
  Bytes first = captured(alice, 0);
  alice.set_contributors(std::array{Contributor{7, {}}});
  ASSERT_TRUE(bob.handle_packet(at_ms(0), first));
  auto c = config(0xaa);
  c.client_level.reset();
  Session again(c, rng);
  Bytes packet = captured(again, 20);
  ASSERT_TRUE(bob.handle_packet(at_ms(20), packet));
  EXPECT_FALSE(bob.heard_level());
  EXPECT_TRUE(bob.contributors().empty());
}

TEST_F(ContributorsTest, ContributorsAndTheirLevelsGoAlongUntilOthersAreSet) {
  const std::array mixed{Contributor{0x11111111, {20, false}}, Contributor{0x22222222, {55, false}}};
  alice.set_contributors(mixed);
  for (double ms = 0; ms < 60; ms += 20) {
    Bytes packet = captured(alice, ms);
    EXPECT_EQ(element(packet, kMixer), "1437");
    ASSERT_TRUE(bob.handle_packet(at_ms(ms), packet));
    EXPECT_TRUE(std::equal(mixed.begin(), mixed.end(), bob.contributors().begin(), bob.contributors().end()));
  }
  alice.set_contributors({});
  Bytes packet = captured(alice, 60);
  EXPECT_EQ(header(packet).csrc_count, 0);
  EXPECT_EQ(element(packet, kMixer), "none");
  ASSERT_TRUE(bob.handle_packet(at_ms(60), packet));
  EXPECT_TRUE(bob.contributors().empty());
}

TEST_F(ContributorsTest, TheVoiceFlagHasNoRoomWithContributors) {
  alice.set_contributors(std::array{Contributor{7, {20, true}}});
  EXPECT_EQ(element(captured(alice, 0), kMixer), "14");
}

TEST_F(ContributorsTest, SourcesWithoutLevelsAreKnownAllTheSame) {
  alice.set_levels(kClient, std::nullopt);
  alice.set_contributors(std::array{Contributor{7, {20, false}}});
  Bytes packet = captured(alice, 0);
  ASSERT_TRUE(bob.handle_packet(at_ms(0), packet));
  ASSERT_EQ(bob.contributors().size(), 1U);
  EXPECT_EQ(bob.contributors()[0], (Contributor{7, {127, false}}));
}

TEST_F(ContributorsTest, FifteenContributorsAreTheMost) {
  std::vector<Contributor> many;
  for (std::uint32_t i = 1; i <= 20; ++i) many.push_back({i, {static_cast<std::uint8_t>(i), false}});
  alice.set_contributors(many);
  Bytes packet = captured(alice, 0);
  ASSERT_TRUE(bob.handle_packet(at_ms(0), packet));
  ASSERT_EQ(bob.contributors().size(), 15U);
  EXPECT_EQ(bob.contributors()[14], many[14]);
}

TEST_F(ContributorsTest, AFullPacketStaysWithinADatagramOf1200Octets) {
  const auto keys = key_pair(rng);
  auto a = config(0xa), b = config(0xb);
  a.security = keys.first;
  b.security = keys.second;
  a.client_level = b.client_level = 20;
  Session from(a, rng), to(b, rng);
  from.set_contributors(std::vector<Contributor>(15, {7, {20, false}}));
  const Bytes full(kMaxPayload, 0x7c);
  ASSERT_TRUE(from.send_encoded(at_ms(0), frame(full)));
  Bytes packet = only_packet(from);
  EXPECT_LE(packet.size(), 1200U);
  ASSERT_TRUE(to.handle_packet(at_ms(0), packet));
  EXPECT_EQ(to.contributors().size(), 12U);
}

TEST_F(ContributorsTest, AFrameEncodedElsewhereGoesOutAsItIs) {
  alice.set_contributors(std::array{Contributor{7, {20, false}}});
  ASSERT_TRUE(alice.send_encoded(at_ms(0), frame(payload)));
  const Bytes packet = only_packet(alice);
  const auto read = parse_rtp(packet);
  EXPECT_TRUE(equal(read->payload, payload));
  EXPECT_EQ(read->header.payload_type, 111);
  EXPECT_TRUE(read->header.marker);
  EXPECT_EQ(element(packet, kClient), "a1") << "33, voice: as it was given";
  EXPECT_EQ(element(packet, kMixer), "14");
  const auto stats = alice.stats(at_ms(0));
  EXPECT_EQ(stats.packets_sent, 1U);
  EXPECT_EQ(stats.bytes_sent, 60U);
  EXPECT_EQ(stats.frame_ms, 20);
  EXPECT_EQ(stats.bitrate, 24000);
  EXPECT_FALSE(stats.complexity) << "no encoder was made for it";
}

// In any order, with frames of any length and captures in any pieces: each packet's timestamp is what has passed before
// it, sequence numbers have no gap.
TEST_F(ContributorsTest, TheClockIsOneWhicheverWayAFrameComes) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRng chance(seed);
    auto c = config(0xa);
    c.send = chance.below(2) == 0 ? PayloadType{111, CodecKind::opus} : PayloadType{0, CodecKind::pcmu};
    const auto ratio = static_cast<std::uint32_t>(kRate / rtp_clock(c.send.codec));
    Session from(c, rng);
    std::size_t passed = 0, pending = 0;
    std::optional<RtpHeader> first;
    std::optional<int> last;
    for (int i = 0; i < 100; ++i) {
      std::size_t started = passed;
      if (chance.below(2) == 0) {
        const std::size_t n = 480 * (1 + chance.below(2));
        started = passed - pending;
        from.capture(at_ms(i * 20), std::span(kLoud20).first(n));
        passed += n;
        pending = (pending + n) % 960;
      } else {
        const std::size_t n = std::array<std::size_t, 3>{480, 960, 2880}[chance.below(3)];
        const EncodedFrame f{c.send.codec, payload, n, {}};
        started = passed;
        pending = 0;
        ASSERT_TRUE(from.send_encoded(at_ms(i * 20), f));
        passed += n;
      }
      while (const auto packet = from.poll_packet()) {
        if (is_rtcp(*packet)) continue;
        const auto h = header(*packet);
        if (!first) {
          first = h;
          first->timestamp -= static_cast<std::uint32_t>(started) / ratio;
        }
        ASSERT_EQ(h.timestamp - first->timestamp, started / ratio) << seed << " " << i;
        ASSERT_EQ(h.sequence, static_cast<std::uint16_t>(last.value_or(h.sequence - 1) + 1));
        last = h.sequence;
        started += 960;
      }
    }
  }
}

TEST_F(ContributorsTest, ACapturedFrameThatWasNotCompleteIsLeftOut) {
  Bytes before = captured(alice, 0);
  alice.capture(at_ms(30), std::span(kLoud20).first(480));
  ASSERT_TRUE(alice.send_encoded(at_ms(50), frame(payload)));
  const auto h = header(only_packet(alice));
  EXPECT_EQ(h.timestamp - header(before).timestamp, 960U + 480U);
  EXPECT_FALSE(h.marker) << "no talkspurt begins";
}

TEST_F(ContributorsTest, WhatDoesNotSuitIsNotTaken) {
  const Bytes before = captured(alice, 0);
  const Bytes too_long(kMaxPayload + 1);
  auto other = frame(payload);
  other.codec = CodecKind::pcmu;
  EXPECT_FALSE(alice.send_encoded(at_ms(20), other));
  EXPECT_FALSE(alice.send_encoded(at_ms(20), frame({})));
  EXPECT_FALSE(alice.send_encoded(at_ms(20), frame(too_long)));
  for (const std::size_t samples :
       {std::size_t{0}, std::size_t{1}, std::size_t{961}, std::size_t{1440}, kMaxFrame + 480})
    EXPECT_FALSE(alice.send_encoded(at_ms(20), frame(payload, samples))) << samples;
  EXPECT_EQ(header(captured(alice, 20)).timestamp, header(before).timestamp + 960) << "capture() may have its time";
}

TEST_F(ContributorsTest, WhoIsHeldGetsNothingAndTheClockGoesOn) {
  const Bytes before = captured(alice, 0);
  alice.set_sending(false);
  EXPECT_FALSE(alice.send_encoded(at_ms(20), frame(payload)));
  EXPECT_FALSE(alice.poll_packet());
  alice.set_sending(true);
  ASSERT_TRUE(alice.send_encoded(at_ms(40), frame(payload)));
  const auto h = header(only_packet(alice));
  EXPECT_EQ(h.timestamp, header(before).timestamp + 2 * 960);
  EXPECT_EQ(h.sequence, static_cast<std::uint16_t>(header(before).sequence + 1));
  EXPECT_TRUE(h.marker) << "a talkspurt begins (RFC 3551 section 4.1)";
  alice.close(at_ms(50));
  (void)alice.poll_packet();
  EXPECT_FALSE(alice.send_encoded(at_ms(60), frame(payload)));
  EXPECT_FALSE(alice.poll_packet());
}

TEST_F(ContributorsTest, AListenerHearsTheSharedEncodeAndHisOwnMixAsOneStream) {
  const auto codec = make_codec(CodecKind::opus, {});
  const auto said = resample(speech().samples, speech().rate, kRate);
  Audio heard{kRate, {}};
  std::vector<std::int16_t> block(960);
  Bytes shared, packet;
  for (std::size_t at = 0; at + 960 <= said.size(); at += 960) {
    const auto samples = std::span(said).subspan(at, 960);
    const Time now = at_ms(static_cast<double>(at) / 48);
    shared.clear();
    ASSERT_TRUE(codec->encode(samples, shared));
    if (at / 48000 % 2 == 0) {  // a second each
      ASSERT_TRUE(alice.send_encoded(now, {CodecKind::opus, shared, 960, measure(samples)}));
    } else {
      alice.capture(now, samples);
    }
    while (alice.poll_packet(packet)) ASSERT_TRUE(bob.handle_packet(now, packet));
    const std::size_t from = bob.play(now, block);
    heard.samples.insert(heard.samples.end(), block.begin() + static_cast<std::ptrdiff_t>(from), block.end());
  }
  EXPECT_GT(compare(speech(), heard, 0).stoi, 0.9);
  const auto stats = bob.stats(at_ms(10'000));
  EXPECT_EQ(stats.frames_concealed, 0U);
  EXPECT_EQ(stats.max_gap_ms, 0);
}

TEST_F(ContributorsTest, ADigitGoesBeforeAFrameEncodedElsewhereToo) {
  auto c = config(0xa);
  c.auxiliary.events = {{101, 48000}};
  Session from(c, rng);
  ASSERT_TRUE(from.send_digit('5'));
  int events = 0, voices = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(from.send_encoded(at_ms(i * 20), frame(payload)));
    while (const auto packet = from.poll_packet()) ++(header(*packet).payload_type == 101 ? events : voices);
  }
  EXPECT_EQ(events, 5 + 2) << "100 ms, the end three times";
  EXPECT_EQ(voices, 15);
}

TEST_F(ContributorsTest, AReportCountsWhatWasEncodedElsewhere) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(alice.send_encoded(at_ms(i * 20), frame(payload)));
  RtpHeader last;
  while (const auto packet = alice.poll_packet())
    if (!is_rtcp(*packet)) last = header(*packet);
  alice.close(at_ms(180));
  const auto report = parse_rtcp(*alice.poll_packet());
  ASSERT_TRUE(report && report->reports[0].sender);
  EXPECT_EQ(report->reports[0].sender->packets, 10U);
  EXPECT_EQ(report->reports[0].sender->octets, 600U);
  EXPECT_EQ(report->reports[0].sender->rtp_timestamp, last.timestamp + 960) << "of the end of the last frame";
}

TEST_F(ContributorsTest, TheWishIsWhatThePathCanCarry) {
  EXPECT_EQ(alice.wish(), (SendWish{24000, 20, 0}));
  auto c = config(0xa);
  c.send = {0, CodecKind::pcmu};
  c.ptime = std::chrono::milliseconds(120);
  EXPECT_EQ(Session(c, rng).wish().frame_ms, 60) << "as the codec takes it";
}

TEST_F(ContributorsTest, AReturnedBufferIsUsedAgain) {
  Bytes buffer;
  std::vector<const std::uint8_t*> places;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(alice.send_encoded(at_ms(i * 20), frame(payload)));
    while (alice.poll_packet(buffer)) places.push_back(buffer.data());
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  EXPECT_LE(places.size(), 4U) << "a few buffers go round";
}

TEST_F(ContributorsTest, PacketsArePolledInTheirOrderWhateverTheBuffer) {
  Bytes buffer(2000, 1);
  for (int round = 0; round < 5; ++round) {
    std::optional<int> last;
    for (int i = 0; i < 40; ++i) alice.capture(at_ms((round * 40 + i) * 20), kLoud20);
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(alice.poll_packet(buffer));
      if (is_rtcp(buffer)) continue;
      ASSERT_EQ(header(buffer).sequence, static_cast<std::uint16_t>(last.value_or(header(buffer).sequence - 1) + 1));
      last = header(buffer).sequence;
    }
    while (alice.poll_packet(buffer)) {
    }
  }
}

}  // namespace
}  // namespace linnet::media
