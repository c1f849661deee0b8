// crypto/identity: any bytes as a key file, and as fields under a right checksum, where the fuzzer gets past it.
#include "crypto/identity.h"

#include "open_suite.h"
#include "require.h"

namespace {

using namespace linnet;

// A new certificate, and a new device under the same account, are as good as the old ones.
void renew(crypto::Identity identity) {
  const auto& suite = crypto::shipped_suite();
  const Wall now{1'800'000'000};
  SeededRng rng(1);
  const auto epoch = identity.certificate.epoch;
  (void)crypto::needs_renewal(identity.certificate, now);
  crypto::renew_certificate(suite, identity, now);
  fuzz::require(verify(suite, identity.certificate, now).has_value() &&
                !crypto::needs_renewal(identity.certificate, now));
  const auto other = crypto::restore_identity(suite, rng, identity.account, identity.address, epoch, now);
  fuzz::require(verify(suite, other.certificate, now).has_value() && other.device_key() != identity.device_key());
  if (crypto::revoke_others(suite, identity, now)) fuzz::require(identity.certificate.epoch == epoch + 1);
  fuzz::require(crypto::load_identity(suite, crypto::save_identity(suite, other)).has_value());
}

void load(ByteView file) {
  const auto& suite = crypto::shipped_suite();
  const auto identity = crypto::load_identity(suite, file);
  if (!identity) return;
  // What loads is whole, and saving it gives the same file.
  fuzz::require(verify(suite, identity->certificate, identity->certificate.not_before).has_value());
  fuzz::require(equal(crypto::save_identity(suite, *identity), file));
  renew(*identity);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  load(bytes);
  auto summed = copy(bytes);
  append(summed, crypto::hash256({view("linnet-1 key file"), bytes}));
  load(summed);
  Reader in(bytes);
  if (const auto c = crypto::read_device_certificate(in)) {
    for (const auto* suite : {&fuzz::open_suite(), &crypto::shipped_suite()})
      (void)verify(*suite, *c, Wall{1'800'000'000});
    Writer out;
    write(out, *c);
    fuzz::require(equal(out.written(), bytes.first(out.size())));
  }
  return 0;
}
