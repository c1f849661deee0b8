#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "cli/conference_words.h"
#include "cli/grammar.h"
#include "node/io/near.h"

namespace linnet::cli {
namespace {

using io::Exit;
using io::trouble;

constexpr const char* kVersion = "linnet " LINNET_VERSION;

// The word that stands where the command belongs. `--home` takes a value.
const std::string* command_word(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--home")
      ++i;
    else if (arguments[i].empty() || arguments[i][0] != '-')
      return &arguments[i];
  }
  return nullptr;
}

// Everything CLI11 fills in; turned into a Verb afterwards.
struct Raw {
  std::string home;
  bool json = false;
  verb::Up up;
  std::vector<std::string> listen;
  std::string relay, lan;
  verb::Status status;
  verb::IdShow id_show;
  verb::IdNew id_new;
  verb::IdBackup backup;
  verb::IdRestore restore;
  verb::IdRevoke revoke;
  verb::Invite invite;
  verb::Accept accept;
  verb::ContactAdd add;
  verb::ContactList list;
  verb::ContactVerify verify;
  verb::ContactBlock block;
  verb::ContactForget forget;
  verb::ContactRequest request;
  verb::Call call;
  verb::Answer answer;
  std::optional<std::uint64_t> id;
  std::string on;
  std::string digits;
  verb::Who who;
  verb::RelayCredentials credentials;
  std::string life = "1h";
  verb::Ping ping;
  verb::Doctor doctor;
  verb::Log log;
  verb::Demo demo;
  verb::AudioSet audio_set;
  verb::AudioTest audio_test;
  verb::ConfigCheck check;
  verb::Completion completion;
};

class Grammar {
 public:
  Grammar() {
    app_.description(
        "Linnet: telephone calls without a server. People are name@domain and are found through the other nodes.");
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    app_.add_option("--home", raw_.home, "every file and socket of this node lies in DIR")
        ->type_name("DIR")
        ->envname("LINNET_HOME");
    app_.add_flag("--json", raw_.json, "lines of JSON on stdout");
    app_.set_version_flag("--version", "linnet " LINNET_VERSION);
    node_commands();
    call_commands();
    conference_.add(app_);
    people_commands();
    other_commands();
  }

  io::Outcome<Invocation> parse(std::vector<std::string> arguments) {
    help_first(arguments);
    if (auto known = check_command(arguments); !known) return tl::unexpected(known.error());
    asked_json_ = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      app_.parse(arguments);
    } catch (const CLI::CallForHelp&) {
      return print("help", app_.help());  // of the chosen command
    } catch (const CLI::CallForVersion&) {
      return print("version", kVersion);
    } catch (const CLI::ParseError& e) {
      return trouble(std::string(e.what()) + "\nSee: linnet " + path(chosen(app_)) + "--help", Exit::usage);
    }
    return take();
  }

  std::vector<CommandInfo> describe() const {
    std::vector<CommandInfo> out;
    describe(app_, "", out);
    return out;
  }

