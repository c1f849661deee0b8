#include "tests/scenario/sound_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

#include "media/codec_kind.h"
#include "media/resampler.h"
#include "node/io/clock.h"
#include "node/io/files.h"

namespace linnet::scenario {
namespace {

std::vector<std::string> server_line(const io::HomeFolder& folder, const std::string& socket,
                                     const std::vector<std::string>& sinks) {
  std::vector<std::string> line{"pulseaudio",
                                "-n",
                                "--daemonize=no",
                                "--exit-idle-time=-1",
                                "--use-pid-file=no",
                                "--disallow-exit=yes",
                                "--realtime=no",
                                "--high-priority=no",
                                "--log-target=file:" + (folder / (socket + ".log")).string()};
  const auto module = [&](const std::string& text) { line.insert(line.end(), {"-L", text}); };
  module("module-native-protocol-unix auth-anonymous=1 socket=" + (folder / socket).string());
  for (const auto& sink : sinks) module("module-null-sink norewinds=1 rate=48000 channels=1 sink_name=" + sink);
  return line;
}

}  // namespace

Helper::Helper(const std::vector<std::string>& arguments,
               const std::vector<std::pair<std::string, std::string>>& environment) {
  std::vector<std::string> all = arguments;
  std::vector<char*> argv;
  for (auto& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

void Helper::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  wait();
}

int Helper::wait() {
  if (pid_ <= 0) return -1;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool SoundServer::installed() {
  for (const char* program : {"/usr/bin/pulseaudio", "/usr/bin/pactl", "/usr/bin/pacat"})
    if (!io::file_exists(program)) return false;
  return true;
}

SoundServer::SoundServer(const std::vector<std::string>& sinks)
    : server_(server_line(folder_, "socket", sinks), environment()),
      headset_(server_line(folder_, "plug", {"headset"}), environment("plug")) {
  const std::string plug = "type pulse server \"unix:" + (folder_ / "plug").string() + "\" device ";
  folder_.write("asound.conf",
                "pcm.!default { type pulse }\nctl.!default { type pulse }\npcm.headset { type asym playback.pcm { " +
                    plug + "headset } capture.pcm { " + plug +
                    "headset.monitor } hint { show on description \"Headset\" } }\n");
  ready_ = answers("socket") && answers("plug");
}

bool SoundServer::answers(const std::string& socket) const {
  const Time limit = io::now() + std::chrono::seconds(20);
  while (io::now() < limit) {
    if (Helper({"pactl", "info"}, environment(socket)).wait() == 0) return true;
    ::poll(nullptr, 0, 50);
  }
  return false;
}

std::vector<std::pair<std::string, std::string>> SoundServer::environment(const std::string& socket) const {
  return {{"HOME", folder_.path().string()},
          {"XDG_RUNTIME_DIR", folder_.path().string()},
          {"PULSE_SERVER", "unix:" + (folder_ / socket).string()}};
}

void SoundServer::give(const std::string& sink, const std::string& source) const {
  ::setenv("PULSE_SERVER", ("unix:" + (folder_ / "socket").string()).c_str(), 1);
  ::setenv("PULSE_SINK", sink.c_str(), 1);
  ::setenv("PULSE_SOURCE", source.c_str(), 1);
  ::setenv("ALSA_CONFIG_PATH", (folder_ / "asound.conf").c_str(), 1);
  ::setenv("LINNET_AUDIO", "default", 1);
}

void SoundServer::play(const std::string& sink, const media::Audio& audio) const {
  const auto samples = media::resample(audio.samples, audio.rate, media::kRate);
  const auto file = folder_ / ("play-" + sink);
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(samples.data()), static_cast<std::streamsize>(samples.size() * 2));
  Helper({"pacat", "--playback", "--raw", "--format=s16le", "--rate=48000", "--channels=1", "--device=" + sink,
          "--latency-msec=200", file.string()},
         environment())
      .wait();
}

SoundServer::Recording::Recording(const SoundServer& server, const std::string& source)
    : file_(server.folder_ / ("record-" + source)),
      helper_({"pacat", "--record", "--raw", "--format=s16le", "--rate=48000", "--channels=1", "--device=" + source,
               "--latency-msec=200", file_.string()},
              server.environment()) {}

media::Audio SoundServer::Recording::stop() {
  helper_.end();
  const auto bytes = io::read_file(file_, media::kMaxWavBytes);
  media::Audio out{media::kRate, {}};
  if (!bytes || !*bytes) return out;
  out.samples.resize((*bytes)->size() / 2);
  std::memcpy(out.samples.data(), (*bytes)->data(), out.samples.size() * 2);
  return out;
}

}  // namespace linnet::scenario
