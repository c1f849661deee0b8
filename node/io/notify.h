// Tells systemd how we are (sd_notify): one datagram to $NOTIFY_SOCKET, or nothing.
#pragma once

#include <string_view>

namespace linnet::io {

void notify_supervisor(std::string_view state);  // "READY=1", "STOPPING=1"

}  // namespace linnet::io
