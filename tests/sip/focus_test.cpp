// `isfocus` in Contact (RFC 4579 section 5.2, RFC 3840), both ways, and its changes.
#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

TEST(Focus, IsToldByTheConferenceThatCalls) {
  Pair p(true);
  InviteParams params;
  params.to = p.bob.id;
  params.target = *Uri::parse("bob@home.example");
  params.from = *Uri::parse("alice@home.example");
  params.sdp_offer = kOffer;
  params.focus = true;
  ASSERT_TRUE(p.alice.core.invite(p.now, std::move(params)));
  p.settle();
  const auto in = p.bob.take<IncomingCall>();
  EXPECT_TRUE(in.focus);
  EXPECT_EQ(in.contact, "sip:alice@home.example") << "the parameter is not part of the URI";
  ASSERT_TRUE(p.bob.core.accept(p.now, in.call, kAnswer));
  p.settle();
  EXPECT_FALSE(p.alice.take<Answered>().focus);
}

TEST(Focus, IsToldByTheConferenceThatIsCalled) {
  Pair p(true);
  p.call();
  p.settle();
  const auto in = p.bob.take<IncomingCall>();
  EXPECT_FALSE(in.focus);
  ASSERT_TRUE(p.bob.core.set_focus(in.call, true));
  ASSERT_TRUE(p.bob.core.accept(p.now, in.call, kAnswer));
  p.settle();
  EXPECT_TRUE(p.alice.take<Answered>().focus);
  EXPECT_FALSE(p.bob.core.set_focus(CallId{99}, true));
}

TEST(Focus, ChangesWithAnUpdateOrAReinviteOfEitherEnd) {
  Pair p(true);
  const auto [a, b] = p.talk();
  ASSERT_TRUE(p.bob.core.set_focus(b, true));
  ASSERT_TRUE(p.bob.core.update(p.now, b, {}));
  p.settle();
  EXPECT_TRUE(p.alice.take<FocusChanged>().focus);
  EXPECT_EQ(p.bob.has<FocusChanged>(), nullptr) << "alice is none";
  ASSERT_TRUE(p.bob.core.update(p.now, b, {}));
  p.settle();
  EXPECT_EQ(p.alice.has<FocusChanged>(), nullptr) << "it is said already";
  ASSERT_TRUE(p.bob.core.set_focus(b, false));
  ASSERT_TRUE(p.alice.core.update(p.now, a, {}));
  p.settle();
  EXPECT_FALSE(p.alice.take<FocusChanged>().focus) << "in the answer to hers";
  ASSERT_TRUE(p.bob.core.set_focus(b, true));
  ASSERT_TRUE(p.bob.core.reinvite(p.now, b, kOffer));
  p.settle();
  EXPECT_TRUE(p.alice.take<FocusChanged>().focus);
  ASSERT_TRUE(p.alice.core.set_focus(a, true));
  ASSERT_TRUE(p.alice.core.answer_reinvite(p.now, a, kAnswer));
  p.settle();
  EXPECT_TRUE(p.bob.take<FocusChanged>().focus) << "in the answer to his";
}

class FocusText : public FarEnd {
 protected:
  bool focus_in(const std::string& contact) {
    static int n = 0;
    Request r;
    r.branch = "z9hG4bKfocus" + std::to_string(++n);
    r.call_id = "focus-" + std::to_string(n);
    r.extra = contact.empty() ? "" : "Contact: " + contact + "\r\n";
    send(r.str());
    const auto in = bob.take<IncomingCall>();
    EXPECT_TRUE(bob.core.reject(now, in.call, 486));
    drain();
    return in.focus;
  }
};

TEST_F(FocusText, IsAParameterOfContactAndNotOfItsUri) {
  EXPECT_TRUE(focus_in("<sip:room@home.example>;isfocus"));
  EXPECT_TRUE(focus_in("sip:room@home.example ; audio;IsFocus;q=0.5"));
  EXPECT_TRUE(focus_in("<sip:room@home.example>;isfocus=\"TRUE\""));
  EXPECT_FALSE(focus_in("<sip:room@home.example>;isfocus=\"FALSE\""));
  EXPECT_FALSE(focus_in("<sip:room@home.example>;isfocus=\"!TRUE\""));
  EXPECT_FALSE(focus_in("<sip:room@home.example;isfocus>"));
  EXPECT_FALSE(focus_in("<sip:room@home.example>;notisfocus"));
  EXPECT_FALSE(focus_in("\"isfocus;\" <sip:room@home.example>"));
  EXPECT_FALSE(focus_in(""));
}

TEST_F(FocusText, StandsInEveryAnswerOfAFocus) {
  send(Request{}.str());
  call = bob.take<IncomingCall>().call;
  ASSERT_TRUE(bob.core.set_focus(call, true));
  ASSERT_TRUE(bob.core.ring(now, call));
  ASSERT_TRUE(bob.core.accept(now, call, kAnswer));
  const auto sent = drain();
  ASSERT_EQ(sent.size(), 2u);
  for (const auto& s : sent) EXPECT_EQ(s.header(HeaderId::contact), "<sip:bob@home.example>;isfocus") << s.text;
}

}  // namespace
}  // namespace linnet::sip
