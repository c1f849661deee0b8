#include "media/wav.h"

#include <sndfile.h>

#include <algorithm>
#include <memory>

namespace linnet::media {
namespace {

// The bytes libsndfile sees as its file.
struct Memory {
  const std::uint8_t* in = nullptr;  // reading
  std::size_t size = 0;
  Bytes out;  // writing
  std::size_t at = 0;

  static Memory& of(void* user) { return *static_cast<Memory*>(user); }
};

sf_count_t length(void* user) { return static_cast<sf_count_t>(Memory::of(user).size); }
sf_count_t tell(void* user) { return static_cast<sf_count_t>(Memory::of(user).at); }

sf_count_t seek(sf_count_t offset, int whence, void* user) {
  auto& m = Memory::of(user);
  const sf_count_t base = whence == SEEK_SET ? 0 : static_cast<sf_count_t>(whence == SEEK_CUR ? m.at : m.size);
  const sf_count_t to = base + offset;
  if (to < 0 || to > static_cast<sf_count_t>(kMaxWavBytes)) return -1;
  m.at = static_cast<std::size_t>(to);
  return to;
}

sf_count_t read_some(void* to, sf_count_t count, void* user) {
  auto& m = Memory::of(user);
  if (m.at >= m.size || count <= 0) return 0;
  const std::size_t n = std::min(static_cast<std::size_t>(count), m.size - m.at);
  std::copy_n(m.in + m.at, n, static_cast<std::uint8_t*>(to));
  m.at += n;
  return static_cast<sf_count_t>(n);
}

sf_count_t write_some(const void* from, sf_count_t count, void* user) {
  auto& m = Memory::of(user);
  const auto n = static_cast<std::size_t>(std::max<sf_count_t>(count, 0));
  if (m.at + n > m.out.size()) m.out.resize(m.at + n);
  std::copy_n(static_cast<const std::uint8_t*>(from), n, m.out.begin() + static_cast<std::ptrdiff_t>(m.at));
  m.at += n;
  m.size = m.out.size();
  return static_cast<sf_count_t>(n);
}

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using File = std::unique_ptr<SNDFILE, Close>;

File open(Memory& memory, int mode, SF_INFO& info) {
  SF_VIRTUAL_IO io{length, seek, read_some, write_some, tell};
  return File(sf_open_virtual(&io, mode, &info, &memory));
}

bool supported(const SF_INFO& info) {
  const int container = info.format & SF_FORMAT_TYPEMASK;
  return (container == SF_FORMAT_WAV || container == SF_FORMAT_WAVEX) && info.samplerate >= 8000 &&
         info.samplerate <= 96000 && (info.channels == 1 || info.channels == 2);
}

}  // namespace

Result<Audio> parse_wav(ByteView bytes) {
  if (bytes.size() > kMaxWavBytes) return fail(Fault::too_big);
  Memory memory;
  memory.in = bytes.data();
  memory.size = bytes.size();
  SF_INFO info{};
  const File file = open(memory, SFM_READ, info);
  if (!file) return fail(Fault::malformed);
  if (!supported(info)) return fail(Fault::unsupported);
  sf_command(file.get(), SFC_SET_SCALE_FLOAT_INT_READ, nullptr, SF_TRUE);
  Audio out;
  out.rate = info.samplerate;
  const auto channels = static_cast<std::size_t>(info.channels);
  // Read in blocks: the length field of a header is not to be trusted with an allocation.
  std::vector<std::int16_t> block(4096 * channels);
  for (;;) {
    const auto frames = sf_readf_short(file.get(), block.data(), 4096);
    if (frames <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(frames); ++i) {
      const int sum = channels == 1 ? 2 * block[i] : block[2 * i] + block[2 * i + 1];
      out.samples.push_back(static_cast<std::int16_t>(sum / 2));
    }
    // Compressed formats may expand; the bound holds for what they expand to as well.
    if (out.samples.size() * 2 > kMaxWavBytes) return fail(Fault::too_big);
  }
  return out;
}

Bytes serialise_wav(std::span<const std::int16_t> samples, int rate) {
  Memory memory;
  memory.out.reserve(samples.size() * 2 + 64);
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  if (File file = open(memory, SFM_WRITE, info)) {
    sf_writef_short(file.get(), samples.data(), static_cast<sf_count_t>(samples.size()));
  }
  return std::move(memory.out);
}

}  // namespace linnet::media
