#include "dht/message.h"

#include <algorithm>

#include "base/pack.h"
#include "dht/network_clock.h"

namespace linnet::dht {
namespace {

enum RequestField : std::uint64_t { kKind = 0, kSender = 1, kTarget = 2, kSkip = 3, kStored = 4, kKey = 5 };
enum AnswerField : std::uint64_t { kStatus = 0, kContacts = 1, kRecord = 2, kMore = 3, kCookie = 4, kTime = 5 };

constexpr std::size_t kLengthBytes = 2;
constexpr auto kNoTime = static_cast<std::uint64_t>(NetworkClock::kMostWall) + 1;

bool must_have_target(Kind kind) { return kind == Kind::find_node || kind == Kind::find_record; }
bool has_target(const Request& request) {
  return must_have_target(request.kind) || (request.kind == Kind::store && request.target != Id{});
}

Bytes pack_request(const Request& request) {
  const std::size_t fields = 1 + (request.sender ? 1U : 0U) + (has_target(request) ? 1U : 0U) +
                             (request.skip > 0 ? 1U : 0U) + (request.kind == Kind::store ? 1U : 0U) +
                             (request.key ? 1U : 0U);
  pack::Packer out;
  out.map(fields).key(kKind).uint(static_cast<std::uint64_t>(request.kind));
  if (request.sender) {
    Writer contact;
    write(contact, *request.sender);
    out.key(kSender).bin(contact.written());
  }
  if (has_target(request)) out.key(kTarget).bin(request.target);
  if (request.skip > 0) out.key(kSkip).uint(request.skip);
  if (request.kind == Kind::store) out.key(kStored).bin(request.record);
  if (request.key) out.key(kKey).bin(*request.key);
  return out.take();
}

Result<Request> request_of(const pack::Value& value) {
  Request out;
  const auto kind = value.uint_at(kKind);
  if (kind < 1 || kind > 4) return fail(Fault::unsupported);
  out.kind = static_cast<Kind>(kind);
  if (const auto bytes = value.bin_at(kSender); !bytes.empty()) {
    Reader in(bytes);
    auto sender = read_contact(in);
    if (!sender) return fail(sender.error());
    if (!in.done()) return fail(Fault::malformed);
    out.sender = *sender;
  }
  if (must_have_target(out.kind) || (out.kind == Kind::store && value.field(kTarget))) {
    const auto target = value.array_bin_at<32>(kTarget);
    if (!target) return fail(Fault::malformed);
    out.target.bytes = *target;
  }
  out.skip = value.uint_at(kSkip);
  if (out.skip > kMaxSkip) return fail(Fault::too_big);
  if (out.kind == Kind::store) {
    const auto record = value.bin_at(kStored);
    if (record.empty() || record.size() > kMaxRecord) return fail(Fault::malformed);
    out.record = copy(record);
  }
  if (value.field(kKey)) {
    const auto key = value.array_bin_at<32>(kKey);
    if (!key || out.kind != Kind::find_record) return fail(Fault::malformed);
    out.key = crypto::UserKey{*key};
  }
  return out;
}

Bytes pack_answer(const Answer& answer, const Fitting& fitting) {
  pack::Packer out(fitting.bytes);
  out.map(1 + (fitting.contacts > 0 ? 1U : 0U) + (fitting.record ? 1U : 0U) + (fitting.more ? 1U : 0U) +
          (fitting.cookie ? 1U : 0U) + (fitting.time ? 1U : 0U));
  out.key(kStatus).uint(static_cast<std::uint64_t>(answer.status));
  if (fitting.contacts > 0) {
    Writer list(fitting.contacts * kMaxContactBytes);
    for (std::size_t i = 0; i < fitting.contacts; ++i) write(list, answer.contacts[i]);
    out.key(kContacts).bin(list.written());
  }
  if (fitting.record) out.key(kRecord).bin(answer.record);
  if (fitting.more) out.key(kMore).boolean(true);
  if (fitting.cookie) out.key(kCookie).bin(*answer.cookie);
  if (fitting.time) out.key(kTime).uint(static_cast<std::uint64_t>(seconds(*answer.time)));
  return out.take();
}

// A msgpack byte string under a field key, both sizes told.
std::size_t bin_size(std::size_t n) { return 1 + (n < 256 ? 2 : 3) + n; }

Fitting measure(const Answer& answer, std::size_t contacts, bool with_record, bool with_rest) {
  Fitting out;
  out.contacts = contacts;
  out.record = with_record && !answer.record.empty();
  out.more = answer.more || (!with_record && !answer.record.empty());
  out.cookie = with_rest && answer.cookie.has_value();
  out.time = with_rest && answer.time && seconds(*answer.time) >= 0;
  std::size_t list = 0;
  for (std::size_t i = 0; i < contacts; ++i) list += contact_size(answer.contacts[i]);
  out.bytes = 3 + (contacts > 0 ? bin_size(list) : 0) + (out.record ? bin_size(answer.record.size()) : 0) +
              (out.more ? 2 : 0) + (out.cookie ? bin_size(answer.cookie->size()) : 0) +
              (out.time ? 1 + pack::uint_size(static_cast<std::uint64_t>(seconds(*answer.time))) : 0);
  return out;
}

}  // namespace

Bytes encode(const Request& request, std::size_t padded) {
  const auto packed = pack_request(request);
  Writer out(std::max(padded, packed.size() + kLengthBytes));
  out.u16(static_cast<std::uint16_t>(packed.size())).bytes(packed);
  if (out.size() < padded) out.zeros(padded - out.size());
  return out.take();
}

Result<Request> read_request(ByteView payload) {
  Reader in(payload);
  const auto packed = in.bytes(in.u16());
  if (!in.ok()) return fail(Fault::truncated);
  for (const auto b : in.rest()) {
    if (b != 0) return fail(Fault::malformed);
  }
  const auto value = pack::read(packed);
  if (!value) return fail(value.error());
  return request_of(*value);
}

Fitting fit(const Answer& answer, std::size_t room) {
  for (const bool with_record : {true, false}) {
    for (auto n = std::min(answer.contacts.size(), kMaxContactsInAnswer);; --n) {
      const auto out = measure(answer, n, with_record, true);
      if (out.bytes <= room) return out;
      if (n == 0) break;
    }
  }
  return measure(answer, 0, false, false);
}

Bytes encode(const Answer& answer, std::size_t room) { return pack_answer(answer, fit(answer, room)); }

std::size_t encoded_size(const Request& request) {
  return kLengthBytes + 3 + (request.sender ? bin_size(contact_size(*request.sender)) : 0) +
         (has_target(request) ? bin_size(request.target.bytes.size()) : 0) +
         (request.skip > 0 ? 1 + pack::uint_size(request.skip) : 0) +
         (request.kind == Kind::store ? bin_size(request.record.size()) : 0) +
         (request.key ? bin_size(request.key->bytes.size()) : 0);
}

Result<Answer> read_answer(ByteView payload) {
  const auto value = pack::read(payload);
  if (!value) return fail(value.error());
  Answer out;
  const auto status = value->uint_at(kStatus, 255);
  if (status > static_cast<std::uint64_t>(AnswerStatus::invalid)) return fail(Fault::malformed);
  out.status = static_cast<AnswerStatus>(status);
  Reader contacts(value->bin_at(kContacts));
  while (contacts.remaining() > 0) {
    if (out.contacts.size() == kMaxContactsInAnswer) return fail(Fault::too_big);
    auto contact = read_contact(contacts);
    if (!contact) return fail(contact.error());
    out.contacts.push_back(*contact);
  }
  const auto record = value->bin_at(kRecord);
  if (record.size() > kMaxRecord) return fail(Fault::too_big);
  out.record = copy(record);
  const auto* more = value->field(kMore);
  out.more = more != nullptr && more->boolean() != nullptr && *more->boolean();
  out.cookie = value->array_bin_at<16>(kCookie);
  if (value->field(kTime) != nullptr) {
    const auto time = value->uint_at(kTime, kNoTime);
    if (time >= kNoTime) return fail(Fault::malformed);
    out.time = Wall{static_cast<std::int64_t>(time)};
  }
  return out;
}

}  // namespace linnet::dht
