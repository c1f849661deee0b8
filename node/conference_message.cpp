#include "node/conference_message.h"

#include <algorithm>
#include <iterator>

#include "base/overloaded.h"
#include "crypto/text.h"

namespace linnet::node::conference {
namespace {

enum class Kind : std::uint8_t {
  claim = 1,
  roster = 2,
  want = 3,
  silent = 4,
  ready = 5,
  take = 6,
  bring = 7,
  remove = 8,
  setting = 9,
  records = 10,
  introduce = 11,
  missed = 12,
  passed = 13,
  certified = 14
};

Writer& begin(Writer& out, Kind kind) { return out.u8(static_cast<std::uint8_t>(kind)); }

void put_text(Writer& out, std::string_view words) {
  out.u16(static_cast<std::uint16_t>(words.size())).bytes(view(words));
}

void put_head(Writer& out, const Head& h) {
  out.bytes(h.room);
  put_text(out, h.name);
  out.bytes(h.founder).u64(h.term).u32(h.version).bytes(h.mixer).u8(h.deputy ? 1 : 0);
  if (h.deputy) out.bytes(*h.deputy);
  out.u8(h.locked ? 1 : 0).u8(h.founder_only ? 1 : 0);
  out.u8(static_cast<std::uint8_t>(h.sections.size()));
  for (const auto& device : h.sections) out.bytes(device);
}

Bytes statement(const Head& head, const crypto::Hash256& members) {
  Writer out(300);
  out.bytes(view("linnet-1 conference roster"));
  put_head(out, head);
  out.bytes(members);
  return out.take();
}

void put_passed(Writer& out, const Passed& m) {
  out.bytes(m.room).bytes(m.origin).u64(m.term).u64(m.number);
  out.u16(static_cast<std::uint16_t>(m.words.size())).bytes(m.words);
}

Bytes statement(const Passed& passed) {
  Writer out(passed.words.size() + 120);
  out.bytes(view("linnet-1 conference passed"));
  put_passed(out, passed);
  return out.take();
}

void put(Writer& out, const SignedClaim& claim) {
  begin(out, Kind::claim);
  write(out, claim);
}
void put(Writer& out, const RosterNews& news) {
  begin(out, Kind::roster);
  put_head(out, news.head);
  out.bytes(news.members_hash).bytes(news.signature).u64(news.base_term).u32(news.base);
  out.u8(news.page).u8(news.pages);
  out.u16(static_cast<std::uint16_t>(news.gone.size()));
  for (const auto& device : news.gone) out.bytes(device);
  out.u16(static_cast<std::uint16_t>(news.changed.size()));
  for (const auto& member : news.changed) write(out, member);
}
void put(Writer& out, const Want& m) { begin(out, Kind::want).bytes(m.room); }
void put(Writer& out, const Silent& m) { begin(out, Kind::silent).bytes(m.room).u64(m.term); }
void put(Writer& out, const Ready& m) { begin(out, Kind::ready).bytes(m.room).u64(m.term); }
void put(Writer& out, const Take& m) { begin(out, Kind::take).bytes(m.room).u64(m.term); }
void put(Writer& out, const Bring& m) {
  begin(out, Kind::bring).bytes(m.room).bytes(m.device);
  put_text(out, m.address.text());
}
void put(Writer& out, const Remove& m) { begin(out, Kind::remove).bytes(m.room).bytes(m.device); }
void put(Writer& out, const Setting& m) {
  begin(out, Kind::setting).bytes(m.room).u8(static_cast<std::uint8_t>(m.kind)).u8(m.on ? 1 : 0).bytes(m.device);
}
void put(Writer& out, const Records& m) { begin(out, Kind::records).bytes(m.room).u8(m.on ? 1 : 0); }
void put(Writer& out, const Introduce& m) { write(begin(out, Kind::introduce), m.claim); }
void put(Writer& out, const Missed& m) { begin(out, Kind::missed).bytes(m.room).bytes(m.device).u8(m.left ? 1 : 0); }
void put(Writer& out, const Certified& m) {
  begin(out, Kind::certified).bytes(m.room);
  put_text(out, m.address.text());
  crypto::write(out, m.certificate);
}
void put(Writer& out, const Passed& m) {
  put_passed(begin(out, Kind::passed), m);
  out.bytes(m.signature);
}

std::optional<bool> get_flag(Reader& in) {
  const auto octet = in.u8();
  return octet > 1 ? std::nullopt : std::optional(octet == 1);
}

Result<std::string> get_text(Reader& in, std::size_t most) {
  const std::size_t length = in.u16();
  if (length > most) return fail(Fault::too_big);
  const auto bytes = in.bytes(length);
  if (!in.ok()) return fail(Fault::truncated);
  return std::string(text(bytes));
}

Result<crypto::Address> get_address(Reader& in) {
  const auto words = get_text(in, crypto::kMaxUserPart + 1 + crypto::kMaxDomain);
  if (!words) return fail(words.error());
  auto out = crypto::Address::parse(*words);
  if (out && out->text() != *words) return fail(Fault::malformed);
  return out;
}

Result<Head> get_head(Reader& in) {
  Head out;
  out.room = in.array<16>();
  const auto name = get_text(in, kMaxName);
  if (!name) return fail(name.error());
  // It is printed on terminals: nothing in it may steer one.
  std::string shown = *name;
  std::erase(shown, ' ');
  if (!shown.empty() && !crypto::is_visible_utf8(shown)) return fail(Fault::malformed);
  out.name = *name;
  out.founder.bytes = in.array<32>();
  out.term = in.u64();
  out.version = in.u32();
  out.mixer.bytes = in.array<32>();
  const auto has_deputy = get_flag(in);
  if (!has_deputy) return fail(Fault::malformed);
  if (*has_deputy) out.deputy = crypto::DeviceKey{in.array<32>()};
  const auto locked = get_flag(in), founder_only = get_flag(in);
  const std::size_t sections = in.u8();
  if (sections > kMaxSections) return fail(Fault::too_big);
  for (std::size_t i = 0; i < sections && in.ok(); ++i) out.sections.push_back(crypto::DeviceKey{in.array<32>()});
  if (!in.ok()) return fail(Fault::truncated);
  if (!locked || !founder_only) return fail(Fault::malformed);
  out.locked = *locked;
  out.founder_only = *founder_only;
  return out;
}

Result<RosterNews> get_roster(Reader& in) {
  RosterNews out;
  const auto head = get_head(in);
  if (!head) return fail(head.error());
  out.head = *head;
  out.members_hash.bytes = in.array<32>();
  out.signature = in.array<64>();
  out.base_term = in.u64();
  out.base = in.u32();
  out.page = in.u8();
  out.pages = in.u8();
  const std::size_t gone = in.u16();
  if (gone > kMaxMembers || out.pages > kMaxPages) return fail(Fault::too_big);
  if (in.ok() && (out.page >= out.pages || (out.base == 0 && out.base_term != 0))) return fail(Fault::malformed);
  for (std::size_t i = 0; i < gone && in.ok(); ++i) out.gone.push_back(crypto::DeviceKey{in.array<32>()});
  const std::size_t changed = in.u16();
  if (!in.ok()) return fail(Fault::truncated);
  if (changed > kMaxMembers) return fail(Fault::too_big);
  for (std::size_t i = 0; i < changed; ++i) {
    auto member = read_member(in);
    if (!member) return fail(member.error());
    out.changed.push_back(std::move(*member));
  }
  return out;
}

Result<Message> get_bring(Reader& in) {
  Bring out{in.array<16>(), crypto::DeviceKey{in.array<32>()}, {}};
  const auto address = get_address(in);
  if (!address) return fail(address.error());
  out.address = *address;
  return Message(std::move(out));
}

Result<Message> get_setting(Reader& in) {
  Setting out;
  out.room = in.array<16>();
  const auto kind = in.u8();
  const auto on = get_flag(in);
  out.device.bytes = in.array<32>();
  if (kind < 1 || kind > 2 || !on) return fail(Fault::malformed);
  out.kind = static_cast<SettingKind>(kind);
  out.on = *on;
  return Message(out);
}

Result<Message> get_introduce(Reader& in) {
  auto claim = read_claim(in);
  if (!claim) return fail(claim.error());
  return Message(Introduce{std::move(*claim)});
}

Result<Message> get_missed(Reader& in) {
  Missed out{in.array<16>(), crypto::DeviceKey{in.array<32>()}, false};
  const auto left = get_flag(in);
  if (!left) return fail(Fault::malformed);
  out.left = *left;
  return Message(out);
}

Result<Message> get_certified(Reader& in) {
  Certified out;
  out.room = in.array<16>();
  auto address = get_address(in);
  if (!address) return fail(address.error());
  auto certificate = crypto::read_device_certificate(in);
  if (!certificate) return fail(certificate.error());
  out.address = std::move(*address);
  out.certificate = *certificate;
  return Message(std::move(out));
}

Result<Message> get_passed(Reader& in) {
  Passed out{in.array<16>(), crypto::DeviceKey{in.array<32>()}, in.u64(), in.u64(), {}, {}};
  const std::size_t length = in.u16();
  if (length > kMaxPassed) return fail(Fault::too_big);
  const auto words = in.bytes(length);
  out.words.assign(words.begin(), words.end());
  out.signature = in.array<64>();
  return Message(std::move(out));
}

Result<Message> get(Kind kind, Reader& in) {
  const auto wrap = [](auto result) -> Result<Message> {
    if (!result) return fail(result.error());
    return Message(std::move(*result));
  };
  switch (kind) {
    case Kind::claim: return wrap(read_claim(in));
    case Kind::roster: return wrap(get_roster(in));
    case Kind::want: return Message(Want{in.array<16>()});
    case Kind::silent: return Message(Silent{in.array<16>(), in.u64()});
    case Kind::ready: return Message(Ready{in.array<16>(), in.u64()});
    case Kind::take: return Message(Take{in.array<16>(), in.u64()});
    case Kind::bring: return get_bring(in);
    case Kind::remove: return Message(Remove{in.array<16>(), crypto::DeviceKey{in.array<32>()}});
    case Kind::setting: return get_setting(in);
    case Kind::records: {
      const auto room = in.array<16>();
      const auto on = get_flag(in);
      if (!on) return fail(Fault::malformed);
      return Message(Records{room, *on});
    }
    case Kind::introduce: return get_introduce(in);
    case Kind::missed: return get_missed(in);
    case Kind::passed: return get_passed(in);
    case Kind::certified: return get_certified(in);
  }
  return fail(Fault::unsupported);
}

}  // namespace

Bytes write(const Message& message) {
  Writer out;
  std::visit([&](const auto& m) { put(out, m); }, message);
  return out.take();
}

Result<Message> read(ByteView bytes) {
  if (bytes.size() > kMaxWords) return fail(Fault::too_big);
  Reader in(bytes);
  const auto kind = in.u8();
  if (!in.ok()) return fail(Fault::truncated);
  auto out = get(static_cast<Kind>(kind), in);
  if (!out) return out;
  if (!in.done()) return fail(in.ok() ? Fault::malformed : Fault::truncated);
  return out;
}

const RoomId& room_of(const Message& message) {
  return std::visit(Overloaded{[](const SignedClaim& m) -> const RoomId& { return m.claim.room; },
                               [](const RosterNews& m) -> const RoomId& { return m.head.room; },
                               [](const Introduce& m) -> const RoomId& { return m.claim.claim.room; },
                               [](const auto& m) -> const RoomId& { return m.room; }},
                    message);
}

crypto::Signature sign_head(const crypto::Suite& suite, const crypto::Identity& identity, const Head& head,
                            const crypto::Hash256& members) {
  return suite.sign(identity.device, statement(head, members));
}

bool verify_head(const crypto::Suite& suite, const RosterNews& news) {
  return suite.verify(news.head.mixer, statement(news.head, news.members_hash), news.signature);
}

crypto::Signature sign_passed(const crypto::Suite& suite, const crypto::Identity& identity, const Passed& passed) {
  return suite.sign(identity.device, statement(passed));
}

bool verify_passed(const crypto::Suite& suite, const Passed& passed) {
  return suite.verify(passed.origin, statement(passed), passed.signature);
}

std::vector<RosterNews> pages_of(const RosterNews& news) {
  constexpr std::size_t kHeadRoom = 2048;  // head, hash, signature, counts
  constexpr std::size_t kGone = 32;
  std::vector<RosterNews> out;
  std::size_t octets = kMaxWords;
  const auto room_for = [&](std::size_t more) -> RosterNews& {
    if (octets + more > kMaxWords) {
      out.push_back({news.head, news.members_hash, news.signature, news.base_term, news.base, 0, 1, {}, {}});
      octets = kHeadRoom;
    }
    octets += more;
    return out.back();
  };
  (void)room_for(1);
  for (const auto& device : news.gone) room_for(kGone).gone.push_back(device);
  for (const auto& member : news.changed) {
    Writer one;
    write(one, member);
    room_for(one.written().size()).changed.push_back(member);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].page = static_cast<std::uint8_t>(i);
    out[i].pages = static_cast<std::uint8_t>(std::min<std::size_t>(out.size(), kMaxPages + 1));
  }
  return out;
}

