// sip: a user agent and a peer that says anything, while the person does anything. The input is a list of steps, each
// ended by a line "%%": a message, in which "$T", "$I", "$V", "$S" and "$R" stand for the tag, Call-ID, Via, CSeq and
// RSeq of what the user agent sent last; or "! LETTERS", one command or clock step each. Whatever comes: what goes out
// is a message, each call ends once, tables stay bounded, and all is gone when the timers have run.
#include <map>

#include "base/rng.h"
#include "require.h"
#include "sip/core.h"
#include "sip/parser.h"

namespace {

using namespace linnet;
using namespace linnet::sip;
using linnet::fuzz::require;

const std::string kSdp = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\n";
constexpr std::size_t kMaxSteps = 64;

Config config() {
  Config out;
  out.local_uri = Uri::parse("bob@home.example").value();
  out.info_packages = {"dtmf"};
  out.info_types = {"application/dtmf-relay"};
  out.event_packages = {{"conference", {"application/conference-info+xml"}}};
  out.refers = true;
  out.replaces = true;
  return out;
}

class Play {
 public:
  explicit Play(bool reliable) : core_(config(), rng_) {
    require(core_.set_peer_reliable(peer_, reliable).has_value());
  }

  void step(std::string_view text) {
    if (text.starts_with("! ")) {
      for (char c : text.substr(2, kMaxSteps)) command(c);
      return;
    }
    const auto message = filled(text);
    core_.handle_message(now_, peer_, view(message));
    drain();
  }
  void finish() {
    for (auto call : open_) (void)core_.hang_up(now_, call.first);
    for (auto s : watched_) (void)core_.end_subscription(now_, s.first);
    drain();
    for (int i = 0; i < 2000 && core_.next_timeout() != kNever; ++i) tick();
    require(core_.next_timeout() == kNever);
    core_.peer_lost(now_, peer_);
    drain();
    require(core_.calls() == 0 && core_.transactions() == 0 && open_.empty());
    require(core_.subscriptions() == 0 && watched_.empty());
  }

