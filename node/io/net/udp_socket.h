// One bound UDP socket. Reads and writes in batches (recvmmsg, sendmmsg); what the kernel does not take waits in a
// bounded queue.
#pragma once

#include <functional>
#include <memory>

#include "base/machine.h"
#include "node/io/files.h"
#include "node/io/loop.h"

namespace linnet::io {

class UdpSocket {
 public:
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kQueue = 1024;

  using Receive = std::function<void(const Datagram&)>;

  // Port 0 lets the system choose. Trouble names the port when another program has it.
  static Outcome<std::unique_ptr<UdpSocket>> open(const Endpoint& at);

  const Endpoint& local() const { return local_; }

  // `receive` is called for every datagram, `drained` after each batch of them.
  void start(Loop& loop, Receive receive, std::function<void()> drained);

  // Queued; flush() hands the queue to the kernel. False when the queue is full: dropped and counted.
  bool send(Transmit transmit);
  void flush();

  std::uint64_t dropped() const { return queue_.refused() + unsendable_; }

 private:
  UdpSocket(Fd fd, const Endpoint& local);
  void read_batches();

  struct Buffers;

  Fd fd_;
  Endpoint local_;
  std::unique_ptr<Buffers, void (*)(Buffers*)> buffers_;
  BoundedQueue<Transmit> queue_{kQueue};
  std::vector<Transmit> sending_;
  std::uint64_t unsendable_ = 0;
  bool blocked_ = false;
  Receive receive_;
  std::function<void()> drained_;
  std::unique_ptr<Loop::Watch> watch_;
};

}  // namespace linnet::io