bool append(RosterNews& to, RosterNews page) {
  const bool fits = page.head.room == to.head.room && page.head.term == to.head.term &&
                    page.head.version == to.head.version && page.members_hash == to.members_hash &&
                    page.base == to.base && page.base_term == to.base_term && page.pages == to.pages &&
                    page.page == to.page + 1 && to.changed.size() + page.changed.size() <= kMaxMembers &&
                    to.gone.size() + page.gone.size() <= kMaxMembers;
  if (!fits) return false;
  to.page = page.page;
  to.gone.insert(to.gone.end(), page.gone.begin(), page.gone.end());
  to.changed.insert(to.changed.end(), std::make_move_iterator(page.changed.begin()),
                    std::make_move_iterator(page.changed.end()));
  return true;
}

std::optional<Roster> apply(const Roster& base, const RosterNews& news) {
  Roster out;
  if (news.base != 0) {
    const auto& had = base.head;
    if (had.room != news.head.room || had.term != news.base_term || had.version != news.base) return std::nullopt;
    out.members = base.members;
  }
  out.head = news.head;
  for (const auto& device : news.gone) out.members.erase(device);
  for (const auto& member : news.changed) out.members[member.device()] = member;
  if (out.members.size() > kMaxMembers || out.hash() != news.members_hash) return std::nullopt;
  return out;
}

RosterNews difference(const Roster& base, const Roster& now) {
  RosterNews out;
  out.head = now.head;
  out.members_hash = now.hash();
  const bool fits = base.head.term > 0 && base.head.version > 0;
  out.base = fits ? base.head.version : 0;
  out.base_term = fits ? base.head.term : 0;
  for (const auto& entry : base.members)
    if (fits && !now.has(entry.first)) out.gone.push_back(entry.first);
  for (const auto& [device, member] : now.members) {
    const auto before = base.members.find(device);
    if (!fits || before == base.members.end() || !same(before->second, member)) out.changed.push_back(member);
  }
  return out;
}

}  // namespace linnet::node::conference
