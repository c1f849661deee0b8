// `linnet id backup`, `restore` and `revoke`: one person, several devices, one after the other.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/keys.h"
#include "node/io/clock.h"
#include "node/io/control/control_client.h"
#include "node/io/random.h"
#include "node/io/store/passphrase.h"
#include "node/io/store/store.h"
#include "node/people_file.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

void report(const Context& context, const std::string& sentence) {
  say(context.json ? R"({"schema":1,"text":)" + json_text(sentence) + "}" : sentence);
}

// Contacts and pins of this home, as they are stored: a daemon may run meanwhile.
io::Outcome<Bytes> people_of(const Context& context) {
  if (!io::file_exists(context.home.store())) return node::write_people({});
  auto store = io::Store::open(context.home.store());
  if (!store) return tl::unexpected(store.error());
  const auto memory = store->memory();
  if (!memory) return tl::unexpected(memory.error());
  return node::write_people(*memory);
}

io::Outcome<io::HomeLock> lock_home(const Context& context) {
  auto taken = io::HomeLock::take(context.home);
  if (!taken) return tl::unexpected(taken.error());
  if (!*taken) return io::trouble("A daemon runs on " + context.home.data.string() + ". First: linnet down");
  return std::move(**taken);
}

}  // namespace

int id_backup(const Context& context, const verb::IdBackup& options) {
  if (io::file_exists(options.file))
    return fail({"There is a file already: " + options.file + ". It was left as it is."});
  const auto key = load_key(context, options.key_passphrase_file);
  if (!key) return fail(key.error());
  const auto people = people_of(context);
  if (!people) return fail(people.error());
  const auto passphrase = io::find_passphrase({options.passphrase_file, "Passphrase for the backup: ", true});
  if (!passphrase) return fail(passphrase.error());
  const auto& identity = key->second;
  crypto::Backup backup;
  backup.address = identity.address;
  backup.account = identity.account;
  backup.epoch = identity.certificate.epoch;
  backup.made = io::wall();
  backup.people = *people;
  io::SystemRng rng;
  if (auto written = io::write_backup_file(options.file, rng, backup, *passphrase); !written)
    return fail(written.error());
  report(context, "The backup of " + identity.address.text() + " is in " + options.file +
                      ". Whoever has it and its passphrase is you.");
  return 0;
}

int id_restore(const Context& context, const verb::IdRestore& options) {
  if (io::file_exists(context.home.identity()))
    return fail({"There is an identity already: " + context.home.identity().string() +
                 ". It was left as it is.\n  Restore into another home, or move it away."});
  const auto passphrase = io::find_passphrase({options.passphrase_file, "Passphrase of the backup: "});
  if (!passphrase) return fail(passphrase.error());
  const auto backup = io::read_backup_file(options.file, *passphrase);
  if (!backup) return fail(backup.error());
  const auto people = node::read_people(backup->people);
  if (!people)
    return fail(
        {"The people in " + options.file + " cannot be read (" + std::string(to_string(people.error())) + ")."});
  if (auto made = io::make_home(context.home); !made) return fail(made.error());
  const auto held = lock_home(context);
  if (!held) return fail(held.error());
  io::SystemRng rng;
  const auto& suite = crypto::shipped_suite();
  auto identity = crypto::restore_identity(suite, rng, backup->account, backup->address, backup->epoch, io::wall());
  if (options.revoke && !crypto::revoke_others(suite, identity, io::wall()))
    return fail({"There is no further revocation epoch."});
  // People first: once the key stands, the restoring is done.
  auto store = io::Store::open(context.home.store());
  if (!store) return fail(store.error());
  if (auto saved = store->save_people(*people); !saved) return fail(saved.error());
  const auto file =
      io::KeyFile::create(context.home.identity(), rng, identity, options.lock ? *passphrase : std::string());
  if (!file) return fail(file.error());
  print_identity(context, identity);
  return 0;
}

int id_revoke(const Context& context, const verb::IdRevoke& options) {
  if (const auto line = io::ask(context.home, R"({"cmd":"people","ask":"revoke"})", std::chrono::seconds(15)); line) {
    const Json answer = Json::parse(*line, nullptr, false);
    if (!answer.is_object()) return fail({"The daemon's answer cannot be read."});
    if (answer.value("exit", 0) != 0)
      return fail({answer.value("error", std::string("Failed.")), static_cast<io::Exit>(answer.value("exit", 1))});
    report(context, answer["reply"].value("text", std::string()));
    return 0;
  } else if (line.error().exit != io::Exit::no_daemon) {
    return fail(line.error());
  }
  auto key = load_key(context, options.passphrase_file);
  if (!key) return fail(key.error());
  const auto held = lock_home(context);
  if (!held) return fail(held.error());
  if (!crypto::revoke_others(crypto::shipped_suite(), key->second, io::wall()))
    return fail({"There is no further revocation epoch."});
  io::SystemRng rng;
  if (auto saved = key->first.save(rng, key->second); !saved) return fail(saved.error());
  report(context, "Every other device of " + key->second.address.text() + " is void (epoch " +
                      std::to_string(key->second.certificate.epoch) + "). It is told when this one is up.");
  return 0;
}

}  // namespace linnet::cli
