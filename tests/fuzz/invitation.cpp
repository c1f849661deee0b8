// crypto/invitation: any text as a code, any bytes under a right prefix; node/people_message and
// node/path_message: any bytes.
#include "crypto/invitation.h"

#include "node/path_message.h"
#include "node/people_message.h"
#include "open_suite.h"
#include "require.h"

namespace {

using namespace linnet;

const auto kNetwork = crypto::network_id("linnet");

void read_code(const crypto::Suite& suite, std::string_view code) {
  const auto read = crypto::read_invitation(suite, kNetwork, code);
  if (!read) return;
  fuzz::require(read->via.size() <= crypto::kMaxInvitedVia);
  fuzz::require(!read->address.empty() && !read->key_name().empty());
  fuzz::require(!read->address.is_key_name() || read->address.proves(read->account));
  // As its writer would write it: the same again.
  crypto::Identity writer;
  writer.account.public_key = read->account.bytes;
  const auto again = crypto::write_invitation(suite, writer, kNetwork, *read);
  fuzz::require(again.has_value());
  const auto back = crypto::read_invitation(suite, kNetwork, *again);
  fuzz::require(back && back->address == read->address && back->via == read->via && back->id() == read->id());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto code = "LINNET-" + to_base32(bytes);
  for (const auto* suite : {&fuzz::open_suite(), &crypto::typed_suite()}) {
    read_code(*suite, text(bytes));
    read_code(*suite, code);
  }
  (void)crypto::read_invitation(crypto::shipped_suite(), kNetwork, code);
  if (const auto message = node::people_message::read(bytes))
    fuzz::require(equal(node::people_message::write(*message), bytes));
  if (const auto message = node::path_message::read(bytes))
    fuzz::require(equal(node::path_message::write(*message), bytes));
  return 0;
}
