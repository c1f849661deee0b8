// What documents of a conference do to the state that is held (RFC 4575 sections 4.4 to 4.6), beside a naive twin.
#include "sip/conference_view.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"

namespace linnet::sip {
namespace {

using Applied = ConferenceView::Applied;

// The naive twin holds paths and values, "u/alice/e/phone/status" = "3", in which the full element of a path takes the
// place of all below it.
using Paths = std::map<std::string, std::string>;

void forget(Paths& paths, const std::string& prefix) {
  for (auto it = paths.lower_bound(prefix); it != paths.end() && it->first.starts_with(prefix);) it = paths.erase(it);
}
void put(Paths& paths, const std::string& path, const std::optional<std::string>& value) {
  if (value) paths[path] = *value;
}
template <class E>
void put_number(Paths& paths, const std::string& path, const std::optional<E>& value) {
  if (value) paths[path] = std::to_string(static_cast<int>(*value));
}
// Begins an element; false: it is no more.
bool enter(Paths& paths, const std::string& at, InfoState state) {
  if (state != InfoState::partial) forget(paths, at);
  if (state != InfoState::deleted) paths[at];
  return state != InfoState::deleted;
}

void follow(Paths& paths, const std::string& at, const ConferenceMedia& m) {
  enter(paths, at, InfoState::full);
  put(paths, at + "text", m.display_text);
  put(paths, at + "type", m.type);
  put(paths, at + "label", m.label);
  put(paths, at + "src", m.src_id);
  put_number(paths, at + "status", m.status);
}
void follow(Paths& paths, const std::string& at, const ConferenceEndpoint& e) {
  if (!enter(paths, at, e.state)) return;
  put(paths, at + "text", e.display_text);
  put_number(paths, at + "status", e.status);
  put_number(paths, at + "joined", e.joining_method);
  put_number(paths, at + "left", e.disconnection_method);
  for (const auto& m : e.media) follow(paths, at + "m/" + m.id + "/", m);
}
void follow(Paths& paths, const std::string& at, const ConferenceUser& u) {
  if (!enter(paths, at, u.state)) return;
  put(paths, at + "text", u.display_text);
  put(paths, at + "focus", u.cascaded_focus);
  if (u.roles) {
    paths[at + "roles"] = std::to_string(u.roles->size());
    for (const auto& r : *u.roles) paths[at + "roles"] += " " + r;
  }
  for (const auto& e : u.endpoints) follow(paths, at + "e/" + e.entity + "/", e);
}
void follow(Paths& paths, const ConferenceInfo& info) {
  if (info.state == InfoState::full) paths.clear();
  if (info.description && enter(paths, "d/", info.description->state)) {
    put(paths, "d/text", info.description->display_text);
    put(paths, "d/subject", info.description->subject);
    put(paths, "d/free", info.description->free_text);
    put_number(paths, "d/most", info.description->maximum_user_count);
  }
  if (info.conference_state) {
    paths["s/"];
    put_number(paths, "s/count", info.conference_state->user_count);
    put_number(paths, "s/active", info.conference_state->active);
    put_number(paths, "s/locked", info.conference_state->locked);
  }
  if (info.users_state && *info.users_state != InfoState::partial) forget(paths, "u/");
  if (info.users_state != InfoState::deleted)
    for (const auto& u : info.users) follow(paths, "u/" + u.entity + "/", u);
}

// Documents of a conference of few, so that the same keys are met again and again.
class Documents {
 public:
  explicit Documents(std::uint64_t seed) : rng_(seed) {}

  ConferenceInfo any(InfoState state) {
    ConferenceInfo out;
    out.entity = "sip:room@h";
    out.state = state;
    out.version = ++version_;
    if (chance(2)) out.description = {one_state(), text(), text(), text(), number()};
    if (chance(2)) out.conference_state = {number(), flag(), flag()};
    if (chance(8)) return out;
    out.users_state = chance(5) ? one_state() : InfoState::partial;
    out.users = some<ConferenceUser>(6, [&](ConferenceUser& u) { fill(u); });
    return out;
  }
  // What a notifier would hold: all of it full, each key once.
  ConferenceInfo held() {
    ConferenceView view;
    EXPECT_EQ(view.apply(any(InfoState::full)), Applied::taken);
    return *view.held();
  }

