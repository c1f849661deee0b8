#include "town.h"

#include <algorithm>
#include <cmath>

namespace linnet::node {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(10);
constexpr std::size_t kTickSamples = 480;
constexpr std::int64_t kEpoch = 1'700'000'000;

Wall wall_at(Time now) {
  return Wall{kEpoch + std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count()};
}

Endpoint endpoint(std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  Endpoint out;
  out.ip = IpAddress::v4(198, b, c, d);
  out.port = 4400;
  return out;
}

}  // namespace

Town::Town(const crypto::Suite& suite, std::uint64_t seed) : suite_(suite), rng_(seed) {}

crypto::Identity Town::identity(const std::string& address) {
  return crypto::make_identity(suite_, rng_, *crypto::Address::parse(address), wall_at(now_));
}

crypto::Identity Town::another_device_of(const Resident& person) {
  auto out = crypto::make_identity(suite_, rng_, person.node->identity().address, wall_at(now_));
  out.account = person.node->identity().account;
  crypto::renew_certificate(suite_, out, wall_at(now_));
  return out;
}

Resident& Town::place(std::vector<std::unique_ptr<Resident>>& where, crypto::Identity identity, Endpoint where_at,
                      NodeConfig config, Memory memory) {
  auto person = std::make_unique<Resident>();
  person->name = identity.address.text();
  person->endpoint = where_at;
  const auto seed = rng_.u64();
  if (next_rng) {
    person->rng = next_rng(seed);
  } else {
    person->rng = std::make_unique<SeededRng>(seed);
  }
  config.peer.network = crypto::network_id("town");
  config.peer.listen = {where_at};
  person->config = std::move(config);
  person->disk_full = disks_full;
  person->clock_off_s = clocks_off_s;
  person->suite = next_suite != nullptr ? next_suite : &suite_;
  auto& out = *person;
  where.push_back(std::move(person));
  raise(out, std::move(identity), {}, std::move(memory));
  return out;
}

void Town::raise(Resident& person, crypto::Identity identity, overlay::HostCache cache, Memory memory) {
  person.node = std::make_unique<Node>(person.config, *person.suite, *person.rng, std::move(identity), std::move(cache),
                                       std::move(memory));
  person.node->start(now_, Wall{linnet::seconds(wall_at(now_)) + person.clock_off_s});
  drain(person);
}

void Town::restart(Resident& person) {
  const auto identity = person.node->identity();
  const auto cache = person.node->host_cache();
  auto memory = person.node->memory();
  memory.rooms = person.node->kept_rooms();
  if (const auto* saved = person.last<event::SaveSequence>()) person.config.peer.first_sequence = saved->below;
  person.sounding.clear();
  person.next_sound = kNever;
  raise(person, identity, cache, memory);
}

void Town::build(int n) {
  for (int i = 0; i < n; ++i) {
    NodeConfig config;
    config.peer.role = overlay::Role::supernode;
    for (const auto& other : supernodes) config.peer.bootstrap.push_back(other->endpoint);
    place(supernodes, identity("node" + std::to_string(i) + "@town.example"),
          endpoint(51, static_cast<std::uint8_t>(i + 1), 1), std::move(config), {});
    run_for(std::chrono::milliseconds(200));
  }
}

Resident& Town::add(const std::string& address, const std::function<void(NodeConfig&)>& tweak, Memory memory) {
  return add(identity(address), tweak, std::move(memory));
}

Resident& Town::add(crypto::Identity who, const std::function<void(NodeConfig&)>& tweak, Memory memory) {
  NodeConfig config;
  for (const auto& supernode : supernodes) config.peer.bootstrap.push_back(supernode->endpoint);
  if (tweak) tweak(config);
  const auto place_nr = static_cast<std::uint8_t>(people.size() + 1);
  return place(people, std::move(who), endpoint(52, place_nr, 7), std::move(config), std::move(memory));
}

std::vector<Resident*> Town::everybody() {
  std::vector<Resident*> out;
  for (auto* group : {&supernodes, &people}) {
    for (auto& person : *group) {
      if (person->alive) out.push_back(person.get());
    }
  }
  return out;
}

Resident* Town::at(const Endpoint& where) {
  for (auto* person : everybody()) {
    if (person->endpoint == where) return person;
  }
  return nullptr;
}

Resident& Town::add_on_cable(const std::string& address, std::uint8_t nr) {
  auto at = *Endpoint::parse("[fe80::1%7]:4400");
  at.ip.bytes[15] = nr;
  NodeConfig config;
  config.peer.port = 4400;
  config.peer.lan = overlay::LanMode::serve;
  return place(people, identity(address), at, std::move(config), {});
}

void Town::hears(Resident& who, const Resident& of) {
  const auto text = of.node->peer().lan_text();
  if (text) who.node->handle_neighbour(now_, {*text, {of.endpoint}});
  drain(who);
}

CommandId Town::tell(Resident& person, const Command& command) {
  const CommandId id{++person.last_command};
  person.node->command(now_, id, command);
  drain(person);
  return id;
}

CommandId Town::call(Resident& from, const std::string& whom, std::optional<Duration> length) {
  command::Call call;
  call.who = whom;
  call.duration = length;
  return tell(from, call);
}

