// A record as a stranger sends it. Signatures are the stand-ins', so that mutations come past them now and then.
#include "dht/record.h"
#include "dht/contact.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet;
  const ByteView bytes(data, size);
  const auto network = crypto::network_id("linnet");
  for (const auto* suite : {&crypto::typed_suite(), &crypto::shipped_suite()}) {
    const auto record = dht::read_record(*suite, network, bytes);
    if (!record) continue;
    fuzz::require(equal(record->wire, bytes));
    (void)dht::check_time(*record, Wall{1'800'000'000});
    const auto name = crypto::Address::parse("fuzz@test.example");
    (void)dht::open_record(*suite, *record, *name);
  }
  Reader in(bytes);
  if (const auto contact = dht::read_contact(in)) {
    Writer out;
    dht::write(out, *contact);
    fuzz::require(equal(out.written(), bytes.first(out.size())));
  }
  return 0;
}
