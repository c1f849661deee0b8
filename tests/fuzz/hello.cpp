// overlay/hello: what the other end of a session says of itself, believed (open_suite.h) and judged (the stand-ins).
#include "overlay/hello.h"

#include "open_suite.h"
#include "require.h"

using namespace linnet;
using namespace linnet::overlay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  static const auto network = crypto::network_id("linnet");
  SeededRng rng(1);
  static const auto peer =
      crypto::make_identity(crypto::typed_suite(), rng, *crypto::Address::parse("a@b.example"), Wall{1'800'000'000});
  const auto remote = peer.session_key();
  for (const auto* suite : {&fuzz::open_suite(), &crypto::typed_suite()}) {
    if (const auto hello = read_hello(*suite, network, remote, Wall{1'800'000'000}, bytes)) {
      if (const auto* client = std::get_if<ClientHello>(&*hello)) {
        fuzz::require(!client->descriptor || client->descriptor->session == remote);
      } else {
        const auto& person = std::get<PersonHello>(*hello);
        fuzz::require(person.body.session == remote && person.record.user == user_key(person.address));
        fuzz::require(equal(write_person_hello(person.address, person.record), bytes));
      }
    }
    if (const auto greeting = read_greeting(*suite, network, remote, bytes)) {
      const auto& [contact, time] = *greeting;
      fuzz::require(contact.session == remote && equal(write_greeting(contact, time), bytes));
    }
  }
  return 0;
}
