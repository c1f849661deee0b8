#include "cli/people.h"

#include <algorithm>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "cli/qr.h"
#include "crypto/safety_number.h"
#include "node/day.h"
#include "node/io/clock.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"
#include "node/io/terminal.h"

namespace linnet::cli {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr Duration kPeopleAnswer = std::chrono::seconds(20);

std::string day(const Ordered& unix_seconds) {
  if (!unix_seconds.is_number()) return "?";
  const std::time_t t = unix_seconds.get<std::int64_t>();
  std::tm local{};
  localtime_r(&t, &local);
  char out[32];
  std::strftime(out, sizeof out, "%Y-%m-%d", &local);
  return out;
}

std::string words_at(const Ordered& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

struct Answer {
  Ordered reply;
  std::string line;  // as the daemon wrote it
  io::Trouble trouble{{}, io::Exit::ok};
};

io::Outcome<Answer> ask(const Context& context, Ordered request) {
  request["cmd"] = "people";
  const auto line = io::ask(context.home, request.dump(), kPeopleAnswer);
  if (!line) return tl::unexpected(line.error());
  const Ordered json = Ordered::parse(*line, nullptr, false);
  if (!json.is_object()) return io::trouble("The daemon's answer cannot be read.");
  Answer out;
  out.trouble.exit = static_cast<io::Exit>(json.value("exit", 0));
  if (out.trouble.exit != io::Exit::ok) out.trouble.text = json.value("error", std::string("Failed."));
  out.reply = json.value("reply", Ordered());
  if (!out.reply.is_object()) {
    if (out.trouble.exit == io::Exit::ok) return io::trouble("The daemon's answer cannot be read.");
    return tl::unexpected(out.trouble);
  }
  out.line = io::line_of(out.reply);
  return out;
}

// Prints the sentence, or the object, and returns the exit code.
int finish(const Context& context, const Answer& answer) {
  if (answer.trouble.exit != io::Exit::ok) return fail(answer.trouble);
  say(context.json ? answer.line : words_at(answer.reply, "text"));
  return 0;
}

int simple(const Context& context, Ordered request) {
  const auto answer = ask(context, std::move(request));
  if (!answer) return fail(answer.error());
  return finish(context, *answer);
}

void show_qr(const std::string& text) {
  if (const auto code = qr(text)) {
    say(*code);
  } else {
    talk("It does not fit into a QR code.");
  }
}

std::string all_of_stdin() {
  std::string out;
  for (std::string line; out.size() < 8192 && std::getline(std::cin, line);) out += line;
  return out;
}

void print_contact(const Ordered& c) {
  std::string out = words_at(c, "name");
  if (out.empty()) out = "-";
  out += "  " + words_at(c, "address");
  if (c.value("blocked", false)) out += "  BLOCKED";
  out += c["verified"].is_number() ? "  verified " + day(c["verified"])
                                   : "  " + words_at(c, "source") + " " + day(c["since"]);
  if (const auto& seen = c["last_seen"]; seen.is_number()) {
    const auto when = node::ago(Wall{seen.get<std::int64_t>()}, io::wall());
    if (!when.empty()) out += "  seen " + when;
  }
  say(out);
}

void print_request(const Ordered& r) {
  say(words_at(r, "address") + "  " + std::to_string(r.value("times", 0)) + " calls, last " + day(r["last"]));
  say("  key name     " + words_at(r, "key_name"));
  say("  fingerprint  " + words_at(r, "fingerprint"));
}

void print_invitation(const Ordered& i) {
  say(words_at(i, "id") + "  " + words_at(i, "state") + "  until " + day(i["expires"]));
}

void print_number(const std::string& number) {
  // Three lines of four groups: as two people read it to each other.
  for (int row = 0; row < 3; ++row) say("  " + number.substr(static_cast<std::size_t>(row) * 24, 23));
}

bool agrees() {
  std::cout << "Do both of you see the same number? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// What the person says about the number: nothing when they were only shown it.
io::Outcome<std::optional<bool>> judged(const Context& context, const verb::ContactVerify& o,
                                        const std::string& number) {
  if (o.yes) return std::optional(true);
  if (!o.number.empty()) {
    const auto typed = crypto::safety_digits(o.number);
    if (typed.empty()) return io::trouble("A safety number has 60 digits.", io::Exit::usage);
    return std::optional(typed == crypto::safety_digits(number));
  }
  if (context.json || !io::on_terminal()) return std::optional<bool>();
  return std::optional(agrees());
}

}  // namespace

int invite(const Context& context, const verb::Invite& options) {
  if (!options.cancel.empty()) return simple(context, Ordered{{"ask", "cancel"}, {"id", options.cancel}});
  const auto answer =
      ask(context, Ordered{{"ask", "invite"}, {"seconds", static_cast<std::int64_t>(options.days) * 86400}});
  if (!answer) return fail(answer.error());
  if (context.json || answer->trouble.exit != io::Exit::ok) return finish(context, *answer);
  const auto code = words_at(answer->reply, "code");
  say(code);
  if (options.qr) show_qr(code);
  talk("Give this to one person, until " + day(answer->reply["expires"]) + ". They type: linnet accept CODE");
  if (const auto remark = words_at(answer->reply, "text"); !remark.empty()) talk(remark);
  return 0;
}

int accept(const Context& context, const verb::Accept& options) {
  const auto code = options.code == "-" ? all_of_stdin() : options.code;
  return simple(context, Ordered{{"ask", "accept"}, {"code", code}, {"name", options.name}});
}

int contact_add(const Context& context, const verb::ContactAdd& o) {
  return simple(context, Ordered{{"ask", "add"}, {"who", o.who}, {"key", o.key}, {"name", o.name}});
}

int contact_block(const Context& context, const verb::ContactBlock& o) {
  return simple(context, Ordered{{"ask", "block"}, {"who", o.who}, {"on", !o.off}});
}

int contact_forget(const Context& context, const verb::ContactForget& o) {
  return simple(context, Ordered{{"ask", "forget"}, {"who", o.who}});
}

int contact_request(const Context& context, const verb::ContactRequest& o) {
  return simple(context, Ordered{{"ask", "request"}, {"who", o.who}, {"accept", o.accept}, {"name", o.name}});
}

int contact_list(const Context& context, const verb::ContactList& options) {
  auto client = io::Client::connect(context.home);
  if (!client) return fail(client.error());
  const char* list = options.requests ? "requests" : options.invitations ? "invitations" : "contacts";
  if (auto sent = client->send(Ordered{{"cmd", "contacts"}, {"list", list}}.dump()); !sent) return fail(sent.error());
  bool any = false;
  while (true) {
    const auto line = client->line(kPeopleAnswer);
    if (!line) return fail(line.error());
    if (!*line) return fail({"The daemon went away.", io::Exit::no_daemon});
    const Ordered json = Ordered::parse(**line, nullptr, false);
    if (!json.is_object()) return fail({"The daemon's answer cannot be read."});
    if (json.value("exit", 0) != 0)
      return fail({json.value("error", std::string("Failed.")), static_cast<io::Exit>(json.value("exit", 1))});
    if (!json.contains("row")) break;
    const auto& row = json["row"];
    if (options.blocked && !row.value("blocked", false)) continue;
    any = true;
    if (context.json)
      cli::row(io::line_of(row));
    else if (options.requests)
      print_request(row);
    else if (options.invitations)
      print_invitation(row);
    else
      print_contact(row);
  }
  if (!any && !context.json)
    talk(options.requests      ? "Nobody asks."
         : options.invitations ? "No invitations."
                               : "No contacts yet. Make one: linnet invite");
  return 0;
}

int contact_verify(const Context& context, const verb::ContactVerify& o) {
  Ordered request{{"ask", "verify"}, {"who", o.who}, {"new", o.anew}, {"key", o.key}};
  if (o.no) request["withdraw"] = true;
  const auto shown = ask(context, request);
  if (!shown) return fail(shown.error());
  if (o.no || shown->trouble.exit != io::Exit::ok) return finish(context, *shown);
  const auto number = words_at(shown->reply, "safety_number");
  if (!context.json) {
    say("Read these numbers to each other, in person or by a voice you know:");
    print_number(number);
    if (io::on_terminal() || o.qr) show_qr(crypto::safety_digits(number));
  }
  const auto same = judged(context, o, number);
  if (!same) return fail(same.error());
  if (!*same) {
    if (context.json) say(shown->line);
    return 0;
  }
  if (!**same)
    return fail({"THE NUMBERS DIFFER: somebody may stand between you. Nothing was verified.", io::Exit::identity});
  request["confirm"] = true;
  if (o.anew) request["key"] = words_at(shown->reply, "key_name");
  return simple(context, std::move(request));
}

}  // namespace linnet::cli