 private:
  void command(char c) {
    const auto call = open_.empty() ? kNoCall : open_.rbegin()->first;
    const auto watch = watched_.empty() ? kNoSubscription : watched_.rbegin()->first;
    switch (c) {
      case 'i': invite(kSdp); break;
      case 'I': invite({}); break;
      case 'r': (void)core_.ring(now_, call); break;
      case 'p': (void)core_.progress(now_, call, kSdp); break;
      case 'a': (void)core_.accept(now_, call, kSdp); break;
      case 'A': (void)core_.accept(now_, call, {}); break;
      case 'j': (void)core_.reject(now_, call, 486); break;
      case 'c': (void)core_.cancel(now_, call, Core::kElsewhere); break;
      case 'b': (void)core_.bye(now_, call, "enough"); break;
      case 'o': (void)core_.reinvite(now_, call, kSdp); break;
      case 'O': (void)core_.reinvite(now_, call, {}); break;
      case 'u': (void)core_.update(now_, call, kSdp); break;
      case 'U': (void)core_.update(now_, call, {}); break;
      case 'w': (void)core_.answer_reinvite(now_, call, kSdp); break;
      case 'x': (void)core_.reject_reinvite(now_, call, 488); break;
      case 'f': (void)core_.info(now_, call, {"dtmf", "text/plain", "5"}); break;
      case 'F': (void)core_.info(now_, call, {}); break;
      case 'q': (void)core_.options(now_, peer_, Uri::parse("alice@home.example").value()); break;
      case 's': subscribe(call, 3600); break;
      case 'S': subscribe(kNoCall, 3600); break;
      case 'z': subscribe(kNoCall, 0); break;
      case 'k': (void)core_.accept_subscription(now_, watch); break;
      case 'K': (void)core_.accept_subscription(now_, watch, SubscriptionState::pending); break;
      case 'l': (void)core_.reject_subscription(now_, watch, 403); break;
      case 'y': (void)core_.notify(now_, watch, "application/conference-info+xml", "<x/>"); break;
      case 'e': (void)core_.end_subscription(now_, watch, "probation", 5); break;
      case 'h': (void)core_.refresh_subscription(now_, watch); break;
      case 'm': (void)core_.set_focus(call, true); break;
      case 'g': refer(call, true); break;
      case 'G': refer(kNoCall, true); break;
      case 'd': refer(kNoCall, false); break;
      case 'v': (void)core_.report_refer(now_, watch, 180); break;
      case 'V': (void)core_.report_refer(now_, watch, 200); break;
      case 'n': core_.peer_reconnected(peer_); break;
      case 't': tick(); break;
      default: now_ += std::chrono::milliseconds(100); break;
    }
    drain();
  }
  void invite(std::string offer) {
    InviteParams params;
    params.to = peer_;
    params.target = Uri::parse("alice@home.example").value();
    params.from = Uri::parse("bob@home.example").value();
    params.sdp_offer = std::move(offer);
    const auto call = core_.invite(now_, std::move(params));
    if (call) open_[*call] = true;
  }
  void subscribe(CallId call, std::uint32_t expires) {
    SubscribeParams params;
    params.call = call;
    params.to = peer_;
    params.target = Uri::parse("room@home.example").value();
    params.from = Uri::parse("bob@home.example").value();
    params.package = "conference";
    params.accept = {"application/conference-info+xml"};
    params.expires = expires;
    if (const auto made = core_.subscribe(now_, std::move(params))) watched_[*made] = true;
  }
  void refer(CallId call, bool progress) {
    ReferParams params;
    params.call = call;
    params.to = peer_;
    params.target = Uri::parse("room@home.example").value();
    params.from = Uri::parse("bob@home.example").value();
    params.refer_to = Uri::parse("carol@home.example").value();
    params.replaces = core_.dialog(call);
    params.progress = progress;
    if (const auto made = core_.refer(now_, std::move(params))) watched_[*made] = true;
  }
  void tick() {
    if (core_.next_timeout() == kNever) return;
    now_ = std::max(now_, core_.next_timeout());
    core_.handle_timeout(now_);
    require(core_.next_timeout() > now_);  // no deadline stays behind
    drain();
  }
  void drain() {
    while (auto event = core_.poll_event()) std::visit([&](const auto& e) { note(e); }, *event);
    while (auto out = core_.poll_message()) {
      MessageView m;
      const auto ok = parse(out->bytes, m);
      require(ok.has_value() || m.status >= 400);  // a refusal repeats the fields it refuses
      if (ok) remember(m);
    }
    require(core_.calls() <= 8 && core_.transactions() <= 64 && core_.subscriptions() <= 8);
  }
  void remember(const MessageView& m) {
    said_['T'] = std::string(m.is_request ? m.from.tag : m.to.tag);
    said_['I'] = std::string(m.call_id);
    said_['V'] = std::string(m.value(HeaderId::via));
    said_['S'] = std::string(m.value(HeaderId::cseq));
    if (m.has(HeaderId::rseq)) said_['R'] = std::string(m.value(HeaderId::rseq));
  }
  std::string filled(std::string_view text) const {
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() < kMaxMessage; ++i) {
      const auto it = text[i] == '$' && i + 1 < text.size() ? said_.find(text[i + 1]) : said_.end();
      if (it == said_.end()) {
        out.push_back(text[i]);
      } else {
        out.append(it->second);
        ++i;
      }
    }
    return out;
  }
  void note(const IncomingCall& e) { open_[e.call] = true; }
  void note(const Rejected& e) { end(e.call); }
  void note(const Cancelled& e) { end(e.call); }
  void note(const Ended& e) { end(e.call); }
  void note(const Failed& e) { end(e.call); }
  void note(const OptionsAnswered&) {}
  void note(const SubscriptionRequested& e) { require(watched_.emplace(e.subscription, true).second); }
  void note(const SubscriptionRefreshed& e) { require(watched_.contains(e.subscription)); }
  void note(const NotifyReceived& e) { require(watched_.contains(e.subscription)); }
  void note(const ReferReceived& e) { require(watched_.emplace(e.subscription, true).second); }
  void note(const ReferAnswered& e) { require(watched_.contains(e.subscription)); }
  void note(const ReferProgress& e) { require(watched_.contains(e.subscription)); }
  void note(const SubscriptionEnded& e) { require(watched_.erase(e.subscription) == 1); }
  template <class E>
  void note(const E& e) {
    require(open_.contains(e.call));
  }
  void end(CallId call) { require(open_.erase(call) == 1); }

  SeededRng rng_{1};
  Core core_;
  PeerId peer_{{1}};
  Time now_{};
  std::map<CallId, bool> open_;
  std::map<SubscriptionId, bool> watched_;
  std::map<char, std::string> said_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = linnet::text(ByteView(data, size));
  if (rest.empty()) return 0;
  Play play(rest.front() != '-');
  rest.remove_prefix(1);
  for (std::size_t n = 0; n < kMaxSteps && !rest.empty(); ++n) {
    const auto end = rest.find("%%\n");
    play.step(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 3);
  }
  play.finish();
  return 0;
}