 private:
  void node_commands() {
    auto* up = app_.add_subcommand("up", "start the node in the background; returns when it is listening");
    up->add_option("--listen", raw_.listen, "UDP address, may be given again (default: every address, port 4400)")
        ->type_name("ADDR:PORT")
        ->allow_extra_args(false);
    up->add_option("--bootstrap", raw_.up.bootstrap, "a node to join through, may be given again")
        ->type_name("ADDR:PORT")
        ->allow_extra_args(false);
    up->add_option("--relay", raw_.relay, "help others find and reach each other (auto: when this node is fit and one more is needed)")
        ->type_name("on|off|auto");
    up->add_option("--turn-user", raw_.up.turn_users, "serve TURN to this user of WebRTC or SIP, may be given again")
        ->type_name("NAME:PASSWORD")
        ->allow_extra_args(false);
    up->add_option("--turn-secret", raw_.up.turn_secret,
                   "serve TURN to who has a name and password made with it (linnet relay credentials)")
        ->type_name("SECRET");
    up->add_flag("--relay-allow-loopback", raw_.up.allow_loopback,
                 "let TURN users reach loopback addresses of this machine; for tests");
    up->add_option("--lan", raw_.lan, "look for nodes on the local network (on, off)")->type_name("on|off");
    up->add_flag("--auto-answer", raw_.up.auto_answer, "answer every call at once");
    up->add_flag("--low-delay", raw_.up.low_delay, "10 ms frames and a small jitter buffer, for good networks");
    up->add_option("--play", raw_.up.play, "speak this WAV file into calls")->type_name("F.wav");
    up->add_option("--record", raw_.up.record, "write what is heard; a second call writes F-2.wav")->type_name("F.wav");
    passphrase_file(up, raw_.up.passphrase_file);
    up->add_flag("--foreground", raw_.up.foreground, "stay, and log to stderr");
    app_.add_subcommand("down", "end the calls and stop the node");
    app_.add_subcommand("status", "how the node is, and its calls")
        ->add_flag("--watch", raw_.status.watch, "a line for every change");
    auto* id = app_.add_subcommand("id", "who this node is");
    id->require_subcommand(1);
    passphrase_file(id->add_subcommand("show", "address, key name and fingerprint"), raw_.id_show.passphrase_file);
    auto* fresh = id->add_subcommand("new", "make the keys of this node");
    fresh->add_option("ADDRESS", raw_.id_new.address, "name@domain (default: your user name at the key name)");
    fresh->add_flag("--passphrase", raw_.id_new.passphrase, "lock the key file; asked at the terminal");
    passphrase_file(fresh, raw_.id_new.passphrase_file);
    auto* backup = id->add_subcommand("backup", "who you are and whom you know, locked, for another device");
    backup->add_option("FILE", raw_.backup.file, "is made, and never written over")->required();
    passphrase_file(backup, raw_.backup.passphrase_file);
    backup->add_option("--key-passphrase-file", raw_.backup.key_passphrase_file, "of the key file, when that is locked")
        ->type_name("FILE");
    auto* restore = id->add_subcommand("restore", "become that person on this device, with keys of its own");
    restore->add_option("FILE", raw_.restore.file, "what id backup wrote")->required();
    restore->add_flag("--revoke", raw_.restore.revoke,
                      "the devices of before are lost: nobody shall take them for you");
    restore->add_flag("--passphrase", raw_.restore.lock, "lock the key file of this device with the same passphrase");
    passphrase_file(restore, raw_.restore.passphrase_file);
    passphrase_file(id->add_subcommand("revoke", "every other device of yours is void from now on"),
                    raw_.revoke.passphrase_file);
  }

  void people_commands() {
    auto* invite = app_.add_subcommand("invite", "a code for one person: whoever accepts it and you become contacts");
    invite->add_option("--days", raw_.invite.days, "how long it is good (default 7)")
        ->type_name("N")
        ->check(CLI::Range(1, 90));
    invite->add_flag("--qr", raw_.invite.qr, "show it as a QR code too");
    invite->add_option("--cancel", raw_.invite.cancel, "withdraw one (linnet contact ls --invitations)")
        ->type_name("ID");
    auto* accept = app_.add_subcommand("accept", "accept an invitation, and join through whom it names");
    accept->add_option("CODE", raw_.accept.code, "LINNET-..., or - for standard input")->required();
    accept->add_option("--name", raw_.accept.name, "what to call them (default: their own)")->type_name("NAME");
    auto* contact = app_.add_subcommand("contact", "the people you know");
    contact->require_subcommand(1);
    auto* add = contact->add_subcommand("add", "know somebody by name, or by key");
    add->add_option("WHO", raw_.add.who, "name@domain or a key name")->required();
    add->add_option("--key", raw_.add.key, "whose name it is, when several claim it")->type_name("KEYNAME");
    add->add_option("--name", raw_.add.name, "what to call them (default: their own)")->type_name("NAME");
    auto* list = contact->add_subcommand("ls", "everybody you know");
    list->add_flag("--requests", raw_.list.requests, "who called and waits for your word instead");
    list->add_flag("--invitations", raw_.list.invitations, "invitations you gave out instead");
    list->add_flag("--blocked", raw_.list.blocked, "only who is blocked");
    auto* verify = contact->add_subcommand("verify", "compare safety numbers, and keep the result");
    verify->add_option("WHO", raw_.verify.who, "a contact")->required();
    verify->add_flag("--new", raw_.verify.anew, "their key has changed: compare the new one");
    verify->add_option("--key", raw_.verify.key, "which new key, when there are several")->type_name("KEYNAME");
    verify->add_flag("--yes", raw_.verify.yes, "the numbers were compared and are the same");
    verify->add_flag("--no", raw_.verify.no, "take an earlier result back");
    verify->add_option("--number", raw_.verify.number, "what they read to you; compared here")->type_name("DIGITS");
    verify->add_flag("--qr", raw_.verify.qr, "show a QR code also where no terminal is");
    auto* block = contact->add_subcommand("block", "somebody whose calls are declined without ringing");
    block->add_option("WHO", raw_.block.who, "a contact, name@domain or a key name")->required();
    block->add_flag("--off", raw_.block.off, "take it back");
    auto* forget = contact->add_subcommand("forget", "drop a contact and the key known for the name");
    forget->add_option("WHO", raw_.forget.who, "a contact")->required();
    auto* yes = contact->add_subcommand("accept", "somebody who asked to call becomes a contact");
    yes->add_option("WHO", raw_.request.who, "name, name@domain or key name of the request")->required();
    yes->add_option("--name", raw_.request.name, "what to call them (default: their own)")->type_name("NAME");
    contact->add_subcommand("decline", "a request is dropped; they are not told")
        ->add_option("WHO", raw_.request.who, "name, name@domain or key name of the request")
        ->required();
  }

