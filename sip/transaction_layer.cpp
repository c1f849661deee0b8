#include "sip/transaction_layer.h"

namespace linnet::sip {
namespace {

std::string client_key(const PeerId& peer, std::string_view branch, std::string_view method) {
  return std::string("c").append(text(peer.bytes)).append(branch).append("\n").append(method);
}

// Section 17.2.3. `method` is INVITE for an ACK or CANCEL that is to find its INVITE. Without a unique branch the rule
// of RFC 2543 holds: Request-URI, tags, Call-ID, CSeq number and topmost Via.
std::string server_key(const PeerId& peer, const MessageView& m, std::string_view method) {
  auto out = std::string("s").append(text(peer.bytes));
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
  return it == per_peer_.end() || it->second.size() < config_.limits.transactions_per_peer;
}

template <class Transaction>
void TransactionLayer::add(std::unordered_map<TransactionId, Transaction>& table, Transaction t) {
  index_[t.key] = t.id;
  per_peer_[t.peer].push_back(t.id);
  note(table.emplace(t.id, std::move(t)).first->second);
}

template <class Transaction>
bool TransactionLayer::remove(std::unordered_map<TransactionId, Transaction>& table, TransactionId id) {
  const auto it = table.find(id);
  if (it == table.end()) return false;
  const auto& t = it->second;
  due_.erase({t.due, id});
  // A second transaction of that key stands in the index by now.
  if (const auto at = index_.find(t.key); at != index_.end() && at->second == id) index_.erase(at);
  if (const auto of_peer = per_peer_.find(t.peer); of_peer != per_peer_.end()) {
    std::erase(of_peer->second, id);
    if (of_peer->second.empty()) per_peer_.erase(of_peer);
  }
  table.erase(it);
  return true;
}

template <class Transaction>
void TransactionLayer::note(Transaction& t) {
  const auto ended = over(t.machine);
  const auto next = ended ? kNever : next_of(t.machine);
  if (next != t.due) {
    due_.erase({t.due, t.id});
    t.due = next;
    if (next != kNever) due_.insert({next, t.id});
  }
  if (ended) ended_.push_back(t.id);
}

void TransactionLayer::reap() {
  for (const auto id : ended_)
    if (!remove(clients_, id)) remove(servers_, id);
  ended_.clear();
}

void TransactionLayer::drop_client(TransactionId id) {
  std::erase(ended_, id);
  remove(clients_, id);
}

void TransactionLayer::forget(const PeerId& peer) {
  reap();
  const auto it = per_peer_.find(peer);
  if (it == per_peer_.end()) return;
  const auto ids = it->second;
  for (const auto id : ids)
    if (!remove(clients_, id)) remove(servers_, id);
}

Result<TransactionId> TransactionLayer::request(Time now, const PeerId& peer, Purpose purpose, Owner owner,
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
  ClientTransaction t{id,
                      peer,
                      purpose,
                      owner.call,
                      owner.subscription,
                      client_key(peer, own_branch, message.method),
                      std::move(message),
                      {},
                      {},
                      is_invite ? Machine(InviteClient(config_.timers, reliable, now))
                                : Machine(NonInviteClient(config_.timers, reliable, now))};
  t.bytes = serialise(t.request);
  send(peer, t.bytes);
  add(clients_, std::move(t));
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
  add(servers_,
      ServerTransaction{id,
                        peer,
                        {},
                        server_key(peer, request, request.method_text),
                        request.cseq.number,
                        response_to(request),
                        {},
                        request.method == Method::invite ? Machine(InviteServer(config_.timers, reliable, now))
                                                         : Machine(NonInviteServer(config_.timers, reliable))});
  return id;
}

void TransactionLayer::respond(Time now, TransactionId id, const Message& message) {
  auto* t = server(id);
  if (t == nullptr || over(t->machine)) return;
  t->last_response = serialise(message);
  send(t->peer, t->last_response);
  std::visit([&](auto& m) { m.on_send(now, message.status); }, t->machine);
  note(*t);
}

void TransactionLayer::send(const PeerId& peer, Bytes bytes) {
  if (!outgoing_.push({peer, std::move(bytes)})) ++refused_;
}

void TransactionLayer::send_again(const PeerId& peer, const Bytes& bytes) {
  ++retransmissions_;
  send(peer, bytes);
}

std::optional<const ClientTransaction*> TransactionLayer::on_response(Time now, const PeerId& peer,
                                                                      const MessageView& response) {
  reap();
  const auto it = index_.find(client_key(peer, response.via.branch, response.cseq.method_text));
  if (it == index_.end()) return std::nullopt;
  auto& t = clients_.at(it->second);
  const auto step = std::visit([&](auto& m) { return m.on_response(now, response.status); }, t.machine);
  if (step.ack) {
    if (t.ack.empty()) t.ack = ack_for(t.request, response);
    send(peer, t.ack);
  }
  note(t);
  if (step.deliver && response.status >= 200)
    for (const auto& answer : t.answers)
      if (answer.tag == response.to.tag) {
        send_again(peer, answer.bytes);
        return nullptr;
      }
  return step.deliver ? &t : nullptr;
}

bool TransactionLayer::acknowledge(TransactionId invite, std::string_view tag, Bytes ack) {
  const auto it = clients_.find(invite);
  if (it == clients_.end() || it->second.answers.size() >= kMaxForks) return false;
  send(it->second.peer, ack);
  it->second.answers.push_back({std::string(tag), std::move(ack)});
  return true;
}

bool TransactionLayer::on_request(Time now, const PeerId& peer, const MessageView& request) {
  reap();
  const bool is_ack = request.method == Method::ack;
  const auto it = index_.find(server_key(peer, request, is_ack ? "INVITE" : request.method_text));
  if (it == index_.end()) return false;
  auto& t = servers_.at(it->second);
  if (is_ack) {
    auto* invite = std::get_if<InviteServer>(&t.machine);
    if (invite == nullptr || invite->on_ack(now).deliver) return false;
    note(t);
    return true;
  }
  const auto step = std::visit([&](auto& m) { return m.on_request(now); }, t.machine);
  if (step.resend) send_again(peer, t.last_response);
  return true;
}

TransactionId TransactionLayer::cancelled_by(const PeerId& peer, const MessageView& cancel) const {
  const auto it = index_.find(server_key(peer, cancel, "INVITE"));
  return it == index_.end() ? kNoTransaction : it->second;
}

ServerTransaction* TransactionLayer::server(TransactionId id) {
  const auto it = servers_.find(id);
  return it == servers_.end() ? nullptr : &it->second;
}

const ClientTransaction* TransactionLayer::client(TransactionId id) const {
  const auto it = clients_.find(id);
  return it == clients_.end() ? nullptr : &it->second;
}

void TransactionLayer::repeat(const PeerId& peer) {
  reap();
  const auto it = per_peer_.find(peer);
  if (it == per_peer_.end()) return;
  for (const auto id : it->second) {
    const auto* t = client(id);
    if (t == nullptr || !t->answers.empty() || !t->ack.empty()) continue;
    const auto method = t->request.method;
    if (method == "INVITE" || method == "CANCEL" || method == "BYE" || method == "SUBSCRIBE" || method == "NOTIFY")
      send_again(peer, t->bytes);
  }
}

void TransactionLayer::fire(Time now, ClientTransaction& t, std::vector<NoAnswer>& out) {
  const auto step = std::visit([&](auto& m) { return m.on_timeout(now); }, t.machine);
  if (step.resend) send_again(t.peer, t.bytes);
  if (step.timed_out) out.push_back({t.id, t.purpose, t.call, t.subscription, t.peer});
  note(t);
}

void TransactionLayer::fire(Time now, ServerTransaction& t) {
  const auto step = std::visit([&](auto& m) { return m.on_timeout(now); }, t.machine);
  if (step.trying) {
    auto trying = t.answer;
    trying.status = 100;
    trying.reason = reason_phrase(100);
    t.last_response = serialise(trying);
    send(t.peer, t.last_response);
    std::visit([&](auto& m) { m.on_send(now, 100); }, t.machine);
  }
  if (step.resend) send_again(t.peer, t.last_response);
  note(t);
}

std::vector<NoAnswer> TransactionLayer::on_timeout(Time now) {
  reap();
  std::vector<NoAnswer> out;
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto id = due_.begin()->second;
    if (const auto it = clients_.find(id); it != clients_.end())
      fire(now, it->second, out);
    else
      fire(now, servers_.at(id));
  }
  reap();
  return out;
}

}  // namespace linnet::sip
