#include "overlay/frame.h"

#include <algorithm>

namespace linnet::overlay {

namespace {

constexpr Duration kAckDelayUnit{8};

void put(Bytes& out, std::uint64_t value, int bytes) {
  ByteArray<8> big;
  for (int i = 0; i < bytes; ++i)
    big[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
  out.insert(out.end(), big.begin(), big.begin() + bytes);
}

}  // namespace

void write_data_header(Bytes& out, const DataHeader& header) {
  out.push_back(kDataPacket);
  put(out, header.receiver, 4);
  put(out, header.nonce(), 8);
}

Result<DataHeader> read_data_header(ByteView packet) {
  if (packet.size() < kMinDataPacket) return fail(Fault::truncated);
  Reader in(packet);
  if (in.u8() != kDataPacket) return fail(Fault::malformed);
  DataHeader header;
  header.receiver = in.u32();
  const auto nonce = in.u64();
  header.epoch = static_cast<std::uint8_t>(nonce >> 56);
  header.number = nonce & kMaxNumber;
  return header;
}

namespace frame {

namespace {
void type(Bytes& out, Type t) { out.push_back(static_cast<std::uint8_t>(t)); }
}  // namespace

void write(Bytes& out, const Ping&) { type(out, Type::ping); }

// Type, highest number (8), delay in units of 8 us (2), further ranges (1), length of the first range (2), then {gap
// (2), length (2)}.
void write(Bytes& out, const Ack& ack) {
  type(out, Type::ack);
  put(out, ack.largest(), 8);
  put(out, static_cast<std::uint64_t>(std::clamp<std::int64_t>(ack.delay / kAckDelayUnit, 0, 0xffff)), 2);
  const auto count_at = out.size();
  put(out, 0, 1);
  std::uint64_t below = 0;
  std::size_t written = 0;
  for (; written < ack.count; ++written) {
    const auto& range = ack.ranges[written];
    const auto length = std::min<std::uint64_t>(range.end - range.begin, 0xffff);
    if (written > 0) {
      const auto gap = below - range.end;
      if (gap > 0xffff) break;
      put(out, gap, 2);
    }
    put(out, length, 2);
    below = range.end - length;
    if (length != range.end - range.begin) {
      ++written;
      break;
    }
  }
  out[count_at] = static_cast<std::uint8_t>(written - 1);
}

std::size_t bytes_of(const Ack& ack) { return 1 + 8 + 2 + 1 + 2 + 4 * (ack.count - 1); }

void write(Bytes& out, const Data& data) {
  type(out, Type::data);
  put(out, data.channel, 1);
  put(out, data.offset, 8);
  put(out, data.bytes.size(), 2);
  append(out, data.bytes);
}

void write(Bytes& out, const Challenge& challenge) {
  type(out, Type::challenge);
  put(out, challenge.token, 8);
}

void write(Bytes& out, const Response& response) {
  type(out, Type::response);
  put(out, response.token, 8);
}

void write(Bytes& out, const Alive& alive) {
  type(out, Type::alive);
  put(out, alive.token, 8);
}

void write(Bytes& out, const Both& both) {
  type(out, Type::both);
  put(out, static_cast<std::uint64_t>(std::clamp<std::int64_t>(both.lease / Both::kUnit, 0, 0xff)), 1);
  put(out, both.urgent ? 1 : 0, 1);
}

void write(Bytes& out, const Close& close) {
  type(out, Type::close);
  put(out, static_cast<std::uint8_t>(close.reason), 1);
}

Result<std::optional<Any>> FrameReader::next() {
  while (in_.remaining() > 0) {
    const auto t = static_cast<Type>(in_.u8());
    if (t == Type::padding) continue;
    auto read_one = read(t);
    if (!read_one) return fail(read_one.error());
    return std::optional<Any>(std::move(*read_one));
  }
  return std::optional<Any>();
}

Result<Any> FrameReader::read(Type t) {
  switch (t) {
    case Type::ping: return Any(Ping{});
    case Type::ack: return read_ack();
    case Type::data: {
      Data data;
      data.channel = in_.u8();
      data.offset = in_.u64();
      const auto length = in_.u16();
      data.bytes = in_.bytes(length);
      if (!in_.ok()) return fail(Fault::truncated);
      if (length == 0 || data.offset > kMaxOffset) return fail(Fault::malformed);
      return Any(data);
    }
    case Type::challenge: {
      const Challenge challenge{in_.u64()};
      if (!in_.ok()) return fail(Fault::truncated);
      return Any(challenge);
    }
    case Type::response: {
      const Response response{in_.u64()};
      if (!in_.ok()) return fail(Fault::truncated);
      return Any(response);
    }
    case Type::alive: {
      const Alive alive{in_.u64()};
      if (!in_.ok()) return fail(Fault::truncated);
      return Any(alive);
    }
    case Type::both: {
      const auto lease = in_.u8();
      const auto urgent = in_.u8();
      if (!in_.ok()) return fail(Fault::truncated);
      if (urgent > 1) return fail(Fault::malformed);
      return Any(Both{lease * Both::kUnit, urgent == 1});
    }
    case Type::close: {
      const auto reason = in_.u8();
      if (!in_.ok()) return fail(Fault::truncated);
      if (reason > static_cast<std::uint8_t>(CloseReason::silent)) return fail(Fault::malformed);
      return Any(Close{static_cast<CloseReason>(reason)});
    }
    case Type::padding: break;
  }
  return fail(Fault::unsupported);
}

Result<Any> FrameReader::read_ack() {
  Ack ack;
  const auto largest = in_.u64();
  ack.delay = in_.u16() * kAckDelayUnit;
  const std::size_t further = in_.u8();
  if (!in_.ok()) return fail(Fault::truncated);
  if (largest > kMaxNumber || further >= Ack::kMaxRanges) return fail(Fault::malformed);
  std::uint64_t end = largest + 1;
  for (std::size_t i = 0; i <= further; ++i) {
    const std::uint64_t gap = i == 0 ? 0 : in_.u16();
    const std::uint64_t length = in_.u16();
    if (!in_.ok()) return fail(Fault::truncated);
    if (length == 0 || (i > 0 && gap == 0) || gap + length > end) return fail(Fault::malformed);
    end -= gap;
    ack.ranges[ack.count++] = {end - length, end};
    end -= length;
  }
  return Any(ack);
}

}  // namespace frame

}  // namespace linnet::overlay
