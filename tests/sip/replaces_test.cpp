// Replaces (RFC 3891) and Join (RFC 3911): an INVITE that names the dialog of another call.
#include "sip/replaces.h"

#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

class Replacing : public FarEnd {
 protected:
  Replacing() { bob.core = Core(conference_config("bob@home.example", true), bob.rng); }

  // An INVITE of a third one.
  Request other(const std::string& extra) {
    Request r;
    r.branch = "z9hG4bKother" + std::to_string(++made_);
    r.call_id = "other-" + std::to_string(made_);
    r.from = "<sip:carol@home.example>;tag=c1";
    r.extra = "Contact: <sip:carol@home.example>\r\n" + extra;
    return r;
  }
  static std::string header(const std::string& name, const DialogName& dialog, const std::string& more = "") {
    return name + ": " + replaces_value(dialog, false) + more + "\r\n";
  }
  static std::string replaces(const DialogName& dialog, const std::string& more = "") {
    return header("Replaces", dialog, more);
  }
  int made_ = 0;
};

TEST_F(Replacing, NamesACallOfAnotherPeerToTheNodeWhichDecides) {
  const auto tag = talk();
  const auto dialog = bob.core.dialog(call);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(*dialog, (DialogName{"call-1", tag, "a1"}));
  EXPECT_EQ(status(other(replaces(*dialog)).str(), peer_id(3)), 0);
  const auto in = bob.take<IncomingCall>();
  EXPECT_EQ(in.peer, peer_id(3));
  ASSERT_TRUE(in.replaced);
  EXPECT_EQ(in.replaced->call, call);
  EXPECT_FALSE(in.replaced->join);
  EXPECT_FALSE(in.replaced->early);
  EXPECT_EQ(bob.core.calls(), 2u) << "nothing has happened to either";
  ASSERT_TRUE(bob.core.accept(now, in.call, kAnswer));
  ASSERT_TRUE(bob.core.bye(now, call, "Replaced"));
  EXPECT_EQ(what(drain()), (std::vector<std::string>{"200 INVITE", "BYE"}));
}

TEST_F(Replacing, OfACallThatIsNotThereGets481) {
  const auto tag = talk();
  EXPECT_EQ(status(other(replaces({"call-1", tag, "a2"})).str(), peer_id(3)), 481);
  EXPECT_EQ(status(other(replaces({"call-1", "a1", tag})).str(), peer_id(3)), 481) << "the tags the other way round";
  EXPECT_EQ(status(other(replaces({"call-2", tag, "a1"})).str(), peer_id(3)), 481);
  EXPECT_EQ(status(other(header("Join", {"call-2", tag, "a1"})).str(), peer_id(3)), 481);
  EXPECT_EQ(bob.core.calls(), 1u);
}

TEST_F(Replacing, OfAnAnsweredCallGets486WhereItIsMeantForEarlyOnesOnly) {
  const auto tag = talk();
  EXPECT_EQ(status(other(replaces({"call-1", tag, "a1"}, ";early-only")).str(), peer_id(3)), 486);
}

TEST_F(Replacing, OfACallThatRingsHereGets481) {
  send(Request{}.str());
  const auto ringing = bob.take<IncomingCall>().call;
  ASSERT_TRUE(bob.core.ring(now, ringing));
  const auto tag = drain().at(0).to_tag();
  EXPECT_EQ(status(other(replaces({"call-1", tag, "a1"})).str(), peer_id(3)), 481);
}

TEST_F(Replacing, OfACallThatWeMadeAndThatRingsThereIsEarly) {
  const auto sent = invite();
  exchange(response_to(sent, 180, "far"));
  const DialogName dialog{sent.header(HeaderId::call_id), std::string(sent.m.from.tag), "far"};
  EXPECT_EQ(status(other(replaces(dialog, ";early-only")).str(), peer_id(3)), 0);
  const auto in = bob.take<IncomingCall>();
  ASSERT_TRUE(in.replaced);
  EXPECT_EQ(in.replaced->call, call);
  EXPECT_TRUE(in.replaced->early);
  EXPECT_FALSE(bob.core.dialog(call)) << "no dialog stands yet";
}

