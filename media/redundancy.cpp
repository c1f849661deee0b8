#include "media/redundancy.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "media/codec.h"

namespace linnet::media {
namespace {

constexpr std::size_t kCopyHeader = 4;

}  // namespace

Result<Red> parse_red(ByteView payload) {
  Reader in(payload);
  Red out;
  std::array<std::size_t, kMaxRedBlocks> lengths{};
  for (;;) {
    const std::uint8_t first = in.u8();
    if (!in.ok()) return fail(Fault::truncated);
    if (out.count == kMaxRedBlocks) return fail(Fault::too_big);
    auto& block = out.blocks[out.count];
    block.payload_type = first & 0x7f;
    ++out.count;
    if ((first & 0x80) == 0) break;
    const std::uint32_t rest = static_cast<std::uint32_t>(in.u8()) << 16 | in.u16();
    block.offset = rest >> 10;
    lengths[out.count - 1] = rest & kMaxRedBlock;
  }
  for (std::size_t i = 0; i + 1 < out.count; ++i) out.blocks[i].payload = in.bytes(lengths[i]);
  if (!in.ok()) return fail(Fault::truncated);
  out.blocks[out.count - 1].payload = in.rest();
  return out;
}

void write_red(Bytes& out, std::span<const RedBlock> blocks) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto& b = blocks[i];
    if (i + 1 == blocks.size()) {
      out.push_back(b.payload_type & 0x7f);
      break;
    }
    assert(b.offset <= kMaxRedOffset && b.payload.size() <= kMaxRedBlock);
    const std::uint32_t rest = b.offset << 10 | static_cast<std::uint32_t>(b.payload.size());
    out.push_back(static_cast<std::uint8_t>(0x80 | b.payload_type));
    for (const int shift : {16, 8, 0}) out.push_back(static_cast<std::uint8_t>(rest >> shift));
  }
  for (const auto& b : blocks) append(out, b.payload);
}

void SentFrames::add(std::uint32_t timestamp, std::uint32_t length, ByteView payload) {
  if (!frames_.empty()) {
    const auto& last = frames_.back();
    if (last.length != length || last.timestamp + last.length != timestamp) frames_.clear();
  }
  Bytes buffer;
  if (frames_.size() == kFrames) {
    buffer = std::move(frames_.front().payload);
    frames_.pop_front();
  }
  buffer.assign(payload.begin(), payload.end());
  frames_.push_back({timestamp, length, std::move(buffer)});
}

void SentFrames::write(Bytes& out, std::uint8_t payload_type, std::uint32_t timestamp, std::uint32_t length,
                       ByteView primary, std::span<const std::uint8_t> distances) const {
  std::array<RedBlock, kMaxRedBlocks> blocks{};
  std::size_t count = 0;
  std::size_t room = kMaxPayload - std::min(kMaxPayload, primary.size() + 1);
  const bool follows =
      !frames_.empty() && frames_.back().length == length && frames_.back().timestamp + length == timestamp;
  std::array<std::size_t, kMaxRedBlocks> wanted{};
  const std::size_t asked = std::min(distances.size(), kMaxRedBlocks - 1);
  std::copy_n(distances.begin(), asked, wanted.begin());
  // The nearest copies are worth most: they get the room first, and stand last.
  std::sort(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(asked));
  for (std::size_t i = 0; i < asked && follows; ++i) {
    const std::size_t distance = wanted[i];
    if (distance == 0 || distance > frames_.size()) continue;
    const auto& frame = frames_[frames_.size() - distance];
    const std::uint32_t offset = timestamp - frame.timestamp;
    const std::size_t need = kCopyHeader + frame.payload.size();
    if (offset > kMaxRedOffset || frame.payload.size() > kMaxRedBlock || need > room) continue;
    room -= need;
    blocks[count++] = {payload_type, offset, frame.payload};
  }
  std::reverse(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(count));
  blocks[count++] = {payload_type, 0, primary};
  write_red(out, std::span(blocks).first(count));
}

}  // namespace linnet::media
