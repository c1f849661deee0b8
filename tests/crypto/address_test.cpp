#include "crypto/address.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "crypto/suite.h"

namespace linnet::crypto {
namespace {

std::string canonical(std::string_view text) {
  const auto a = Address::parse(text);
  return a ? a->text() : std::string("refused: ") + std::string(to_string(a.error()));
}

AccountKey some_account(std::uint8_t fill) {
  AccountKey out;
  out.bytes.fill(fill);
  return out;
}

TEST(Address, HasOneCanonicalForm) {
  for (const auto* spelling : {"alice@acme.example", "Alice@ACME.example", "sip:alice@acme.example",
                               "SIP:aLiCe@acme.example.", "%61lice@acme.example", "sip:%41lice@acme.example"}) {
    EXPECT_EQ(canonical(spelling), "alice@acme.example") << spelling;
  }
  const auto a = Address::parse("Bob.Smith+office@x-1.example").value();
  EXPECT_EQ(a.user(), "bob.smith+office");
  EXPECT_EQ(a.domain(), "x-1.example");
}

TEST(Address, KeepsUtf8AndLowersOnlyAscii) {
  EXPECT_EQ(canonical("J\xC3\xB6RG@acme.example"), "j\xC3\xB6rg@acme.example");
  EXPECT_EQ(canonical("j%C3%B6rg@acme.example"), "j\xC3\xB6rg@acme.example");
}

TEST(Address, RefusesWhatIsNoAddress) {
  using namespace std::string_view_literals;
  for (const auto bad : {""sv,
                         "alice"sv,
                         "@acme.example"sv,
                         "alice@"sv,
                         "sip:@x.example"sv,
                         "a@b@c.example"sv,
                         "a%40b@c.example"sv,
                         "al ice@acme.example"sv,
                         "a%20b@acme.example"sv,
                         "a\tb@acme.example"sv,
                         "a\0b@acme.example"sv,
                         "a%00b@acme.example"sv,
                         "a%@acme.example"sv,
                         "a%4@acme.example"sv,
                         "a%zz@acme.example"sv,
                         "a:secret@acme.example"sv,
                         "<a@acme.example>"sv,
                         "\"a\"@acme.example"sv,
                         "a\\b@acme.example"sv,
                         "a@acme..example"sv,
                         "a@.acme.example"sv,
                         "a@-acme.example"sv,
                         "a@acme-.example"sv,
                         "a@ac_me.example"sv,
                         "a@acme.example:5060"sv,
                         "a@acme.example;transport=udp"sv,
                         "a@%61cme.example"sv,
                         "a@[::1]"sv,
                         "a@192.0.2.1"sv,
                         "a@3221225985"sv,
                         "a@b\xC3\xBC.example"sv,
                         "a@."sv,
                         "a@example.."sv}) {
    EXPECT_EQ(canonical(bad), "refused: malformed") << bad;
  }
}

TEST(Address, RefusesBadUtf8) {
  for (const auto* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF8\x88\x80\x80\x80", "\xC3\xC3", "\xFF", "%80", "%C0%AF"}) {
    EXPECT_EQ(canonical(std::string("a") + bad + "@acme.example"), "refused: malformed");
  }
}

TEST(Address, RefusesCharactersThatCannotBeSeen) {
  for (const auto* bad : {"\xC2\xA0", "\xC2\x85", "\xC2\xAD", "\xE2\x80\x8B", "\xE2\x80\xAE", "\xE2\x81\xA0",
                          "\xE3\x80\x80", "\xEF\xBB\xBF", "\xEE\x80\x80", "\xF3\xA0\x80\xA1"}) {
    EXPECT_EQ(canonical(std::string("bob") + bad + "@acme.example"), "refused: malformed");
  }
}

TEST(Address, RefusesEscapesThatWouldUndoIntoMoreEscapes) {
  EXPECT_EQ(canonical("a%2540b@acme.example"), "refused: malformed");
  EXPECT_EQ(canonical("%25@acme.example"), "refused: malformed");
}

TEST(Address, HoldsItsLimits) {
  const std::string user(kMaxUserPart, 'u');
  EXPECT_TRUE(Address::parse(user + "@a.example"));
  EXPECT_EQ(Address::parse(user + "u@a.example").error(), Fault::too_big);
  std::string escaped;
  for (std::size_t i = 0; i < kMaxUserPart; ++i) escaped += "%75";
  EXPECT_EQ(Address::parse(escaped + "@a.example")->text(), user + "@a.example");

  const std::string label(63, 'd');
  std::string domain = label + "." + label + "." + label + "." + std::string(61, 'd');
  ASSERT_EQ(domain.size(), kMaxDomain);
  EXPECT_TRUE(Address::parse("a@" + domain));
  EXPECT_FALSE(Address::parse("a@" + domain + "d"));
  EXPECT_FALSE(Address::parse("a@" + label + "d.example"));
  EXPECT_EQ(Address::parse(std::string(100000, 'a')).error(), Fault::too_big);
}

TEST(Address, AKeyNameCarriesItsProof) {
  const auto account = some_account(7);
  const auto name = Address::key_name("Alice", account);
  EXPECT_EQ(name.user(), "alice");
  EXPECT_EQ(name.domain().size(), 52 + kKeyNameSuffix.size());
  EXPECT_TRUE(name.is_key_name());
  EXPECT_EQ(name.key_hash(), hash256({account}));
  EXPECT_TRUE(name.proves(account));
  EXPECT_FALSE(name.proves(some_account(8)));
  EXPECT_EQ(Address::parse(name.text()), name);
  EXPECT_TRUE(Address::key_name("no one", account).empty());
}

TEST(Address, APlainNameProvesNothing) {
  const auto plain = Address::parse("alice@acme.example").value();
  EXPECT_FALSE(plain.is_key_name());
  EXPECT_FALSE(plain.proves(some_account(7)));
  EXPECT_FALSE(Address().is_key_name());
  EXPECT_FALSE(Address().proves(some_account(0)));
}

TEST(Address, AMistypedKeyNameDoesNotBecomeAPlainName) {
  const auto name = Address::key_name("alice", some_account(7)).text();
  const auto at = name.find('@') + 1;
  for (std::size_t i = at; i < at + 52; ++i) {
    auto shorter = name;
    shorter.erase(i, 1);
    EXPECT_FALSE(Address::parse(shorter)) << shorter;
    auto broken = name;
    broken[i] = '1';  // not in the alphabet
    EXPECT_FALSE(Address::parse(broken)) << broken;
  }
  EXPECT_FALSE(Address::parse("alice@linnet.alt"));
  EXPECT_FALSE(Address::parse("alice@home.linnet.alt"));
  auto last = name;
  last[at + 51] = last[at + 51] == 'b' ? 'c' : 'b';  // non-zero trailing bits: a second spelling of one hash
  EXPECT_FALSE(Address::parse(last));
}

TEST(Address, PlacesOneNameAtOneKey) {
  EXPECT_EQ(user_key(*Address::parse("SIP:ALICE@Acme.Example.")), user_key(*Address::parse("alice@acme.example")));
  EXPECT_NE(user_key(*Address::parse("alice@acme.example")), user_key(*Address::parse("alice@acme.examples")));
  EXPECT_EQ(user_key(*Address::parse("alice@acme.example")).bytes,
            hash256({view("linnet-1 user"), view("alice@acme.example")}).bytes);
  EXPECT_EQ(network_id("linnet").bytes, hash256({view("linnet")}).bytes);
}

// Text that is often nearly an address.
std::string scribble(SeededRng& rng) {
  static constexpr std::string_view kPieces[] = {"a",   "Z",   "9",      ".",          "-",    "@",       "%",
                                                 "%41", "%25", "%C3%B6", "\xC3\xB6",   "sip:", "example", "+",
                                                 ":",   " ",   "\x80",   "linnet.alt", "_",    "/"};
  std::string out;
  const auto n = rng.below(9);
  for (std::uint64_t i = 0; i < n; ++i) {
    out += kPieces[rng.below(std::size(kPieces))];
    if (i == n / 2) out += "@";
  }
  return out;
}

TEST(Address, ParsingIsIdempotentAndEqualNamesHaveEqualKeys) {
  SeededRng rng(11);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto text = scribble(rng);
    const auto once = Address::parse(text);
    if (!once) continue;
    ++accepted;
    const auto twice = Address::parse(once->text());
    ASSERT_TRUE(twice) << text;
    ASSERT_EQ(*once, *twice) << text;
    ASSERT_EQ(std::string(once->user()) + "@" + std::string(once->domain()), once->text());
    auto louder = once->text();
    for (auto& c : louder) c = c >= 'a' && c <= 'z' && rng.below(2) == 0 ? static_cast<char>(c - 32) : c;
    ASSERT_EQ(user_key(Address::parse("sip:" + louder).value()), user_key(*once)) << louder;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace linnet::crypto
