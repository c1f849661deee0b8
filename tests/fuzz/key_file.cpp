// crypto/identity: any bytes as a key file, and as fields under a right checksum, where the fuzzer gets past it.
#include "crypto/identity.h"

#include "require.h"

namespace {

using namespace linnet;

void load(ByteView file) {
  const auto& suite = crypto::shipped_suite();
  const auto identity = crypto::load_identity(suite, file);
  if (!identity) return;
  // What loads is whole, and saving it gives the same file.
  fuzz::require(verify(suite, identity->certificate, identity->certificate.not_before).has_value());
  fuzz::require(equal(crypto::save_identity(suite, *identity), file));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  load(bytes);
  auto summed = copy(bytes);
  append(summed, crypto::hash256({view("linnet-1 key file"), bytes}));
  load(summed);
  Reader in(bytes);
  if (const auto c = crypto::read_device_certificate(in))
    (void)verify(crypto::shipped_suite(), *c, Wall{1'800'000'000});
  return 0;
}
