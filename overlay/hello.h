// Payloads of the handshake: who we are (message 3), and a supernode's descriptor (message 2). Fixed binary, first byte
// the kind.
#pragma once

#include <variant>

#include "crypto/identity.h"
#include "dht/contact.h"
#include "dht/network_clock.h"
#include "dht/record.h"

namespace linnet::overlay {

// To a supernode: the device, proven by AK's certificate and DK's signature over SK. A supernode adds its descriptor.
struct ClientHello {
  crypto::DeviceCertificate certificate;
  bool in_time = true;  // the certificate; who has a wrong clock learns here what time it is
  crypto::Signature signature{};
  std::optional<dht::Contact> descriptor;

  // One without an address is no supernode for others.
  void drop_unplaced() {
    if (descriptor && descriptor->serves_its_link()) descriptor.reset();
  }
};
// To another person: the name and the record published under it.
struct PersonHello {
  crypto::Address address;
  dht::SignedRecord record;
  dht::RecordBody body;
};
using Hello = std::variant<ClientHello, PersonHello>;

Bytes write_client_hello(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::NetworkId& network,
                         const std::optional<dht::Contact>& descriptor);
Bytes write_person_hello(const crypto::Address& address, const dht::SignedRecord& record);

// Everything is verified against the Noise static key `remote`: certificates, signatures, and that a key name is
// proven. A person's times too; a client's are told (in_time).
Result<Hello> read_hello(const crypto::Suite& suite, const crypto::NetworkId& network, const crypto::SessionKey& remote,
                         Wall wall, ByteView bytes);

// A supernode's descriptor and its own clock (dht/network_clock.h).
struct Greeting {
  dht::Contact contact;
  Wall time{};
};
Bytes write_greeting(const dht::Contact& self, Wall time);
// Empty greeting: the responder is no supernode (Fault::not_found).
Result<Greeting> read_greeting(const crypto::Suite& suite, const crypto::NetworkId& network,
                               const crypto::SessionKey& remote, ByteView bytes);

}  // namespace linnet::overlay