  static void passphrase_file(CLI::App* command, std::string& file) {
    command
        ->add_option("--passphrase-file", file, "its first line is the passphrase (else LINNET_PASSPHRASE, else asked)")
        ->type_name("FILE");
  }

  void call_commands() {
    auto* call = app_.add_subcommand("call", "call somebody, and stay until the call is over");
    call->add_option("WHO", raw_.call.who, "name@domain")->required()->check(named);
    files(call, raw_.call.play, raw_.call.record);
    call->add_option("--duration", raw_.call.duration, "hang up this long after the answer")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.0, 604800.0));
    call->add_flag("--require-direct", raw_.call.require_direct,
                   "hang up when the voice runs over a relay for five seconds (exit 8)");
    call->add_flag("--cold", raw_.call.cold, "forget cached records and sessions first");
    call->add_flag(
        "--explain", raw_.call.explain,
        "afterwards, how it came about: each step in milliseconds, what both sides tried, why it is relayed");
    auto* answer = app_.add_subcommand("answer", "answer the call that rings");
    files(answer, raw_.answer.play, raw_.answer.record);
    for (auto* command :
         {answer, app_.add_subcommand("hangup", "end, cancel or decline a call"),
          app_.add_subcommand("hold", "let a call wait"), app_.add_subcommand("mute", "say nothing into a call")}) {
      if (command->get_name() == "hold" || command->get_name() == "mute")
        command->add_option("on", raw_.on, "off takes it back")
            ->type_name("on|off")
            ->check(CLI::IsMember({"on", "off"}));
      command->add_option("--call", raw_.id, "the call's id, when there are several (linnet status)")->type_name("ID");
    }
    auto* dtmf = app_.add_subcommand("dtmf", "send digits into a call; linnet status shows those that came");
    dtmf->add_option("DIGITS", raw_.digits, "0-9 * # A-D")->required()->check([](const std::string& text) {
      const bool digits = !text.empty() && text.find_first_not_of("0123456789*#ABCDabcd") == std::string::npos;
      return digits ? std::string() : "digits are 0-9 * # A-D";
    });
    dtmf->add_option("--call", raw_.id, "the call's id, when there are several (linnet status)")->type_name("ID");
  }

  void other_commands() {
    app_.add_subcommand("who", "look a name up and say what is known")
        ->add_option("WHO", raw_.who.who, "name@domain")
        ->check(named)
        ->required();
    auto* ping =
        app_.add_subcommand("ping", "how long each way to somebody takes, and by what it goes; nothing rings there");
    ping->add_option("WHO", raw_.ping.who, "a contact or name@domain")->check(named)->required();
    ping->add_option("--count", raw_.ping.count, "how often, once a second (default 4)")
        ->type_name("N")
        ->check(CLI::Range(1U, 86'400U));
    app_.add_subcommand("netcheck", "what the network in front of this node does: NAT, UDP, TCP, clock");
    auto* doctor = app_.add_subcommand("doctor", "what is well and what is not, and the command that mends it");
    doctor->add_option("WHO", raw_.doctor.who, "why somebody can or cannot be reached (default: this node)")
        ->check(named);
    doctor->add_flag("--as-supernode", raw_.doctor.as_supernode, "what this machine would be good for as a supernode");
    app_.add_subcommand("log", "the calls that were")
        ->add_option("--rows", raw_.log.rows, "only the last ones")
        ->type_name("N");
    auto* demo = app_.add_subcommand("demo", "five nodes on this machine, real calls, and what was heard");
    demo->add_option("--out", raw_.demo.out, "where to write what bob heard (default bob.wav)")->type_name("F.wav");
    demo->add_option("--keep", raw_.demo.keep, "keep the nodes' homes and logs in DIR")->type_name("DIR");
    audio_commands();
    relay_commands();
    auto* config = app_.add_subcommand("config", "the configuration file");
    config->require_subcommand(1);
    config->add_subcommand("check", "read it and say what is wrong")
        ->add_option("FILE", raw_.check.file, "default: the home's config.toml");
    app_.add_subcommand("completion", "what a shell needs to complete commands, options and people")
        ->add_option("SHELL", raw_.completion.shell, "bash, zsh or fish; names prints the people this node knows")
        ->type_name("bash|zsh|fish|names")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish", "names"}));
    app_.add_subcommand("version", "which Linnet this is");
  }

  void relay_commands() {
    auto* relay = app_.add_subcommand("relay", "what this node does for others");
    relay->require_subcommand(1);
    relay->add_subcommand("status", "what it does for others, or what it lacks for that");
    relay->add_subcommand("on", "serve others from now on, until it is started anew (for good: relay.mode)");
    relay->add_subcommand("off", "serve nobody any more; who is served is handed over first");
    relay->add_subcommand("auto", "serve others when this node is fit and one more is needed");
    auto* credentials =
        relay->add_subcommand("credentials", "a name and password of a short life for a TURN client of WebRTC or SIP");
    credentials->add_option("NAME", raw_.credentials.name, "whose quota it counts into (default: nobody else's)")
        ->check([](const std::string& name) {
          return io::fits_turn_name(name) ? std::string() : "at most 128 bytes, without spaces";
        });
    credentials->add_option("--for", raw_.life, "how long it is good: 90s, 10m, 12h or 7d (default 1h)")
        ->type_name("TIME");
  }

  void audio_commands() {
    auto* audio = app_.add_subcommand("audio", "microphone and loudspeaker");
    audio->require_subcommand(1);
    audio->add_subcommand("ls", "the devices of this machine; * is used for calls");
    auto* set = audio->add_subcommand("set", "use this device for calls from now on");
    set->add_option("DEVICE", raw_.audio_set.device, "its number or name (linnet audio ls), or default")->required();
    set->add_flag("--microphone", raw_.audio_set.microphone, "to speak into only");
    set->add_flag("--loudspeaker", raw_.audio_set.loudspeaker, "to hear with only");
    audio->add_subcommand("test", "play a tone, listen for it, record a sentence and play it back")
        ->add_flag("--quick", raw_.audio_test.quick, "without the sentence");
    audio->add_subcommand("status", "the devices of the running calls, and what became of their echo");
  }

  static void files(CLI::App* command, std::string& play, std::string& record) {
    command->add_option("--play", play, "speak this WAV file, then silence")->type_name("F.wav");
    command->add_option("--record", record, "write what is heard")->type_name("F.wav");
  }

  // A script's variable that is not set.
  static std::string named(const std::string& who) { return who.empty() ? "nobody is named" : ""; }

  static const CLI::App* chosen(const CLI::App& app) {
    const auto subs = app.get_subcommands();
    return subs.empty() ? &app : chosen(*subs.front());
  }
  static std::string path(const CLI::App* app) {
    return app->get_parent() == nullptr ? "" : path(app->get_parent()) + app->get_name() + " ";
  }

  io::Outcome<Invocation> print(std::string what, std::string text) {
    return Invocation{raw_.home, asked_json_, verb::Print{std::move(what), std::move(text)}};
  }

  // `linnet help call` is what people type.
  static void help_first(std::vector<std::string>& arguments) {
    const auto* word = command_word(arguments);
    if (word == nullptr || *word != "help") return;
    arguments.erase(arguments.begin() + (word - arguments.data()));
    arguments.push_back("--help");
  }

  io::Done check_command(const std::vector<std::string>& arguments) const {
    const auto* word = command_word(arguments);
    if (word == nullptr) return {};
    std::vector<std::string> names;
    for (const auto* sub : app_.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
    if (std::find(names.begin(), names.end(), *word) != names.end()) return {};
    std::string text = "Unknown command \"" + *word + "\".";
    const std::vector<std::string_view> known(names.begin(), names.end());
    if (const auto close = io::nearest(*word, known); !close.empty())
      text += " Did you mean \"" + std::string(close) + "\"?";
    else
      text += " See: linnet --help";
    return trouble(std::move(text), Exit::usage);
  }

  // CLI11 writes what a value is checked against behind its name.
  static std::string value_of(const std::string& type) {
    const auto colon = type.find(':');
    const bool own = colon == std::string::npos || type == "ADDR:PORT" || type == "NAME:PASSWORD";
    return own ? type : type.substr(0, colon);
  }

  static void describe(const CLI::App& app, const std::string& name, std::vector<CommandInfo>& out) {
    const auto subs = app.get_subcommands([](const CLI::App*) { return true; });
    CommandInfo info{name, app.get_description(), !name.empty() && !subs.empty(), {}};
    for (const auto* option : app.get_options()) {
      OptionInfo o;
      if (!option->get_positional())
        for (const auto& n : option->get_lnames()) o.names.push_back("--" + n);
      if (option->get_positional() || option->get_items_expected_max() > 0) o.value = value_of(option->get_type_name());
      if (option->get_positional() && o.value.find('|') == std::string::npos) o.value = option->get_name(true);
      o.help = option->get_description();
      o.required = option->get_required();
      info.options.push_back(std::move(o));
    }
    out.push_back(std::move(info));
    for (const auto* sub : subs) describe(*sub, (name.empty() ? "" : name + " ") + sub->get_name(), out);
  }

  io::Outcome<Invocation> take() {
    if (app_.get_option("--home")->count() > 0 && raw_.home.empty())  // a script's variable that is not set
      return trouble("--home: the folder has no name", Exit::usage);
    if (app_.get_subcommands().empty()) return print("help", app_.help());
    auto verb = verb_of(path(chosen(app_)));
    if (!verb) return tl::unexpected(verb.error());
    return Invocation{raw_.home, raw_.json, std::move(*verb)};
  }

  io::Outcome<Verb> verb_of(const std::string& name) {
    if (auto conference = conference_.verb_of(name)) return std::move(*conference);
    if (name == "up ") return up();
    if (name == "down ") return Verb(verb::Down{});
    if (name == "status ") return Verb(raw_.status);
    if (name == "id show ") return Verb(raw_.id_show);
    if (name == "id backup ") return Verb(raw_.backup);
    if (name == "id restore ") return Verb(raw_.restore);
    if (name == "id revoke ") return Verb(raw_.revoke);
    if (name == "invite ") return Verb(raw_.invite);
    if (name == "accept ") return Verb(raw_.accept);
    if (name == "contact add ") return Verb(raw_.add);
    if (name == "contact ls ") return Verb(raw_.list);
    if (name == "contact verify ") return Verb(raw_.verify);
    if (name == "contact block ") return Verb(raw_.block);
    if (name == "contact forget ") return Verb(raw_.forget);
    if (name == "contact accept ") return Verb(raw_.request);
    if (name == "contact decline ") return Verb(verb::ContactRequest{raw_.request.who, false, {}});
    if (name == "id new ") return Verb(raw_.id_new);
    if (name == "call ") return Verb(raw_.call);
    if (name == "answer ") return Verb(verb::Answer{raw_.id, raw_.answer.play, raw_.answer.record});
    if (name == "hangup ") return Verb(verb::Hangup{raw_.id});
    if (name == "hold ") return Verb(verb::Hold{raw_.id, raw_.on == "off"});
    if (name == "mute ") return Verb(verb::Mute{raw_.id, raw_.on == "off"});
    if (name == "dtmf ") return Verb(verb::Dtmf{raw_.id, raw_.digits});
    if (name == "who ") return Verb(raw_.who);
    if (name == "ping ") return Verb(raw_.ping);
    if (name == "relay credentials ") return credentials();
    if (name == "relay status ") return Verb(verb::RelayStatus{});
    if (name == "relay on ") return Verb(verb::RelayMode{io::RelayMode::on});
    if (name == "relay off ") return Verb(verb::RelayMode{io::RelayMode::off});
    if (name == "relay auto ") return Verb(verb::RelayMode{io::RelayMode::automatic});
    if (name == "netcheck ") return Verb(verb::Netcheck{});
    if (name == "doctor ") return doctor();
    if (name == "log ") return Verb(raw_.log);
    if (name == "demo ") return Verb(raw_.demo);
    if (name == "audio ls ") return Verb(verb::AudioList{});
    if (name == "audio set ") return Verb(raw_.audio_set);
    if (name == "audio test ") return Verb(raw_.audio_test);
    if (name == "audio status ") return Verb(verb::AudioStatus{});
    if (name == "config check ") return Verb(raw_.check);
    if (name == "completion ") return Verb(raw_.completion);
    return Verb(verb::Print{"version", kVersion});
  }

  io::Outcome<Verb> credentials() {
    const auto life = io::parse_life(raw_.life);
    if (!life) return trouble("--for: " + life.error().text, Exit::usage);
    raw_.credentials.life = *life;
    return Verb(raw_.credentials);
  }

  io::Outcome<Verb> doctor() {
    if (raw_.doctor.as_supernode && !raw_.doctor.who.empty())
      return trouble("doctor: either WHO or --as-supernode", Exit::usage);
    return Verb(raw_.doctor);
  }

  io::Outcome<Verb> up() {
    const auto wrong = [](const char* flag, const io::Trouble& why) {
      return trouble(std::string(flag) + ": " + why.text, Exit::usage);
    };
    for (const auto& text : raw_.listen) {
      const auto endpoint = io::parse_listen(text);
      if (!endpoint) return wrong("--listen", endpoint.error());
      raw_.up.listen.push_back(*endpoint);
    }
    for (const auto& text : raw_.up.bootstrap)
      if (const auto name = io::parse_bootstrap(text); !name) return wrong("--bootstrap", name.error());
    if (!raw_.relay.empty()) {
      const auto mode = io::parse_relay(raw_.relay);
      if (!mode) return wrong("--relay", mode.error());
      raw_.up.relay = *mode;
    }
    for (const auto& text : raw_.up.turn_users)
      if (const auto user = io::parse_turn_user(text); !user) return wrong("--turn-user", user.error());
    if (!raw_.up.turn_secret.empty())
      if (const auto good = io::parse_turn_secret(raw_.up.turn_secret); !good)
        return wrong("--turn-secret", good.error());
    if (!raw_.lan.empty()) {
      const auto on = io::parse_switch(raw_.lan);
      if (!on) return wrong("--lan", on.error());
      raw_.up.lan = *on;
    }
    return Verb(raw_.up);
  }

  Raw raw_;
  ConferenceWords conference_;
  bool asked_json_ = false;  // also where CLI11 stops early
  CLI::App app_{"", "linnet"};
};

}  // namespace

io::Outcome<Invocation> parse_arguments(std::vector<std::string> arguments) {
  return Grammar().parse(std::move(arguments));
}

std::vector<CommandInfo> grammar() { return Grammar().describe(); }

}  // namespace linnet::cli
