#include "node/people_file.h"

#include "node/contacts.h"

namespace linnet::node {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::int64_t kMaxWall = std::int64_t{1} << 40;

void write_text(Writer& out, std::string_view text) {
  out.u16(static_cast<std::uint16_t>(text.size())).bytes(view(text));
}

std::string_view read_text(Reader& in) { return text(in.bytes(in.u16())); }

bool read_address(Reader& in, crypto::Address& out) {
  const auto name = read_text(in);
  const auto address = crypto::Address::parse(name);
  if (!address || address->text() != name) return false;
  out = *address;
  return true;
}

bool read_wall(Reader& in, Wall& out) {
  const auto at = in.u64();
  out = Wall{static_cast<std::int64_t>(at)};
  return at <= static_cast<std::uint64_t>(kMaxWall);
}

void write_contact(Writer& out, const Contact& c) {
  out.bytes(c.key).u8(c.account ? 1 : 0);
  if (c.account) out.bytes(*c.account);
  write_text(out, c.key_name.text());
  write_text(out, c.address.text());
  write_text(out, c.name);
  out.u8(static_cast<std::uint8_t>(c.source)).u64(static_cast<std::uint64_t>(seconds(c.since)));
  out.u64(c.verified ? static_cast<std::uint64_t>(seconds(*c.verified)) : 0).u8(c.blocked ? 1 : 0).u32(c.epoch);
}

Result<Contact> read_contact(Reader& in) {
  Contact out;
  out.key.bytes = in.array<32>();
  const auto has_account = in.u8();
  if (has_account == 1) out.account.emplace().bytes = in.array<32>();
  bool good = has_account <= 1 && read_address(in, out.key_name) && read_address(in, out.address);
  out.name = read_text(in);
  const auto source = in.u8();
  Wall verified{};
  good = good && read_wall(in, out.since) && read_wall(in, verified);
  const auto blocked = in.u8();
  out.epoch = in.u32();
  if (!in.ok()) return fail(Fault::truncated);
  good = good && source <= static_cast<std::uint8_t>(Source::key_name) && blocked <= 1 &&
         (out.name.empty() || Contacts::is_short_name(out.name)) && out.key_name.key_hash() == out.key &&
         (!out.account || crypto::key_hash(*out.account) == out.key);
  if (!good) return fail(Fault::malformed);
  out.source = static_cast<Source>(source);
  if (seconds(verified) > 0) out.verified = verified;
  out.blocked = blocked == 1;
  return out;
}

}  // namespace

Bytes write_people(const Memory& memory) {
  Writer out;
  out.u8(kVersion).u32(static_cast<std::uint32_t>(memory.contacts.size()));
  for (const auto& [key, contact] : memory.contacts) write_contact(out, contact);
  out.u32(static_cast<std::uint32_t>(memory.pins.size()));
  for (const auto& [address, key] : memory.pins) {
    write_text(out, address.text());
    out.bytes(key);
  }
  return out.take();
}

Result<std::vector<Change>> read_people(ByteView bytes) {
  Reader in(bytes);
  if (in.u8() != kVersion) return fail(in.ok() ? Fault::unsupported : Fault::truncated);
  const auto contacts = in.u32();
  if (contacts > Contacts::kMaxContacts) return fail(Fault::too_big);
  std::vector<Change> out;
  for (std::uint32_t i = 0; i < contacts; ++i) {
    auto contact = read_contact(in);
    if (!contact) return fail(contact.error());
    out.emplace_back(std::move(*contact));
  }
  const auto pins = in.u32();
  if (pins > Contacts::kMaxPins) return fail(Fault::too_big);
  for (std::uint32_t i = 0; i < pins; ++i) {
    Pin pin;
    if (!read_address(in, pin.address)) return fail(in.ok() ? Fault::malformed : Fault::truncated);
    pin.key.bytes = in.array<32>();
    if (!in.ok()) return fail(Fault::truncated);
    out.emplace_back(std::move(pin));
  }
  if (!in.done()) return fail(Fault::malformed);
  return out;
}

}  // namespace linnet::node