void Town::drain(Resident& person) {
  for (bool moved = true; moved;) {
    moved = false;
    while (auto transmit = person.node->poll_transmit()) {
      moved = true;
      flows.insert({person.endpoint, transmit->to});
      if (leaving && leaving(person, transmit->to, transmit->bytes)) continue;
      if (blocked.count({person.endpoint, transmit->to}) != 0) continue;
      if (loss > 0 && rng_.unit() < loss) continue;
      if (meddle && meddle(person.endpoint, transmit->to, transmit->bytes)) continue;
      send(person.endpoint, transmit->to, std::move(transmit->bytes));
    }
    while (auto shot = searching ? person.node->poll_fan() : std::nullopt) searching(person, std::move(*shot));
    while (auto event = person.node->poll_event()) {
      moved = true;
      on_event(person, *event);
      person.events.push_back(std::move(*event));
    }
  }
}

void Town::on_event(Resident& person, const Event& event) {
  if (const auto* start = std::get_if<event::AudioStart>(&event)) {
    person.sounding.push_back(start->call);
    person.sounded.push_back(start->call);
    if (person.next_sound == kNever) person.next_sound = now_;
  } else if (const auto* stop = std::get_if<event::AudioStop>(&event)) {
    std::erase(person.sounding, stop->call);
    if (person.sounding.empty()) person.next_sound = kNever;
  } else if (const auto* used = std::get_if<event::SaveSequence>(&event)) {
    if (!person.disk_full) person.node->sequence_stored(now_, used->below);
  } else if (const auto* fan = std::get_if<event::OpenFan>(&event)) {
    if (searching) person.node->fan_opened(now_, fan->sockets);
  } else if (const auto* ring = std::get_if<event::IncomingCall>(&event)) {
    if (person.answers) person.node->command(now_, CommandId{++person.last_command}, command::Answer{ring->call});
  }
}

void Town::sound(Resident& person) {
  std::vector<std::int16_t> samples(kTickSamples);
  for (const auto call : person.sounding) {
    const auto from = person.node->play(now_, call, samples);
    if (from < samples.size())
      person.heard.insert(person.heard.end(), samples.begin() + static_cast<std::ptrdiff_t>(from), samples.end());
    for (auto& sample : samples)
      sample = person.said < person.says.size() ? person.says[person.said++] : std::int16_t{0};
    person.node->capture(now_, call, samples);
    if (person.encoding_takes) person.node->capture_took(call, *person.encoding_takes, samples.size());
  }
  person.next_sound = now_ + kTick;
}

bool Town::run_until(const std::function<bool()>& done, Duration limit) {
  const auto end = now_ + limit;
  for (;;) {
    if (done()) return true;
    Time next = std::min(end, next_wall_);
    if (!packets_.empty()) next = std::min(next, packets_.begin()->first.first);
    for (const auto* person : everybody()) next = std::min({next, person->node->next_timeout(), person->next_sound});
    now_ = std::max(now_, next);
    if (now_ >= end) return done();
    if (now_ >= next_wall_) {
      next_wall_ = now_ + std::chrono::seconds(1);
      for (auto* person : everybody()) {
        person->node->handle_wall(now_, Wall{linnet::seconds(wall_at(now_)) + person->clock_off_s});
        drain(*person);
      }
    }
    while (!packets_.empty() && packets_.begin()->first.first <= now_) {
      auto packet = std::move(packets_.begin()->second);
      packets_.erase(packets_.begin());
      if (auto* person = at(packet.to)) {
        if (delivered) delivered(*person, packet.from, packet.bytes);
        person->node->handle_datagram(now_, Datagram{packet.from, packet.bytes});
        drain(*person);
      } else if (to_nobody) {
        to_nobody(packet.from, packet.to, packet.bytes);
      }
    }
    for (auto* person : everybody()) {
      if (person->node->next_timeout() <= now_) {
        const auto frames = person->node->conference_frames();
        person->node->handle_timeout(now_);
        drain(*person);
        if (person->mixing_takes && person->node->conference_frames() != frames)
          person->node->conference_took(now_, *person->mixing_takes);
      }
      if (person->next_sound <= now_) {
        sound(*person);
        drain(*person);
      }
    }
  }
}

bool Town::all_online(Duration limit) {
  return run_until(
      [this] {
        const auto all = everybody();
        return std::all_of(all.begin(), all.end(),
                           [](const Resident* p) { return p->node->peer().state() == overlay::State::online; });
      },
      limit);
}

std::vector<std::int16_t> tone(double hz, Duration length) {
  std::vector<std::int16_t> out(static_cast<std::size_t>(length.count()) * 48 / 1000);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::int16_t>(8000 * std::sin(2 * 3.14159265358979 * hz * static_cast<double>(i) / 48000));
  return out;
}

double share_of(double hz, const std::vector<std::int16_t>& samples) {
  // Goertzel over windows of 20 ms, so that a shift by the jitter buffer does not matter.
  constexpr std::size_t kWindow = 960;
  double total = 0, at_hz = 0;
  for (std::size_t begin = 0; begin + kWindow <= samples.size(); begin += kWindow) {
    double re = 0, im = 0;
    for (std::size_t i = 0; i < kWindow; ++i) {
      const double s = samples[begin + i];
      const double phase = 2 * 3.14159265358979 * hz * static_cast<double>(i) / 48000;
      re += s * std::cos(phase);
      im += s * std::sin(phase);
      total += s * s;
    }
    at_hz += 2 * (re * re + im * im) / kWindow;
  }
  return total == 0 ? 0 : at_hz / total;
}

}  // namespace linnet::node
