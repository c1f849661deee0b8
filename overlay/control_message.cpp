#include "overlay/control_message.h"

#include <algorithm>

#include "base/pack.h"
#include "dht/network_clock.h"

namespace linnet::overlay::control {
namespace {

enum class Type : std::uint64_t {
  attach = 1,
  attached,
  attach_refused,
  detach,
  find_nodes,
  nodes,
  find_records,
  records,
  publish,
  published,
  circuit_open,
  circuit_ask,
  circuit_accept,
  circuit_ready,
  circuit_closed,
  circuit_offer,
  circuit_show,
  circuit_seen,
  forward_open,
  dial_ask,
  partner_ask,
  partner_offer,
  partner_send,
  partner_sent,
  serve,
  handover,
  crowded,
};

constexpr std::uint64_t kMaxCircuit = (1ULL << 48) - 1;
constexpr std::uint64_t kMostStandby = 0xffffffff;
constexpr auto kMaxTime = static_cast<std::uint64_t>(dht::NetworkClock::kMostWall);

pack::Packer start(Type type, std::size_t fields, std::size_t bytes = 64) {
  pack::Packer out(bytes);
  out.map(fields + 1).key(0).uint(static_cast<std::uint64_t>(type));
  return out;
}

template <class T>
Bytes written(const T& value) {
  Writer out(kMaxEndpointBytes);
  write(out, value);
  return out.take();
}

void put_contacts(pack::Packer& out, const std::vector<dht::Contact>& contacts) {
  const auto n = std::min(contacts.size(), kMaxContacts);
  out.array(n);
  for (std::size_t i = 0; i < n; ++i) {
    Writer w(dht::kMaxContactBytes);
    dht::write(w, contacts[i]);
    out.bin(w.written());
  }
}

Bytes nonce_and_number(Type type, const PairNonce& nonce, std::uint64_t number) {
  auto out = start(type, 2);
  out.key(1).bin(nonce).key(2).uint(number);
  return out.take();
}

Bytes put(const Attach& m) {
  auto out = start(Type::attach, (m.place ? 1U : 0U) + (m.keepalive ? 1U : 0U) + (m.standby > 0 ? 1U : 0U));
  if (m.place) out.key(1).bin(*m.place);
  if (m.keepalive) out.key(2).uint(static_cast<std::uint64_t>(m.keepalive->count()));
  if (m.standby > 0) out.key(3).uint(m.standby);
  return out.take();
}
Bytes put(const Detach&) { return start(Type::detach, 0).take(); }
Bytes put(const Attached& m) {
  auto out = start(Type::attached, 2);
  out.key(1).uint(m.tag).key(2).bin(written(m.observed));
  return out.take();
}
Bytes put(const AttachRefused& m) {
  auto out = start(Type::attach_refused, 1);
  out.key(1);
  put_contacts(out, m.alternatives);
  return out.take();
}
Bytes put(const FindNodes& m) {
  auto out = start(Type::find_nodes, 2);
  out.key(1).uint(m.request).key(2).bin(m.target);
  return out.take();
}
Bytes put(const Nodes& m) {
  const bool time = m.time && seconds(*m.time) >= 0;
  auto out = start(Type::nodes, time ? 3 : 2, 64 + m.contacts.size() * (dht::kMaxContactBytes + 2));
  out.key(1).uint(m.request).key(2);
  put_contacts(out, m.contacts);
  if (time) out.key(3).uint(static_cast<std::uint64_t>(seconds(*m.time)));
  return out.take();
}
Bytes put(const FindRecords& m) {
  const bool shared = m.share.of > 1;
  auto out = start(Type::find_records, 2 + (m.pinned ? 1U : 0U) + (shared ? 2U : 0U));
  out.key(1).uint(m.request).key(2).bin(m.user);
  if (m.pinned) out.key(3).bin(*m.pinned);
  if (shared) out.key(4).uint(m.share.which).key(5).uint(m.share.of);
  return out.take();
}
Bytes put(const Records& m) {
  const auto n = std::min(m.records.size(), kMaxRecords);
  std::size_t bytes = 64;
  for (std::size_t i = 0; i < n; ++i) bytes += m.records[i].size() + 3;
  auto out = start(Type::records, 4, bytes);
  out.key(1).uint(m.request).key(2).boolean(m.busy).key(3).array(n);
  for (std::size_t i = 0; i < n; ++i) out.bin(m.records[i]);
  out.key(4).uint(m.rounds);
  return out.take();
}
Bytes put(const Publish& m) {
  auto out = start(Type::publish, 2, 64 + m.record.size());
  out.key(1).uint(m.request).key(2).bin(m.record);
  return out.take();
}
Bytes put(const Published& m) {
  auto out = start(Type::published, 2);
  out.key(1).uint(m.request).key(2).uint(m.copies);
  return out.take();
}
Bytes put(const CircuitOpen& m) {
  auto out = start(Type::circuit_open, m.at ? 3 : 2);
  out.key(1).bin(m.nonce).key(2).uint(m.tag);
  if (m.at) out.key(3).bin(m.at->bytes);
  return out.take();
}
Bytes put(const ForwardOpen& m) {
  auto out = start(Type::forward_open, 3);
  out.key(1).bin(m.at.bytes).key(2).uint(m.tag).key(3).uint(m.token);
  return out.take();
}
Bytes put(const CircuitAsk& m) { return nonce_and_number(Type::circuit_ask, m.nonce, m.circuit); }
Bytes put(const CircuitAccept& m) { return nonce_and_number(Type::circuit_accept, m.nonce, m.circuit); }
Bytes put(const CircuitReady& m) { return nonce_and_number(Type::circuit_ready, m.nonce, m.circuit); }
Bytes put(const CircuitClosed& m) {
  const bool plain = m.why == CircuitEnd::over;
  auto out = start(Type::circuit_closed, plain ? 1 : 2);
  out.key(1).bin(m.nonce);
  if (!plain) out.key(2).uint(static_cast<std::uint64_t>(m.why));
  return out.take();
}
Bytes put(const CircuitOffer& m) {
  auto out = start(Type::circuit_offer, 2);
  out.key(1).bin(m.nonce).key(2).bin(m.supernode);
  return out.take();
}

Bytes put(const CircuitShow& m) {
  auto out = start(Type::circuit_show, 1);
  out.key(1).uint(m.circuit);
  return out.take();
}
Bytes put(const CircuitSeen& m) {
  auto out = start(Type::circuit_seen, 2);
  out.key(1).uint(m.circuit).key(2).bin(written(m.at));
  return out.take();
}

Bytes put(const DialAsk& m) {
  auto out = start(Type::dial_ask, 2);
  out.key(1).bin(m.nonce).key(2).uint(m.port);
  return out.take();
}
Bytes put(const PartnerAsk&) { return start(Type::partner_ask, 0).take(); }
Bytes put(const PartnerOffer& m) {
  auto out = start(Type::partner_offer, 1);
  out.key(1).uint(m.second_port);
  return out.take();
}
Bytes put(const PartnerSend& m) {
  auto out = start(Type::partner_send, 6);
  out.key(1).uint(m.number).key(2).bin(written(m.client)).key(3).bin(m.transaction).key(4).uint(m.room);
  out.key(5).boolean(m.second_port).key(6).boolean(m.fingerprint);
  return out.take();
}
Bytes put(const PartnerSent& m) {
  auto out = start(Type::partner_sent, 2);
  out.key(1).uint(m.number).key(2).boolean(m.sent);
  return out.take();
}

Bytes put(const Serve&) { return start(Type::serve, 0).take(); }
Bytes put(const Crowded&) { return start(Type::crowded, 0).take(); }
Bytes put(const Handover& m) {
  auto out = start(Type::handover, 1, 64 + m.alternatives.size() * (dht::kMaxContactBytes + 2));
  out.key(1);
  put_contacts(out, m.alternatives);
  return out.take();
}

Result<Endpoint> endpoint_of(ByteView bytes) {
  Reader in(bytes);
  auto out = read_endpoint(in);
  if (out && !in.done()) return fail(Fault::malformed);
  return out;
}

Result<std::vector<dht::Contact>> contacts_of(const pack::Value& m, std::uint64_t key) {
  const auto& array = m.array_at(key);
  if (array.size() > kMaxContacts) return fail(Fault::too_big);
  std::vector<dht::Contact> out;
  for (const auto& v : array) {
    if (!v.bin()) return fail(Fault::malformed);
    Reader in(*v.bin());
    auto contact = dht::read_contact(in);
    if (!contact) return fail(contact.error());
    if (!in.done()) return fail(Fault::malformed);
    out.push_back(*contact);
  }
  return out;
}

template <class T>
Result<Message> with_circuit(const pack::Value& m) {
  T out;
  const auto nonce = m.array_bin_at<16>(1);
  const auto number = m.uint_at(2, kMaxCircuit + 1);
  if (!nonce || number > kMaxCircuit) return fail(Fault::malformed);
  out.nonce = *nonce;
  out.circuit = number;
  return out;
}

Result<Message> get_attach(const pack::Value& m) {
  Attach out;
  if (m.field(2)) {
    const std::chrono::seconds said(static_cast<std::int64_t>(m.uint_at(2, 3600)));
    out.keepalive = std::clamp(said, kLeastKeepalive, kMostKeepalive);
  }
  out.standby = static_cast<std::uint32_t>(std::min(m.uint_at(3), kMostStandby));
  if (!m.field(1)) return out;
  const auto place = m.array_bin_at<32>(1);
  if (!place) return fail(Fault::malformed);
  out.place = dht::Id{*place};
  return out;
}

Result<Message> get_attached(const pack::Value& m) {
  const auto observed = endpoint_of(m.bin_at(2));
  const auto tag = m.uint_at(1);
  if (!observed || tag == 0) return fail(Fault::malformed);
  return Attached{tag, *observed};
}

Result<Message> get_find_nodes(const pack::Value& m) {
  const auto target = m.array_bin_at<32>(2);
  if (!target) return fail(Fault::malformed);
  return FindNodes{m.uint_at(1), dht::Id{*target}};
}

Result<Message> get_nodes(const pack::Value& m) {
  auto contacts = contacts_of(m, 2);
  if (!contacts) return fail(contacts.error());
  Nodes out{m.uint_at(1), std::move(*contacts), std::nullopt};
  if (!m.field(3)) return out;
  const auto time = m.uint_at(3, kMaxTime + 1);
  if (time > kMaxTime) return fail(Fault::malformed);
  out.time = Wall{static_cast<std::int64_t>(time)};
  return out;
}

Result<Message> get_find_records(const pack::Value& m) {
  const auto user = m.array_bin_at<32>(2);
  if (!user) return fail(Fault::malformed);
  FindRecords out{m.uint_at(1), crypto::UserKey{*user}, std::nullopt, {}};
  if (m.field(3)) {
    const auto pinned = m.array_bin_at<32>(3);
    if (!pinned) return fail(Fault::malformed);
    out.pinned = crypto::AccountKey{*pinned};
  }
  if (m.field(5)) {
    const auto which = m.uint_at(4);
    const auto of = m.uint_at(5);
    if (of < 2 || of > kMaxShares || which >= of) return fail(Fault::malformed);
    out.share = {which, of};
  }
  return out;
}

Result<Message> get_records(const pack::Value& m) {
  const auto& array = m.array_at(3);
  if (array.size() > kMaxRecords) return fail(Fault::too_big);
  Records out;
  out.request = m.uint_at(1);
  out.busy = m.field(2) && m.field(2)->boolean() && *m.field(2)->boolean();
  for (const auto& v : array) {
    if (!v.bin()) return fail(Fault::malformed);
    out.records.push_back(*v.bin());
  }
  out.rounds = std::min<std::uint64_t>(m.uint_at(4), 255);  // a figure for reports, whatever a supernode says
  return out;
}

Result<Message> get_circuit_open(const pack::Value& m) {
  const auto nonce = m.array_bin_at<16>(1);
  if (!nonce) return fail(Fault::malformed);
  CircuitOpen out{*nonce, m.uint_at(2), std::nullopt};
  if (!m.field(3)) return out;
  const auto at = m.array_bin_at<32>(3);
  if (!at) return fail(Fault::malformed);
  out.at = crypto::SessionKey{*at};
  return out;
}

Result<Message> get_forward_open(const pack::Value& m) {
  const auto at = m.array_bin_at<32>(1);
  if (!at) return fail(Fault::malformed);
  return ForwardOpen{crypto::SessionKey{*at}, m.uint_at(2), m.uint_at(3)};
}

Result<Message> get_circuit_closed(const pack::Value& m) {
  const auto nonce = m.array_bin_at<16>(1);
  if (!nonce) return fail(Fault::malformed);
  const auto why = m.uint_at(2);
  const bool known = why <= static_cast<std::uint64_t>(CircuitEnd::month);
  return CircuitClosed{*nonce, known ? static_cast<CircuitEnd>(why) : CircuitEnd::over};
}

Result<Message> get_circuit_offer(const pack::Value& m) {
  const auto nonce = m.array_bin_at<16>(1);
  const auto key = m.array_bin_at<32>(2);
  if (!nonce || !key) return fail(Fault::malformed);
  return CircuitOffer{*nonce, crypto::SessionKey{*key}};
}

Result<Message> get_circuit_show(const pack::Value& m) {
  const auto circuit = m.uint_at(1, kMaxCircuit + 1);
  if (circuit > kMaxCircuit) return fail(Fault::malformed);
  return CircuitShow{circuit};
}

Result<Message> get_circuit_seen(const pack::Value& m) {
  const auto circuit = m.uint_at(1, kMaxCircuit + 1);
  const auto at = endpoint_of(m.bin_at(2));
  if (circuit > kMaxCircuit || !at || at->port == 0) return fail(Fault::malformed);
  return CircuitSeen{circuit, *at};
}

Result<Message> get_dial_ask(const pack::Value& m) {
  const auto nonce = m.array_bin_at<12>(1);
  const auto port = m.uint_at(2, 65'536);
  if (!nonce || port == 0 || port > 65'535) return fail(Fault::malformed);
  return DialAsk{*nonce, static_cast<std::uint16_t>(port)};
}

bool yes_at(const pack::Value& m, std::uint64_t key) {
  const auto* field = m.field(key);
  return field != nullptr && field->boolean() != nullptr && *field->boolean();
}

Result<Message> get_partner_offer(const pack::Value& m) {
  const auto port = m.uint_at(1, 0x10000);
  if (port == 0 || port > 0xffff) return fail(Fault::malformed);
  return PartnerOffer{static_cast<std::uint16_t>(port)};
}

Result<Message> get_partner_send(const pack::Value& m) {
  const auto client = endpoint_of(m.bin_at(2));
  const auto transaction = m.array_bin_at<12>(3);
  const auto room = m.uint_at(4, 0x10000);
  if (!client || client->port == 0 || !transaction || room > 0xffff) return fail(Fault::malformed);
  return PartnerSend{m.uint_at(1), *client, *transaction, static_cast<std::uint16_t>(room), yes_at(m, 5), yes_at(m, 6)};
}

}  // namespace

Bytes write(const Message& message) {
  return std::visit([](const auto& m) { return put(m); }, message);
}

Result<Message> read(ByteView bytes) {
  const auto value = pack::read(bytes);
  if (!value) return fail(value.error());
  const auto& m = *value;
  switch (static_cast<Type>(m.uint_at(0))) {
    case Type::attach: return get_attach(m);
    case Type::attached: return get_attached(m);
    case Type::attach_refused: {
      auto contacts = contacts_of(m, 1);
      if (!contacts) return fail(contacts.error());
      return AttachRefused{std::move(*contacts)};
    }
    case Type::detach: return Detach{};
    case Type::find_nodes: return get_find_nodes(m);
    case Type::nodes: return get_nodes(m);
    case Type::find_records: return get_find_records(m);
    case Type::records: return get_records(m);
    case Type::publish: return Publish{m.uint_at(1), copy(m.bin_at(2))};
    case Type::published: return Published{m.uint_at(1), m.uint_at(2)};
    case Type::circuit_open: return get_circuit_open(m);
    case Type::circuit_ask: return with_circuit<CircuitAsk>(m);
    case Type::circuit_accept: return with_circuit<CircuitAccept>(m);
    case Type::circuit_ready: return with_circuit<CircuitReady>(m);
    case Type::circuit_closed: return get_circuit_closed(m);
    case Type::circuit_offer: return get_circuit_offer(m);
    case Type::circuit_show: return get_circuit_show(m);
    case Type::circuit_seen: return get_circuit_seen(m);
    case Type::forward_open: return get_forward_open(m);
    case Type::dial_ask: return get_dial_ask(m);
    case Type::partner_ask: return PartnerAsk{};
    case Type::partner_offer: return get_partner_offer(m);
    case Type::partner_send: return get_partner_send(m);
    case Type::serve: return Serve{};
    case Type::crowded: return Crowded{};
    case Type::handover: {
      auto contacts = contacts_of(m, 1);
      if (!contacts) return fail(contacts.error());
      return Handover{std::move(*contacts)};
    }
    case Type::partner_sent: return PartnerSent{m.uint_at(1), yes_at(m, 2)};
  }
  return fail(Fault::unsupported);
}

}  // namespace linnet::overlay::control
