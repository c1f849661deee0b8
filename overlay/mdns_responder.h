// The announcing half of multicast DNS: probing, announcing, answering and good-bye for one service instance.
#pragma once

#include <deque>

#include "overlay/mdns.h"

namespace linnet::overlay::mdns {

// One message on its way, or several when it was too long for one.
struct Out {
  std::deque<Transmit> packets;

  void send(const Endpoint& to, Bytes bytes) { packets.push_back({to, std::move(bytes)}); }
};

class Responder {
 public:
  static constexpr unsigned kProbes = 3;
  static constexpr unsigned kAnnouncements = 2;

  Responder(const Link& link, dns::Name service, Rng& rng, Mdns::Counters& counters);

  void announce(Time now, Service service);
  void withdraw(Out& out);
  void on_query(Time now, const Endpoint& from, const dns::Message& query, Out& out);
  void on_response(Time now, const dns::Message& response);
  void handle_timeout(Time now, Out& out);
  Time next_timeout() const;

  const dns::Name& instance() const { return instance_; }
  bool active() const { return stage_ != Stage::idle; }
  bool announced() const { return stage_ == Stage::running || (stage_ == Stage::announcing && said_ > 0); }

 private:
  enum class Stage : std::uint8_t { idle, probing, announcing, running };
  struct Own {
    dns::Record record;
    bool extra = false;       // NSEC: only in additional sections
    Time due = kNever;        // to be multicast then
    Endpoint held_for;        // a truncated query's sender, whose further known answers may make it needless
    Time sent = Time::min();  // last multicast
    bool known = false;       // to who sent the query that is being looked at
  };

  void name_ourselves();
  void build_records();
  void begin_probing(Time at);
  void probe(Time now, Out& out);
  void say(Time now, std::vector<Own*> answers, Out& out, std::uint32_t ttl_most);
  void conflict(Time now);
  bool ours(const dns::Name& name) const { return name == instance_ || name == host_; }
  bool loses_against(const dns::Message& probe) const;
  std::vector<Own*> matching(const dns::Question& question);
  bool known_to(const dns::Message& query, const Own& own) const;
  void answer_legacy(const Endpoint& to, const dns::Message& query, const std::vector<Own*>& answers, Out& out);
  void answer_unicast(Time now, const Endpoint& to, const std::vector<Own*>& answers, Out& out);
  bool may_unicast(Time now);
  void add_extras(dns::Builder& builder, const std::vector<Own*>& answers, std::uint32_t ttl_most, bool nsec) const;

  const Link& link_;
  dns::Name type_;  // the service
  Rng& rng_;
  Mdns::Counters& counters_;
  Service service_;
  dns::Name instance_;
  dns::Name host_;
  std::vector<Own> own_;
  Stage stage_ = Stage::idle;
  unsigned said_ = 0;  // probes or announcements
  Time next_ = kNever;
  unsigned conflicts_ = 0;
  Time conflicts_since_ = Time::min();
  double tokens_ = Mdns::kUnicastPerSecond;
  Time filled_ = Time::min();
};

}  // namespace linnet::overlay::mdns