TEST_F(Replacing, JoinsACall) {
  const auto tag = talk();
  EXPECT_EQ(status(other(header("Join", {"call-1", tag, "a1"})).str(), peer_id(3)), 0);
  const auto in = bob.take<IncomingCall>();
  ASSERT_TRUE(in.replaced);
  EXPECT_EQ(in.replaced->call, call);
  EXPECT_TRUE(in.replaced->join);
}

TEST_F(Replacing, StandsOnceAndInAnInviteAlone) {
  const auto tag = talk();
  const auto one = replaces({"call-1", tag, "a1"});
  EXPECT_EQ(status(other(one + one).str(), peer_id(3)), 400);
  EXPECT_EQ(status(other(one + header("Join", {"call-1", tag, "a1"})).str(), peer_id(3)), 400);
  EXPECT_EQ(status(other("Replaces: call-1;to-tag=" + tag + "\r\n").str(), peer_id(3)), 400);
  auto options = other(one);
  options.method = "OPTIONS";
  options.body.clear();
  EXPECT_EQ(status(options.str(), peer_id(3)), 400);
  EXPECT_EQ(bob.core.calls(), 1u);
}

TEST_F(Replacing, IsPassedOverByWhoDoesNotLookAtItUnlessItIsRequired) {
  bob.core = Core(config_of("bob@home.example", true), bob.rng);
  const auto tag = talk();
  EXPECT_EQ(status(other(replaces({"call-1", tag, "a1"})).str(), peer_id(3)), 0);
  EXPECT_EQ(bob.take<IncomingCall>().replaced, std::nullopt);
  const auto response = send(other(replaces({"call-1", tag, "a1"}) + "Require: replaces\r\n").str(), peer_id(3));
  EXPECT_TRUE(response.starts_with("SIP/2.0 420")) << response;
  EXPECT_NE(response.find("Unsupported: replaces\r\n"), std::string::npos);
}

TEST_F(Replacing, IsOfferedAndRequiredByWhoSendsIt) {
  InviteParams params;
  params.to = peer_id(1);
  params.target = *Uri::parse("alice@home.example");
  params.from = *Uri::parse("bob@home.example");
  params.sdp_offer = kOffer;
  params.replaces = DialogName{"x@h", "l", "r"};
  params.early_only = true;
  ASSERT_TRUE(bob.core.invite(now, params));
  const auto sent = drain().at(0);
  EXPECT_EQ(sent.header(HeaderId::replaces), "x@h;to-tag=l;from-tag=r;early-only");
  EXPECT_EQ(sent.header(HeaderId::require), "replaces");
  EXPECT_EQ(sent.header(HeaderId::supported), "100rel, norefersub, replaces, join");
  params.joins = params.replaces;
  EXPECT_EQ(bob.core.invite(now, params).error(), Fault::malformed) << "one of them";
  params.replaces.reset();
  params.joins->local_tag = "a b";
  EXPECT_EQ(bob.core.invite(now, params).error(), Fault::malformed);
}

// What a conference does when its focus died: the deputy calls each member in the place of the call it had.
TEST(Replaces, TakesTheMembersOfAFocusThatDiedToItsDeputy) {
  Pair member_and_focus(true, 7);
  member_and_focus.confer(true);
  auto& p = member_and_focus;
  const auto [member_call, focus_call] = p.talk();
  const auto as_member_has_it = p.alice.core.dialog(member_call);
  ASSERT_TRUE(as_member_has_it);
  // What the focus told its deputy, in time.
  EXPECT_EQ(p.bob.core.dialog(focus_call)->far(), *as_member_has_it);
  SeededRng rng(99);
  Core deputy(conference_config("deputy@home.example", true), rng);
  InviteParams params;
  params.to = p.alice.id;
  params.target = *Uri::parse("alice@home.example");
  params.from = *Uri::parse("deputy@home.example");
  params.sdp_offer = kOffer;
  params.replaces = as_member_has_it;
  params.focus = true;
  ASSERT_TRUE(deputy.invite(p.now, params));
  p.alice.core.handle_message(p.now, peer_id(9), deputy.poll_message()->bytes);
  p.settle();
  const auto in = p.alice.take<IncomingCall>();
  EXPECT_TRUE(in.focus);
  ASSERT_TRUE(in.replaced);
  EXPECT_EQ(in.replaced->call, member_call);
}

}  // namespace
}  // namespace linnet::sip
