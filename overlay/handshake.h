// A handshake we began: message 1 on several paths side by side, then message 3 on the one that answered first. The
// transport is bound into the handshake, so paths over TCP have a message 1 of their own; they start later, for a
// network that lets no UDP through.
#pragma once

#include <optional>
#include <vector>

#include "overlay/handshake_packet.h"
#include "overlay/session.h"

namespace linnet::overlay {

class Outgoing {
 public:
  static constexpr std::size_t kMaxPaths = 8;

  static Result<Outgoing> start(SessionContext& context, Time now, SessionId id, std::uint32_t index, ConnectTo to);

  // Sends message 1 where it is due.
  void build(SessionContext& context, Time now);
  void on_cookie(SessionContext& context, Time now, const Path& path, ByteView packet);
  struct Answer {
    Session::Start start;
    Bytes greeting;
  };
  // Fault: not the genuine answer; the handshake goes on waiting.
  Result<Answer> on_message2(Time now, const Path& path, const HandshakePacket& packet);

  Time next_timeout() const;
  bool tries(const Endpoint& endpoint) const;
  bool given_up(Time now) const { return now >= give_up_; }
  bool probes() const { return probe_; }
  SessionId id() const { return id_; }
  std::uint32_t index() const { return index_; }
  std::size_t memory_bytes() const;

  DeadlineHeap::Slot heap_slot = DeadlineHeap::kNone;

 private:
  struct Attempt {
    Path path;
    Time next{};
    Time sent_at{};
    Duration spacing{};
    int sends = 0;
    int cookies = 0;
    std::optional<crypto::Mac> cookie;
  };

  // One for each transport.
  struct Flow {
    Transport transport{};
    crypto::noise::Handshake noise;
    Bytes message1;
  };

  Outgoing(SessionContext& context, Time now, SessionId id, std::uint32_t index, ConnectTo to);
  Attempt* find(const Path& path);
  Flow* flow_of(const Path& path);
  Status add_flow(SessionContext& context, Transport transport);

  SessionId id_{};
  std::uint32_t index_ = 0;
  Pattern pattern_{};
  Bytes responder_key_;  // keys mac1
  crypto::Mac1 mac1_;
  std::optional<crypto::SessionKey> remote_;
  std::vector<Flow> flows_;
  Bytes hello_;
  bool probe_ = false;
  std::vector<Attempt> attempts_;
  Time give_up_{};
};

}  // namespace linnet::overlay
