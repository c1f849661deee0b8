// Who else claims the plain name that somebody unknown came under. Asked while it rings, so that nobody is pinned, or
// called by a name, because they came first (protocol.md section 1).
#pragma once

#include "node/call_facts.h"

namespace linnet::node {

// For a call that rings: answer_claim() says what to tell it.
void ask_claim(Rooms& rooms, Time now, CallId call, const crypto::Address& address, const crypto::AccountKey& account);
// For a contact that we know by the key alone so far: its name is pinned when nobody else claims it.
void ask_claim(Rooms& rooms, Time now, const crypto::Address& address, const crypto::AccountKey& account);

// Nothing when it was about a contact.
std::optional<input::NameChecked> answer_claim(Rooms& rooms, const asker::Claim& asked, const overlay::Found& found);

}  // namespace linnet::node
