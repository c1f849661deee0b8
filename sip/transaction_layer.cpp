#include "sip/transaction_layer.h"

namespace linnet::sip {
namespace {

std::string peer_prefix(const PeerId& peer) { return std::string(text(peer.bytes)); }

std::string client_key(const PeerId& peer, std::string_view branch, std::string_view method) {
  return peer_prefix(peer).append(branch).append("\n").append(method);
}

// Section 17.2.3. `method` is INVITE for an ACK or CANCEL that is to find its INVITE. Without a unique branch the rule
// of RFC 2543 holds: Request-URI, tags, Call-ID, CSeq number and topmost Via.
std::string server_key(const PeerId& peer, const MessageView& m, std::string_view method) {
  auto out = peer_prefix(peer);
  if (m.via.unique_branch())
    out.append(m.via.branch).append("\n").append(m.via.host).append(":").append(std::to_string(m.via.port));
  else
    out.append(m.uri_text)
        .append("\n")
        .append(m.from.tag)
        .append("\n")
        .append(m.call_id)
        .append("\n")
        .append(std::to_string(m.cseq.number))
        .append("\n")
        .append(m.value(HeaderId::via));
  return out.append("\n").append(method);
}

template <class Variant>
Time next_of(const Variant& machine) {
  return std::visit([](const auto& m) { return m.next(); }, machine);
}
template <class Variant>
bool over(const Variant& machine) {
  return std::visit([](const auto& m) { return m.terminated(); }, machine);
}

// Section 17.1.1.3.
Bytes ack_for(const Message& invite, const MessageView& response) {
  Message ack;
  ack.method = "ACK";
  ack.uri = invite.uri;
  for (const auto& h : invite.headers) {
    if (h.name == "CSeq") ack.add(HeaderId::cseq, h.value.substr(0, h.value.find(' ')) + " ACK");
    if (h.name == "To") ack.add(HeaderId::to, unfolded(response.value(HeaderId::to)));
    if (h.name == "Via" || h.name == "From" || h.name == "Call-ID" || h.name == "Max-Forwards" || h.name == "Route")
      ack.headers.push_back(h);
  }
  return serialise(ack);
}

}  // namespace

Message response_to(const MessageView& request) {
  Message out;
  for (const auto& f : request.fields) {
    switch (f.id) {
      case HeaderId::via:
      case HeaderId::from:
      case HeaderId::to:
      case HeaderId::call_id:
      case HeaderId::cseq:
      case HeaderId::record_route:
      case HeaderId::timestamp: break;
      default: continue;
    }
    out.add(f.id, unfolded(f.value));
  }
  return out;
}

TransactionLayer::TransactionLayer(const Config& config, Rng& rng)
    : config_(config), rng_(rng), outgoing_(config.limits.outgoing) {}

std::string TransactionLayer::new_branch() { return std::string(kMagicCookie).append(to_hex(rng_.array<12>())); }

std::string TransactionLayer::via(std::string_view branch) const {
  return std::string("SIP/2.0/LINNET ").append(config_.local_uri.host).append(";branch=").append(branch);
}

bool TransactionLayer::has_room(const PeerId& peer) {
  reap();
  if (size() >= config_.limits.transactions) return false;
  const auto it = per_peer_.find(peer);
  return it == per_peer_.end() || it->second < config_.limits.transactions_per_peer;
}

void TransactionLayer::count(const PeerId& peer, int delta) {
  auto& n = per_peer_[peer];
  n += static_cast<std::size_t>(delta);
  if (n == 0) per_peer_.erase(peer);
}

Result<TransactionId> TransactionLayer::request(Time now, const PeerId& peer, Purpose purpose, CallId call,
                                                Message message, bool reliable, std::string_view branch) {
  if (!has_room(peer)) {
    ++refused_;
    return fail(Fault::full);
  }
  const auto own_branch = branch.empty() ? new_branch() : std::string(branch);
  message.headers.insert(message.headers.begin(), {"Via", via(own_branch)});
  const bool is_invite = message.method == "INVITE";
  using Machine = std::variant<InviteClient, NonInviteClient>;
  const TransactionId id{++last_id_};
  ClientTransaction t{peer,
                      purpose,
                      call,
                      client_key(peer, own_branch, message.method),
                      std::move(message),
                      {},
                      {},
                      is_invite ? Machine(InviteClient(config_.timers, reliable, now))
                                : Machine(NonInviteClient(config_.timers, reliable, now))};
  t.bytes = serialise(t.request);
  send(peer, t.bytes);
  client_index_[t.key] = id;
  clients_.emplace(id, std::move(t));
  count(peer, 1);
  return id;
}

Result<TransactionId> TransactionLayer::accept_request(Time now, const PeerId& peer, const MessageView& request,
                                                       bool reliable) {
  if (!has_room(peer)) {
    ++refused_;
    return fail(Fault::full);
  }
  using Machine = std::variant<InviteServer, NonInviteServer>;
  const TransactionId id{++last_id_};
  ServerTransaction t{peer,
                      {},
                      server_key(peer, request, request.method_text),
                      request.cseq.number,
                      response_to(request),
                      {},
                      request.method == Method::invite ? Machine(InviteServer(config_.timers, reliable, now))
                                                       : Machine(NonInviteServer(config_.timers, reliable))};
  server_index_[t.key] = id;
  servers_.emplace(id, std::move(t));
  count(peer, 1);
  return id;
}

void TransactionLayer::respond(Time now, TransactionId id, const Message& message) {
  auto* t = server(id);
  if (t == nullptr || over(t->machine)) return;
  t->last_response = serialise(message);
  send(t->peer, t->last_response);
  std::visit([&](auto& m) { m.on_send(now, message.status); }, t->machine);
  note_end(id, *t);
}

void TransactionLayer::send(const PeerId& peer, Bytes bytes) {
  if (!outgoing_.push({peer, std::move(bytes)})) ++refused_;
}

const ClientTransaction* TransactionLayer::on_response(Time now, const PeerId& peer, const MessageView& response) {
  reap();
  const auto it = client_index_.find(client_key(peer, response.via.branch, response.cseq.method_text));
  if (it == client_index_.end()) return nullptr;
  auto& t = clients_.at(it->second);
  const auto step = std::visit([&](auto& m) { return m.on_response(now, response.status); }, t.machine);
  if (step.ack) {
    if (t.ack.empty()) t.ack = ack_for(t.request, response);
    send(peer, t.ack);
  }
  note_end(it->second, t);
  return step.deliver ? &t : nullptr;
}

bool TransactionLayer::on_request(Time now, const PeerId& peer, const MessageView& request) {
  reap();
  const bool is_ack = request.method == Method::ack;
  const auto it = server_index_.find(server_key(peer, request, is_ack ? "INVITE" : request.method_text));
  if (it == server_index_.end()) return false;
  auto& t = servers_.at(it->second);
  if (is_ack) {
    auto* invite = std::get_if<InviteServer>(&t.machine);
    if (invite == nullptr || invite->on_ack(now).deliver) return false;
    note_end(it->second, t);
    return true;
  }
  const auto step = std::visit([&](auto& m) { return m.on_request(now); }, t.machine);
  if (step.resend) {
    ++retransmissions_;
    send(peer, t.last_response);
  }
  return true;
}

TransactionId TransactionLayer::cancelled_by(const PeerId& peer, const MessageView& cancel) const {
  const auto it = server_index_.find(server_key(peer, cancel, "INVITE"));
  return it == server_index_.end() ? kNoTransaction : it->second;
}

ServerTransaction* TransactionLayer::server(TransactionId id) {
  const auto it = servers_.find(id);
  return it == servers_.end() ? nullptr : &it->second;
}

const ClientTransaction* TransactionLayer::client(TransactionId id) const {
  const auto it = clients_.find(id);
  return it == clients_.end() ? nullptr : &it->second;
}

void TransactionLayer::drop_client(TransactionId id) {
  const auto it = clients_.find(id);
  if (it == clients_.end()) return;
  count(it->second.peer, -1);
  client_index_.erase(it->second.key);
  clients_.erase(it);
}

template <class Transaction>
void TransactionLayer::note_end(TransactionId id, const Transaction& t) {
  if (over(t.machine)) ended_.push_back(id);
}

void TransactionLayer::reap() {
  for (const auto id : ended_) {
    drop_client(id);
    const auto it = servers_.find(id);
    if (it == servers_.end()) continue;
    count(it->second.peer, -1);
    server_index_.erase(it->second.key);
    servers_.erase(it);
  }
  ended_.clear();
}

void TransactionLayer::repeat(const PeerId& peer, Purpose purpose) {
  reap();
  for (const auto& [id, t] : clients_) {
    if (t.peer != peer || t.purpose != purpose) continue;
    ++retransmissions_;
    send(peer, t.bytes);
  }
}

std::vector<NoAnswer> TransactionLayer::on_timeout(Time now) {
  reap();
  std::vector<NoAnswer> out;
  for (auto& [id, t] : clients_) {
    if (next_of(t.machine) > now) continue;
    const auto step = std::visit([&](auto& m) { return m.on_timeout(now); }, t.machine);
    if (step.resend) {
      ++retransmissions_;
      send(t.peer, t.bytes);
    }
    if (step.timed_out) out.push_back({t.purpose, t.call, t.peer});
    note_end(id, t);
  }
  for (auto& [id, t] : servers_) {
    if (next_of(t.machine) > now) continue;
    const auto step = std::visit([&](auto& m) { return m.on_timeout(now); }, t.machine);
    if (step.trying) {
      auto trying = t.answer;
      trying.status = 100;
      trying.reason = reason_phrase(100);
      t.last_response = serialise(trying);
      send(t.peer, t.last_response);
      std::visit([&](auto& m) { m.on_send(now, 100); }, t.machine);
    }
    if (step.resend) {
      ++retransmissions_;
      send(t.peer, t.last_response);
    }
    note_end(id, t);
  }
  reap();
  return out;
}

Time TransactionLayer::next_timeout() const {
  auto out = kNever;
  for (const auto& [id, t] : clients_) out = std::min(out, next_of(t.machine));
  for (const auto& [id, t] : servers_) out = std::min(out, next_of(t.machine));
  return out;
}

void TransactionLayer::forget(const PeerId& peer) {
  reap();
  const auto sweep = [&](auto& table, auto& index) {
    for (auto it = table.begin(); it != table.end();) {
      if (it->second.peer != peer) {
        ++it;
        continue;
      }
      index.erase(it->second.key);
      it = table.erase(it);
    }
  };
  sweep(clients_, client_index_);
  sweep(servers_, server_index_);
  per_peer_.erase(peer);
}

}  // namespace linnet::sip
