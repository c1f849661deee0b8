// crypto/address: any text; what is accepted is canonical and places one name at one key.
#include "crypto/address.h"

#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using linnet::crypto::Address;
  using linnet::fuzz::require;
  const auto once = Address::parse(linnet::text({data, size}));
  if (!once) return 0;
  const auto twice = Address::parse(once->text());
  require(twice && *twice == *once);
  require(user_key(*twice) == user_key(*once));
  require(!once->user().empty() && once->user().size() <= linnet::crypto::kMaxUserPart);
  require(!once->domain().empty() && once->domain().size() <= linnet::crypto::kMaxDomain);
  require(once->text().find('@') == once->text().rfind('@'));
  require(once->is_key_name() == once->domain().ends_with(linnet::crypto::kKeyNameSuffix));
  return 0;
}
