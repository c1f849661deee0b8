// Writes the seeds whose octets nobody types by hand: fuzz_seeds tests/fuzz/corpus. Run again when a format changes;
// what it writes is the same each time.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/pack.h"
#include "crypto/room_key.h"
#include "dht/message.h"
#include "node/conference_leg.h"
#include "node/conference_message.h"
#include "node/room_book.h"
#include "overlay/control_message.h"
#include "overlay/handshake_packet.h"
#include "overlay/hello.h"
#include "overlay/host_cache.h"
#include "overlay/reset.h"

using namespace linnet;

namespace {

namespace fs = std::filesystem;

constexpr Wall kNow{1'800'000'000};
const auto kNetwork = crypto::network_id("linnet");
const auto& kSuite = crypto::typed_suite();

class Folder {
 public:
  Folder(const fs::path& corpus, const char* target) : path_(corpus / target) { fs::create_directories(path_); }

  void write(const std::string& name, ByteView bytes) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out) throw std::runtime_error("cannot write " + (path_ / name).string());
  }

 private:
  fs::path path_;
};

crypto::Identity identity(const char* name, std::uint64_t seed = 1) {
  SeededRng rng(seed);
  return crypto::make_identity(kSuite, rng, *crypto::Address::parse(name), kNow);
}

dht::Contact contact(const crypto::Identity& who, const IpAddress& ip) {
  dht::Contact out;
  out.endpoint = {ip, 4400, Transport::udp};
  out.device.bytes = who.device.public_key;
  out.session = who.session_key();
  out.signature = crypto::sign_session_key(kSuite, who.device, kNetwork, who.session_key());
  out.position = dht::position(ip, out.device);
  return out;
}

dht::RecordBody body(const crypto::Identity& who) {
  dht::RecordBody out;
  out.session = who.session_key();
  out.homes = {{{IpAddress::v4(192, 0, 2, 1), 4400, Transport::udp}, who.session_key(), 7},
               {{*IpAddress::parse("2001:db8::1"), 4400, Transport::tcp}, who.session_key(), 8}};
  return out;
}

dht::SignedRecord record(const crypto::Identity& who) {
  return dht::make_record(kSuite, who, kNetwork, who.address, body(who), 5, kNow, std::chrono::seconds(3600)).value();
}

