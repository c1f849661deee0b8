// The name of whoever runs this program.
#pragma once

#include <string>

namespace linnet::io {

std::string user_name();  // $USER, else the password database, else "me"

}  // namespace linnet::io
