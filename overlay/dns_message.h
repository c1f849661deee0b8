// DNS messages as multicast DNS uses them (RFC 1035 section 4, RFC 6762 section 18): read with every bound checked,
// written with names compressed.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/endpoint.h"

namespace linnet::overlay::dns {

inline constexpr std::size_t kMaxMessage = 9000;  // RFC 6762 section 17
inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxLabel = 63;
inline constexpr std::size_t kMaxItems = 256;              // questions and records of one message that we look at
inline constexpr std::size_t kMaxJumps = 16;               // pointers of one name; a writer needs one, few need more
inline constexpr std::size_t kMaxNames = 4 * kMaxMessage;  // bytes of all names of one message, written out

// Labels from the left, "local" last. Compared without regard to ASCII case.
struct Name {
  std::vector<std::string> labels;

  bool operator==(const Name& other) const;
  bool ends_with(const Name& suffix) const;
  std::string key() const;        // one spelling for equal names; order and hash by it
  std::string to_string() const;  // for people: dots between labels
};
// "_linnet._udp.local"; for names without dots in a label.
Name name(std::string_view dotted);
Name prefixed(std::string label, const Name& rest);

enum class Type : std::uint16_t { a = 1, ptr = 12, txt = 16, aaaa = 28, srv = 33, nsec = 47, any = 255 };
inline constexpr std::uint16_t kInternet = 1;
inline constexpr std::uint16_t kAnyClass = 255;

struct Ptr {
  Name target;
};
struct Srv {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  Name target;
};
struct Txt {
  std::vector<std::string> strings;  // RFC 6763 section 6: "key=value"
};
struct Host {
  IpAddress ip;  // A or AAAA; no scope
};
struct Nsec {  // RFC 6762 section 6.1: these types exist under the name, and no others
  Name name;
  std::vector<Type> types;  // all below 256
};
struct Opaque {
  Bytes bytes;
};
using Data = std::variant<Ptr, Srv, Txt, Host, Nsec, Opaque>;

struct Question {
  Name name;
  Type type{};
  std::uint16_t cls = kInternet;
  bool unicast = false;  // QU
};
struct Record {
  Name name;
  Type type{};
  std::uint16_t cls = kInternet;
  bool flush = false;  // the only one of its name and type
  std::uint32_t ttl = 0;
  Data data;

  // The same name, type, class and content; times apart.
  bool same(const Record& other) const;
};
// The content alone, no name compressed: for comparison (RFC 6762 section 8.2).
Bytes data_bytes(const Data& data);

struct Message {
  std::uint16_t id = 0;
  bool response = false;
  bool truncated = false;  // more known answers follow
  std::vector<Question> questions;
  std::vector<Record> answers;
  std::vector<Record> authorities;
  std::vector<Record> additionals;
};

// Fault::truncated, malformed, too_big; unsupported for an operation or error code other than 0.
Result<Message> read(ByteView bytes);

// Builds one message of at most `limit` bytes. What no longer fits is refused whole; what was written stays valid.
class Builder {
 public:
  Builder(bool response, std::size_t limit, std::uint16_t id = 0);

  enum class Section : std::uint8_t { question, answer, authority, additional };

  bool add(const Question& question);
  // Sections must come in their order.
  bool add(Section section, const Record& record);
  void set_truncated() { truncated_ = true; }
  bool empty() const { return counts_[0] + counts_[1] + counts_[2] + counts_[3] == 0; }
  std::size_t size() const { return out_.size(); }
  Bytes take();

 private:
  void put_name(const Name& name);
  void put_data(const Data& data);
  template <class F>
  bool guarded(Section section, F write);

  bool response_;
  bool truncated_ = false;
  std::size_t limit_;
  std::uint16_t id_;
  std::uint16_t counts_[4] = {};
  Bytes out_;
  std::map<std::string, std::size_t> offsets_;  // of a name's key
};

}  // namespace linnet::overlay::dns
