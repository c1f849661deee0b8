// crypto/backup, crypto/passphrase and node/people_file: what somebody may hand us as a backup.
#include "crypto/backup.h"

#include "node/people_file.h"
#include "require.h"

namespace {

using namespace linnet;

constexpr std::string_view kMagic = crypto::kBackupMagic;

// The cost is the file's own: what is dear is left out here, its bounds have a test.
bool dear(ByteView file) {
  if (file.size() < kMagic.size() + 12) return false;
  Reader in(file.subspan(kMagic.size()));
  const auto operations = in.u32();
  return std::uint64_t{operations} * in.u64() > (1U << 20);
}

void unlock(ByteView file) {
  if (!dear(file)) (void)crypto::unlock(kMagic, file, "correct horse");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  unlock(bytes);
  auto summed = copy(bytes);
  append(summed, crypto::hash256({view("linnet-1 locked file"), bytes}));
  unlock(summed);
  if (const auto backup = crypto::read_backup(crypto::shipped_suite(), bytes))
    fuzz::require(equal(crypto::write_backup(*backup), bytes));
  if (const auto people = node::read_people(bytes)) {
    node::Memory memory;
    for (const auto& change : *people) {
      if (const auto* contact = std::get_if<node::Contact>(&change)) memory.contacts.emplace(contact->key, *contact);
      if (const auto* pin = std::get_if<node::Pin>(&change)) memory.pins.emplace(pin->address, pin->key);
    }
    fuzz::require(node::read_people(node::write_people(memory)).has_value());
  }
  return 0;
}
