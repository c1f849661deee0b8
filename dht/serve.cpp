// The answering side.
#include "dht/core.h"

namespace linnet::dht {

std::vector<Contact> Dht::Impl::contacts_for(const Id& target, const Endpoint& listener) const {
  std::vector<Contact> out;
  out.reserve(kMaxContactsInAnswer);
  for (const auto handle : table.nearest(target, kMaxContactsInAnswer + 1)) {
    const auto& entry = table.book().at(handle);
    const auto& contact = entry.contact;
    if (entry.failures > 0) continue;  // whoever is told of it would ask it too
    if (same_place(contact.endpoint, listener) || !may_tell(contact.endpoint.ip, listener.ip)) continue;
    out.push_back(contact);
    if (out.size() == kMaxContactsInAnswer) break;
  }
  return out;
}

void Dht::Impl::serve(Time now, Incoming incoming) {
  const auto& request = incoming.request;
  // A stranger's word about himself: only if it comes from that address, and believed only after a ping of ours. The
  // port may be another: a router that opened one shows what leaves behind it elsewhere.
  if (auto sender = request.sender) {
    const bool here = sender->serves_its_link() && self.serves_its_link();
    if (here) sender->endpoint = incoming.from;
    if (sender->endpoint.ip == incoming.from.ip) learn(now, *sender, false);
  }
  Answer answer;
  switch (request.kind) {
    case Kind::ping: break;
    case Kind::find_node: answer.contacts = contacts_for(request.target, incoming.from); break;
    case Kind::find_record: {
      const auto time = wall_at(now);
      const auto held = time ? store.find(request.key.value_or(crypto::UserKey{request.target.bytes}), *time)
                             : std::vector<const SignedRecord*>{};
      if (request.skip < held.size()) {
        answer.record = held[request.skip]->wire;
        answer.more = request.skip + 1 < held.size();
      }
      if (request.skip == 0) answer.contacts = contacts_for(request.target, incoming.from);
      break;
    }
    case Kind::store:
      answer.status = store_for(now, request.record, incoming.from.ip);
      if (request.target != Id{}) answer.contacts = contacts_for(request.target, incoming.from);
      break;
  }
  answer.time = clock.own_at(now);
  rpc.answer(now, std::move(incoming), std::move(answer));
  ping_hints(now);
}

bool Dht::Impl::within(const Id& place, std::uint64_t reach) const {
  return (lead(place) ^ lead(self.position)) < reach && !table.mate_is_nearer(place);
}

bool Dht::Impl::belongs_here(const crypto::UserKey& user) const {
  const auto root = salted_root(user);
  if (table.self_among_nearest(id_of(user), 2 * config.replicas) ||
      table.self_among_nearest(root, 2 * config.salted_replicas)) {
    return true;
  }
  // Behind a crowd one is a holder as well; twice as far leaves room for two views of how large the network is.
  return within(id_of(user), 2 * reach_of_holders(false)) || within(root, 2 * reach_of_holders(true));
}

AnswerStatus Dht::Impl::store_for(Time now, ByteView wire, const IpAddress& writer) {
  auto record = read_record(suite, config.network, wire);
  if (!record) {
    ++counters.malformed;
    return AnswerStatus::invalid;
  }
  // Copies stay in the region of the key: twice the plan leaves room for two views of who is nearest.
  if (!belongs_here(record->user)) {
    ++counters.refused;
    return AnswerStatus::refused;
  }
  return keep(now, std::move(*record), writer);
}

AnswerStatus Dht::Impl::keep(Time now, SignedRecord record, const IpAddress& writer) {
  const auto time = wall_at(now);
  if (!time) return AnswerStatus::refused;  // without a clock nothing can be judged
  const Alarm alarm{record.user, record.device()};
  const auto account = record.account();
  const auto put = store.put(*time, std::move(record), writer);
  if (put) {
    if (*put == RecordStore::Put::same) return AnswerStatus::ok;
    ++counters.stored;
    const auto floor = config.report_floors ? store.floor(alarm.user, account, alarm.device) : std::nullopt;
    if (floor) events.push(FloorRaised{*floor});
    return AnswerStatus::ok;
  }
  ++counters.refused;
  switch (put.error()) {
    case Fault::expired: return AnswerStatus::expired;
    case Fault::replayed: return AnswerStatus::replayed;
    case Fault::mismatch: events.push(alarm); return AnswerStatus::conflict;
    default: return AnswerStatus::refused;
  }
}

}  // namespace linnet::dht