 private:
  bool chance(std::uint64_t of) { return rng_.below(of) == 0; }
  InfoState one_state() { return static_cast<InfoState>(rng_.below(3)); }
  std::optional<std::string> text() {
    if (chance(2)) return std::nullopt;
    return "text " + std::to_string(rng_.below(3));
  }
  std::optional<std::uint32_t> number() {
    if (chance(2)) return std::nullopt;
    return static_cast<std::uint32_t>(rng_.below(4));
  }
  std::optional<bool> flag() {
    if (chance(2)) return std::nullopt;
    return chance(2);
  }
  template <class E>
  std::optional<E> word(std::uint64_t of) {
    if (chance(2)) return std::nullopt;
    return static_cast<E>(rng_.below(of));
  }
  template <class T, class Fill>
  std::vector<T> some(std::uint64_t most, Fill fill) {
    std::vector<T> out(rng_.below(most + 1));
    for (auto& t : out) fill(t);
    return out;
  }
  void fill(ConferenceUser& u) {
    u.entity = std::string(1, static_cast<char>('a' + rng_.below(5)));
    u.state = one_state();
    u.display_text = text();
    u.cascaded_focus = text();
    if (chance(2)) u.roles = some<std::string>(2, [&](std::string& r) { r = text().value_or("r"); });
    u.endpoints = some<ConferenceEndpoint>(3, [&](ConferenceEndpoint& e) { fill(e); });
  }
  void fill(ConferenceEndpoint& e) {
    e.entity = std::string(1, static_cast<char>('x' + rng_.below(3)));
    e.state = one_state();
    e.display_text = text();
    e.status = word<EndpointStatus>(9);
    e.joining_method = word<JoiningMethod>(3);
    e.disconnection_method = word<DisconnectionMethod>(4);
    e.media = some<ConferenceMedia>(3, [&](ConferenceMedia& m) {
      m = {std::to_string(rng_.below(3)), text(), text(), text(), text(), word<MediaStatus>(4)};
    });
  }

  SeededRng rng_;
  std::uint32_t version_ = 0;
};

Paths paths_of(const ConferenceInfo& info) {
  Paths out;
  follow(out, info);
  return out;
}

TEST(ConferenceView, HoldsWhatItsNaiveTwinHolds) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Documents documents(seed);
    SeededRng dice(seed);
    ConferenceView view;
    Paths twin;
    for (int i = 0; i < 40; ++i) {
      const bool full = i == 0 || dice.below(15) == 0;
      const auto document = documents.any(full ? InfoState::full : InfoState::partial);
      // Over the wire, as it would come.
      const auto read = parse_conference_info(to_xml(document));
      ASSERT_TRUE(read) << to_xml(document);
      ASSERT_EQ(*read, document);
      ASSERT_EQ(view.apply(*read), Applied::taken);
      follow(twin, document);
      ASSERT_EQ(paths_of(*view.held()), twin) << "document " << i << "\n" << to_xml(document);
      ASSERT_EQ(view.held()->version, document.version);
    }
  }
}

TEST(ConferenceView, ChangesMakeOneStateIntoTheNext) {
  int full = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    Documents documents(seed);
    const auto before = documents.held();
    const auto after = documents.held();
    const auto changes = conference_changes(before, after);
    full += changes.state == InfoState::full ? 1 : 0;
    ConferenceView view;
    ASSERT_EQ(view.apply(before), Applied::taken);
    ASSERT_EQ(view.apply(changes), Applied::taken);
    ASSERT_EQ(paths_of(*view.held()), paths_of(after)) << to_xml(before) << "\n" << to_xml(changes);
  }
  EXPECT_GT(full, 0);
  EXPECT_LT(full, 1000) << "and most of the others are partial";
}

TEST(ConferenceView, ChangesOfOneMemberAreSmall) {
  ConferenceInfo before;
  before.entity = "sip:room@h";
  before.version = 1;
  before.users_state = InfoState::full;
  for (int i = 0; i < 100; ++i) {
    ConferenceUser user;
    user.entity = "sip:member" + std::to_string(i) + "@home.example";
    user.display_text = "Member " + std::to_string(i);
    user.endpoints = {{user.entity, InfoState::full, {}, EndpointStatus::connected, JoiningMethod::dialed_in, {}, {}}};
    before.users.push_back(user);
  }
  auto after = before;
  after.version = 2;
  after.users[40].endpoints[0].status = EndpointStatus::muted_via_focus;
  after.users.erase(after.users.begin() + 7);
  const auto changes = conference_changes(before, after);
  EXPECT_EQ(changes.state, InfoState::partial);
  ASSERT_EQ(changes.users.size(), 2u);
  EXPECT_EQ(changes.users[0].state, InfoState::deleted);
  EXPECT_EQ(changes.users[1].display_text, std::nullopt) << "what stays is not said";
  EXPECT_LT(to_xml(changes).size(), 600u);
  EXPECT_EQ(conference_changes(after, after).users_state, std::nullopt);
}

