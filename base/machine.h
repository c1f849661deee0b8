// The shape of every protocol core: bytes and time go in; datagrams, events and the next deadline are polled out.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/fifo.h"
#include "base/time.h"

namespace linnet {

// UDP payloads never exceed this (protocol.md, head).
inline constexpr std::size_t kMaxDatagram = 1200;

// A received datagram. The bytes belong to the driver and live only for the call.
struct Datagram {
  Endpoint from;
  MutableBytes bytes;  // decryption works in place
};

// How routers should treat a datagram: the DSCP of RFC 2474; voice is Expedited Forwarding (RFC 3246, RFC 8837).
enum class Mark : std::uint8_t { best_effort = 0, expedited = 46 };

struct Transmit {
  Endpoint to;
  Bytes bytes;
  Mark mark = Mark::best_effort;
};

template <class M>
concept Machine = requires(M m, const M c, Time now, const Datagram& d) {
  typename M::Event;
  m.handle_datagram(now, d);  // inputs return nothing and call nobody
  m.handle_timeout(now);
  { c.next_timeout() } -> std::same_as<Time>;
  { m.poll_transmit() } -> std::same_as<std::optional<Transmit>>;
  { m.poll_event() } -> std::same_as<std::optional<typename M::Event>>;
};

// A queue that refuses when full and counts what it refused.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  bool push(T value) {
    if (items_.size() >= capacity_) {
      ++refused_;
      return false;
    }
    items_.push_back(std::move(value));
    return true;
  }
  std::optional<T> pop() {
    if (items_.empty()) return std::nullopt;
    return items_.take();
  }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  std::uint64_t refused() const { return refused_; }

 private:
  Fifo<T> items_;
  std::size_t capacity_;
  std::uint64_t refused_ = 0;
};

}  // namespace linnet
