// A program that does nothing but keep things, in the order a daemon does, and says after each that it is kept. Killed
// at every step by tests/scenario/faults_test.cpp: what it said must be found afterwards.
//   linnet_keeper HOME
#include <unistd.h>

#include <cstdio>
#include <string>

#include "node/io/clock.h"
#include "node/io/random.h"
#include "node/io/settings/home.h"
#include "node/io/store/hosts_file.h"
#include "node/io/store/key_file.h"
#include "node/io/store/store.h"

namespace {

using namespace linnet;

// Whatever is read here has been said.
void say(const std::string& what, const io::Done& done) {
  const std::string line = (done ? "kept " : "not kept ") + what + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(3);
}

node::Contact person(int n) {
  node::Contact out;
  out.key.bytes.fill(static_cast<std::uint8_t>(n + 1));
  out.key_name = crypto::Address::key_name("p" + std::to_string(n), out.key);
  out.address = *crypto::Address::parse("p" + std::to_string(n) + "@home.example");
  out.name = "p" + std::to_string(n);
  return out;
}

int keep(const io::Home& home) {
  if (auto made = io::make_home(home); !made) return 1;
  io::SystemRng rng;
  const io::AskPassphrase nobody = [] { return io::trouble("nobody to ask"); };
  auto there = io::load_identity_file(home.identity());
  if (!there) return 2;
  if (!*there) {
    const auto address = crypto::Address::parse("alice@home.example");
    const auto created = io::create_identity_file(home.identity(), rng, *address, "alice", io::wall());
    say("identity", created ? io::Done{} : tl::unexpected(created.error()));
    if (!created) return 2;
  }
  const auto key_file = io::KeyFile::load(home.identity(), nobody);
  if (!key_file || !*key_file) return 2;
  auto store = io::Store::open(home.store());
  if (!store) return 4;
  for (int i = 0; i < 4; ++i) {
    const auto n = std::to_string(i);
    say("pin " + n, store->save_people({node::Pin{person(i).address, person(i).key}}));
    say("contact " + n, store->save_people({person(i)}));
    say("sequence " + n, store->save_sequence(static_cast<std::uint64_t>(100 * (i + 1))));
    say("history " + n, store->add_history({Wall{i}, node::Direction::outgoing, "p" + n + "@home.example", "ended", "",
                                            "{\"n\":" + n + "}"}));
  }
  say("hosts", io::save_hosts(home.hosts(), {}));
  say("renewal", (*key_file)->first.save(rng, (*key_file)->second));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const auto home = io::find_home(argv[1]);
  return home ? keep(*home) : 64;
}