ConferenceInfo bare(InfoState state, std::uint32_t version) {
  ConferenceInfo out;
  out.entity = "sip:room@h";
  out.state = state;
  out.version = version;
  return out;
}

TEST(ConferenceView, AsksForTheFullStateAfterAGapAndIgnoresWhatIsOld) {
  ConferenceView view;
  EXPECT_EQ(view.apply(bare(InfoState::partial, 5)), Applied::gap) << "nothing is held yet";
  EXPECT_EQ(view.held(), std::nullopt);
  EXPECT_EQ(view.apply(bare(InfoState::full, 5)), Applied::taken);
  EXPECT_EQ(view.apply(bare(InfoState::partial, 5)), Applied::ignored);
  EXPECT_EQ(view.apply(bare(InfoState::full, 4)), Applied::ignored);
  EXPECT_EQ(view.apply(bare(InfoState::partial, 6)), Applied::taken);
  EXPECT_EQ(view.apply(bare(InfoState::partial, 8)), Applied::gap);
  EXPECT_EQ(view.held()->version, 6u) << "what is held stays";
  EXPECT_EQ(view.apply(bare(InfoState::partial, 9)), Applied::gap);
  EXPECT_EQ(view.apply(bare(InfoState::full, 10)), Applied::taken);
  EXPECT_EQ(view.apply(bare(InfoState::partial, 11)), Applied::taken);
}

TEST(ConferenceView, TakesNothingOfAnotherConference) {
  ConferenceView view;
  EXPECT_EQ(view.apply(bare(InfoState::full, 1)), Applied::taken);
  auto other = bare(InfoState::full, 2);
  other.entity = "sip:other@h";
  EXPECT_EQ(view.apply(other), Applied::ignored);
}

TEST(ConferenceView, HoldsNothingWhenTheConferenceIsGone) {
  ConferenceView view;
  EXPECT_EQ(view.apply(bare(InfoState::full, 1)), Applied::taken);
  EXPECT_EQ(view.apply(bare(InfoState::deleted, 2)), Applied::gone);
  EXPECT_EQ(view.held(), std::nullopt);
}

TEST(ConferenceView, IsBoundedWhateverDocumentsAdd) {
  ConferenceView view;
  ASSERT_EQ(view.apply(bare(InfoState::full, 1)), Applied::taken);
  auto more = bare(InfoState::partial, 2);
  more.users_state = InfoState::partial;
  for (std::size_t i = 0; i < kMaxConferenceUsers; ++i) {
    more.users.emplace_back();
    more.users.back().entity = "u" + std::to_string(i);
  }
  ASSERT_EQ(view.apply(more), Applied::taken);
  ++more.version;
  more.users.resize(1);
  more.users[0].entity = "one more";
  EXPECT_EQ(view.apply(more), Applied::too_big);
  EXPECT_EQ(view.held(), std::nullopt);

  ASSERT_EQ(view.apply(bare(InfoState::full, 1)), Applied::taken);
  auto last = Applied::taken;
  for (std::uint32_t n = 2; last == Applied::taken && n < 1000; ++n) {
    auto heavy = bare(InfoState::partial, n);
    heavy.users.emplace_back();
    heavy.users[0].entity = std::to_string(n);
    heavy.users[0].roles = std::vector<std::string>(16, std::string(kMaxConferenceText, 'x'));
    last = view.apply(heavy);
  }
  EXPECT_EQ(last, Applied::too_big);
}

TEST(ConferenceView, OfALargeConferenceComesInPartsThatFit) {
  auto whole = bare(InfoState::full, 10);
  whole.users_state = InfoState::full;
  for (int i = 0; i < 1000; ++i) {
    ConferenceUser user;
    user.entity = "sip:member" + std::to_string(i) + "@home.example";
    user.display_text = std::string(static_cast<std::size_t>(i % 200), '&');
    whole.users.push_back(user);
  }
  const auto parts = conference_parts(whole, 48 * 1024);
  EXPECT_GT(parts.size(), 5u);
  ConferenceView view;
  for (const auto& part : parts) {
    const auto xml = to_xml(part);
    EXPECT_LE(xml.size(), 48u * 1024);
    const auto read = parse_conference_info(xml);
    ASSERT_TRUE(read);
    ASSERT_EQ(view.apply(*read), Applied::taken);
  }
  EXPECT_EQ(view.held()->version, 10 + parts.size() - 1);
  EXPECT_EQ(view.held()->users, whole.users);
  EXPECT_EQ(conference_parts(bare(InfoState::full, 3), 1024), std::vector{[] {
              auto one = bare(InfoState::full, 3);
              one.users_state = InfoState::full;
              return one;
            }()});
}

}  // namespace
}  // namespace linnet::sip
