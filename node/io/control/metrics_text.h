// A node's figures as Prometheus text. Every name begins with linnet_, but for those of the process, which are the
// usual ones. A label's values are few and known.
#pragma once

#include <string>

#include "node/io/driver.h"

namespace linnet::io {

std::string metrics_text(const Driver& driver);

}  // namespace linnet::io
