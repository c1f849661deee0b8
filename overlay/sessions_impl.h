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

  std::uint32_t new_index();
  Outgoing* outgoing_by(std::uint32_t index);
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
  void on_early(const Path& path, const Result<DataHeader>& header, ByteView packet);
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
  // Whose packets carry an index.
  FlatMap<std::uint32_t, Session*> indexes;
  FlatMap<std::uint32_t, SessionId> opening;  // handshakes under way: in `outgoing`, or half open and without an id
  struct Begun {
    std::uint32_t remote_index;
    SessionId id;
  };
  std::vector<Begun> begun;  // sessions that we began: few, and looked through when somebody says that he forgot one
  DeadlineHeap deadlines;
  Fifo<SessionId> dirty;
};

}  // namespace linnet::overlay
