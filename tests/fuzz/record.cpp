// A record as a stranger sends it: believed (open_suite.h), and judged by the stand-ins' signatures and by real ones.
#include "dht/record.h"
#include "dht/contact.h"
#include "open_suite.h"
#include "require.h"

namespace {

using namespace linnet;

const auto kNetwork = crypto::network_id("linnet");

// What was read can be published by somebody else, and reads the same again.
void publish(const dht::RecordBody& body, std::uint64_t sequence) {
  const auto& suite = crypto::typed_suite();
  static const auto own = [&] {
    SeededRng rng(1);
    return crypto::make_identity(suite, rng, *crypto::Address::parse("a@b.example"), Wall{1'800'000'000});
  }();
  const auto made = dht::make_record(suite, own, kNetwork, own.address, body, sequence, Wall{1'800'000'000},
                                     std::chrono::seconds(600));
  fuzz::require(made.has_value());
  const auto read = dht::read_record(suite, kNetwork, made->wire);
  fuzz::require(read.has_value() && dht::check_time(*read, Wall{1'800'000'000}).has_value());
  const auto again = dht::open_record(suite, *read, own.address);
  fuzz::require(again && again->session == body.session && again->capabilities == body.capabilities);
  fuzz::require(again->homes.size() == body.homes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  for (const auto* suite : {&fuzz::open_suite(), &crypto::typed_suite(), &crypto::shipped_suite()}) {
    const auto record = dht::read_record(*suite, kNetwork, bytes);
    if (!record) continue;
    fuzz::require(equal(record->wire, bytes));
    (void)dht::check_time(*record, Wall{1'800'000'000});
    static const auto name = crypto::Address::parse("fuzz@test.example");
    const auto body = dht::open_record(*suite, *record, *name);
    if (!body) continue;
    fuzz::require(body->homes.size() <= dht::kMaxHomes);
    publish(*body, record->sequence);
  }
  Reader in(bytes);
  if (const auto contact = dht::read_contact(in)) {
    Writer out;
    dht::write(out, *contact);
    fuzz::require(equal(out.written(), bytes.first(out.size())));
  }
  return 0;
}
