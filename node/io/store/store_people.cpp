// Contacts, pins, invitations and requests in the store.
#include "node/io/store/statement.h"
#include "node/io/store/store.h"

namespace linnet::io {
namespace {

template <std::size_t N>
bool taken(ByteView from, ByteArray<N>& to) {
  if (from.size() != N) return false;
  std::memcpy(to.data(), from.data(), N);
  return true;
}

bool taken(const std::string& from, crypto::Address& to) {
  const auto address = crypto::Address::parse(from);
  if (address) to = *address;
  return address.has_value();
}

bool read_pins(sqlite3* db, node::Memory& out) {
  Statement s(db, "SELECT address, key FROM pins");
  while (s.row()) {
    crypto::Address address;
    node::PersonKey key;
    if (!taken(s.text(0), address) || !taken(s.blob(1), key.bytes)) return false;
    out.pins.emplace(address, key);
  }
  return s.finished();
}

bool read_contacts(sqlite3* db, node::Memory& out) {
  Statement s(
      db, "SELECT key, key_name, address, name, account, source, since, verified, blocked, epoch, heard FROM contacts");
  while (s.row()) {
    node::Contact c;
    if (!taken(s.blob(0), c.key.bytes) || !taken(s.text(1), c.key_name) || !taken(s.text(2), c.address)) return false;
    c.name = s.text(3);
    if (!s.null(4) && !taken(s.blob(4), c.account.emplace().bytes)) return false;
    const auto source = s.integer(5);
    const auto epoch = s.integer(9);
    if (source < 0 || source > 3 || epoch < 0 || epoch > crypto::kLastEpoch) return false;
    c.source = static_cast<node::Source>(source);
    c.since = Wall{s.integer(6)};
    if (!s.null(7)) c.verified = Wall{s.integer(7)};
    c.blocked = s.integer(8) != 0;
    c.epoch = static_cast<std::uint32_t>(epoch);
    if (!s.null(10)) c.heard = Wall{s.integer(10)};
    out.contacts.emplace(c.key, std::move(c));
  }
  return s.finished();
}

bool read_invitations(sqlite3* db, node::Memory& out) {
  Statement s(db, "SELECT id, made, expires, used_by FROM invitations ORDER BY made");
  while (s.row()) {
    node::StoredInvitation i;
    if (!taken(s.blob(0), i.id) || (!s.null(3) && !taken(s.blob(3), i.used_by.emplace().bytes))) return false;
    i.made = Wall{s.integer(1)};
    i.expires = Wall{s.integer(2)};
    out.invitations.push_back(i);
  }
  if (!s.finished()) return false;
  Statement t(db, "SELECT inviter, secret, expires FROM acceptances");
  while (t.row()) {
    node::Acceptance a;
    if (!taken(t.blob(0), a.inviter.bytes) || !taken(t.blob(1), a.secret)) return false;
    a.expires = Wall{t.integer(2)};
    out.acceptances.push_back(a);
  }
  return t.finished();
}

bool read_requests(sqlite3* db, node::Memory& out) {
  Statement s(db, "SELECT key, key_name, address, first, last, times FROM requests ORDER BY first");
  while (s.row()) {
    node::Request r;
    if (!taken(s.blob(0), r.key.bytes) || !taken(s.text(1), r.key_name) || !taken(s.text(2), r.address)) return false;
    r.first = Wall{s.integer(3)};
    r.last = Wall{s.integer(4)};
    r.times = static_cast<std::uint32_t>(s.integer(5));
    out.requests.push_back(std::move(r));
  }
  return s.finished();
}

bool read_rooms(sqlite3* db, node::Memory& out) {
  Statement s(db, "SELECT address, certificate, founded FROM rooms ORDER BY address");
  while (s.row()) {
    node::StoredRoom room;
    Reader in(s.blob(1));
    const auto certificate = crypto::read_device_certificate(in);
    if (!taken(s.text(0), room.address) || !certificate || !in.done()) return false;
    room.certificate = *certificate;
    room.founded = s.integer(2) != 0;
    Statement keepers(db, "SELECT key FROM keepers WHERE address=?1");
    keepers.bind(1, std::string_view(room.address.text()));
    while (keepers.row()) {
      node::PersonKey key;
      if (!taken(keepers.blob(0), key.bytes)) return false;
      room.keepers.insert(key);
    }
    if (!keepers.finished()) return false;
    out.rooms.push_back(std::move(room));
  }
  return s.finished();
}

struct Writing {
  sqlite3* db;

