// security.md, check 4: msgpack that promises much and brings little is refused before it costs memory, at every entry
// that takes msgpack (those of node are in tests/node). What it costs is counted, not timed.
#include <gtest/gtest.h>

#include <functional>

#include "base/pack.h"
#include "crypto/sealed_box.h"
#include "dht/message.h"
#include "overlay/circuit.h"
#include "overlay/control_message.h"
#include "tests/base/bombs.h"
#include "tests/base/counted_new.h"

namespace linnet {
namespace {

using bomb::kMegabyte;
constexpr Wall kNow{1'800'000'000};

struct Entry {
  const char* name;
  std::function<Bytes(ByteView)> wrap;  // what comes before and after it there
  std::function<bool(ByteView)> read;   // true: taken
};

std::vector<Entry> entries() {
  const auto bare = [](ByteView b) { return copy(b); };
  const auto with_length = [](ByteView b) {  // of sixteen bits: what does not fit is cut
    const auto most = b.first(std::min<std::size_t>(b.size(), 0xffff));
    Writer out(most.size() + 2);
    out.u16(static_cast<std::uint16_t>(most.size())).bytes(most);
    return out.take();
  };
  return {
      {"pack", bare, [](ByteView b) { return pack::read(b).has_value(); }},
      {"control message", bare, [](ByteView b) { return overlay::control::read(b).has_value(); }},
      {"DHT answer", bare, [](ByteView b) { return dht::read_answer(b).has_value(); }},
      {"DHT request", with_length, [](ByteView b) { return dht::read_request(b).has_value(); }},
  };
}

TEST(Bombs, AreRefusedAtEveryEntryForLessThanAMegabyte) {
  for (const auto& bomb : bomb::all()) {
    for (const auto& entry : entries()) {
      const auto bytes = entry.wrap(bomb.bytes);
      counted::asked = {};
      const bool taken = entry.read(bytes);
      EXPECT_LE(counted::asked.bytes, kMegabyte) << bomb.name << " at " << entry.name;
      EXPECT_FALSE(taken) << bomb.name << " at " << entry.name;
    }
  }
}

// The inside of a record, by somebody who knows the name and has a certificate: all signatures are good.
TEST(Bombs, AreRefusedInsideASealedRecord) {
  const auto& suite = crypto::typed_suite();
  SeededRng rng(3);
  const auto name = *crypto::Address::parse("eve@demo.example");
  const auto network = crypto::network_id("linnet");
  const auto eve = crypto::make_identity(suite, rng, name, kNow);
  const auto good = dht::make_record(suite, eve, network, name, {}, 1, kNow, std::chrono::hours(1));
  ASSERT_TRUE(good);
  const std::size_t head = 1 + 32 + 32 + crypto::kDeviceCertificateBytes + 24;
  for (const auto& bomb : bomb::all()) {
    Writer out;
    out.bytes(ByteView(good->wire).first(head));
    Bytes sealed;
    const auto most = ByteView(bomb.bytes).first(std::min<std::size_t>(bomb.bytes.size(), 550));
    suite.seal(crypto::record_key(network, name, eve.device_key()), 1, out.written(), most, sealed);
    out.u16(static_cast<std::uint16_t>(sealed.size())).bytes(sealed);
    Bytes covered = copy(view("linnet-1 record"));
    append(covered, out.written());
    const auto signature = suite.sign(eve.device, covered);
    out.bytes(signature);
    const auto record = dht::read_record(suite, network, out.written());
    ASSERT_TRUE(record) << bomb.name;
    counted::asked = {};
    const bool taken = dht::open_record(suite, *record, name).has_value();
    EXPECT_LE(counted::asked.bytes, kMegabyte / 4) << bomb.name;
    EXPECT_FALSE(taken) << bomb.name;
  }
}

// The largest message that a channel brings, filled as full as the limits allow, is read for a few megabytes.
TEST(Bombs, TheFullestMessageThatIsReadCostsLittleMore) {
  pack::Packer p;
  p.array(8);
  for (int i = 0; i < 8; ++i) {
    p.map(250);
    for (std::uint64_t j = 0; j < 250; ++j) p.key(j).nil();
  }
  const auto bytes = p.take();
  counted::asked = {};
  const bool taken = pack::read(bytes).has_value();
  EXPECT_TRUE(taken);
  EXPECT_LE(counted::asked.bytes, 2 * kMegabyte);
}

// protocol.md section 4: what a supernode passes on costs it a look into a table.
TEST(CircuitForwarding, AllocatesNothing) {
  using namespace overlay;
  CircuitTable table({});
  SeededRng rng(1);
  const Endpoint a{IpAddress::v4(198, 51, 100, 1), 4400}, b{IpAddress::v4(203, 0, 113, 1), 4400};
  const auto id = table.open(Time{}, rng, {SessionId{1}, a}, {SessionId{2}, b}, {});
  ASSERT_TRUE(id && table.accept(Time{}, *id, SessionId{2}, {}));
  auto packet = write_tagged(ForwardKind::circuit, *id, Bytes(160, 0x80));
  auto unknown = write_tagged(ForwardKind::circuit, *id ^ 1, Bytes(160, 0x80));
  Time now{};
  counted::asked = {};
  for (int i = 0; i < 10'000; ++i, now += std::chrono::milliseconds(20)) {
    (void)table.forward(now, i % 2 == 0 ? a : b, packet);
    (void)table.forward(now, a, unknown);
  }
  EXPECT_EQ(counted::asked.bytes, 0U);
  EXPECT_EQ(table.counters().forwarded, 10'000U);
}

}  // namespace
}  // namespace linnet
