// TCP framing against a naive twin: what a reader brings does not depend on how the bytes were cut, and it never holds
// more than its bound.
#include "overlay/stream.h"

#include "require.h"

using namespace linnet;
using namespace linnet::overlay;

namespace {

struct Twin {
  std::vector<Bytes> packets;
  bool broken = false;
};

Twin naive(ByteView in, bool magic) {
  Twin out;
  if (magic) {
    for (std::size_t i = 0; i < kStreamMagic.size(); ++i) {
      if (i == in.size()) return out;
      if (in[i] != kStreamMagic[i]) {
        out.broken = true;
        return out;
      }
    }
    in = in.subspan(kStreamMagic.size());
  }
  while (in.size() >= 2) {
    const std::size_t length = in[0] * 256U + in[1];
    if (length == 0 || length > kMaxStreamPacket) {
      out.broken = true;
      return out;
    }
    if (in.size() < 2 + length) return out;
    out.packets.push_back(copy(in.subspan(2, length)));
    in = in.subspan(2 + length);
  }
  return out;
}

// What a connection opens with is decided once: more bytes change nothing of it.
void opening(ByteView bytes) {
  auto before = StreamOpening::undecided;
  for (std::size_t n = 0; n <= std::min<std::size_t>(bytes.size(), 16); ++n) {
    const auto now = stream_opening(bytes.first(n));
    fuzz::require(before == StreamOpening::undecided || now == before);
    before = now;
  }
}

// What waits is bounded, comes out in order, and only voice that waited too long is left out.
void queue(const std::vector<Bytes>& packets) {
  StreamQueue waiting;
  Time now{};
  std::size_t in = 0, voice = 0, out = 0;
  for (const auto& packet : packets) {
    in += waiting.push(now, packet) ? 1 : 0;
    voice += is_voice(packet) ? 1 : 0;
    now += std::chrono::milliseconds(50);
  }
  while (waiting.pop(now)) ++out;
  fuzz::require(out <= in && in - out <= voice);
}

}  // namespace

// The input: a byte of which the lowest bit says whether magic comes first, the rest how the stream is cut; then the
// stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool magic = (data[0] & 1) != 0;
  const std::size_t piece = 1 + data[0] / 2U * 131U;
  const auto twin = naive(ByteView(data + 1, size - 1), magic);
  StreamReader reader(magic);
  ByteView rest(data + 1, size - 1);
  std::size_t brought = 0;
  bool broken = false;
  while (!rest.empty() && !broken) {
    const auto n = std::min({piece, rest.size(), kMaxStreamPacket});
    fuzz::require(reader.push(rest.first(n)).has_value());
    rest = rest.subspan(n);
    for (;;) {
      const auto packet = reader.next();
      broken = !packet.has_value();
      if (broken || !*packet) break;
      fuzz::require(brought < twin.packets.size() && equal(**packet, twin.packets[brought]));
      ++brought;
    }
  }
  fuzz::require(broken == twin.broken && (broken || brought == twin.packets.size()));
  if (broken) fuzz::require(!reader.push(Bytes{1}).has_value() && !reader.next().has_value());
  Bytes again;
  for (const auto& packet : twin.packets) fuzz::require(write_stream_packet(again, packet).has_value());
  opening(ByteView(data + 1, size - 1));
  queue(twin.packets);
  const std::size_t head = magic ? kStreamMagic.size() : 0;
  fuzz::require(again.empty() || equal(again, ByteView(data + 1, size - 1).subspan(head, again.size())));
  const auto whole = write_stream_packet(again, ByteView(data + 1, size - 1));
  fuzz::require(whole.has_value() == (size > 1 && size - 1 <= kMaxStreamPacket));
  return 0;
}
