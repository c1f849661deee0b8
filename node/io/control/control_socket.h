// The daemon's end of control.sock: lines in, lines out, for programs of the same user only. Bounded in clients, line
// length and what waits for a client that does not read.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "node/io/files.h"
#include "node/io/loop.h"

namespace linnet::io {

enum class ClientId : std::uint64_t {};

class ControlSocket {
 public:
  static constexpr std::size_t kMaxClients = 64;
  static constexpr std::size_t kMaxWaiting = 4u << 20;  // bytes; a client behind by more is dropped
  static constexpr Duration kFirstLine = std::chrono::seconds(10);

  struct Handler {
    std::function<void(ClientId, std::string_view line)> line;
    std::function<void(ClientId)> closed;  // by the client or by us; not called from ~ControlSocket
  };

  // The home's lock is held: a socket file that stands there is left over.
  static Outcome<std::unique_ptr<ControlSocket>> open(Loop& loop, const std::filesystem::path& path, Handler handler);
  ~ControlSocket();

  // Adds the newline. False when the client is gone.
  bool send(ClientId client, std::string_view line);
  // Closes once everything was sent.
  void finish(ClientId client);

 private:
  struct Client;
  ControlSocket(Loop& loop, std::filesystem::path path, Fd fd, Handler handler);
  void accept();
  void refuse_without_descriptors();
  void readable(ClientId id);
  void flush(ClientId id);
  void drop(ClientId id);
  void drop_silent();

  Loop& loop_;
  std::filesystem::path path_;
  Fd fd_;
  Fd spare_;  // given up to tell a program that there is no descriptor for it
  Handler handler_;
  std::map<ClientId, std::unique_ptr<Client>> clients_;
  std::uint64_t last_id_ = 0;
  std::unique_ptr<Loop::Watch> watch_;
  std::unique_ptr<Loop::Alarm> patience_;
  std::unique_ptr<Loop::Alarm> again_;
};

// A client's end: connected, or nothing when nobody listens there. Refuses a daemon of another user.
struct DaemonLink {
  Fd fd;
  int pid = 0;
};
Outcome<std::optional<DaemonLink>> connect_control(const std::filesystem::path& path);

}  // namespace linnet::io
