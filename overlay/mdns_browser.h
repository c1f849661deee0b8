// The listening half of multicast DNS: who announces the service on this link, kept while its records live.
#pragma once

#include <deque>
#include <map>

#include "overlay/mdns_responder.h"

namespace linnet::overlay::mdns {

class Browser {
 public:
  static constexpr std::size_t kMaxAddresses = 8;  // of one host

  Browser(const Link& link, dns::Name service, Rng& rng, Mdns::Counters& counters);

  void start(Time now);
  // Instances that are ours are none that were found.
  void on_response(Time now, const dns::Message& response, const IpAddress& from, const dns::Name& own);
  // `bytes`: the whole message.
  void on_query(Time now, const dns::Message& query, ByteView bytes);
  // `own`: our instance, which no question of ours needs; nothing when there is none.
  void handle_timeout(Time now, const dns::Name& own, Out& out);
  Time next_timeout() const;
  std::optional<MdnsEvent> poll_event();
  void prove(const std::string& label);

 private:
  struct Address {
    IpAddress ip;
    Time heard{};
    Time until{};
  };
  struct HostEntry {
    std::vector<Address> addresses;
    std::size_t users = 0;  // instances whose service record names it; none: it goes
  };
  using Hosts = std::map<std::string, HostEntry>;  // by the key of their names

  struct Instance {
    dns::Name name;
    std::string label;
    IpAddress from;  // who announced it first
    Time until{};    // of the pointer to it
    Time refresh = kNever;
    unsigned refreshed = 0;
    Duration life{};
    std::optional<dns::Srv> srv;
    std::optional<Hosts::iterator> host;  // that srv names
    std::optional<dns::Txt> txt;
    Time resolve_at = kNever;
    unsigned asked = 0;
    std::optional<Found> told;
    bool met = false;  // prove()
    Time born{};
  };

  void take_pointer(Time now, const dns::Record& r, const IpAddress& from, const dns::Name& own);
  void make_room(const IpAddress& from);
  void take_details(const dns::Record& r);
  void take_address(Time now, const dns::Record& r);
  void lead(Instance& instance, const dns::Name& target);
  void release(Instance& instance);
  void settle(Time now, Instance& instance);
  void lose(std::map<std::string, Instance>::iterator at);
  void ask(Time now, const dns::Name& own, Out& out);
  void resolve(Time now, Instance& instance, dns::Builder& builder);
  static void plan_refresh(Instance& instance, Rng& rng, Time born);

  const Link& link_;
  dns::Name type_;
  Rng& rng_;
  Mdns::Counters& counters_;
  std::map<std::string, Instance> instances_;  // by the key of their names
  Hosts hosts_;
  Time ask_at_ = kNever;
  Duration pause_{};
  Bytes asked_;  // our latest question, which the link brings back
  std::deque<MdnsEvent> events_;
};

}  // namespace linnet::overlay::mdns
