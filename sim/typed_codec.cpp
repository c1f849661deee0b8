#include "sim/typed_codec.h"

#include <algorithm>
#include <cstring>

#include "sim/owner.h"

namespace linnet::sim {
namespace {

using dht::Answer;
using dht::Contact;
using dht::Request;

constexpr std::uint64_t kOdd[4] = {0x9e3779b97f4a7c15U, 0xd6e8feb86659fd93U, 0xa0761d6478bd642fU, 0xe7037ed1a0b428dbU};
constexpr std::size_t kBody = dht::kHeaderBytes + 16;  // after the header: checksum, receiver

std::uint64_t word_at(const std::uint8_t* p) {
  std::uint64_t out;
  std::memcpy(&out, p, sizeof out);
  return out;
}

__extension__ typedef unsigned __int128 Product;

// Both halves of the product, folded: every bit of a word reaches every bit of the result.
std::uint64_t folded(std::uint64_t a, std::uint64_t b) {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Over every byte: no flipped bit passes.
std::uint64_t checksum(ByteView bytes, std::uint64_t seed) {
  std::uint64_t lanes[4] = {seed, ~seed, seed ^ kOdd[1], bytes.size()};
  const auto* p = bytes.data();
  auto n = bytes.size();
  for (; n >= 64; n -= 64, p += 64) {
    for (int i = 0; i < 4; ++i) lanes[i] = folded(lanes[i] ^ word_at(p + 16 * i), kOdd[i] ^ word_at(p + 16 * i + 8));
  }
  for (; n >= 8; n -= 8, p += 8) lanes[0] = folded(lanes[0] ^ word_at(p), kOdd[n >> 3 & 3]);
  for (; n > 0; --n, ++p) lanes[n & 3] = (lanes[n & 3] ^ *p) * kOdd[n & 3];
  std::uint64_t out = 0;
  for (const auto lane : lanes) out = (out ^ lane ^ (lane >> 32)) * kOdd[0];
  return out;
}

// Fields in memory order, into a frame that has its final size.
class Put {
 public:
  explicit Put(std::uint8_t* at) : at_(at) {}
  template <class T>
  Put& value(const T& v) {
    static_assert(std::is_trivially_copyable_v<T>);
    return bytes({reinterpret_cast<const std::uint8_t*>(&v), sizeof v});
  }
  Put& bytes(ByteView v) {
    if (!v.empty()) std::memcpy(at_, v.data(), v.size());
    at_ += v.size();
    return *this;
  }

 private:
  std::uint8_t* at_;
};

class Get {
 public:
  explicit Get(const std::uint8_t* at) : at_(at) {}
  template <class T>
  T value() {
    T out;
    std::memcpy(&out, at_, sizeof out);
    at_ += sizeof out;
    return out;
  }
  Bytes bytes(std::size_t n) {
    Bytes out(at_, at_ + n);
    at_ += n;
    return out;
  }

 private:
  const std::uint8_t* at_;
};

Put begin(Bytes& frame, std::uint8_t type, dht::TransactionId id, std::uint64_t receiver) {
  frame[0] = type;
  frame[1] = static_cast<std::uint8_t>(dht::Pattern::nk);
  for (std::size_t i = 0; i < 8; ++i) frame[2 + i] = static_cast<std::uint8_t>(id >> (56 - 8 * i));
  Put put(frame.data() + dht::kHeaderBytes + 8);
  put.value(receiver);
  return put;
}

std::uint64_t receiver_of(const crypto::SessionKey& key, const crypto::NetworkId& network) {
  return word_at(key.bytes.data()) ^ word_at(network.bytes.data() + 8);
}

// The checksum stands behind the header; it covers the header and all that follows it.
std::uint64_t sum_of(ByteView frame) {
  return checksum(frame.subspan(dht::kHeaderBytes + 8), checksum(frame.first(dht::kHeaderBytes), kOdd[2]));
}
void close(MutableBytes frame) { Put(frame.data() + dht::kHeaderBytes).value(sum_of(frame)); }
bool genuine(ByteView frame) { return word_at(frame.data() + dht::kHeaderBytes) == sum_of(frame); }

constexpr std::uint64_t kAnswerSeed = 0x616e73776572U;
enum Flag : std::uint8_t { kRecord = 1, kMore = 2, kCookie = 4, kSender = 8, kKey = 16, kTime = 32, kTarget = 64 };

}  // namespace

std::size_t TypedCodec::slot_of(const Contact& contact) const {
  const auto mask = slots_.size() - 1;
  for (auto i = std::hash<crypto::DeviceKey>{}(contact.device) & mask;; i = (i + 1) & mask) {
    if (slots_[i] == 0) return i;
    const auto& other = known_[slots_[i] - 1].written;
    if (other == contact && other.signature == contact.signature) return i;
  }
}

void TypedCodec::grow() {
  slots_.assign(std::max<std::size_t>(1024, 2 * slots_.size()), 0);
  for (std::uint32_t n = 0; n < known_.size(); ++n) slots_[slot_of(known_[n].written)] = n + 1;
}

std::uint32_t TypedCodec::number_of(const Contact& contact) {
  if (slots_.size() < 2 * (known_.size() + 1)) {
    const Working world;
    grow();
  }
  auto& slot = slots_[slot_of(contact)];
  if (slot == 0) {
    const Working world;  // it is nobody's in particular
    Writer wire(dht::kMaxContactBytes);
    dht::write(wire, contact);
    Reader in(wire.written());
    known_.push_back({contact, dht::read_contact(in), crypto::Mac1(*suite_, contact.session)});
    slot = static_cast<std::uint32_t>(known_.size());
  }
  return slot - 1;
}

Result<dht::Codec::Sealed> TypedCodec::seal_request(dht::TransactionId id, const Contact& to, const crypto::Secret&,
                                                    const Request& request, std::size_t padded) {
  const auto to_number = number_of(to);
  const auto payload = std::max(padded, dht::encoded_size(request));
  Sealed out{nullptr, Bytes(dht::kRequestOverhead + payload)};
  auto put = begin(out.frame, dht::kRequestType, id, receiver_of(to.session, network_));
  const bool place = request.kind == dht::Kind::store && request.target != dht::Id{};
  put.value(request.kind)
      .value(
          static_cast<std::uint8_t>((request.sender ? kSender : 0) | (request.key ? kKey : 0) | (place ? kTarget : 0)));
  put.value(static_cast<std::uint16_t>(request.record.size()));
  put.value(request.sender ? number_of(*request.sender) : std::uint32_t{0});
  if (request.kind == dht::Kind::store) {
    if (place) put.value(request.target);
    put.bytes(request.record);
  } else if (request.kind != dht::Kind::ping) {
    put.value(request.target).value(static_cast<std::uint8_t>(request.skip));
    if (request.key) put.value(*request.key);
  }
  const MutableBytes all(out.frame);
  const auto sealed = all.first(all.size() - 2 * dht::kMacBytes);
  close(sealed);
  const auto mac1 = known_[to_number].mac1.compute(sealed);
  std::memcpy(all.data() + sealed.size(), mac1.data(), mac1.size());
  const Working world;
  check_.on_request(id, to, request, padded, out.frame.size());
  return out;
}

Result<dht::Codec::Opened> TypedCodec::open_request(const dht::RequestView& view, const crypto::DhPair& own,
                                                    const crypto::Secret&) {
  Get get(view.before_mac1.data() + dht::kHeaderBytes + 8);
  if (get.value<std::uint64_t>() != receiver_of(own.public_key, network_) || !genuine(view.before_mac1)) {
    return fail(Fault::bad_mac);
  }
  Opened out;
  auto& request = out.request;
  request.kind = get.value<dht::Kind>();
  const auto flags = get.value<std::uint8_t>();
  const auto length = get.value<std::uint16_t>();
  const auto sender = get.value<std::uint32_t>();
  if ((flags & kSender) != 0) {
    const auto& contact = known_[sender].read;
    if (!contact) return fail(contact.error());
    request.sender = *contact;
  }
  if (request.kind == dht::Kind::store) {
    if (length == 0 || length > dht::kMaxRecord) return fail(Fault::malformed);
    if ((flags & kTarget) != 0) request.target = get.value<dht::Id>();
    request.record = get.bytes(length);
  } else if (request.kind != dht::Kind::ping) {
    request.target = get.value<dht::Id>();
    request.skip = get.value<std::uint8_t>();
    if (request.skip > dht::kMaxSkip) return fail(Fault::too_big);
    if ((flags & kKey) != 0) request.key = get.value<crypto::UserKey>();
  }
  const Working world;
  check_.on_opened(view.header.transaction, own, request);
  return out;
}

Result<Bytes> TypedCodec::seal_answer(dht::TransactionId id, const State&, const Answer& answer, std::size_t room) {
  const auto fitting = dht::fit(answer, room);
  if (fitting.bytes > room) return fail(Fault::too_big);
  Bytes out(dht::kAnswerOverhead + fitting.bytes);
  auto put = begin(out, dht::kAnswerType, id, kAnswerSeed);
  put.value(answer.status);
  put.value(static_cast<std::uint8_t>((fitting.record ? kRecord : 0) | (fitting.more ? kMore : 0) |
                                      (fitting.cookie ? kCookie : 0) | (fitting.time ? kTime : 0)));
  put.value(static_cast<std::uint8_t>(fitting.contacts));
  if (fitting.cookie) put.value(*answer.cookie);
  if (fitting.time) put.value(static_cast<std::uint32_t>(linnet::seconds(*answer.time)));
  for (std::size_t i = 0; i < fitting.contacts; ++i) put.value(number_of(answer.contacts[i]));
  if (fitting.record) put.value(static_cast<std::uint16_t>(answer.record.size())).bytes(answer.record);
  close(out);
  const Working world;
  check_.on_answer(id, answer, room, out.size());
  return out;
}

std::optional<Result<Answer>> TypedCodec::open_answer(const State&, ByteView frame) {
  if (frame.size() < dht::kAnswerOverhead || !genuine(frame)) return std::nullopt;
  Get get(frame.data() + kBody);
  Answer out;
  out.status = get.value<dht::AnswerStatus>();
  const auto flags = get.value<std::uint8_t>();
  const std::size_t contacts = get.value<std::uint8_t>();
  if ((flags & kCookie) != 0) out.cookie = get.value<crypto::Mac>();
  if ((flags & kTime) != 0) out.time = Wall{get.value<std::uint32_t>()};
  out.contacts.reserve(contacts);
  for (std::size_t i = 0; i < contacts; ++i) {
    const auto& contact = known_[get.value<std::uint32_t>()].read;
    if (!contact) return Result<Answer>(fail(contact.error()));
    out.contacts.push_back(*contact);
  }
  if ((flags & kRecord) != 0) {
    const auto length = get.value<std::uint16_t>();
    if (length > dht::kMaxRecord) return Result<Answer>(fail(Fault::too_big));
    out.record = get.bytes(length);
  }
  out.more = (flags & kMore) != 0;
  Result<Answer> whole(std::move(out));
  const Working world;
  if (const auto header = dht::read_header(frame)) check_.on_answered(header->transaction, whole);
  return whole;
}

}  // namespace linnet::sim
