#include "node/io/user.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace linnet::io {

std::string user_name() {
  if (const char* user = std::getenv("USER"); user != nullptr && user[0] != '\0') return user;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : "me";
}

}  // namespace linnet::io
