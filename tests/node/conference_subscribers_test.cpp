// A SIP program that knows nothing of our statements follows the roster (RFC 4575).
#include "node/conference_subscribers.h"

#include <gtest/gtest.h>

#include "conference_hall.h"
#include "node/links.h"
#include "sip/conference_view.h"

namespace linnet::node {
namespace {

using conference::Hall;

// The mixer's SIP and a phone's, joined back to back.
struct ConferenceSubscriber : ::testing::Test {
  Hall hall;
  SeededRng rng{5};
  sip::PeerId mixer_peer{{1}}, phone_peer{{2}};
  sip::Core mixer{config("mixer", true), rng};
  sip::Core phone{config("phone", false), rng};
  ConferenceSubscribers subscribers{"hall.example"};
  sip::ConferenceView view;
  std::optional<sip::SubscriptionId> ours;
  std::vector<sip::InfoState> documents;
  static constexpr CallId kConference{7};

  static sip::Config config(const std::string& name, bool serves) {
    sip::Config out;
    out.local_uri = uri_of(*crypto::Address::parse(name + "@hall.example"));
    if (serves) out.event_packages = {{std::string(sip::kConferencePackage), {std::string(sip::kConferenceInfoType)}}};
    return out;
  }
  void SetUp() override {
    for (int i = 0; i < 3; ++i) hall.add();
    hall.found(0);
    hall.run(conference::milliseconds(300));
    hall.invite(0, 1);
    hall.run(conference::seconds(1));
    sip::SubscribeParams params;
    params.to = mixer_peer;
    params.target = config("mixer", true).local_uri;
    params.from = config("phone", false).local_uri;
    params.package = sip::kConferencePackage;
    params.accept = {std::string(sip::kConferenceInfoType)};
    ASSERT_TRUE(phone.subscribe(hall.now, params));
    carry();
  }
  const conference::Room* room() const { return &*hall.people[0].room; }
  void carry() {
    for (int i = 0; i < 20; ++i) {
      while (const auto m = phone.poll_message()) mixer.handle_message(hall.now, phone_peer, m->bytes);
      while (const auto m = mixer.poll_message()) phone.handle_message(hall.now, mixer_peer, m->bytes);
      while (const auto e = mixer.poll_event())
        if (const auto* asked = std::get_if<sip::SubscriptionRequested>(&*e))
          subscribers.on(mixer, hall.now, *asked, room(), kConference);
      while (const auto e = phone.poll_event()) {
        const auto* notify = std::get_if<sip::NotifyReceived>(&*e);
        if (notify == nullptr || notify->body.empty()) continue;
        ours = notify->subscription;
        const auto document = sip::parse_conference_info(notify->body);
        ASSERT_TRUE(document.has_value());
        documents.push_back(document->state);
        EXPECT_EQ(view.apply(*document), sip::ConferenceView::Applied::taken);
      }
    }
  }
  void pass(Duration length) {
    hall.run(length);
    subscribers.changed(hall.now, kConference);
    hall.run(ConferenceSubscribers::kEvery);
    subscribers.handle_timeout(mixer, hall.now, [&](CallId id) { return id == kConference ? room() : nullptr; });
    carry();
  }
  const sip::ConferenceUser* user(const std::string& entity) const {
    for (const auto& u : view.held()->users)
      if (u.entity == entity) return &u;
    return nullptr;
  }
};

TEST_F(ConferenceSubscriber, IsToldAllOfItAtOnce) {
  ASSERT_TRUE(view.held().has_value());
  EXPECT_EQ(view.held()->description->subject, "team");
  EXPECT_EQ(view.held()->conference_state->user_count, 2u);
  ASSERT_EQ(view.held()->users.size(), 2u);
  const auto* mixes = user("sip:member1@hall.example");
  ASSERT_NE(mixes, nullptr);
  EXPECT_EQ(mixes->roles, (std::vector<std::string>{"participant", "moderator", "focus"}));
  EXPECT_EQ(mixes->endpoints.at(0).media.at(0).src_id,
            std::to_string(conference::source_of(room()->id(), hall.key(0))));
}

TEST_F(ConferenceSubscriber, ThenWhatChangedAlone) {
  hall.invite(0, 2);
  pass(conference::seconds(1));
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[1], sip::InfoState::partial);
  EXPECT_EQ(view.held()->users.size(), 3u);
  EXPECT_TRUE(hall.people[0].room->mute(hall.now, hall.key(2), true));
  pass(conference::seconds(1));
  EXPECT_EQ(user("sip:member3@hall.example")->endpoints.at(0).status, sip::EndpointStatus::muted_via_focus);
  EXPECT_TRUE(hall.people[0].room->remove(hall.now, hall.key(2)));
  pass(conference::seconds(1));
  EXPECT_EQ(view.held()->users.size(), 2u);
  EXPECT_EQ(view.held()->conference_state->user_count, 2u);
}

}  // namespace
}  // namespace linnet::node