void control_messages(const Folder& out) {
  using namespace overlay::control;
  const auto who = identity("a@b.example");
  const auto near = contact(who, IpAddress::v4(192, 0, 2, 1));
  const auto far = contact(who, *IpAddress::parse("2001:db8::1"));
  const dht::Id id{crypto::hash256({view("place")}).bytes};
  const PairNonce nonce{1, 2, 3};
  const std::pair<const char*, Message> all[] = {
      {"attach-place", Attach{id, std::nullopt}},
      {"attach-standby", Attach{id, std::chrono::seconds(30), 200}},
      {"serve", Serve{}},
      {"crowded", Crowded{}},
      {"handover", Handover{{near, far}}},
      {"attached-v6", Attached{9, far.endpoint}},
      {"attach-refused", AttachRefused{{near, far}}},
      {"detach", Detach{}},
      {"nodes", Nodes{1, {near, far}, Wall{1'800'000'000}}},
      {"nodes-none", Nodes{1, {}, std::nullopt}},
      {"find-records", FindRecords{1, crypto::user_key(who.address), std::nullopt}},
      {"find-records-share", FindRecords{1, crypto::user_key(who.address), std::nullopt, {2, 3}}},
      {"find-records-pinned", FindRecords{1, crypto::user_key(who.address), who.certificate.account}},
      {"records-two", Records{1, true, {record(who).wire, Bytes(3)}, 300}},
      {"publish", Publish{1, record(who).wire}},
      {"published", Published{1, 12}},
      {"circuit-open", CircuitOpen{nonce, 9, std::nullopt}},
      {"circuit-accept", CircuitAccept{nonce, 1ULL << 40}},
      {"circuit-ready", CircuitReady{nonce, 9}},
      {"circuit-offer", CircuitOffer{nonce, who.session_key()}},
      {"circuit-show", CircuitShow{99}},
      {"circuit-seen", CircuitSeen{99, {IpAddress::v4(192, 0, 2, 1), 4400, Transport::udp}}},
  };
  for (const auto& [name, message] : all) out.write(name, write(message));
  // One field wrong each: a length, a kind, a count, octets to spare.
  const auto wrong = [&](const char* name, std::uint64_t type, auto fields) {
    pack::Packer packed;
    fields(packed.map(3).key(0).uint(type));
    out.write(name, packed.take());
  };
  const Bytes brief(15);
  wrong("wrong-attach", 1, [&](auto& p) { p.key(1).bin(brief).key(2).uint(0); });
  wrong("wrong-attached", 2, [&](auto& p) { p.key(1).uint(9).key(2).bin(Bytes(9, 4)); });
  wrong("wrong-find-nodes", 5, [&](auto& p) { p.key(1).uint(1).key(2).bin(brief); });
  wrong("wrong-contact", 6, [&](auto& p) { p.key(1).uint(1).key(2).array(1).bin(brief); });
  wrong("wrong-contact-kind", 6, [&](auto& p) { p.key(1).uint(1).key(2).array(1).uint(5); });
  wrong("wrong-contact-longer", 6, [&](auto& p) {
    Writer w;
    dht::write(w, near);
    w.u8(0);
    p.key(1).uint(1).key(2).array(1).bin(w.written());
  });
  wrong("wrong-contacts", 6, [&](auto& p) {
    p.key(1).uint(1).key(2).array(17);
    for (int i = 0; i < 17; ++i) p.uint(1);
  });
  wrong("wrong-alternatives", 3, [&](auto& p) { p.key(1).array(1).uint(5).key(2).uint(1); });
  wrong("wrong-user", 7, [&](auto& p) { p.key(1).uint(1).key(2).bin(brief); });
  wrong("wrong-pinned", 7, [&](auto& p) { p.key(2).bin(Bytes(32)).key(3).bin(brief); });
  wrong("wrong-record", 8, [&](auto& p) { p.key(1).uint(1).key(3).array(1).uint(5); });
  wrong("wrong-records", 8, [&](auto& p) {
    p.key(1).uint(1).key(3).array(17);
    for (int i = 0; i < 17; ++i) p.bin(brief);
  });
  wrong("wrong-circuit-open", 11, [&](auto& p) { p.key(1).bin(brief).key(2).uint(1); });
  wrong("wrong-circuit", 12, [&](auto& p) { p.key(1).bin(Bytes(16)).key(2).uint(1ULL << 48); });
  wrong("wrong-circuit-closed", 15, [&](auto& p) { p.key(1).bin(brief).key(2).uint(1); });
  wrong("wrong-circuit-offer", 16, [&](auto& p) { p.key(1).bin(Bytes(16)).key(2).bin(brief); });
}

// Without their sums, which the target of the host cache adds; one as it is.
void host_caches(const Folder& out) {
  const auto who = identity("a@b.example");
  const auto at = [&](std::uint32_t n, const IpAddress& ip) {
    auto one = contact(who, ip);
    one.endpoint.port = static_cast<std::uint16_t>(4400 + n);
    one.device.bytes[0] ^= static_cast<std::uint8_t>(n);
    one.device.bytes[1] ^= static_cast<std::uint8_t>(n >> 8);
    one.position = dht::position(ip, one.device);
    return one;
  };
  const auto bare = [](const Bytes& file) { return ByteView(file).first(file.size() - 8); };
  const auto teller = IpAddress::v4(192, 0, 2, 9);
  overlay::HostCache cache;
  cache.key(overlay::HostCache::Secret{1});
  out.write("empty", bare(cache.save()));
  cache.succeeded(at(1, IpAddress::v4(198, 51, 100, 1)), overlay::Way::udp, kNow, std::chrono::milliseconds(20));
  cache.heard_of(at(2, *IpAddress::parse("2001:db8::1")), teller);
  cache.failed(at(1, IpAddress::v4(198, 51, 100, 1)).endpoint);
  const auto two = cache.save();
  out.write("two", bare(two));
  out.write("two-as-it-is", two);
  out.write("two-cut", bare(two).first(two.size() - 20));
  out.write("two-longer", two);  // the sum as content
  auto other = copy(bare(two));
  other[3] = '9';
  out.write("other-version", other);
  auto counted = copy(bare(two));
  counted[4 + 16] = 1;
  out.write("too-many", counted);
  const auto one = [](std::uint32_t magic, const dht::Contact& host, std::size_t behind) {
    Writer file;
    file.u32(magic).u16(1);
    dht::write(file, host);
    file.zeros(behind);
    return file.take();
  };
  constexpr std::uint32_t kFlat = 0x4c484332, kWayless = 0x4c484331;
  constexpr std::size_t kRest = 8 + 4 + 4 + 1;
  auto nearby = at(3, IpAddress::v4(10, 0, 0, 1));
  out.write("version-1", one(kWayless, nearby, kRest));
  nearby.endpoint.ip = *IpAddress::parse("fe80::1");
  out.write("link-local", one(kFlat, nearby, kRest + overlay::kWays * 8));
  for (std::uint32_t n = 0; n < 2 * overlay::HostCache::kCapacity; ++n)
    cache.heard_of(at(n + 10, IpAddress::v4(0x21336400U + (n << 16))), IpAddress::v4(0x21000001U + (n << 16)));
  for (std::uint32_t n = 0; n < 64; ++n)
    cache.succeeded(at(n + 1000, IpAddress::v4(0x22336400U + (n % 4 << 16) + n)), overlay::Way::udp, kNow,
                    std::chrono::milliseconds(20));
  out.write("full", bare(cache.save()));
}

// The corpus of the hello target: its peer is who it makes from the same seed.
void hellos(const Folder& out) {
  const auto who = identity("a@b.example");
  const auto self = contact(who, IpAddress::v4(192, 0, 2, 1));
  const auto with = [](Bytes bytes, std::size_t at) {
    bytes[at] ^= 1;
    return bytes;
  };
  const auto client = overlay::write_client_hello(kSuite, who, kNetwork, std::nullopt);
  const auto supernode = overlay::write_client_hello(kSuite, who, kNetwork, self);
  const auto person = overlay::write_person_hello(who.address, record(who));
  const auto greeting = overlay::write_greeting(self, Wall{1'800'000'000});
  out.write("client", client);
  out.write("supernode", supernode);
  out.write("person", person);
  out.write("greeting", greeting);
  auto proven = identity("a@b.example");
  proven.address = crypto::Address::key_name("a", proven.certificate.account);
  out.write("person-key-name", overlay::write_person_hello(proven.address, record(proven)));
  out.write("client-other-signature", with(client, client.size() - 1));
  out.write("client-cut", ByteView(client).first(client.size() - 1));
  out.write("client-longer", [&] {
    auto b = supernode;
    b.push_back(0);
    return b;
  }());
  out.write("supernode-other-session", with(supernode, supernode.size() - 70));
  out.write("supernode-cut", ByteView(supernode).first(supernode.size() - 1));
  out.write("person-other-name", with(person, 4));
  out.write("person-upper-case", [&] {
    auto b = person;
    b[3] = 'A';
    return b;
  }());
  out.write("person-long-name", Bytes{2, 0xff, 0xff, 'a'});
  out.write("person-cut-name", Bytes{2, 0, 9, 'a'});
  out.write("person-no-name", Bytes{2, 0, 1, '@'});
  out.write("person-cut", ByteView(person).first(person.size() - 1));
  out.write("person-other-time", with(person, 14 + 1 + 32 + 32 + crypto::kDeviceCertificateBytes + 8 + 3));
  out.write("greeting-longer", [&] {
    auto b = greeting;
    b.push_back(0);
    return b;
  }());
  out.write("greeting-cut", ByteView(greeting).first(greeting.size() - 1));
  out.write("greeting-other-session", with(greeting, greeting.size() - 78));
  out.write("greeting-other-device", with(greeting, 10));
  out.write("empty", {});
  out.write("unknown", Bytes{9});
}

// Steps of the session_handshake target.
void handshakes(const Folder& out) {
  enum Step : std::uint8_t { stranger, to_peer, from_peer, altered, lost, time, connect, peer_connects, forget, talk };
  const auto seed = [&](const std::string& name, std::uint8_t flags, std::initializer_list<std::uint8_t> steps) {
    Bytes bytes{flags};
    append(bytes, ByteView(steps.begin(), steps.size()));
    out.write(name, bytes);
  };
  constexpr std::uint8_t kPsks = 3, kLoaded = 4, kPeerLoaded = 8;
  for (const std::uint8_t known : {0, 1}) {
    const std::string to = known != 0 ? "known" : "unknown";
    seed("from-peer-" + to, 0,
         {peer_connects, known, from_peer, to_peer, from_peer, to_peer, talk, 5, from_peer, to_peer, from_peer});
    seed("from-peer-psk-" + to, kPsks,
         {peer_connects, known, from_peer, to_peer, from_peer, to_peer, talk, 5, from_peer});
    seed("from-peer-loaded-" + to, kLoaded,
         {peer_connects, known, from_peer, to_peer, from_peer, to_peer, from_peer, to_peer, talk, 9, from_peer});
    seed("to-peer-" + to, 0,
         {connect, known, to_peer, from_peer, to_peer, from_peer, to_peer, talk, 5, from_peer, to_peer});
    seed("to-peer-psk-" + to, kPsks, {connect, known, to_peer, from_peer, to_peer, from_peer});
    seed("to-peer-loaded-" + to, kPeerLoaded,
         {connect, known, to_peer, from_peer, to_peer, from_peer, to_peer, from_peer});
    seed("other-psk-" + to, 1, {connect, known, to_peer, peer_connects, known, from_peer, time, 10});
    seed("both-" + to, 0,
         {connect, known, peer_connects, known, from_peer, to_peer, to_peer, from_peer, from_peer, to_peer, from_peer});
    seed("by-tcp-" + to, 0,
         {connect, static_cast<std::uint8_t>(known + 2), time, 10, to_peer, from_peer, to_peer, from_peer});
    seed("to-itself-" + to, 0, {connect, static_cast<std::uint8_t>(known + 4), to_peer, from_peer, time, 20});
  }
  seed("given-up", 0, {connect, 1, lost, time, 20, lost, time, 100, lost, time, 255});
  seed("sent-again", 0,
       {peer_connects, 1, from_peer, lost, time, 10, from_peer, to_peer, from_peer, lost, time, 40, from_peer});
  seed("forgotten", 0, {connect, 1,   to_peer, from_peer, to_peer, from_peer, to_peer, forget,    time,    255,
                        time,    255, to_peer, from_peer, to_peer, from_peer, to_peer, from_peer, to_peer, from_peer});
  seed("cookie-altered", kPeerLoaded,
       {connect, 1, to_peer, altered, 0, 40, 1, time, 10, to_peer, from_peer, to_peer, from_peer});
  for (const std::uint8_t at : {0, 1, 4, 8, 40, 100}) {
    const auto n = std::to_string(at);
    seed("first-altered-" + n, 0, {peer_connects, 1, altered, 0, at, 3, to_peer, from_peer});
    seed("second-altered-" + n, 0, {connect, 1, to_peer, altered, 0, at, 3, to_peer, from_peer});
    seed("third-altered-" + n, 0, {peer_connects, 0, from_peer, to_peer, altered, 0, at, 3, to_peer});
    seed("frames-altered-" + n, 0,
         {peer_connects, 1, from_peer, to_peer, from_peer, to_peer, talk, 200, altered, 0, at, 3, to_peer});
  }
  const auto by_stranger = [&](const std::string& name, const Bytes& packet) {
    Writer w;
    w.u8(0).u8(stranger).u16(static_cast<std::uint16_t>(packet.size())).bytes(packet);
    w.u8(stranger).u16(static_cast<std::uint16_t>(packet.size())).bytes(packet);
    out.write(name, w.take());
  };
  for (const std::uint8_t type : {overlay::kMessage1, overlay::kMessage2, overlay::kMessage3})
    for (const std::uint8_t pattern : {0, 1, 3, 4}) {
      auto packet = overlay::start_handshake(type, static_cast<overlay::Pattern>(pattern), 1, 2);
      packet.resize(overlay::kMessage1Bytes, 7);
      by_stranger("stranger-" + std::to_string(type) + "-" + std::to_string(pattern), packet);
    }
  by_stranger("stranger-short", {overlay::kMessage1, 0, 1, 2});
  by_stranger("stranger-long", Bytes(2000, overlay::kMessage3));
  by_stranger("stranger-cookie", [] {
    Bytes b(overlay::kCookiePacketBytes);
    b[0] = overlay::kCookiePacket;
    return b;
  }());
  by_stranger("stranger-data", [] {
    Bytes b(60);
    b[0] = overlay::kDataPacket;
    return b;
  }());
  by_stranger("stranger-reset", [] {
    Bytes b(overlay::kResetBytes);
    b[0] = overlay::kCookiePacket;
    b[1] = overlay::kResetKind;
    return b;
  }());
}

// One that its own parser does not take is of an old layout, and worth nothing.
void write_message(const Folder& out, const std::string& name, const node::conference::Message& message) {
  const auto bytes = node::conference::write(message);
  if (!node::conference::read(bytes)) throw std::runtime_error("cannot read " + name);
  out.write(name, bytes);
}

void write_token(const Folder& out, const std::string& name, const node::ConferenceLeg& leg) {
  const auto token = node::to_token(leg);
  if (!node::conference_leg(token)) throw std::runtime_error("cannot read " + name);
  out.write(name, view(token));
}

node::conference::Roster roster_of_two(const node::conference::RoomId& room, bool keeps) {
  namespace conf = node::conference;
  conf::Roster out;
  out.head.room = room;
  out.head.name = "team";
  out.head.term = out.head.version = 1;
  std::uint64_t seed = 1;
  for (const auto* name : {"alice@a.example", "bob@b.example"}) {
    const auto who = identity(name, seed++);
    conf::Claim claim;
    claim.room = room;
    claim.address = who.address;
    claim.mixes = 100;
    claim.keeps = keeps;
    const auto made = conf::sign(kSuite, who, claim);
    out.members.insert_or_assign(made.claim.device(), conf::Member{made});
    out.head.mixer = out.head.founder = made.claim.device();
  }
  out.head.deputy = conf::deputy_of(out);
  return out;
}

void rosters(const Folder& out, const node::conference::RoomId& room) {
  namespace conf = node::conference;
  const auto roster = roster_of_two(room, false);
  const auto device = roster.head.mixer;
  write_message(out, "claim", roster.members.begin()->second.claim);
  write_message(out, "claim-keeps", roster_of_two(room, true).members.begin()->second.claim);
  auto news = conf::difference({}, roster);
  write_message(out, "roster", news);
  news.gone.push_back(device);
  news.base = 1;
  news.base_term = 1;
  write_message(out, "roster-changes", news);
  auto sections = roster;
  sections.head.sections = {device};
  sections.members.begin()->second = conf::thinned(sections.members.begin()->second);
  sections.members.begin()->second.section = 1;
  news = conf::difference({}, sections);
  write_message(out, "roster-sections", news);
  news.pages = 2;
  write_message(out, "roster-page", news);
  write_message(out, "introduce", conf::Introduce{roster.members.begin()->second.claim});
}

// Of a room with an address: what its founder gives a keeper, and what that one shows.
void keepers(const Folder& out) {
  namespace conf = node::conference;
  const auto founder = identity("alice@a.example", 1), keeper = identity("bob@b.example", 2);
  const auto address = *crypto::Address::parse("room@a.example");
  const auto pair = crypto::room_account(kSuite, founder.account, address);
  const auto certificate = crypto::certify(kSuite, pair, keeper.device_key(), 3, kNow);
  node::ConferenceLeg leg;
  leg.kind = node::ConferenceLeg::Kind::join;
  write_token(out, "token-join", leg);
  leg.room = node::room_number(certificate.account);
  write_token(out, "token-join-room", leg);
  leg.proof = node::proof_of(certificate);
  write_token(out, "token-join-keeper", leg);
  leg.kind = node::ConferenceLeg::Kind::mix;
  write_token(out, "token-mix", leg);
  leg.kind = node::ConferenceLeg::Kind::invite;
  write_token(out, "token-invite", leg);
  write_message(out, "certified", conf::Certified{leg.room, address, certificate});
}

void conferences(const Folder& out) {
  namespace conf = node::conference;
  conf::RoomId room;
  room.fill(5);
  const auto device = roster_of_two(room, false).head.mixer;
  rosters(out, room);
  keepers(out);
  write_message(out, "missed", conf::Missed{room, device, true});
  write_message(out, "passed", conf::Passed{room, device, 1, 2, conf::write(conf::Want{room}), {}});
  write_message(out, "want", conf::Want{room});
  write_message(out, "silent", conf::Silent{room, 1});
  write_message(out, "ready", conf::Ready{room, 1});
  write_message(out, "take", conf::Take{room, 2});
  write_message(out, "bring", conf::Bring{room, device, *crypto::Address::parse("carol@c.example")});
  write_message(out, "remove", conf::Remove{room, device});
  write_message(out, "lock", conf::Setting{room, conf::SettingKind::locked, true, {}});
  write_message(out, "mute", conf::Setting{room, conf::SettingKind::muted, true, device});
  write_message(out, "records", conf::Records{room, true});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds CORPUS\n";
    return 2;
  }
  const fs::path corpus = argv[1];
  control_messages({corpus, "control_message"});
  hellos({corpus, "hello"});
  handshakes({corpus, "session_handshake"});
  host_caches({corpus, "host_cache"});
  conferences({corpus, "conference_message"});
  return 0;
}
