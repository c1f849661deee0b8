// crypto/invitation: any text as a code, any bytes under a right prefix; node/people_message: any bytes.
#include "crypto/invitation.h"

#include "node/people_message.h"
#include "require.h"

namespace {

using namespace linnet;

const auto kNetwork = crypto::network_id("linnet");

void read_code(std::string_view code) {
  const auto read = crypto::read_invitation(crypto::typed_suite(), kNetwork, code);
  if (!read) return;
  fuzz::require(read->via.size() <= crypto::kMaxInvitedVia);
  fuzz::require(!read->address.empty() && !read->key_name().empty());
  fuzz::require(!read->address.is_key_name() || read->address.proves(read->account));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  read_code(text(bytes));
  read_code("LINNET-" + to_base32(bytes));
  (void)crypto::read_invitation(crypto::shipped_suite(), kNetwork, "LINNET-" + to_base32(bytes));
  if (const auto message = node::people_message::read(bytes))
    fuzz::require(equal(node::people_message::write(*message), bytes));
  return 0;
}