  bool operator()(const node::Contact& c) const {
    Statement s(db,
                "INSERT INTO contacts(key, key_name, address, name, account, source, since, verified, blocked, epoch,"
                " heard) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT(key) DO UPDATE SET"
                " key_name=excluded.key_name, address=excluded.address, name=excluded.name, account=excluded.account,"
                " source=excluded.source, since=excluded.since, verified=excluded.verified, blocked=excluded.blocked,"
                " epoch=excluded.epoch, heard=excluded.heard");
    s.bind(1, ByteView(c.key)).bind(2, std::string_view(c.key_name.text())).bind(3, std::string_view(c.address.text()));
    s.bind(4, std::string_view(c.name));
    if (c.account) s.bind(5, ByteView(*c.account));
    s.bind(6, static_cast<std::int64_t>(c.source)).bind(7, seconds(c.since));
    s.bind(8, c.verified ? std::optional(seconds(*c.verified)) : std::nullopt).bind(9, std::int64_t{c.blocked});
    s.bind(11, c.heard ? std::optional(seconds(*c.heard)) : std::nullopt);
    return s.bind(10, static_cast<std::int64_t>(c.epoch)).done();
  }
  bool operator()(const node::DropContact& d) const { return drop("DELETE FROM contacts WHERE key=?1", d.key); }
  bool operator()(const node::Pin& p) const {
    Statement s(db, "INSERT INTO pins(address, key) VALUES(?1, ?2) ON CONFLICT(address) DO NOTHING");
    return s.bind(1, std::string_view(p.address.text())).bind(2, ByteView(p.key)).done();
  }
  bool operator()(const node::Unpin& u) const {
    Statement s(db, "DELETE FROM pins WHERE address=?1");
    return s.bind(1, std::string_view(u.address.text())).done();
  }
  bool operator()(const node::StoredInvitation& i) const {
    Statement s(db, "INSERT OR REPLACE INTO invitations(id, made, expires, used_by) VALUES(?1, ?2, ?3, ?4)");
    s.bind(1, ByteView(i.id)).bind(2, seconds(i.made)).bind(3, seconds(i.expires));
    if (i.used_by) s.bind(4, ByteView(*i.used_by));
    return s.done();
  }
  bool operator()(const node::DropInvitation& d) const { return drop("DELETE FROM invitations WHERE id=?1", d.id); }
  bool operator()(const node::Acceptance& a) const {
    Statement s(db, "INSERT OR REPLACE INTO acceptances(inviter, secret, expires) VALUES(?1, ?2, ?3)");
    return s.bind(1, ByteView(a.inviter)).bind(2, ByteView(a.secret)).bind(3, seconds(a.expires)).done();
  }
  bool operator()(const node::DropAcceptance& d) const {
    return drop("DELETE FROM acceptances WHERE inviter=?1", d.inviter);
  }
  bool operator()(const node::Request& r) const {
    Statement s(db,
                "INSERT OR REPLACE INTO requests(key, key_name, address, first, last, times)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    s.bind(1, ByteView(r.key)).bind(2, std::string_view(r.key_name.text())).bind(3, std::string_view(r.address.text()));
    return s.bind(4, seconds(r.first)).bind(5, seconds(r.last)).bind(6, std::int64_t{r.times}).done();
  }
  bool operator()(const node::StoredRoom& r) const {
    const std::string_view address = r.address.text();
    Writer certificate;
    crypto::write(certificate, r.certificate);
    Statement s(db, "INSERT OR REPLACE INTO rooms(address, certificate, founded) VALUES(?1, ?2, ?3)");
    if (!s.bind(1, address).bind(2, certificate.written()).bind(3, std::int64_t{r.founded}).done()) return false;
    if (!without_keepers(address)) return false;
    for (const auto& keeper : r.keepers) {
      Statement k(db, "INSERT INTO keepers(address, key) VALUES(?1, ?2)");
      if (!k.bind(1, address).bind(2, ByteView(keeper)).done()) return false;
    }
    return true;
  }
  bool operator()(const node::DropRoom& d) const {
    const std::string_view address = d.address.text();
    return without_keepers(address) && Statement(db, "DELETE FROM rooms WHERE address=?1").bind(1, address).done();
  }
  bool operator()(const node::DropRequest& d) const { return drop("DELETE FROM requests WHERE key=?1", d.key); }

 private:
  bool without_keepers(std::string_view address) const {
    return Statement(db, "DELETE FROM keepers WHERE address=?1").bind(1, address).done();
  }
  bool drop(const char* sql, ByteView key) const { return Statement(db, sql).bind(1, key).done(); }
};

}  // namespace

Outcome<node::Memory> Store::memory() {
  node::Memory out;
  auto* db = db_.get();
  if (!read_pins(db, out) || !read_contacts(db, out) || !read_invitations(db, out) || !read_requests(db, out) ||
      !read_rooms(db, out))
    return damaged_store(name_, "a person that cannot be read");
  return out;
}

Done Store::save_people(const std::vector<node::Change>& changes) {
  auto* db = db_.get();
  bool good = run(db, "BEGIN IMMEDIATE");
  for (const auto& change : changes) good = good && std::visit(Writing{db}, change);
  if (good && run(db, "COMMIT")) return {};
  auto why = failed("save a contact");
  run(db, "ROLLBACK");
  return why;
}

}  // namespace linnet::io
