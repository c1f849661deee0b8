// Commands that work on the home's files; no daemon is needed.
#include <cstdlib>

#include "cli/commands.h"
#include "cli/keys.h"
#include "node/io/clock.h"
#include "node/io/random.h"
#include "node/io/sound/sound_plan.h"
#include "node/io/store/key_file.h"
#include "node/io/store/passphrase.h"
#include "node/io/user.h"

namespace linnet::cli {
namespace {

io::Outcome<LoadedKey> load_key_from(const Context& context, const io::AskPassphrase& ask) {
  auto loaded = io::KeyFile::load(context.home.identity(), ask);
  if (!loaded) return tl::unexpected(loaded.error());
  if (!*loaded)
    return io::trouble("There is no identity yet. Make one: linnet id new name@domain", io::Exit::not_found);
  return std::move(**loaded);
}

}  // namespace

void print_identity(const Context& context, const crypto::Identity& identity) {
  const auto uri = identity.address.text();
  const auto key_name = identity.key_name().text();
  const auto fingerprint = crypto::fingerprint(identity.account_key());
  if (context.json) {
    say(R"({"schema":1,"uri":)" + json_text(uri) + R"(,"key_name":)" + json_text(key_name) + R"(,"fingerprint":)" +
        json_text(fingerprint) + "}");
    return;
  }
  say(uri);
  say("  key name     " + key_name);
  say("  fingerprint  " + fingerprint);
}

io::Outcome<LoadedKey> load_key(const Context& context, const std::string& passphrase_file) {
  return load_key_from(context, [&] {
    return io::find_passphrase(
        {passphrase_file, "Passphrase of " + context.home.identity().filename().string() + ": "});
  });
}

int id_show(const Context& context, const verb::IdShow& options) {
  const auto loaded = load_key(context, options.passphrase_file);
  if (!loaded) return fail(loaded.error());
  print_identity(context, loaded->second);
  return 0;
}

int id_new(const Context& context, const verb::IdNew& options) {
  crypto::Address address;
  if (!options.address.empty()) {
    const auto parsed = crypto::Address::parse(options.address);
    if (!parsed)
      return fail({"\"" + options.address + "\" is not an address. Give name@domain, as in alice@home.example",
                   io::Exit::usage});
    if (parsed->is_key_name())
      return fail({"A key name follows from the key. For one of your own: linnet id new", io::Exit::usage});
    address = *parsed;
  }
  if (auto made = io::make_home(context.home); !made) return fail(made.error());
  std::string passphrase;
  if (options.passphrase || !options.passphrase_file.empty()) {
    if (io::file_exists(context.home.identity()))
      return fail({"There is an identity already: " + context.home.identity().string() + ". It was left as it is."});
    auto given = io::find_passphrase({options.passphrase_file, "New passphrase: ", true});
    if (!given) return fail(given.error());
    passphrase = std::move(*given);
  }
  io::SystemRng rng;
  const auto identity =
      io::create_identity_file(context.home.identity(), rng, address, io::user_name(), io::wall(), passphrase);
  if (!identity) return fail(identity.error());
  print_identity(context, *identity);
  return 0;
}

int config_check(const Context& context, const verb::ConfigCheck& options) {
  io::Settings settings;
  const std::vector<std::filesystem::path> files =
      options.file.empty() ? context.home.configs : std::vector<std::filesystem::path>{options.file};
  bool any = false;
  for (const auto& file : files) any = any || io::file_exists(file);
  if (!any && !options.file.empty()) return fail({"There is no file " + options.file + "."});
  if (auto read = io::read_config_files(files, settings); !read) return fail(read.error());
  if (auto set = io::apply_environment([](const char* name) { return std::getenv(name); }, settings); !set)
    return fail(set.error());
  if (auto sound = io::make_plan(settings.sound, settings.play, settings.record); !sound) return fail(sound.error());
  if (context.json)
    say(R"({"schema":1,"ok":true})");
  else
    say(any ? "The configuration is good."
            : "There is no configuration file; the defaults are used (" + files.back().string() + ").");
  return 0;
}

}  // namespace linnet::cli
