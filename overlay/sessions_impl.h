// Private to sessions*.cpp: the tables of all sessions of one node, and who owns which receiver index.
#pragma once

#include <memory>
#include <vector>

#include "base/deadline_heap.h"
#include "base/fifo.h"
#include "base/flat_map.h"
#include "overlay/half_open.h"
#include "overlay/handshake.h"
#include "overlay/reset.h"
#include "overlay/session.h"

namespace linnet::overlay {

struct Sessions::Impl {
  Impl(SessionsConfig c, const crypto::Suite& s, Rng& r, const crypto::Identity& i)
      : config(std::move(c)),
        suite(s),
        rng(r),
        identity(i),
        half_open(config.max_half_open),
        door(config, s, r, i.session_key()),
        resetter(s, i),
        context{config, suite, rng, identity, counters, events, out, paths, open, reassembly} {}

  // Whose packets carry this index.
  enum class Kind : std::uint8_t { outgoing, half_open, session };
  struct Owner {
    SessionId id{};  // of a session or of what may become one
    Session* session = nullptr;

    Kind kind() const {
      if (session != nullptr) return Kind::session;
      return id == SessionId{} ? Kind::half_open : Kind::outgoing;
    }
  };

  std::uint32_t new_index();
  Session* find(SessionId id);  // open ones
  const Session* find(SessionId id) const { return const_cast<Impl*>(this)->find(id); }
  void touch(Session& session);
  void flush();
  void schedule(Session& session);
  void remove(Session& session);
  void drop_outgoing(SessionId id);
  void expire_half_open(Time now);
  std::size_t live() const { return sessions.size() + outgoing.size() + half_open.waiting(); }

  // sessions_handshake.cpp
  void on_message1(const Path& path, ByteView packet);
  void answer_message1(const Path& path, const HandshakePacket& packet);
  void send_message2(HalfOpen& entry, const Path& path, std::size_t received);
  void on_message2(const Path& path, ByteView packet);
  void on_message3(const Path& path, ByteView packet);
  void finish_responder(HalfOpen& entry, const Path& path, const HandshakePacket& packet, std::size_t size);
  void on_cookie(const Path& path, ByteView packet);
  void begin_session(Session::Start start, Bytes payload);

  void on_data(const Path& path, MutableBytes packet);
  void on_unknown(const Path& path, const DataHeader& header);
  void on_reset(const Path& path, ByteView packet);

  SessionsConfig config;
  const crypto::Suite& suite;
  Rng& rng;
  const crypto::Identity& identity;
  Bytes greeting;
  Counters counters;
  Fifo<SessionsEvent> events;
  Fifo<PacketOut> out;
  PathIndex paths;
  std::size_t open = 0;
  std::size_t reassembly = 0;
  HalfOpenTable half_open;
  Door door;
  Resetter resetter;
  SessionContext context;

  Time now{};
  std::uint64_t next_id = 1;
  FlatMap<SessionId, std::unique_ptr<Session>> sessions;
  FlatMap<SessionId, std::unique_ptr<Outgoing>> outgoing;
  FlatMap<std::uint32_t, Owner> indexes;
  std::unordered_multimap<std::uint32_t, SessionId> resets;  // sessions we began, by the peer's index
  DeadlineHeap deadlines;
  Fifo<SessionId> dirty;
};

}  // namespace linnet::overlay
