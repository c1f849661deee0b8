#include "parse.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>

namespace linnet::bench {

bool sofia_parses(const std::string& text) {
  auto* message = msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()));
  if (message == nullptr) return false;
  const auto* sip = sip_object(message);
  const bool good = sip != nullptr && sip->sip_error == nullptr && sip_sanity_check(sip) == 0;
  msg_destroy(message);
  return good;
}

}  // namespace linnet::bench
