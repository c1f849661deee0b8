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
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kQueue = 1024;

  using Receive = std::function<void(const Datagram&)>;
  // True: the datagram was passed on or dropped, and `receive` does not get it.
  using Pass = std::function<bool(Time read_at, const Datagram&)>;

  // Port 0 lets the system choose. Trouble names the port when another program has it.
  static Outcome<std::unique_ptr<UdpSocket>> open(const Endpoint& at);

  // One that is bound already.
  static Outcome<std::unique_ptr<UdpSocket>> from(Fd fd);

  const Endpoint& local() const { return local_; }
  int descriptor() const { return fd_.get(); }  // stays the socket's

  // Of a batch `pass` sees every datagram first, then `passed` is called once: what was passed on leaves from where it
  // lies, before that changes. `receive` gets the others, and `drained` is called after a batch that had any.
  struct Ears {
    Pass pass;
    std::function<void()> passed;
    Receive receive;
    std::function<void()> drained;
  };
  void start(Loop& loop, Ears ears);
  // From the next read on the kernel hands over as one what one sender sent at once (UDP_GRO, Linux 5.0): for a socket
  // that others' packets pass. The ears hear no difference; takes 4 MB of address space, and memory as trains come.
  void join_trains() { wants_trains_ = true; }

  // Queued; flush() hands the queue to the kernel. False when the queue is full: dropped and counted.
  bool send(Transmit transmit);
  void flush();

  std::uint64_t dropped() const { return queue_.refused() + unsendable_; }

 private:
  UdpSocket(Fd fd, const Endpoint& local);
  void read_batches();
  std::size_t hand_out(std::size_t count);  // how many datagrams

  struct Buffers;

  Fd fd_;
  Endpoint local_;
  std::unique_ptr<Buffers, void (*)(Buffers*)> buffers_;
  BoundedQueue<Transmit> queue_{kQueue};
  std::vector<Transmit> sending_;
  std::uint64_t unsendable_ = 0;
  bool blocked_ = false;
  bool wants_trains_ = false;
  Ears ears_;
  std::unique_ptr<Loop::Watch> watch_;
};

}  // namespace linnet::io
