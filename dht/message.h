// What supernodes say to each other inside a sealed round trip: four questions, one shape of answer (protocol.md
// section 2, RPC).
#pragma once

#include <optional>
#include <vector>

#include "crypto/suite.h"
#include "dht/contact.h"
#include "dht/record.h"

namespace linnet::dht {

inline constexpr std::size_t kMaxContactsInAnswer = 7;
inline constexpr std::uint64_t kMaxSkip = 64;

enum class Kind : std::uint8_t { ping = 1, find_node = 2, find_record = 3, store = 4 };

struct Request {
  Kind kind = Kind::ping;
  std::optional<Contact> sender;       // believed only after a round trip of our own
  Id target;                           // find_node, find_record; of a store: the answer names those nearest to it
  std::optional<crypto::UserKey> key;  // find_record: whose records, when the target is another place
  std::uint64_t skip = 0;              // find_record: how many records were had from here already
  Bytes record;                        // store
};

enum class AnswerStatus : std::uint8_t {
  ok = 0,
  refused = 1,   // no room in the slots, or not among the nearest
  replayed = 2,  // a lower sequence, or a lower epoch
  conflict = 3,  // equal sequence, other bytes
  expired = 4,   // outside its time
  invalid = 5,   // form or signature
};

struct Answer {
  AnswerStatus status = AnswerStatus::ok;
  std::vector<Contact> contacts;      // at most 7, nearest first
  Bytes record;                       // find_record: the one at `skip`
  bool more = false;                  // find_record: there are further ones
  std::optional<crypto::Mac> cookie;  // proves the asker's address in its next request
  std::optional<Wall> time;           // the answerer's own clock (network_clock.h)
};

// The payload of a request: length, msgpack, zeros. It is filled up to `padded` bytes, never cut.
Bytes encode(const Request& request, std::size_t padded);
Result<Request> read_request(ByteView payload);

// The payload of an answer of at most `room` bytes: contacts go first from the end, then the record (then `more` is
// set).
Bytes encode(const Answer& answer, std::size_t room);
// What of an answer goes into that room, and the bytes it takes; more than `room` when nothing is small enough.
struct Fitting {
  std::size_t contacts = 0;
  bool record = false;
  bool more = false;
  bool cookie = false;
  bool time = false;
  std::size_t bytes = 0;
};
Fitting fit(const Answer& answer, std::size_t room);
// The bytes of encode(request, 0).
std::size_t encoded_size(const Request& request);
Result<Answer> read_answer(ByteView payload);

}  // namespace linnet::dht
