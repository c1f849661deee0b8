// How far Opus itself carries speech: libopus alone, no network and no loss, scored by the measure that scores calls.
// What a call on a narrow link is judged beside (bench_hard_links). Constant bitrate, as calls send it.
//
//   bench_opus_offline [--rate BIT/S] [--frame MS] [--band nb|mb|wb|swb|fb|auto] [--complexity N] [--hint PCT]
//   [--fec 0|1] [--vbr 0|1] [--music 0|1] [--audio 0|1] [--seconds S] [--from S] WAV...
#include <opus/opus.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "media/audio_device.h"
#include "media/compare.h"

namespace {

using namespace linnet;
using namespace linnet::media;

struct Options {
  std::map<std::string, double> numbers{{"rate", 24000}, {"frame", 20}, {"complexity", 5}, {"hint", 1}, {"fec", 1},
                                        {"vbr", 0},      {"music", 0},  {"audio", 0},      {"seconds", 30}, {"from", 10}};
  std::string band = "wb";
  std::vector<std::string> files;

  int of(const char* name) const { return static_cast<int>(numbers.at(name)); }
};

Audio read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  auto audio = parse_wav(bytes);
  if (!audio) {
    std::fprintf(stderr, "%s: no sound file\n", path.c_str());
    std::exit(2);
  }
  return std::move(*audio);
}

// One after the other, again and again, from `from` to `seconds`.
Audio speech_for(const Options& options) {
  Audio once, out;
  for (const auto& path : options.files) {
    const auto audio = read(path);
    once.rate = out.rate = audio.rate;
    once.samples.insert(once.samples.end(), audio.samples.begin(), audio.samples.end());
  }
  const auto first = static_cast<std::size_t>(options.numbers.at("from") * once.rate);
  const auto last = static_cast<std::size_t>(options.numbers.at("seconds") * once.rate);
  for (std::size_t i = first; i < last && !once.samples.empty(); ++i)
    out.samples.push_back(once.samples[i % once.samples.size()]);
  return out;
}

int band_of(const std::string& name) {
  static const std::map<std::string, int> all{{"nb", OPUS_BANDWIDTH_NARROWBAND}, {"mb", OPUS_BANDWIDTH_MEDIUMBAND},
                                              {"wb", OPUS_BANDWIDTH_WIDEBAND},   {"swb", OPUS_BANDWIDTH_SUPERWIDEBAND},
                                              {"fb", OPUS_BANDWIDTH_FULLBAND},   {"auto", OPUS_AUTO}};
  const auto found = all.find(name);
  return found == all.end() ? OPUS_AUTO : found->second;
}

OpusEncoder* make_encoder(const Options& o) {
  int error = OPUS_OK;
  const int use = o.of("audio") != 0 ? OPUS_APPLICATION_AUDIO : OPUS_APPLICATION_VOIP;
  auto* const e = opus_encoder_create(kRate, 1, use, &error);
  opus_encoder_ctl(e, OPUS_SET_BITRATE(o.of("rate")));
  opus_encoder_ctl(e, OPUS_SET_VBR(o.of("vbr")));
  opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(o.of("complexity")));
  opus_encoder_ctl(e, OPUS_SET_SIGNAL(o.of("music") != 0 ? OPUS_SIGNAL_MUSIC : OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(o.of("hint")));
  opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(o.of("fec")));
  // Calls set the greatest bandwidth and leave the choice below it to the encoder; "auto" is its own choice of all.
  if (o.band != "auto") opus_encoder_ctl(e, OPUS_SET_MAX_BANDWIDTH(band_of(o.band)));
  return e;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      o.files.push_back(word);
      continue;
    }
    word = word.substr(2);
    const char* value = i + 1 < argc ? argv[++i] : "";
    if (word == "band")
      o.band = value;
    else if (o.numbers.count(word) != 0)
      o.numbers[word] = std::atof(value);
    else
      return 2;
  }
  if (o.files.empty()) o.files.push_back("assets/speech.wav");
  const Audio said = speech_for(o);
  auto* const encoder = make_encoder(o);
  int error = OPUS_OK;
  auto* const decoder = opus_decoder_create(kRate, 1, &error);
  const auto frame = static_cast<std::size_t>(o.of("frame") * kSamplesPerMs);
  WavSource mic(said.samples, said.rate);
  Audio heard;
  std::vector<std::int16_t> block(frame), out(frame);
  std::vector<unsigned char> packet(1500);
  double octets = 0;
  std::map<int, int> bands;
  const auto frames = said.samples.size() * 48000 / static_cast<std::size_t>(said.rate) / frame + 1;
  for (std::size_t i = 0; i < frames; ++i) {
    mic.read(block);
    const int made = opus_encode(encoder, block.data(), static_cast<int>(frame), packet.data(), 1275);
    if (made < 1) return 1;
    octets += made;
    ++bands[opus_packet_get_bandwidth(packet.data())];
    const int n = opus_decode(decoder, packet.data(), made, out.data(), static_cast<int>(frame), 0);
    heard.samples.insert(heard.samples.end(), out.begin(), out.begin() + std::max(n, 0));
  }
  const auto score = compare(said, heard);
  std::string used;
  for (const auto& [band, count] : bands)
    used += (used.empty() ? "" : " ") + std::string(band == OPUS_BANDWIDTH_NARROWBAND      ? "nb"
                                                    : band == OPUS_BANDWIDTH_MEDIUMBAND    ? "mb"
                                                    : band == OPUS_BANDWIDTH_WIDEBAND      ? "wb"
                                                    : band == OPUS_BANDWIDTH_SUPERWIDEBAND ? "swb"
                                                                                           : "fb") +
            ":" + std::to_string(count);
  std::printf("rate %d (%.0f) frame %d ms complexity %d band %s (%s): STOI %.4f\n", o.of("rate"),
              octets * 8000 / static_cast<double>(frames) / o.of("frame"), o.of("frame"), o.of("complexity"),
              o.band.c_str(), used.c_str(), score.stoi.value_or(0));
  opus_encoder_destroy(encoder);
  opus_decoder_destroy(decoder);
  return 0;
}
