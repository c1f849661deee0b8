#include "crypto/backup.h"

namespace linnet::crypto {
namespace {

constexpr std::uint64_t kMaxWall = std::uint64_t{1} << 40;  // so that sums of times never overflow

}  // namespace

Bytes write_backup(const Backup& backup) {
  Writer out(512 + backup.people.size());
  out.u16(static_cast<std::uint16_t>(backup.address.text().size())).bytes(view(backup.address.text()));
  out.bytes(backup.account.seed.bytes()).u32(backup.epoch).u64(static_cast<std::uint64_t>(seconds(backup.made)));
  out.u32(static_cast<std::uint32_t>(backup.people.size())).bytes(backup.people);
  return out.take();
}

Result<Backup> read_backup(const Suite& suite, ByteView plain) {
  if (plain.size() > kMaxBackup) return fail(Fault::too_big);
  Reader in(plain);
  const auto name = text(in.bytes(in.u16()));
  const Secret seed(in.array<32>());
  Backup out;
  out.epoch = in.u32();
  const auto made = in.u64();
  const auto people = in.bytes(in.u32());
  if (!in.ok()) return fail(Fault::truncated);
  if (!in.done() || made > kMaxWall) return fail(Fault::malformed);
  const auto address = Address::parse(name);
  if (!address) return fail(address.error());
  if (address->text() != name) return fail(Fault::malformed);  // not canonical: none of ours
  out.address = *address;
  out.account = suite.signing_pair(seed);
  out.made = Wall{static_cast<std::int64_t>(made)};
  out.people = copy(people);
  if (out.address.is_key_name() && !out.address.proves(AccountKey{out.account.public_key}))
    return fail(Fault::mismatch);
  return out;
}

}  // namespace linnet::crypto
