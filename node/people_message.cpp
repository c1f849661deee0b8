#include "node/people_message.h"

namespace linnet::node::people_message {
namespace {

enum class Kind : std::uint8_t { use = 1, answer = 2 };

Bytes write_one(const Use& use) {
  Writer out;
  out.u8(static_cast<std::uint8_t>(Kind::use)).bytes(use.secret);
  return out.take();
}

Bytes write_one(const Answer& answer) {
  Writer out;
  out.u8(static_cast<std::uint8_t>(Kind::answer)).bytes(answer.id).u8(static_cast<std::uint8_t>(answer.verdict));
  return out.take();
}

}  // namespace

Bytes write(const Message& message) {
  return std::visit([](const auto& m) { return write_one(m); }, message);
}

Result<Message> read(ByteView bytes) {
  Reader in(bytes);
  const auto kind = static_cast<Kind>(in.u8());
  if (!in.ok()) return fail(Fault::truncated);
  if (kind == Kind::use) {
    const Use out{in.array<16>()};
    if (!in.done()) return fail(in.ok() ? Fault::malformed : Fault::truncated);
    return Message(out);
  }
  if (kind != Kind::answer) return fail(Fault::unsupported);
  Answer out;
  out.id = in.array<16>();
  const auto verdict = in.u8();
  if (!in.done()) return fail(in.ok() ? Fault::malformed : Fault::truncated);
  if (verdict > static_cast<std::uint8_t>(Verdict::expired)) return fail(Fault::malformed);
  out.verdict = static_cast<Verdict>(verdict);
  return Message(out);
}

}  // namespace linnet::node::people_message
